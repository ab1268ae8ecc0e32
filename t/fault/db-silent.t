#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A connection to PostgreSQL becomes silent without closing: its packets vanish. A request waits no
# longer than statement_timeout and 5 s, and the request gets Retry-After; its statement may have been
# committed and is not repeated behind the client's back. The connection is closed, and others serve.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Proxy;
use Genflow::Test;
use Time::HiRes qw(time);

my $BOUND = 1 + 5;        # seconds: statement_timeout of this host, and what comes on top
my $SLACK = 20;           # a loaded machine, and looking whether the database is back

my $database = Genflow::Proxy->postgres;
my $params   = $database->params =~ s/statement_timeout=\K\d+/1000/r =~ s/connect_timeout=\K\d+/2/r;
my $httpd    = Genflow::Httpd->start(Genflow::Httpd::small_site() . $params . <<'END');
ServerLimit 1
MaxRequestWorkers 25
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to $httpd;

my ($user, $res, $took);
my $mark = log_mark();

# ---- the answer alone: the statement was committed ----

# It recorded the intent to submit, and nobody else knows that nothing was sent: the generation fails.
for my $case (['hang_answer', 1, 500, 10, 0], ['hang_request', 0, 200, 9, 1]) {
    my ($order, $rows, $status, $credits, $sent) = @$case;
    $user = account(10);
    my @again  = ({ prompt => "once [$user]" }, 'Idempotency-Key' => "silent-$user");
    my $before = $database->events;
    ok wait_for(sub { quota()->{status} == 200 }), 'the database answers';
    $database->order($order, 'create');
    ($res, $took) = timed(sub { generate($user, @again) });
    is_answered_retry_later($res, "$order: a create without an answer");
    cmp_ok $took, '<', $BOUND + $SLACK, '... within the bound' or diag "after $took s";
    is scalar(my @done = $database->events), ++$before, '... was sent to the database once';
    is rows_of($user, 'public.neo_glitch_media'),
        $rows, '... and ' . ($rows ? 'is done' : 'is not');
    ok wait_for(sub { $res = generate($user, @again); $res->{status} == $status }), 'the client repeats it with its key'
        or diag $res->{content};
    is rows_of($user, 'public.neo_glitch_media'), 1, '... and has one generation';
    credits_are $user, $credits, 0, '... for ' . (10 - $credits) . ' credits';
    is submissions("[$user]"), $sent, "... after $sent submissions";
}
expect_log 'GF0202' if log_since($mark) =~ /GF0202: /;    # or this host found it
like $httpd->log_text, qr/GF0121: .*create \(neo-glitch\): no answer within 6 s/, 'the log says what was silent';
unlike $httpd->log_text, qr/GF0301: /, '... and that nothing was repeated';

# ---- all connections ----

$user = account(10);
my $id = later($user, { prompt => "{{gate=$user}} [$user]" });
ok wait_for(sub { submissions("[$user]") }), 'a host has sent a generation';
is quota()->{status}, 200, '... and serves';
lengthen_grace();
$database->freeze;
($res, $took) = timed(\&quota);
is_answered_retry_later($res, 'its connections become silent: a request');
cmp_ok $took, '<', $BOUND + $SLACK, '... within the bound' or diag "after $took s";
my $queued = in_line(sub { [timed(\&quota)] });
is_deeply [grep { $_->[0]{status} != 503 } @$queued], [], 'so do requests side by side';
is_deeply [grep { $_->[1] > $BOUND + $SLACK } @$queued], [], '... none waits behind another';
open_gate($user);
my $alone = wait_for { !leader_of($id) };
ok $alone, 'the host cannot keep its lease';
$database->thaw;
ok wait_for(sub { quota()->{status} == 200 }), 'the network heals: requests are served';
is ended($user, $id)->{status}, 'completed', '... and the background goes on';
normal_grace();
credits_are $user, 9, 0, '... for one charge';
is submissions("[$user]"), 1, '... after one submission';

talk_to;
finish;

sub quota { return api(GET => '/api/getQuota', user => $user) }

sub timed {
    my ($do) = @_;
    my $from = time;
    my $got  = $do->();
    return ($got, time - $from);
}

sub in_line {
    my ($do) = @_;
    return [in_parallel(8, $do, 8)];
}

sub is_answered_retry_later {
    my ($got, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $got->{status}, 503, "$what is answered 503" or diag $got->{content};
    return ok $got->{headers}{'retry-after'}, '... with the time to come again';
}

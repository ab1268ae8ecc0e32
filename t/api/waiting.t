#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A client waits as it prefers: not at all, so many seconds, or, if it says nothing, until the
# picture is there or the provider turns out to need time. Then it gets 202 and can wait at the
# status. More waiters than a server takes are not refused either: they are answered at once.
use Genflow::Test;

use Time::HiRes qw(time);

use Genflow::Httpd ();

my $STATUS   = '/api/neo-glitch/status';
my $PATIENCE = $ENV{GENFLOW_TEST_PATIENCE} || 1;
my $user     = account(60);

# ---- a generate call ----

# The gate opens when all are answered: no answer with 202 waits for it.
my $gate  = "waiting-$user";
my @CALLS = (    # Prefer, what the provider does, status, seconds at least and at most
    ['respond-async',            "{{gate=$gate}}",             202, 0,   15],
    ['respond-async, wait=0',    "{{gate=$gate}}",             202, 0,   15],
    ['wait=0',                   "{{gate=$gate}}",             202, 0,   15],
    ['wait=1',                   "{{gate=$gate}}",             202, 0.9, 15],
    ['foo; wait=99, WAIT = "1"', "{{gate=$gate}}",             202, 0.9, 15],
    ['wait=60',                  '{{delay=1500}}',             200, 1.4, 50],
    ['handling=strict; wait=60', '{{delay=1500}}',             200, 1.4, 50],
    ['wait=60',                  '{{poll=10}}',                200, 0.9, 50],
    ['wait=60',                  '{{delay=0}}',                200, 0,   50],
    [undef,                      '{{delay=1500}}',             200, 1.4, 50],
    [undef,                      "{{poll=1 poll-gate=$gate}}", 202, 0,   15],
);
my @answers = in_parallel(scalar @CALLS, sub {
    my ($prefer, $script) = @{ $CALLS[$_[0]] };
    my %headers = defined $prefer ? (Prefer => $prefer) : ();
    my $begin   = time;
    my $res     = generate($user, { prompt => "a cat $script" }, %headers);
    return { time => time - $begin, data => data($res), %$res };
});
for my $i (0 .. $#CALLS) {
    my ($prefer, $script, $status, $least, $most) = @{ $CALLS[$i] };
    my ($time, $made, $header) = @{ $answers[$i] }{qw(time data headers)};
    $prefer //= 'nothing said';
    is $answers[$i]{status}, $status, "with $prefer a provider of $script makes $status";
    ok $time >= $least && $time < $most * $PATIENCE, "after $least to $most seconds" or diag $time;
    if ($status == 200) {
        is $made->{status}, 'completed', 'with the picture';
        is $header->{location}, undef, 'and nowhere else to look';
        next;
    }
    is "$made->{status} $made->{tokensUsed}", 'processing 0', 'it goes on';
    is $made->{pollUrl}, "$STATUS?id=$made->{id}", 'and can be followed';
    is $header->{location}, $made->{pollUrl}, 'there, as Location says';
    like $header->{'retry-after'}, qr/\A[1-9]\d*\z/, 'as soon as Retry-After says';
}
ok $answers[-1]{data}{stabilityJobId}, 'where the provider needs time the response has its id';
open_gate($gate);
my @ended = map { status_at("id=$_->{data}{id}", 'wait=60')->{status} } @answers;
is "@ended", join(' ', ('completed') x @CALLS), 'all of them are completed in the end';

# ---- the status ----

my $slow  = data(generate($user, { prompt => "a cat {{gate=$gate-slow}}" }, Prefer => 'respond-async'));
my @LOOKS = (    # Prefer, status, seconds at least and at most
    [undef,     'processing', 0,   15],
    ['wait=1',  'processing', 0.9, 15],
    ['wait=60', 'completed',  0.5, 50],       # the gate opens meanwhile
    ['wait=60', 'completed',  0,   15],
);
for my $look (@LOOKS) {
    my ($prefer, $status, $least, $most) = @$look;
    my ($seen, $time) = @{ (in_parallel(2, sub {
        my $begin = time;
        return [status_at("id=$slow->{id}", $prefer), time - $begin] if $_[0] == 0;
        wait_for { time > $begin + 1 };
        return open_gate("$gate-slow") if $status eq 'completed';
    }, 2))[0] };
    $prefer //= 'nothing said';
    is $seen->{status}, $status, "with $prefer the status is $status";
    ok $time >= $least && $time < $most * $PATIENCE, "after $least to $most seconds" or diag $time;
}

# ---- more waiters than are taken ----

my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/site.conf"
StartServers 1
ServerLimit 1
MaxRequestWorkers 24
GenflowDispatch Off
GenflowWatchMax 3
GenflowWatchUser 3
<GenflowType neo-glitch>
    GenflowTypeProviders local
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
# The gate opens when those that do not wait are answered.
my @crowd = in_parallel(21, sub {
    my ($i) = @_;
    if ($i == 20) {
        wait_for { 17 == (() = glob "$ENV{GENFLOW_WORK}/tmp/$gate-answered-*") };
        return { status => 'opened', waited => open_gate("$gate-crowd") };
    }
    my %headers = ('X-User' => $user, 'Content-Type' => 'application/json', Prefer => 'wait=60');
    my $res = client()->post($httpd->base . '/api/neo-glitch/generate', {
        headers => \%headers, content => qq({"prompt":"a cat {{gate=$gate-crowd}}","presetKey":"base"}),
    });
    open my $file, '>', "$ENV{GENFLOW_WORK}/tmp/$gate-answered-$i" or die "$gate-answered-$i: $!\n";
    return { status => $res->{status}, id => data($res)->{id} };
}, 21);
pop @crowd;
my %count;
$count{ $_->{status} }++ for @crowd;
is_deeply \%count, { 200 => 3, 202 => 17 }, 'of 20 waiters 3 wait, as configured, and none fails';
@ended = map { status_at("id=$_->{id}", 'wait=60')->{status} } @crowd;
is "@ended", join(' ', ('completed') x @crowd), 'the other server has made a picture for each';
is $httpd->alarms, '', 'and the log has no warning';

finish;

sub client { return HTTP::Tiny->new(timeout => 90) }

sub status_at {
    my ($query, $prefer) = @_;
    my %headers = defined $prefer ? (Prefer => $prefer) : ();
    return data(api(GET => "$STATUS?$query", user => $user, headers => \%headers));
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One host's connections to PostgreSQL alone, or to its provider alone, go silent without closing, or
# are refused. The other host takes its work over; what the first one brings later counts once; it
# serves again by itself.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Proxy;
use Genflow::Test;

my $mark     = log_mark();
my $database = Genflow::Proxy->postgres;
my $provider = Genflow::Proxy->tcp($ENV{GENFLOW_FAKE});
my $httpd    = Genflow::Httpd->start(Genflow::Httpd::small_site() . $database->params . <<"END");
ServerLimit 1
MaxRequestWorkers 25
<GenflowProvider stability>
    GenflowProviderUrl "@{[$provider->url]}"
    GenflowProviderDeadline 15s
    GenflowProviderConnectTimeout 1s
    GenflowProviderBreakerOpen 0s
    GenflowProviderPoll 100ms
    GenflowProviderBackoff 50ms
</GenflowProvider>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END

# ---- PostgreSQL is silent ----

my $user = account(10);
talk_to $httpd;
my $id = later($user, { prompt => "{{poll=1 poll-gate=$user}} [$user]" });
ok wait_for(sub { status_of($user, $id)->{stabilityJobId} }), 'a host waits for its provider';
talk_to;
my $first = leader_of($id);
my ($own) = $httpd->children;
is $first, $own, '... and leads the generation';
$database->freeze;
ok wait_for(sub { my $pid = leader_of($id); $pid && $pid != $first }),
    'its connections to PostgreSQL go silent: another host leads';
open_gate($user);
is ended($user, $id)->{status}, 'completed', '... and completes';
credits_are $user, 9, 0, '... for one charge';
is submissions("[$user]"), 1, '... after one submission';
$database->thaw;
talk_to $httpd;
ok wait_for(sub { generate($user, {}, Prefer => 'respond-async')->{status} == 202 }),
    'the first host serves when they go on';
ok wait_for(sub { credits($user)->[1] == 0 }), '... and what it took ends';

# ---- silent with the answer of a provider in hand ----

$user = account(10);
$id   = later($user, { prompt => "{{gate=$user}} [$user]" });
talk_to;
ok wait_for(sub { submissions("[$user]") }), 'a host has sent';
lengthen_grace();
$database->freeze;
open_gate($user);
my $alone = wait_for { !leader_of($id) };
ok $alone, '... PostgreSQL is silent for longer than its lease, and the answer comes';
$database->thaw;
is ended($user, $id)->{status}, 'completed', '... when it goes on, the picture counts';
normal_grace();
credits_are $user, 9, 0, '... for one charge';
is submissions("[$user]"), 1, '... after one submission';

# ---- the provider is silent: what may have been sent is not sent again ----

$user = account(10);
talk_to $httpd;
$provider->freeze;
$id = later($user, { prompt => "silent [$user]" });
talk_to;
my $end = ended($user, $id);
is $end->{status}, 'failed', 'a provider takes connections and is silent: the generation fails';
like $end->{errorCode}, qr/\A(?:TIMEOUT|NETWORK_ERROR)\z/, '... and why';
credits_are $user, 10, 0, '... and costs nothing';
$provider->thaw;
cmp_ok submissions("[$user]"), '<=', 1, '... what it had been sent arrives once at most';

# ---- ... while it works: it is polled again ----

$user = account(10);
talk_to $httpd;
$id = later($user, { prompt => "{{poll=2}} [$user]" });
talk_to;
my $works = wait_for { status_of($user, $id)->{stabilityJobId} };
ok $works, 'a provider works';
$provider->cut;
is ended($user, $id)->{status}, 'completed', '... its connections are cut: it is polled again';
credits_are $user, 9, 0, '... for one charge';
is submissions("[$user]"), 1, '... after one submission';

# ---- the provider is out of reach for this host alone ----

$user = account(10);
talk_to $httpd;
$provider->stop;
my @ids = map { later($user, { prompt => "alone $_ [$user]" }) } 1 .. 4;
talk_to;
my @ends = map { ended($user, $_) } @ids;
is_deeply [grep { $_ ne 'completed' && $_ ne 'failed' } map { $_->{status} } @ends], [],
    'one host cannot reach its provider: all ends';
my $done = grep { $_->{status} eq 'completed' } @ends;
ok $done, '... the other host makes pictures' or diag join ' ', map { $_->{errorCode} // '' } @ends;
credits_are $user, 10 - $done, 0, '... for a charge each';
is submissions("[$user]"), $done, '... after a submission each';

expect_log grep { log_since($mark) =~ /\b$_\b/ } qw(GF0202 GF0201 GF0205 GF0121);

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A request that waits holds no thread: many more wait than there are threads, and others are served
# meanwhile. Its connection goes on as any other: kept alive, pipelined, closed by its client, over TLS.
use Genflow::Test;
use Genflow::Wait;
use Time::HiRes qw(time);

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 4, MANY => 120 };

my $user  = account(50);
my $httpd = wait_site(THREADS, <<'END');
Timeout 4
KeepAliveTimeout 60
GenflowWatchUser 200
END
my $status = '/api/' . wait_type() . '/status';

# ---- many ----

my $id      = waiting_generation($user);
my @clients = map { Genflow::Wait->get("$status?id=$id", $user, 30) } 1 .. MANY;
ok all_wait(MANY), MANY . ' requests wait in a child of ' . THREADS . ' threads';
my $begin = time;
is api(GET => '/api/health')->{status}, 200, '... another one is served';
is_deeply [grep { $_->has_answer } @clients], [], '... while they wait';
wait_for { time - $begin > 5 };
is_deeply [grep { $_->has_answer } @clients], [], '... longer than the Timeout of httpd';
cancel_generation($id);
is_deeply [map { $_->answer->{status} } @clients], [(200) x MANY], 'the end of the generation wakes all';
is_deeply [map { $_->json->{status} } @clients], [('cancelled') x MANY], '... and they see it';

# ---- one connection ----

my $next = waiting_generation($user);
my ($one) = @clients;
$one->request("$status?id=$id", $user, 30);
is $one->answer->{status}, 200, 'the connection is kept alive';
$one->request("$status?id=$next", $user, 1);
$begin = time;
is $one->answer->{status}, 200, '... and waits again';
cmp_ok time - $begin, '>=', 0.9, '... for as long as its client prefers';
is $one->json->{status}, 'pending', '... though the generation goes on';

my $pipeline = Genflow::Wait->get("$status?id=$next", $user, 30);
$pipeline->request('/api/health', $user);
$pipeline->request("$status?id=$next", $user, 30);
$pipeline->request("$status?id=$id", $user);
ok all_wait(1), 'a pipeline waits at its first request';
ok !$pipeline->has_answer, '... with the others behind it';
cancel_generation($next);
my @bodies = map { $pipeline->answer; $pipeline->json } 1 .. 4;
is_deeply [map { $_->{id} // 'health' } @bodies], [$next, 'health', $next, $id], 'then come all, in order';

# ---- clients that go ----

my $third = waiting_generation($user);
my @gone  = map { Genflow::Wait->get("$status?id=$third", $user, 60) } 1 .. 3;
ok all_wait(3), 'three wait';
$gone[0]->close;
$gone[1]->half_close;
ok all_wait(1), 'who closes a connection, or half of it, waits no longer';
is $gone[1]->rest, '', '... and gets no answer';
$gone[2]->request("$status?id=$id", $user);
ok all_wait(1), 'who sends meanwhile goes on waiting';
cancel_generation($third);
is_deeply [map { $gone[2]->answer; $gone[2]->json->{id} } 1 .. 2], [$third, $id], '... and gets both answers';

# ---- streams ----

my $fourth  = waiting_generation($user);
my @streams = map { Genflow::Wait->get("/api/generation/$fourth/events", $user) } 1 .. MANY;
ok all_wait(MANY), MANY . ' streams hold no thread either';
ok $streams[0]->reads(qr/\n:\n\n/), '... and get signs of life within the Timeout';
cancel_generation($fourth);
is_deeply [map { ($_->rest =~ /"status":"(cancelled)"/)[0] } @streams], [('cancelled') x MANY],
    '... each is sent the end';
is $httpd->alarms, '', 'nothing is wrong in the log';
$httpd->stop;

# ---- modes ----

for my $row ([block => 2], [off => 0]) {
    my ($mode, $most) = @$row;
    $httpd = wait_site(THREADS, "GenflowWatchMode $mode\nGenflowWatchThreads 2\nGenflowWatchUser 2\n");
    my $fifth = waiting_generation($user);
    my @few   = map { Genflow::Wait->get("$status?id=$fifth", $user, 30) } 1 .. 3;
    my $count = wait_for { 3 - $most == grep { $_->has_answer } @few };
    ok $count, "GenflowWatchMode $mode: $most of 3 wait, the others are answered at once";
    cancel_generation($fifth);
    is_deeply [map { $_->answer->{status} } @few], [200, 200, 200], '... in the end all are';
    $httpd->stop;
}
talk_to();
finish;

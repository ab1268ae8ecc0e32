#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Clients that misbehave while they wait: they send what nobody asked for, reset their connections, never
# read, come back with an id that is none. None of that costs a thread, CPU time or a place.
use Genflow::Test;
use Genflow::Wait;
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 4, PLACES => 30, CYCLES => 5, PIPELINE => 80, QUIET => 0.5 };

my ($user, $other) = (account(50), account(50));
my $httpd  = wait_site(THREADS, 'GenflowWatchUser ' . PLACES . "\n");
my $id     = waiting_generation($user);
my $status = '/api/' . wait_type() . "/status?id=$id";
my $events = "/api/generation/$id/events";

# ---- who sends while it waits ----

my $eager = Genflow::Wait->get($status, $user, 60);
ok all_wait(1), 'one waits';
$eager->request('/api/health', $user) for 1 .. PIPELINE;
my $noisy = Genflow::Wait->get($status, $user, 60);
ok all_wait(2), '... and another one';
$noisy->{socket}->syswrite("\0\xff no request\r\n" x 100);
my $stream = Genflow::Wait->get($events, $user);
ok $stream->streams(qr/"pending"/), '... and a stream';
$stream->{socket}->syswrite('x' x 1000);
my $used = cpu_time();
sleep 1;
cmp_ok cpu_time() - $used, '<', QUIET, 'what they send meanwhile costs no CPU time';
ok all_wait(3), '... and they wait on';
cancel_generation($id);
is_deeply [map { $eager->answer->{status} } 0 .. PIPELINE], [(200) x (1 + PIPELINE)],
    'then the first gets all its answers';
is $noisy->answer->{status}, 200, '... the second its answer';
is $noisy->answer->{status}, 400, '... and a refusal of the rest';
ok $stream->streams(qr/"status":"cancelled"/), '... and the stream its end';

# ---- who never reads, or resets the connection ----

$id     = waiting_generation($user);
$status = '/api/' . wait_type() . "/status?id=$id";
$events = "/api/generation/$id/events";
for my $cycle (1 .. CYCLES) {
    my @clients = map { Genflow::Wait->get($_ % 2 ? $status : $events, $user, 60) } 1 .. PLACES;
    ok all_wait(PLACES), "cycle $cycle: all places are taken";
    is status_of_get($events), 503, '... there are no more';
    is status_of_get($status, 60), 200, '... who would wait is answered';
    $_->half_close for @clients[0 .. 4];
    reset_connection($_) for @clients[5 .. 9];
    ok all_wait(PLACES - 10), '... who goes gives the place back';
    reset_connection($_) for @clients[0 .. 4, 10 .. PLACES - 1];
    ok all_wait(0), '... and so do all';
}
my @deaf = map { Genflow::Wait->get_slowly($_ % 2 ? $status : $events, $user, 60) } 1 .. PLACES;
ok all_wait(PLACES), 'clients that read nothing take all places';
my $guest = waiting_generation($other);
my $fine  = Genflow::Wait->get("/api/generation/$guest/events", $other);
ok $fine->streams(qr/"pending"/), '... another user finds one';
cancel_generation($id);
ok all_wait(1), '... at the end of the generation they give them back';
is api(GET => '/api/health')->{status}, 200, '... and hold no thread';
cancel_generation($guest);

# ---- Last-Event-ID ----

$id    = waiting_generation($user);
$guest = waiting_generation($other);
my ($known) = state_id($other, $guest);
for my $last ($known, 'invented', '0', '', '"', ' ', "\xff\xfe", '-1', 'a' x 8000, '1e9', "id: x") {
    my $client = Genflow::Wait->get_with("/api/generation/$id/events", $user, "Last-Event-ID: $last");
    ok $client->streams(qr/"id":"$id"/), 'the id ' . substr($last, 0, 10) . ' is not that of the state: it comes';
    $client->close;
}
my $thief = Genflow::Wait->get_with("/api/generation/$guest/events", $user, "Last-Event-ID: $known");
is $thief->answer->{status}, 403, 'a stream of another user is refused, whatever id is given';
$thief->close;
ok all_wait(0), 'all places are free';

cancel_generation($_) for $id, $guest;
is $httpd->alarms, '', 'nothing is wrong in the log';
$httpd->stop;
talk_to();
finish;

sub status_of_get {
    my ($path, $seconds) = @_;
    my $client = Genflow::Wait->get($path, $user, $seconds);
    return $client->answer->{status};
}

# Seconds of CPU that the children took.
sub cpu_time {
    my $ticks = 0;
    for my $child ($httpd->children) {
        my ($fields) = Genflow::Site::read_text("/proc/$child/stat") =~ /\) (.*)/ or next;
        my @field = split ' ', $fields;
        $ticks += $field[11] + $field[12];
    }
    return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub reset_connection {
    my ($client) = @_;
    setsockopt $client->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    return $client->close;
}

# The id of the last event of that stream.
sub state_id {
    my ($of, $generation) = @_;
    my $client = Genflow::Wait->get("/api/generation/$generation/events", $of);
    $client->reads(qr/^id: (\w+)/m);
    return $client->{bytes} =~ /^id: (\w+)/m;
}

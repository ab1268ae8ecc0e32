#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# No request that waits is lost when httpd restarts or stops gracefully: each is answered with the
# state of its generation. A client that does not read its stream does not keep the old child alive.
# When a child is killed, its clients notice, and the next child serves.
use Genflow::Test;
use Genflow::Wait;

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 4, MANY => 60 };

my $user  = account(50);
my $httpd = wait_site(THREADS, "Timeout 8\nGenflowWatchUser 200\n");
my $id    = waiting_generation($user);
my $path  = "/api/generation/$id/events";

# ---- a graceful restart ----

my ($old)   = $httpd->children;
my @clients = waiting_clients();
my @streams = map { Genflow::Wait->get($path, $user) } 1 .. 3;
my $stalled = Genflow::Wait->get_slowly($path, $user);
ok all_wait(MANY + 4), '... and streams, of which one is not read';
for my $n (1 .. 5) {
    change_generation($id, 'x' x 60_000, "end $n");
    $_->streams(qr/"end $n"/) for @streams;
}
kill USR1 => $httpd->pid;
is_deeply [map { $_->answer->{status} } @clients], [(200) x MANY], 'a graceful restart answers all';
is_deeply [map { $_->json->{status} } @clients], [('pending') x MANY], '... with the state as it is';
is_deeply [grep { $_->rest !~ /\r\n0\r\n\r\n\z/ } @streams], [], '... and ends the streams';
my $ended = wait_for { !kill 0 => $old };
ok $ended, '... and the old child ends, also with one that is not read';

# ---- a child that is killed ----

my $served = wait_for { api(GET => '/api/health')->{status} == 200 };
ok $served, 'the next child serves';
my ($child) = $httpd->children;
@clients = waiting_clients();
@streams = map { Genflow::Wait->get($path, $user) } 1 .. 3;
$_->streams(qr/"pending"/) for @streams;
kill KILL => $child;
is_deeply [map { $_->rest } @clients], [('') x MANY], 'when it is killed, its clients notice';
is_deeply [grep { $_->rest =~ /\r\n0\r\n\r\n\z/ } @streams], [], '... those of streams, too, which have no end';
$served = wait_for { eval { api(GET => '/api/health')->{status} == 200 } };
ok $served, '... and another one serves';

# ---- a graceful stop ----

@clients = waiting_clients();
my $stream = Genflow::Wait->get($path, $user);
$stream->reads(qr/"pending"/);
kill WINCH => $httpd->pid;
is_deeply [map { $_->answer->{status} } @clients], [(200) x MANY], 'a graceful stop answers all';
like $stream->rest, qr/\n\r\n0\r\n\r\n\z/, '... and ends streams where their clients come back';
$ended = wait_for { !kill 0 => $httpd->pid };
ok $ended, '... then httpd has ended';

talk_to();
cancel_generation($id);
finish;

sub waiting_clients {
    my $path = '/api/' . wait_type() . "/status?id=$id";
    my @all  = map { Genflow::Wait->get($path, $user, 60) } 1 .. MANY;
    ok all_wait(MANY), MANY . ' requests wait';
    return @all;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# No request that waits is lost when httpd restarts or stops gracefully: each is answered with the
# state of its generation. When a child is killed, its clients notice, and the next child serves.
use Genflow::Test;
use Genflow::Wait;

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 4, MANY => 60 };

my $user  = account(50);
my $httpd = wait_site(THREADS, "GenflowWatchUser 200\n");
my $id    = waiting_generation($user);

# ---- a graceful restart ----

my ($old)   = $httpd->children;
my @clients = waiting_clients();
kill USR1 => $httpd->pid;
is_deeply [map { $_->answer->{status} } @clients], [(200) x MANY], 'a graceful restart answers all';
is_deeply [map { $_->json->{status} } @clients], [('pending') x MANY], '... with the state as it is';
my $ended = wait_for { !kill 0 => $old };
ok $ended, '... and the old child ends';

# ---- a child that is killed ----

my $served = wait_for { api(GET => '/api/health')->{status} == 200 };
ok $served, 'the next child serves';
my ($child) = $httpd->children;
@clients = waiting_clients();
kill KILL => $child;
is_deeply [map { $_->rest } @clients], [('') x MANY], 'when it is killed, its clients notice';
$served = wait_for { eval { api(GET => '/api/health')->{status} == 200 } };
ok $served, '... and another one serves';

# ---- a graceful stop ----

@clients = waiting_clients();
my $stream = Genflow::Wait->get("/api/generation/$id/events", $user);
$stream->reads(qr/"pending"/, 10);
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

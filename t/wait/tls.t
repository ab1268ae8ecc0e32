#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Requests that wait over TLS are as those over plain HTTP: clients that do not read their streams hold no
# thread and lose their places, all others get every event, and a connection serves the next request after
# a wait, also one that was sent meanwhile.
use Genflow::Test;
use Genflow::Wait;

use Genflow::Stalled;
use Genflow::Tls ();

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant {
    THREADS => 4,
    MANY    => 8,
    STALLED => 4,
    EVENTS  => 25,
    BYTES   => 60_000,              # of an event
    KEPT    => 250_000,             # that the system may keep for a client; unbounded it keeps megabytes
    TIMEOUT => 12,
    SOON    => 60,
};

my $tls = Genflow::Tls->new or plan(skip_all => 'there is no mod_ssl, or no openssl');
my $user  = account(50);
my $httpd = wait_site(THREADS, $tls->lines . 'Timeout ' . TIMEOUT . "\nGenflowWatchUser 200\n");

# ---- streams ----

my $id      = waiting_generation($user);
my $path    = "/api/generation/$id/events";
my @others  = map { $tls->connection->request($path, $user) } 1 .. MANY;
my @stalled = map { $tls->connection->request($path, $user) } 1 .. STALLED;
ok all_wait(MANY + STALLED), MANY . ' clients read their streams over TLS, ' . STALLED . ' more do not';
my $seen = send_events($id, readers => \@others, events => EVENTS, bytes => BYTES, port => $tls->port);
is $seen->{missed}, 0, 'every event reaches each of those who read';
cmp_ok $seen->{unread}, '>', 0, '... the others have not read all';
cmp_ok $seen->{unread}, '<', KEPT, '... and the system keeps little for them';
cmp_ok $seen->{slowest}, '<', TIMEOUT / 2, '... other requests find a thread at once';
ok all_wait(MANY), 'who reads nothing loses the place';
cancel_generation($id);
is_deeply [grep { !$_->streams(qr/"status":"cancelled"/, SOON) } @others], [], '... and the others get the end';

# ---- parked requests ----

my $status = '/api/' . wait_type() . '/status';
my ($one, $next) = map { waiting_generation($user) } 1 .. 2;
my $client = $tls->connection->request("$status?id=$one", $user, 60)->request("$status?id=$next", $user, 60);
my $gone   = $tls->connection->request("$status?id=$one", $user, 60);
ok all_wait(2), 'two clients wait';
kill TERM => $gone->{pid};
ok all_wait(1), 'one that leaves gives its place back';
cancel_generation($one);
is $client->answer->{status}, 200, 'the other is answered';
is $client->json->{id}, $one, '... with its generation';
ok all_wait(1), '... and the request that it sent meanwhile waits';
cancel_generation($next);
is $client->answer->{status}, 200, '... and is answered, too';
is $client->json->{id}, $next, '... with its own';
ok all_wait(0), 'all places are free';

is $httpd->alarms, '', 'nothing is wrong in the log';
$httpd->stop;
talk_to();
finish;

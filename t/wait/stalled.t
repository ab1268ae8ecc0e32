#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Clients that read their streams slowly, or not at all: they hold no thread, the system keeps little
# for each, all other streams get every event, and who reads nothing loses the place after the Timeout
# of httpd. Who reads again before that has missed nothing.
use Genflow::Test;
use Genflow::Wait;

use Genflow::Stalled;

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant {
    THREADS => 4,
    MANY    => 40,
    STALLED => 10,
    EVENTS  => 30,
    BYTES   => 60_000,              # of an event
    KEPT    => 150_000,             # that the system may keep for a client; unbounded it keeps megabytes
    TIMEOUT => 12,
    SOON    => 60,
};

my $user  = account(50);
my $httpd = wait_site(THREADS, 'Timeout ' . TIMEOUT . "\nGenflowWatchUser 200\n");

# ---- many events ----

my $id      = waiting_generation($user);
my $path    = "/api/generation/$id/events";
my @stalled = map { Genflow::Wait->get_slowly($path, $user) } 1 .. STALLED;
my @others  = map { Genflow::Wait->get($path, $user) } 1 .. MANY;
ok all_wait(MANY + STALLED), MANY . ' clients read their streams, ' . STALLED . ' more do not';
my $seen = send_events($id, readers => \@others, events => EVENTS, bytes => BYTES);
is $seen->{missed}, 0, 'every event reaches each of those who read';
cmp_ok $seen->{unread}, '<', KEPT, '... the system keeps little for one who does not';
cmp_ok $seen->{slowest}, '<', TIMEOUT / 2, '... and other requests find a thread at once';
ok all_wait(MANY), 'who reads nothing loses the place';
is_deeply [grep { !$_->streams(qr/:\n\n/, SOON) } @others], [], '... the others get signs of life';

# ---- one event, which is not much ----

my $quiet = waiting_generation($user);
change_generation($quiet, 'x' x 20_000);
my $one = Genflow::Wait->get_slowly("/api/generation/$quiet/events", $user);
ok all_wait(MANY + 1), 'one more does not read';
ok all_wait(MANY), '... and loses the place, though there is room for signs of life';

# ---- one who reads again ----

my $late = Genflow::Wait->get($path, $user);
send_events($id, readers => \@others, events => 5, first => EVENTS + 1, bytes => BYTES);
ok $late->streams(qr/"end @{[EVENTS + 5]}"/, SOON), 'who begins to read gets the state of now';
cancel_generation($id);
is_deeply [grep { !$_->streams(qr/"status":"cancelled"/, SOON) } $late, @others], [], '... and all get the end';

cancel_generation($quiet);
is $httpd->alarms, '', 'nothing is wrong in the log';
$httpd->stop;
talk_to();
finish;

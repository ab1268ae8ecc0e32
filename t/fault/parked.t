#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL restarts while clients wait: none is lost, long polls and streams wait on and get the end.
# While it is stopped, a wait that is over is answered with 503 and the time to come back, and streams
# get signs of life.
use Genflow::Test;
use Genflow::Wait;

use Genflow::Tab ();

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 4, MANY => 40 };

expect_log 'GF0121';

my $user    = account(50);
my $httpd   = wait_site(THREADS, "Timeout 6\nGenflowDispatch Off\nGenflowWatchUser 200\n");
my @children = $httpd->children;
my $id      = waiting_generation($user);
my $status  = '/api/' . wait_type() . "/status?id=$id";
my @polls   = map { Genflow::Wait->get($status, $user, 120) } 1 .. MANY;
my @streams = map { Genflow::Wait->get("/api/generation/$id/events", $user) } 1 .. MANY;
my $tab     = Genflow::Tab->open($user);
my $others  = 2 * MANY + 1;
ok all_wait($others), 'clients wait';
$_->streams(qr/"pending"/) for @streams;
$tab->next_event;

# ---- restarts ----

for my $mode (qw(fast immediate)) {
    ok pg('restart', $mode), "PostgreSQL restarts: $mode";
    ok all_wait($others), '... and all wait on';
}
change_generation($id, 'after the restarts');
is_deeply [grep { !$_->streams(qr/after the restarts/) } @streams], [], 'streams get what changes afterwards';
is_deeply $tab->next_event->{data}{logs}, ['after the restarts'], '... also that of a user';

# ---- stopped ----

# On a slow machine the shorter waits are over before PostgreSQL is stopped.
my @bounded = map { Genflow::Wait->get($status, $user, $_) } 6, 60, 600;
ok wait_for { waiting() == $others + grep { !$_->has_answer } @bounded }, 'some more wait, for 6 seconds and longer';
ok pg('stop', 'fast'), 'PostgreSQL is stopped';
my ($over, @longer) = grep { !$_->has_answer } @bounded;
is $over->answer->{status}, 503, '... a wait that is over ends with an error';
is $over->json->{code}, 'DATABASE_UNAVAILABLE', '... which says why';
$_->close for @longer;
for (1 .. 3) {                     # the first may be an older one
    is_deeply [grep { !$_->streams(qr/:\n\n/) } @streams], [], 'streams get signs of life';
}
ok all_wait($others), '... and all wait on';
ok pg('start'), 'PostgreSQL is started';
my $back = wait_for { api(GET => '/api/health')->{status} == 200 };
ok $back, '... and httpd has it again';

# ---- the end ----

cancel_generation($id);
is_deeply [map { $_->answer->{status} } @polls], [(200) x MANY], 'the end of the generation wakes all';
is_deeply [map { $_->json->{status} } @polls], [('cancelled') x MANY], '... with the end';
is_deeply [grep { !$_->streams(qr/"status":"cancelled"/) } @streams], [], '... and the streams, too';
is_deeply [map { $tab->next_event->{event} } 1 .. 2], [qw(generation balance)], '... also that of the user, once';
Genflow::Tab->close_all;
ok all_wait(0), 'all places are free';
is_deeply [$httpd->children], \@children, 'no child of httpd died';
$httpd->stop;
talk_to();
finish;

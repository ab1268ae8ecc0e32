#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A client of a user's events that loses its connection again and again, also amid the events of one look,
# and comes back with the last id that it has: it gets each change once, beside transactions that stay open.
use Genflow::Seed;
use Genflow::Test;
use Genflow::Wait;

use Genflow::Session ();
use Genflow::Tab ();

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 4, GENERATIONS => 6, STEPS => 60 };

my $seed = seed(1);
my $user  = account(500);
my $httpd = wait_site(THREADS, "Timeout 6\n");
my ($open, $late) = map { Genflow::Session->new($ENV{PGDATABASE}) } 1 .. 2;
$open->sql('BEGIN', 'SELECT pg_current_xact_id()');

my $last    = Genflow::Tab->open($user)->next_event->{id};
my @ids     = map { waiting_generation($user) } 1 .. GENERATIONS;
my @others  = splice @ids, 0, 2;             # these change in a transaction that commits late
my $number  = 0;
my %pending = map { $_ => undef } @ids, @others;
my (@wrong, %came, $is_late);
for my $step (1 .. STEPS) {
    for my $id (grep { rand() < 0.5 } @ids) {
        change_generation($id, $pending{$id} = 'change ' . ++$number);
    }
    change_late($step);
    $open->sql('COMMIT') if $step == STEPS / 2;
    grant($user, 1);
    my $most = rand() < 0.5 ? int rand 1 + keys %pending : keys %pending;
    read_events($step, $most);
}
is_deeply \@wrong, [], "each change came once (seed $seed)";
cmp_ok $came{generation}, '>', STEPS / 2, '... and there were many';
cmp_ok $came{balance}, '>', STEPS / 4, '... as there were new credits';
is $httpd->alarms, '', 'nothing is wrong in the log';
$httpd->stop;
talk_to();
$late->sql('COMMIT') if $is_late;
cancel_ours();
finish;

# Two generations that change in a transaction which stays open for some steps.
sub change_late {
    my ($step) = @_;
    if (!$is_late) {
        my $text = 'change ' . ++$number;
        $late->sql('BEGIN', map { "UPDATE genflow.work SET provider_logs = '[\"$text\"]' WHERE job_id = '$_'" } @others);
        $is_late = { $text => 1 };
    }
    elsif (rand() < 0.3) {
        $late->sql('COMMIT');
        @pending{@others} = (keys %$is_late) x @others;
        $is_late = undef;
    }
    return;
}

# Comes back, and reads so many events of generations; the credits come behind all of them.
sub read_events {
    my ($step, $most) = @_;
    my $tab  = Genflow::Tab->open($user, $last);
    my $read = sub {
        my $event = $tab->next_event;
        $last = $event->{id};
        $came{ $event->{event} }++;
        return $event;
    };
    for (1 .. $most) {
        my $event = $read->();
        my $id    = $event->{data}{id} // '';
        my $text  = $event->{data}{logs} && $event->{data}{logs}[0];
        if ($event->{event} ne 'generation' || !exists $pending{$id} || ($pending{$id} // '') ne ($text // '')) {
            push @wrong, "step $step: $event->{event} $id " . ($text // '');
        }
        delete $pending{$id};
    }
    if (!%pending) {
        my $event = $read->();
        push @wrong, "step $step: $event->{event}, not the credits" if $event->{event} ne 'balance';
    }
    Genflow::Tab->close_all;
    return;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Two httpds on one database: the streams of a user at the one get what the other one works on and
# settles, each event once, and a client that loses one of them goes on at the other.
use Genflow::Test;
use Genflow::Wait;

use Genflow::Httpd qw(small_site);
use Genflow::Tab ();

use constant { MANY => 8 };

my $user  = account(100);
my $type  = wait_type();
my $other = Genflow::Httpd->start(small_site($type) . <<'END');
Include "${GENFLOW_WORK}/t/conf/api.conf"
GenflowFetchAllow 127.0.0.1
END
my $here = wait_site(4, "GenflowWatchUser 100\n");

my $tab = Genflow::Tab->open($user);
is $tab->next_event->{event}, 'balance', 'a stream begins at an httpd that does no work';
my $id = generate_there($user, 200, 'wait=60');
is_deeply [states_of($id)], ['completed'], 'the other httpd makes a picture: its end comes, once';
my @ids = map { generate_there($user, 202, 'respond-async') } 1 .. MANY;
my %ends;
while (keys %ends < MANY) {
    my $event = $tab->next_of('generation');
    last if !%$event;
    $ends{ $event->{data}{id} }++ if $event->{data}{status} eq 'completed';
}
is_deeply \%ends, { map { $_ => 1 } @ids }, MANY . ' at once: the end of each, once';
my $spent = wait_for { my $event = $tab->next_of('balance'); $event->{data}{remaining} == 91 && $event };
is_deeply $spent->{data}, { balance => 91, held => 0, remaining => 91 }, '... and the credits of all of them';
Genflow::Tab->close_all;

# ---- from one httpd to the other ----

my $missed = generate_there($user, 200, 'wait=60');
wait_at($other);
my $there = Genflow::Tab->open($user, $spent->{id});
is_deeply [map { my $event = $there->next_event; $event->{data}{id} // $event->{event} } 1 .. 2], [$missed, 'balance'],
    'a client that comes back to the other httpd gets what came since';
grant($user, 1);
is $there->next_event->{data}{balance}, 91, '... and what comes next';
is $_->alarms, '', 'nothing is wrong in the log' for $here, $other;
$_->stop for $here, $other;
talk_to();
finish;

# A generation at the other httpd, answered so: its id.
sub generate_there {
    my ($user, $status, $prefer) = @_;
    talk_to($other);
    my $res = api(POST => "/api/$type/generate", user => $user, json => { prompt => 'a neon cat' },
        headers => { Prefer => $prefer });
    talk_to($here);
    is $res->{status}, $status, "$prefer: $status" if $res->{status} != $status;
    return data($res)->{id};
}

# The ends of the generation up to the next credits behind it without a hold.
sub states_of {
    my ($id) = @_;
    my @ended;
    while (1) {
        my $event = $tab->next_event;
        return @ended if !%$event || ($event->{event} eq 'balance' && @ended && !$event->{data}{held});
        push @ended, $event->{data}{status} if $event->{event} eq 'generation' && $event->{data}{completedAt};
    }
}

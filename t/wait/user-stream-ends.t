#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The stream of a user's events ends: at its time, by a graceful restart, for who does not read, over
# HTTP/2 for who comes when all threads wait. Who comes back with the last id has lost nothing.
use Genflow::Test;
use Genflow::Wait;

use Genflow::Stalled;
use Genflow::Tab ();

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 4, MANY => 10, EVENTS => 30, BYTES => 60_000, KEPT => 150_000, SOON => 60 };

my $user  = account(500);
my $httpd = wait_site(THREADS, "Timeout 6\nGenflowWatchUser 200\nGenflowWatchEvents 2s\n");

# ---- its time ----

my $tab   = Genflow::Tab->open($user);
my $first = $tab->next_event;
ok $tab->client->reads(qr/\A(?:\r\n)?0\r\n\r\n\z/, SOON), 'a stream ends at its time';
my $id = waiting_generation($user);
$tab->client->request("/api/generation/$id", $user);
ok $tab->client->reads(qr/"id":"$id"/, SOON), '... and its connection serves another request';
my $back = Genflow::Tab->open($user, $first->{id});
is $back->event_of($id)->{data}{id}, $id, 'who comes back gets what happened between';
$httpd->stop;
Genflow::Tab->close_all;

# ---- a graceful restart, and who does not read ----

$httpd = wait_site(THREADS, "Timeout 12\nGenflowWatchUser 200\n");
my @tabs    = map { Genflow::Tab->open($user) } 1 .. MANY;
my @stalled = map { Genflow::Wait->get_slowly('/api/events', $user) } 1 .. MANY;
$_->next_event for @tabs;
ok all_wait(2 * MANY), MANY . ' tabs read the events, as many do not';
my $sent = send_events($id, readers => [map { $_->client } @tabs], events => EVENTS, bytes => BYTES);
is $sent->{missed}, 0, 'who reads gets every event';
cmp_ok $sent->{unread}, '<', KEPT, '... the system keeps little for who does not';
cmp_ok $sent->{slowest}, '<', 6, '... and other requests find a thread';
ok all_wait(MANY), 'who reads nothing loses the place';
my $seen = change_and_see('before the restart');
my ($old) = $httpd->children;
kill USR1 => $httpd->pid;
is_deeply [grep { !$_->client->reads(qr/(?:\A|\n)0\r\n\r\n\z/, SOON) } @tabs], [], 'a graceful restart ends the streams';
my $ended = wait_for { !kill 0 => $old };
ok $ended, '... and the old child';
change_generation($id, 'meanwhile');
my $served = wait_for { api(GET => '/api/health')->{status} == 200 };
ok $served, '... the next child serves';
my $again = Genflow::Tab->open($user, $seen->{id});
is_deeply $again->next_event->{data}{logs}, ['meanwhile'], 'who comes back gets what happened meanwhile';
Genflow::Tab->close_all;
cancel_generation($id);

is $httpd->alarms, '', 'nothing is wrong in the log';
$httpd->stop;
talk_to();
finish;

# Another state of the generation: the event of the first tab.
sub change_and_see {
    my ($text) = @_;
    change_generation($id, $text);
    my @events = map { $_->event_of($id) } @tabs;
    is_deeply [map { $_->{data}{logs}[0] } @events], [($text) x @tabs], "each tab sees: $text";
    return $events[0];
}

# SPDX-License-Identifier: Apache-2.0
#
# Events of a generation, of many bytes each, for clients that read and clients that do not: what those
# that read have missed, what the system keeps for the others, and how long another request takes.
#
#     my @stalled = map { Genflow::Wait->get_slowly($path, $user) } 1 .. 10;
#     my @readers = map { Genflow::Wait->get($path, $user) } 1 .. 40;
#     my $seen = send_events($id, readers => \@readers, events => 30, bytes => 60_000);
#     is $seen->{missed}, 0;                         # events, of all readers together
#     cmp_ok $seen->{unread}, '<', 150_000;          # bytes for one client at the most
#     cmp_ok $seen->{slowest}, '<', 3;               # seconds of another request at the most

package Genflow::Stalled;

use strict;
use warnings;

use parent 'Exporter';
use Time::HiRes qw(time);

use Genflow::Test;
use Genflow::Wait;

our @EXPORT = qw(send_events);


# Options: readers, events, bytes; first (1): the number of the first event; port: of the clients, if
# it is another one than that of other requests.
sub send_events {
    my ($id, %option) = @_;
    my %seen = (missed => 0, unread => 0, slowest => 0);
    my $first = $option{first} // 1;
    for my $n ($first .. $first + $option{events} - 1) {
        change_generation($id, "begin $n", 'x' x $option{bytes}, "end $n");
        $seen{missed} += grep { !$_->streams(qr/"end $n"/) } @{ $option{readers} };
        my $begin = time;
        api(GET => '/api/health');
        my ($seconds, $unread) = (time - $begin, unread_bytes($option{port}));
        $seen{slowest} = $seconds if $seconds > $seen{slowest};
        $seen{unread}  = $unread  if $unread > $seen{unread};
    }
    return \%seen;
}

1;

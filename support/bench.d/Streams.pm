# SPDX-License-Identifier: Apache-2.0
#
# Clients that read the events of a generation each, some of which do not read: whether each of the
# others gets every event, and how long it takes. For Waiters.pm.
#
#     my $streams = Streams->new($waiters, [user, id], ...);
#     $streams->measure(\%result, 5);                # five events for each, then the end
#
# The result has: readers, stalled, events (sent to all readers together), missed (of them), lost
# (readers that missed one), all_ms (from a change of all generations to the last of its events, the
# median of the rounds).

package Streams;

use strict;
use warnings;

use IO::Poll qw(POLLIN);
use Socket qw(inet_aton pack_sockaddr_in SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(time);

use constant {
    STALLED  => 10,
    LARGE    => 60_000,          # bytes of an event of one who does not read
    PATIENCE => 60,              # seconds for an event to come to all
    TAIL     => 400,             # bytes that may hold a mark which is not complete yet
};

sub new {
    my ($class, $waiters, @generations) = @_;
    my $self = bless { waiters => $waiters, stalled => [], readers => {} }, $class;
    for my $generation (@generations) {
        my ($user, $id) = @$generation;
        my $stalls = @{ $self->{stalled} } < STALLED;
        my $socket = $stalls ? $self->slow_connection : $waiters->connection;
        $socket->syswrite(Load::http_request(GET => "/api/generation/$id/events", { 'X-User' => $user }));
        push @{ $self->{stalled} }, { socket => $socket, id => $id } if $stalls;
        $self->{readers}{ fileno $socket } = { socket => $socket, id => $id, bytes => '' } if !$stalls;
    }
    return $self;
}

# With little room for what is not read.
sub slow_connection {
    my ($self) = @_;
    my ($host, $port) = $self->{waiters}{httpd}->base =~ m{//(.+):(\d+)};
    my $socket = IO::Socket::INET->new(Proto => 'tcp') // die "socket: $!\n";
    $socket->setsockopt(SOL_SOCKET, SO_RCVBUF, 2048) or die "setsockopt: $!\n";
    $socket->connect(pack_sockaddr_in($port, inet_aton($host))) or die "connect: $!\n";
    return $socket;
}

sub measure {
    my ($self, $result, $rounds) = @_;
    my $readers = values %{ $self->{readers} };
    my (%missed, @ms);
    my $round = sub {
        my ($change, $mark) = @_;
        my $begin = time;
        $change->();
        $missed{$_}++ for $self->all_get($mark);
        push @ms, 1000 * (time - $begin);
    };
    $self->all_get('"status":');
    for my $number (1 .. $rounds) {
        print STDERR "streams: event $number of $rounds\n";
        $round->(sub { $self->change("mark $number") }, "mark $number");
    }
    $round->(sub { $self->end }, '"status":"cancelled"');
    $result->{readers} = $readers;
    $result->{stalled} = @{ $self->{stalled} };
    $result->{events}  = $readers * ($rounds + 1);
    $result->{missed}  = 0;
    $result->{missed} += $_ for values %missed;
    $result->{lost}    = keys %missed;
    $result->{all_ms}  = Load::median(@ms);
    return;
}

# All generations change: for those who do not read by much.
sub change {
    my ($self, $mark) = @_;
    my $stalled = Waiters::list_of(map { $_->{id} } @{ $self->{stalled} });
    $self->{waiters}{site}->sql(<<"END", mark => $mark, large => LARGE);
UPDATE genflow.work SET provider_logs = jsonb_build_array(:'mark'::text,
    CASE WHEN job_id = ANY ($stalled) THEN repeat('x', :'large'::integer) END);
END
    return;
}

sub end {
    my ($self) = @_;
    $self->{waiters}{site}->sql('SELECT genflow.admin_cancel(job_id) FROM genflow.work \g /dev/null');
    return;
}

# Does each reader get this? The numbers of those that do not.
sub all_get {
    my ($self, $mark) = @_;
    my %waits = %{ $self->{readers} };
    my $end   = time + PATIENCE;
    my $poll  = IO::Poll->new;
    $poll->mask($_->{socket} => POLLIN) for values %waits;
    while (%waits && time < $end && $poll->poll(1) >= 0) {
        for my $socket ($poll->handles(POLLIN)) {
            my $reader = $waits{ fileno $socket };
            my $got    = $socket->sysread($reader->{bytes}, 65536, length $reader->{bytes});
            my $found  = $reader->{bytes} =~ /\Q$mark\E/;
            $reader->{bytes} = substr $reader->{bytes}, -TAIL if length $reader->{bytes} > TAIL;
            next if $got && !$found;
            $poll->remove($socket);
            delete $waits{ fileno $socket } if $found;
        }
    }
    return keys %waits;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# What it costs to follow so many users, 1,000 at the most: a stream of each user (GET events), beside a stream of one generation of each
# (GET generation/{id}/events). On two children of 32 threads; each user has one generation, which is not worked on.
#
#     my $events = Events->new(site => $site, load => $load, rounds => 5, seconds => 3, count => 1000,
#         empty_tables => sub { ... }, generate => sub { the request of (user, prompt, headers) });
#     my @results = $events->measure;               # one for each kind
#     Events::print_table(@results);
#
# A result has: kind, streams, kb (anonymous memory of the children for each), descriptors (of httpd, for each), cpu
# (% of one processor that httpd and PostgreSQL take while nothing happens), connections (most of PostgreSQL's that
# httpd had), and of the end of all generations in one statement: p50_ms and all_ms (to the median and the last of
# its events), cpu_us (of httpd and PostgreSQL for each event), medians of the rounds, lost (events that did not
# come), and load (average).

package Events;

use strict;
use warnings;

use IO::Poll qw(POLLIN);
use POSIX ();
use Time::HiRes qw(time);

use Load ();
use Waiters ();

use parent -norequire, 'Waiters';

use constant {
    PATIENCE => 60,              # seconds for an event to come to all
    TAIL     => 4000,            # bytes that may hold an event which is not complete yet
};

sub measure {
    my ($self) = @_;
    return map { $self->kind($_) } qw(user generation);
}

sub kind {
    my ($self, $kind) = @_;
    $self->{empty_tables}->();
    my @generations = $self->pending_generations($self->{count}, 'first');
    my $httpd = $self->start('park');
    $self->warm_up(@{ $generations[0] });
    my $before  = [$self->memory, $self->descriptors];
    my @readers = $self->readers($kind, @generations);
    my %result  = (
        name        => 'stream',
        kind        => $kind,
        streams     => scalar @readers,
        kb          => ($self->memory - $before->[0]) / @readers,
        descriptors => ($self->descriptors - $before->[1]) / @readers,
        cpu         => $self->cpu_at_rest,
        connections => $self->connections,
        lost        => 0,
    );
    my @rounds;
    for my $number (1 .. $self->{rounds}) {
        print STDERR "stream: $kind, round $number of $self->{rounds}\n";
        if ($number > 1) {
            @generations = $self->pending_generations($self->{count}, "round $number");
            @readers     = $self->readers($kind, @generations) if $kind eq 'generation';
            $self->hear_of($kind, \@readers, @generations);
        }
        push @rounds, $self->end_of(\%result, @readers);
    }
    $result{$_} = Load::median(@{ median_of($_, @rounds) }) for qw(p50_ms all_ms cpu_us);
    ($result{load}) = Load::read_file('/proc/loadavg') =~ /\A(\S+)/;
    $httpd->stop;
    return \%result;
}

sub median_of {
    my ($what, @rounds) = @_;
    return [map { $_->{$what} } @rounds];
}

# A stream for each, which has begun.
sub readers {
    my ($self, $kind, @generations) = @_;
    my @readers = map {
        my ($user, $id) = @$_;
        my $path   = $kind eq 'user' ? '/api/events' : "/api/generation/$id/events";
        my $socket = $self->connection;
        $socket->syswrite(Load::http_request(GET => $path, { 'X-User' => $user }));
        { socket => $socket, user => $user, id => $id, bytes => '' };
    } @generations;
    my $missing = $self->all_get(sub { qr/^data: /m }, @readers);
    die "$missing streams do not begin\n" if $missing;
    return @readers;
}

# Each stream of a user has the generation of its user.
sub hear_of {
    my ($self, $kind, $readers, @generations) = @_;
    return if $kind ne 'user';
    my %of = map { $_->[0] => $_->[1] } @generations;
    $_->{id} = $of{ $_->{user} } for @$readers;
    my $missing = $self->all_get(sub { qr/^data: [^\n]*"id":"$_[0]{id}"/m }, @$readers);
    die "$missing streams do not have what is new\n" if $missing;
    return;
}

# All generations end: when does each stream have that?
sub end_of {
    my ($self, $result, @readers) = @_;
    my $ids   = Waiters::list_of(map { $_->{id} } @readers);
    my $ticks = $self->ticks;
    my $begin = time;
    $self->{site}->sql("SELECT genflow.admin_cancel(i) FROM unnest($ids) AS i \\g /dev/null\n");
    $result->{lost} += $self->all_get(sub { qr/^data: [^\n]*"id":"$_[0]{id}"[^\n]*"status":"cancelled"/m }, @readers);
    my @ms   = sort { $a <=> $b } map { 1000 * ($_->{came} - $begin) } grep { $_->{came} > $begin } @readers;
    my $now  = $self->connections;
    my $used = ($self->ticks - $ticks) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
    $result->{connections} = $now if $now > $result->{connections};
    die "no event came\n" if !@ms;
    return { p50_ms => $ms[ @ms / 2 ], all_ms => $ms[-1], cpu_us => 1_000_000 * $used / @readers };
}

# Waits until each has read what it wants; how many have not.
sub all_get {
    my ($self, $wanted, @readers) = @_;
    my %waits = map { fileno $_->{socket} => $_ } @readers;
    my %wants = map { my $reader = $waits{$_}; $_ => $wanted->($reader) } keys %waits;
    my $end   = time + PATIENCE;
    my $poll  = IO::Poll->new;
    $poll->mask($_->{socket} => POLLIN) for @readers;
    while (%waits && time < $end && $poll->poll(1) >= 0) {
        for my $socket ($poll->handles(POLLIN)) {
            my $number = fileno $socket;
            my $reader = $waits{$number};
            my $got    = $socket->sysread($reader->{bytes}, 65536, length $reader->{bytes});
            my $found  = $reader->{bytes} =~ $wants{$number};
            $reader->{bytes} = $found ? '' : substr $reader->{bytes}, -TAIL if $found || length $reader->{bytes} > TAIL;
            next if $got && !$found;
            $poll->remove($socket);
            $reader->{came} = time if $found;
            delete $waits{$number} if $found;
        }
    }
    return scalar keys %waits;
}

# Connections of PostgreSQL that httpd has.
sub connections {
    my ($self) = @_;
    my ($count) = $self->{site}->sql(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'genflow_app'});
    return $count;
}

sub print_table {
    my @results = @_;
    printf "\n%-11s %8s %6s %6s %6s %5s %9s %9s %9s %5s %6s\n", qw(stream streams kB fds cpu pg), 'p50 ms', 'all ms', 'us/event', qw(lost load);
    printf "%-11s %8d %6.1f %6.1f %5.1f%% %5d %9.1f %9.1f %9.0f %5d %6.1f\n",
        @$_{qw(kind streams kb descriptors cpu connections p50_ms all_ms cpu_us lost load)} for @results;
    print <<'END';

Streams of the events of users, and of one generation of each user. kB, fds: memory and descriptors of httpd for each.
cpu: of httpd and PostgreSQL while nothing happens. pg: connections of PostgreSQL. From the end of all generations in
one statement: p50, all: to the median and the last of its events; us/event: CPU of httpd and PostgreSQL for each.
END
    return;
}

1;

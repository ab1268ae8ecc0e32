# SPDX-License-Identifier: Apache-2.0
#
# What clients cost that wait: so many status requests with Prefer: wait, each on a connection of its
# own and for a generation of its own, on two children of 32 threads. Beside them some clients make one
# generation after another and wait for each: the time from its commit to the answer is a wake. Once
# parked (GenflowWatchMode park), once as many as the threads hold (block).
#
# Parked, further clients wait where the generation is not worked on: at the other child, and at a
# second httpd on the same database, where half as many wait, too. Then half as many read event streams
# (Streams.pm).
#
#     my $waiters = Waiters->new(site => $site, load => $load, rounds => 5, seconds => 3, count => 4000,
#         empty_tables => sub { ... }, generate => sub { the request of (user, prompt, headers) });
#     my @results = $waiters->measure;              # one for each mode
#     Waiters::print_table(@results);
#
# A result has: waiting, lost (clients that did not get the end of their generation), kb (anonymous
# memory of the children for each), descriptors (of httpd, for each), cpu (% of one processor that
# httpd and PostgreSQL take while all wait and nothing else happens), wakes (by where the generation is
# worked on: p50 and p99 in ms, medians of the rounds, their number and the load average), all_ms (from
# the end of all generations at once to the last answer).

package Waiters;

use strict;
use warnings;

use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(sleep time);

use Genflow::Httpd ();
use Genflow::Site ();

use Streams ();

use constant {
    CHILDREN => 2,
    THREADS  => 32,                   # of a child
    HOLD     => 20,                   # of them may wait, of mode block
    MAKERS   => 4,                    # clients that make generations
    PLACES   => 4,                    # connections of a maker that waits elsewhere
    USERS    => 1000,
    WAIT     => 600,                  # seconds that clients prefer
    PAUSE    => 0.02,                 # seconds between two of a client: the processors are not full
    PATIENCE => 60,                   # seconds for what should take less
    WARM     => 500,                  # requests before the memory is read
    REST     => 2,                    # seconds in which nothing happens
};

sub new {
    my ($class, %option) = @_;
    return bless {%option}, $class;
}

sub measure {
    my ($self) = @_;
    $self->make_commits_known;
    return (
        $self->mode(name => 'park', directive => 'park', elsewhere => 1),
        $self->mode(name => 'streams', directive => 'park', streams => 1, count => int($self->{count} / 2)),
        $self->mode(name => 'block', directive => 'block', count => CHILDREN * HOLD * 3 / 4),
    );
}

# The time of each commit; and a commit that does not wait for the disk, which is no part of a wake.
sub make_commits_known {
    my ($self) = @_;
    my $site = $self->{site};
    $site->sql('ALTER SYSTEM SET track_commit_timestamp = on');
    $site->sql('ALTER ROLE genflow_app SET synchronous_commit = off');
    $site->pg_ctl('restart', 'fast') or die "PostgreSQL did not start again\n";
    return;
}

# ---- one mode ------------------------------------------------------------------------------------

sub mode {
    my ($self, %mode) = @_;
    my $count = $mode{count} // $self->{count};
    $self->{empty_tables}->();
    my @generations = $self->pending_generations($count);
    my $httpd = $self->{httpd} = $self->start($mode{directive});
    $self->warm_up(@{ $generations[0] });

    my %before  = (memory => $self->memory, descriptors => $self->descriptors);
    my $streams = $mode{streams} && Streams->new($self, @generations);
    my @clients = $streams ? () : $self->clients($httpd, @generations);
    my $places  = $mode{directive} eq 'park' ? 2 : 1;      # descriptors of a client that waits
    wait_until("$count clients wait",
        sub { $self->descriptors - $before{descriptors} >= $places * $count });
    my @waiting = grep { !IO::Select->new($_->{socket})->can_read(0) } @clients;
    my %result = (
        name        => 'waiters',
        mode        => $mode{name},
        waiting     => $streams ? $count : scalar @waiting,
        kb          => ($self->memory - $before{memory}) / $count,
        descriptors => ($self->descriptors - $before{descriptors}) / $count,
        cpu         => $self->cpu_at_rest,
    );
    $result{wakes}{'the same child'} = $self->rounds($mode{name}, sub { $self->makers($self->{seconds}) });
    $self->wait_elsewhere(\%result) if $mode{elsewhere};
    $streams ? $streams->measure(\%result, $self->{rounds}) : $self->end_all(\%result, @waiting);
    $httpd->stop;
    return \%result;
}

# The same with a client that waits elsewhere than where its generation is worked on.
sub wait_elsewhere {
    my ($self, $result) = @_;
    $result->{wakes}{'another child'} = $self->rounds('another child', sub { $self->makers_elsewhere });
    my $first = $self->{httpd};
    my $other = $self->{other} = $self->start('park', 'GenflowDispatch Off');
    $self->{httpd} = $first;
    my @more = $self->clients($other, $self->pending_generations(int($self->{count} / 2), 'more'));
    $result->{wakes}{'another httpd'} = $self->rounds('another httpd', sub { $self->makers_elsewhere($other) });
    $self->end_all(\my %end, @more);
    $result->{lost_there} = $end{lost};
    $other->stop;
    return;
}

sub start {
    my ($self, $mode, $line) = @_;
    my ($children, $threads, $hold, $all) = (CHILDREN, THREADS, HOLD, CHILDREN * THREADS);
    local $ENV{BENCH_DISPATCH} = 'On';
    local $ENV{BENCH_THUMBNAIL} = 'Off';
    $line //= '';
    my $httpd = Genflow::Httpd->start(<<"END");
Include "\${GENFLOW_WORK}/t/conf/bench.conf"
StartServers $children
ServerLimit $children
ThreadLimit $threads
ThreadsPerChild $threads
MaxRequestWorkers $all
MaxSpareThreads $all
AsyncRequestWorkerFactor 2000
GenflowWatchMode $mode
GenflowWatchMax 100000
GenflowWatchThreads $hold
GenflowWatchUser 1000
LogFormat "%P %q" place
CustomLog "$ENV{GENFLOW_WORK}/t/logs/places" place "expr=%{QUERY_STRING} =~ /^place=/"
$line
END
    $self->{httpd} = $httpd;
    wait_until('httpd serves', sub { $httpd->children == $children });
    return $httpd;
}

# Of different users, [user, id] each: no process works on them.
sub pending_generations {
    my ($self, $count, $key) = @_;
    return map { [split /\|/] } $self->{site}->sql(<<'END', count => $count, users => USERS, key => $key // 'key');
SELECT u.name, (genflow.neo_glitch_create(u.name, :'key' || ':' || n, '\x5b', NULL, 'visor', 'a lighthouse',
           NULL, '{}', n, 1, 3::smallint, '1 day', NULL, NULL, p_start => false)).id
  FROM generate_series(1, :'count'::integer) AS n,
       LATERAL (SELECT (1 + n % :'users'::integer)::text) AS u (name);
END
}

# ---- clients -------------------------------------------------------------------------------------

sub connection {
    my ($self, $httpd) = @_;
    my ($address) = ($httpd // $self->{httpd})->base =~ m{//(.+)};
    return IO::Socket::INET->new(PeerAddr => $address) // die "connect to $address: $!\n";
}

# A child that is full answers 202: such a client tries again, and comes to the other child at last.
sub clients {
    my ($self, $httpd, @generations) = @_;
    my @clients = map { $self->client(@$_, $httpd) } @generations;
    my $end     = time + PATIENCE;
    while (time < $end) {
        sleep 1;
        my @early = grep { IO::Select->new($_->{socket})->can_read(0) } @clients or last;
        %$_ = %{ $self->client($_->{user}, $_->{id}, $httpd) } for @early;
    }
    return @clients;
}

# One that waits for a generation.
sub client {
    my ($self, $user, $id, $httpd) = @_;
    my $socket = $self->connection($httpd);
    $socket->syswrite(wait_request($user, $id));
    return { socket => $socket, id => $id, user => $user };
}

sub wait_request {
    my ($user, $id) = @_;
    return Load::http_request(GET => "/api/neo-glitch/status?id=$id", { 'X-User' => $user, Prefer => 'wait=' . WAIT });
}

# Does it get the end of its generation?
sub gets_end {
    my ($client) = @_;
    my ($bytes, $end) = ('', time + PATIENCE);
    until ($bytes =~ /"status":"cancelled"/) {
        my $left = $end - time;
        return 0 if $left <= 0 || !IO::Select->new($client->{socket})->can_read($left);
        $client->{socket}->sysread($bytes, 65536, length $bytes) or return 0;
    }
    return 1;
}

# Head and body of the next answer on this connection; undef: none came.
sub answer {
    my ($socket, $seconds) = @_;
    my ($bytes, $end) = ('', time + $seconds);
    while ((my $left = $end - time) > 0) {
        my ($length) = $bytes =~ /^Content-Length: (\d+)\r?$/mi;
        return $bytes if defined $length && $bytes =~ /\r\n\r\n(.*)\z/s && length $1 >= $length;
        IO::Select->new($socket)->can_read($left) or last;
        $socket->sysread($bytes, 65536, length $bytes) or last;
    }
    return;
}

# Threads, statements and memory that every request shares are there before anything is measured.
sub warm_up {
    my ($self, $user, $id) = @_;
    my $request = Load::http_request(GET => "/api/neo-glitch/status?id=$id", { 'X-User' => $user });
    for (1 .. WARM / 50) {
        my @sockets = map { $self->connection } 1 .. 50;
        $_->syswrite($request) for @sockets;
        defined answer($_, PATIENCE) or die "httpd does not answer\n" for @sockets;
    }
    $self->makers(1);
    return;
}

# ---- what they cost ------------------------------------------------------------------------------

# kB of anonymous memory of all children.
sub memory {
    my ($self) = @_;
    my $sum = 0;
    for my $child ($self->{httpd}->children) {
        Load::read_file("/proc/$child/status") =~ /^RssAnon:\s+(\d+)/m and $sum += $1;
    }
    return $sum;
}

sub descriptors {
    my ($self) = @_;
    my $sum = 0;
    for my $child ($self->{httpd}->children) {
        opendir my $folder, "/proc/$child/fd" or next;
        $sum += grep { !/\A\./ } readdir $folder;
    }
    return $sum;
}

# % of one processor that httpd and PostgreSQL take while nothing happens.
sub cpu_at_rest {
    my ($self) = @_;
    my ($begin, $before) = (time, $self->ticks);
    sleep REST;
    return 100 * ($self->ticks - $before) / POSIX::sysconf(POSIX::_SC_CLK_TCK()) / (time - $begin);
}

# Of CPU that httpd and PostgreSQL have taken so far.
sub ticks {
    my ($self) = @_;
    my $process = Load::processes();
    return Load::family($process, $self->{httpd}->pid) + Load::family($process, $self->{load}->postmaster);
}

# ---- wakes ---------------------------------------------------------------------------------------

sub rounds {
    my ($self, $name, $make) = @_;
    my @rounds = map {
        print STDERR "waiters: $name, round $_ of $self->{rounds}\n";
        $self->round($make)
    } 1 .. $self->{rounds};
    my ($load) = Load::read_file('/proc/loadavg') =~ /\A(\S+)/;
    return {
        load => $load,
        map { my $what = $_; $what => Load::median(map { $_->{$what} } @rounds) } qw(p50 p99 count)
    };
}

# Those whose client did not wait yet when the generation ended are no wakes.
sub round {
    my ($self, $make) = @_;
    my %came = $make->();
    my $ids  = list_of(keys %came);
    my @ms   = sort { $a <=> $b } map {
        my ($id, $commit) = split /\|/;
        $commit > $came{$id}{sent} ? ($came{$id}{came} - $commit) / 1000 : ();
    } $self->{site}->sql(<<"END");
SELECT id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint
  FROM public.neo_glitch_media WHERE id = ANY ($ids)
END
    die 'of ' . keys(%came) . " generations none was waited for\n" if !@ms;
    return { count => scalar @ms, p50 => $ms[ @ms / 2 ], p99 => $ms[ @ms * 0.99 ] };
}

# Makes generations for so long, each client one after another: id => when it began to wait and when
# its answer came, in us.
sub makers {
    my ($self, $seconds) = @_;
    return $self->lines_of(sub {
        my ($user) = @_;
        my $request = $self->{generate}->($user, 'quick', Prefer => 'wait=60');
        my $socket  = $self->connection;
        my $end     = time + $seconds;
        while (time < $end) {
            sleep PAUSE;
            my $sent = now();
            $socket->syswrite($request);
            my $answer = answer($socket, PATIENCE);
            my $came   = now();
            die "no answer\n" if !defined $answer && $came - $sent >= PATIENCE * 1_000_000;
            # a child without an idle thread closes connections that are kept alive; one without a
            # thread for one more that waits answers 202
            if (!defined $answer || $answer =~ m{\AHTTP/1.1 202 }) {
                $socket = $self->connection;
                next;
            }
            my ($id) = $answer =~ m{\AHTTP/1.1 200 .*"id":"([0-9a-f-]+)"}s or die "it is: $answer\n";
            print "$id $sent $came\n";
        }
    });
}

# The same with two requests: one makes a generation, which takes a while, and the other waits for it,
# at another child or at another httpd.
sub makers_elsewhere {
    my ($self, $other) = @_;
    return $self->lines_of(sub {
        my ($user)  = @_;
        my $request = $self->{generate}->($user, 'soon', Prefer => 'respond-async');
        my $end     = time + $self->{seconds};
        my ($maker, @places);
        while (time < $end) {
            if (!@places) {
                $maker  = $self->place($self->{httpd});
                @places = grep { $_->{child} != $maker->{child} } map { $self->place($other // $self->{httpd}) } 1 .. PLACES;
            }
            my $place = shift @places or next;
            $maker->{socket}->syswrite($request);
            my $answer = answer($maker->{socket}, PATIENCE);
            if (!defined $answer) {                # the child closed what was kept alive
                @places = ();
                next;
            }
            my ($id) = $answer =~ m{\AHTTP/1.1 202 .*"id":"([0-9a-f-]+)"}s or die "it is: $answer\n";
            my $sent = now();
            $place->{socket}->syswrite(wait_request($user, $id));
            $answer = answer($place->{socket}, PATIENCE) // next;
            my $came = now();
            # a child without a place for one more that waits answers at once
            $answer =~ m{\AHTTP/1.1 20[02] } or die "it is: $answer\n";
            print "$id $sent $came\n" if $answer =~ /"status":"completed"/;
            push @places, $place;
        }
    });
}

# A connection, and the child that serves it.
my $places = 0;

sub place {
    my ($self, $httpd) = @_;
    my $socket = $self->connection($httpd);
    my $name   = "place=$$-" . ++$places;
    $socket->syswrite(Load::http_request(GET => "/api/health?$name", {}));
    answer($socket, PATIENCE) // die "no answer\n";
    my $child;
    wait_until('the place is in the log',
        sub { ($child) = Load::read_file("$ENV{GENFLOW_WORK}/t/logs/places") =~ /^(\d+) \?\Q$name\E$/m });
    return { socket => $socket, child => $child };
}

sub now { return int(time * 1_000_000) }

# What the makers, a process each, print.
sub lines_of {
    my ($self, $make) = @_;
    my @pipes = map { maker($make, $_) } 1 .. MAKERS;
    my %came;
    for my $pipe (@pipes) {
        while (my $line = <$pipe>) {
            $came{$1} = { sent => $2, came => $3 } if $line =~ /\A(\S+) (\d+) (\d+)\n\z/;
        }
        close $pipe or die "a client failed\n";
    }
    return %came;
}

sub maker {
    my ($make, $user) = @_;
    my $pid = open(my $pipe, '-|') // die "fork: $!\n";
    return $pipe if $pid;
    local $SIG{PIPE} = 'IGNORE';           # a child without an idle thread closes connections
    my $done = eval { $make->($user); close STDOUT };
    print STDERR $@ if !$done;
    POSIX::_exit($done ? 0 : 1);
}

# ---- the end -------------------------------------------------------------------------------------

# All generations end at once: each client gets its answer.
sub end_all {
    my ($self, $result, @clients) = @_;
    my $ids = list_of(map { $_->{id} } @clients);
    $self->{site}->sql("SELECT genflow.admin_cancel(i) FROM unnest($ids) AS i \\g /dev/null\n");
    my $begin = time;
    $result->{lost}   = grep { !gets_end($_) } @clients;
    $result->{all_ms} = 1000 * (time - $begin);
    return;
}

# In the text of a statement: it is too long for a value of psql.
sub list_of { return q('{) . join(',', @_) . q(}'::uuid[]) }

# Also of Flight, which has more to wait for.
sub wait_until {
    my ($what, $condition, $patience) = @_;
    $patience //= PATIENCE;
    my $end = time + $patience;
    until ($condition->()) {
        die "not within $patience s: $what\n" if time > $end;
        sleep 0.1;
    }
    return;
}

sub print_table {
    my @results = @_;
    printf "\n%-8s %8s %5s %6s %6s %6s %8s\n", qw(waiters waiting lost kB fds cpu), 'all ms';
    printf "%-8s %8d %5d %6.1f %6.1f %5.1f%% %8.0f\n", @$_{qw(mode waiting lost kb descriptors cpu all_ms)} for @results;
    printf "\n%-8s %-15s %9s %9s %7s %6s\n", 'wakes', 'the work is at', 'p50 ms', 'p99 ms', qw(wakes load);
    for my $result (@results) {
        for my $where (sort keys %{ $result->{wakes} }) {
            printf "%-8s %-15s %9.2f %9.2f %7d %6.1f\n", $result->{mode}, $where,
                @{ $result->{wakes}{$where} }{qw(p50 p99 count load)};
        }
    }
    print "\n";
    print "streams: $_->{events} events were sent to $_->{readers} that read, $_->{missed} were missed; ",
        "$_->{stalled} more did not read\n" for grep { defined $_->{events} } @results;
    print "another httpd: $_->{lost_there} of its clients did not get their end\n"
        for grep { defined $_->{lost_there} } @results;
    my ($children, $threads, $makers) = (CHILDREN, THREADS, MAKERS);
    print <<"END";

Clients that wait for the end of a generation, on $children children of $threads threads. kB, fds: memory and
descriptors of httpd for each. cpu: of httpd and PostgreSQL while all wait. all: from the end of all
generations to the last answer; streams: from a change of all generations to the last event. p50, p99:
from the commit of a generation to the answer of its client, of $makers clients beside; medians of the rounds.
END
    return;
}

1;

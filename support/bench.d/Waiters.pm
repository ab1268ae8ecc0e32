# SPDX-License-Identifier: Apache-2.0
#
# What clients cost that wait: so many status requests with Prefer: wait, each on a connection of its
# own and for a generation of its own, on two children of 32 threads. Beside them some clients make one
# generation after another and wait for each: the time from its commit to the answer is a wake. Once
# parked (GenflowWatchMode park), once as many as the threads hold (block).
#
#     my $waiters = Waiters->new(site => $site, load => $load, rounds => 5, seconds => 3, count => 4000,
#         empty_tables => sub { ... }, generate => sub { the request of this user });
#     my @results = $waiters->measure;              # one for each mode
#     Waiters::print_table(@results);
#
# A result has: waiting, lost (clients that did not get the end of their generation), kb (anonymous
# memory of the children for each), descriptors (of httpd, for each), cpu (% of one processor that
# httpd and PostgreSQL take while all wait and nothing else happens), wake_p50 and wake_p99 (ms,
# medians of the rounds), wakes, load (average), all_ms (from the end of all generations at once to
# the last answer).

package Waiters;

use strict;
use warnings;

use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(sleep time);

use Genflow::Httpd ();
use Genflow::Site ();

use constant {
    CHILDREN => 2,
    THREADS  => 32,                   # of a child
    HOLD     => 20,                   # of them may wait, of mode block
    MAKERS   => 4,                    # clients that make generations
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
    my ($descriptors) = `sh -c 'ulimit -n'` =~ /(\d+)/;
    die "$self->{count} clients need as many descriptors: ulimit -n $descriptors is too low\n"
        if $descriptors && $descriptors < $self->{count} + 100;
    $self->make_commits_known;
    return map { $self->mode(%$_) }
        { name => 'park' },
        { name => 'block', count => CHILDREN * HOLD * 3 / 4 };
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
    my $httpd = $self->{httpd} = $self->start($mode{name});
    $self->warm_up(@{ $generations[0] });

    my %before  = (memory => $self->memory, descriptors => $self->descriptors);
    my @clients = map { $self->client(@$_) } @generations;
    my $places  = $mode{name} eq 'park' ? 2 : 1;      # descriptors of a client that waits
    $self->wait_until("$count clients wait",
        sub { $self->descriptors - $before{descriptors} >= $places * $count });
    my @waiting = grep { !IO::Select->new($_->{socket})->can_read(0) } @clients;
    my %result = (
        name        => 'waiters',
        mode        => $mode{name},
        waiting     => scalar @waiting,
        kb          => ($self->memory - $before{memory}) / $count,
        descriptors => ($self->descriptors - $before{descriptors}) / $count,
        cpu         => $self->cpu_at_rest,
    );
    my @rounds = map { $self->round($mode{name}, $_) } 1 .. $self->{rounds};
    $result{wake_p50} = Load::median(map { $_->{p50} } @rounds);
    $result{wake_p99} = Load::median(map { $_->{p99} } @rounds);
    $result{wakes}    = Load::median(map { $_->{wakes} } @rounds);
    ($result{load})   = Load::read_file('/proc/loadavg') =~ /\A(\S+)/;
    $self->end_all(\%result, @waiting);
    $httpd->stop;
    return \%result;
}

sub start {
    my ($self, $mode) = @_;
    my ($children, $threads, $hold, $all) = (CHILDREN, THREADS, HOLD, CHILDREN * THREADS);
    local $ENV{BENCH_DISPATCH} = 'On';
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
END
    $self->{httpd} = $httpd;
    $self->wait_until('httpd serves', sub { $httpd->children == $children });
    return $httpd;
}

# Of different users, [user, id] each: no process works on them.
sub pending_generations {
    my ($self, $count) = @_;
    return map { [split /\|/] } $self->{site}->sql(<<'END', count => $count, users => USERS);
SELECT u.name, (genflow.neo_glitch_create(u.name, 'key:' || n, '\x5b', NULL, 'visor', 'a lighthouse',
           NULL, '{}', n, 1, 3::smallint, '1 day', NULL, NULL, p_start => false)).id
  FROM generate_series(1, :'count'::integer) AS n,
       LATERAL (SELECT (1 + n % :'users'::integer)::text) AS u (name);
END
}

# ---- clients -------------------------------------------------------------------------------------

sub connection {
    my ($self) = @_;
    my ($address) = $self->{httpd}->base =~ m{//(.+)};
    return IO::Socket::INET->new(PeerAddr => $address) // die "connect to $address: $!\n";
}

# One that waits for a generation.
sub client {
    my ($self, $user, $id) = @_;
    my $socket = $self->connection;
    $socket->syswrite(Load::http_request(GET => "/api/neo-glitch/status?id=$id",
        { 'X-User' => $user, Prefer => 'wait=' . WAIT }));
    return { socket => $socket, id => $id };
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
    my $ticks = sub {
        my $process = Load::processes();
        return Load::family($process, $self->{httpd}->pid)
            + Load::family($process, $self->{load}->postmaster);
    };
    my ($begin, $before) = (time, $ticks->());
    sleep REST;
    return 100 * ($ticks->() - $before) / POSIX::sysconf(POSIX::_SC_CLK_TCK()) / (time - $begin);
}

# ---- wakes ---------------------------------------------------------------------------------------

sub round {
    my ($self, $mode, $number) = @_;
    print STDERR "waiters: $mode, round $number of $self->{rounds}\n";
    my %came = $self->makers($self->{seconds});
    my $ids  = list_of(keys %came);
    my @ms   = sort { $a <=> $b } map {
        my ($id, $commit) = split /\|/;
        ($came{$id} - $commit) / 1000;
    } $self->{site}->sql(<<"END");
SELECT id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint
  FROM public.neo_glitch_media WHERE id = ANY ($ids)
END
    die 'of ' . keys(%came) . ' generations ' . @ms . " are there\n" if @ms != keys %came || !@ms;
    return { wakes => scalar @ms, p50 => $ms[ @ms / 2 ], p99 => $ms[ @ms * 0.99 ] };
}

# Makes generations for so long, each client one after another: id => when its answer came, in us.
sub makers {
    my ($self, $seconds) = @_;
    my @pipes = map { $self->maker($_, $seconds) } 1 .. MAKERS;
    my %came;
    for my $pipe (@pipes) {
        while (my $line = <$pipe>) {
            $came{$1} = $2 if $line =~ /\A(\S+) (\d+)\n\z/;
        }
        close $pipe or die "a client failed\n";
    }
    return %came;
}

sub maker {
    my ($self, $user, $seconds) = @_;
    my $pid = open(my $pipe, '-|') // die "fork: $!\n";
    return $pipe if $pid;
    my $done = eval {
        my $request = $self->{generate}->($user);
        my $socket  = $self->connection;
        my $end     = time + $seconds;
        while (time < $end) {
            sleep PAUSE;
            $socket->syswrite($request);
            my $begin  = time;
            my $answer = answer($socket, PATIENCE);
            my $came   = int(time * 1_000_000);
            die "no answer\n" if !defined $answer && time - $begin >= PATIENCE;
            # a child without an idle thread closes connections that are kept alive; one without a
            # thread for one more that waits answers 202
            if (!defined $answer || $answer =~ m{\AHTTP/1.1 202 }) {
                $socket = $self->connection;
                next;
            }
            my ($id) = $answer =~ m{\AHTTP/1.1 200 .*"id":"([0-9a-f-]+)"}s or die "it is: $answer\n";
            print "$id $came\n";
        }
        close STDOUT;
    };
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

sub wait_until {
    my ($self, $what, $condition) = @_;
    my $end = time + PATIENCE;
    until ($condition->()) {
        die "not within @{[PATIENCE]} s: $what\n" if time > $end;
        sleep 0.1;
    }
    return;
}

sub print_table {
    my @results = @_;
    printf "\n%-8s %8s %5s %6s %6s %6s %9s %9s %7s %6s %8s\n",
        qw(waiters waiting lost kB fds cpu), 'p50 ms', 'p99 ms', qw(wakes load), 'all ms';
    printf "%-8s %8d %5d %6.1f %6.1f %5.1f%% %9.2f %9.2f %7d %6.1f %8.0f\n",
        @$_{qw(mode waiting lost kb descriptors cpu wake_p50 wake_p99 wakes load all_ms)} for @results;
    my ($children, $threads, $makers) = (CHILDREN, THREADS, MAKERS);
    print <<"END";

Clients that wait for the end of a generation, on $children children of $threads threads. kB, fds: memory and
descriptors of httpd for each. cpu: of httpd and PostgreSQL while all wait. p50, p99: from the commit of a
generation to the answer of its client, of $makers clients beside; medians of the rounds. all: from the
end of all generations to the last answer.
END
    return;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# What generations cost while a provider works on them: so many at once in one child, at a provider
# that answers none of them before it is told to, over plain HTTP, each on a connection of its own.
# Nobody waits for them.
#
#     my $flight = Flight->new(site => $site, load => $load, count => 5000, empty_tables => sub { ... },
#         generate => sub { the request of (user, prompt, headers) });
#     my @results = $flight->measure;
#     Flight::print_table(@results);
#
# A result has: count, kb (anonymous memory of the child for each), statements (transactions of the
# database a second while nothing happens but heartbeats), updates and hot (rows of jobs and children
# that are updated a second, and those of them without a new index entry), wal (kB a second), cpu (% of one
# processor that httpd and PostgreSQL take meanwhile), mb_before, mb_most and mb_after (memory of the
# child before them, with all of them, and some seconds after all have ended).

package Flight;

use strict;
use warnings;

use IO::Socket::INET ();
use POSIX ();
use Socket qw(SOMAXCONN);
use Time::HiRes qw(sleep time);

use Genflow::FakeProvider ();
use Genflow::Httpd ();
use Waiters ();

use constant {
    CLIENTS  => 8,                # that make them
    MOST     => 10_000,           # jobs of a child
    WARM     => 200,              # generations before the memory is read
    REST     => 20,               # seconds in which nothing happens: two thirds of a lease
    NAMED    => 22,               # ... until a heartbeat has named all of them, and the counters have it
    SETTLED  => 5,                # seconds after the last has ended
    PATIENCE => 120,              # seconds for what should take less
};

sub new {
    my ($class, %option) = @_;
    return bless {%option}, $class;
}

sub measure {
    my ($self) = @_;
    $self->{empty_tables}->();
    my $provider = $self->start_provider;
    my $httpd = $self->{httpd} = $self->start($provider->{port});
    $self->fly(WARM);
    $self->release($provider);
    my %result = (name => 'flight', count => $self->{count}, mb_before => $self->memory);

    $self->fly($self->{count});
    $self->rest(\%result);
    $result{mb_most} = $self->memory;
    $result{kb}      = 1024 * ($result{mb_most} - $result{mb_before}) / $self->{count};
    my $begin = time;
    $self->release($provider);
    $result{ends} = $self->{count} / (time - $begin);
    sleep SETTLED;
    $result{mb_after} = $self->memory;

    $httpd->stop;
    kill KILL => $provider->{pid};
    waitpid $provider->{pid}, 0;
    return \%result;
}

sub start {
    my ($self, $port) = @_;
    my $most = $self->{count} > MOST ? MOST : $self->{count};
    local $ENV{BENCH_DISPATCH} = 'On';
    local $ENV{BENCH_THUMBNAIL} = 'Off';
    local $ENV{GENFLOW_FAKE}   = "http://127.0.0.1:$port";
    my $httpd = Genflow::Httpd->start(<<"END");
Include "\${GENFLOW_WORK}/t/conf/bench.conf"
GenflowDispatchJobs $most
GenflowWatchMode off
END
    my $end = time + PATIENCE;
    sleep 0.1 until $httpd->children == 1 || time > $end;
    return $httpd;
}

# ---- the provider --------------------------------------------------------------------------------

# Takes connections. At USR1 it reads what they have sent and answers each.
sub start_provider {
    my ($self) = @_;
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => SOMAXCONN) // die "listen: $!\n";
    my $pid = fork // die "fork: $!\n";
    return { port => $socket->sockport, pid => $pid } if $pid;
    my $picture = Genflow::FakeProvider::Picture::of_seed(0);
    my $answer  = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\nContent-Length: "
        . length($picture) . "\r\n\r\n$picture";
    my ($told, @held);
    POSIX::sigaction(POSIX::SIGUSR1(), POSIX::SigAction->new(sub { $told = 1 }));      # ends accept()
    while (1) {
        my $client = $told ? undef : $socket->accept;
        push @held, $client if $client;
        next if !$told;
        for my $one (splice @held) {
            $one->sysread(my $request, 65536);
            $one->syswrite($answer);
            close $one;
        }
        $told = 0;
    }
}

# ---- generations ---------------------------------------------------------------------------------

# Makes so many; returns when the provider has them all.
sub fly {
    my ($self, $count) = @_;
    my @pids = map {
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            my $done = eval { $self->make($count / CLIENTS); 1 };
            print STDERR $@ if !$done;
            POSIX::_exit($done ? 0 : 1);
        }
        $pid;
    } 1 .. CLIENTS;
    for my $pid (@pids) {
        waitpid $pid, 0;
        die "a client failed\n" if $?;
    }
    Waiters::wait_until("$count generations are with the provider",
        sub { $self->number("SELECT count(*) FROM genflow.work WHERE phase = 'sending'") == $count }, PATIENCE);
    return;
}

sub make {
    my ($self, $count) = @_;
    my $socket = $self->connection;
    for my $number (1 .. $count) {
        my $user = 1 + ($number * CLIENTS + $$) % 1000;
        $socket->syswrite($self->{generate}->($user, 'plain', Prefer => 'respond-async'));
        my $answer = Waiters::answer($socket, PATIENCE);
        $socket = $self->connection and redo if !defined $answer;
        $answer =~ m{\AHTTP/1.1 202 } or die "it is: $answer\n";
    }
    return;
}

sub connection {
    my ($self) = @_;
    my ($address) = $self->{httpd}->base =~ m{//(.+)};
    return IO::Socket::INET->new(PeerAddr => $address) // die "connect to $address: $!\n";
}

# The provider answers; returns when all have ended.
sub release {
    my ($self, $provider) = @_;
    my $end = time + PATIENCE;
    while ($self->number('SELECT count(*) FROM genflow.work')) {
        die "there are generations that do not end\n" if time > $end;
        kill USR1 => $provider->{pid};            # also for what it had not accepted at the last one
        sleep 0.5;
    }
    return;
}

# ---- what they cost ------------------------------------------------------------------------------

# MB of anonymous memory of the child.
sub memory {
    my ($self) = @_;
    my $sum = 0;
    for my $child ($self->{httpd}->children) {
        Load::read_file("/proc/$child/status") =~ /^RssAnon:\s+(\d+)/m and $sum += $1;
    }
    return $sum / 1024;
}

sub number {
    my ($self, $statement) = @_;
    my ($number) = $self->{site}->sql($statement);
    return $number;
}

# What the database does while the provider works.
sub rest {
    my ($self, $result) = @_;
    sleep NAMED;
    my ($begin, $before) = (time, $self->counters);
    sleep REST;
    my $after = $self->counters;
    my $time  = time - $begin;
    $result->{$_} = ($after->{$_} - $before->{$_}) / $time for keys %$after;
    $result->{statements} -= 1 / $time;           # ours
    $result->{wal} /= 1024;
    $result->{cpu} = 100 * $result->{ticks} / POSIX::sysconf(POSIX::_SC_CLK_TCK());
    return;
}

sub counters {
    my ($self) = @_;
    my ($line) = $self->{site}->sql(<<'END');
SELECT d.xact_commit, sum(t.n_tup_upd), sum(t.n_tup_hot_upd), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint
  FROM pg_stat_database d, pg_stat_user_tables t
 WHERE d.datname = current_database() AND t.schemaname = 'genflow' AND t.relname IN ('work', 'children')
 GROUP BY d.xact_commit
END
    my %counter;
    @counter{qw(statements updates hot wal)} = split /\|/, $line;
    my $process = Load::processes();
    $counter{ticks} = Load::family($process, $self->{httpd}->pid)
        + Load::family($process, $self->{load}->postmaster);
    return \%counter;
}

sub print_table {
    my @results = @_;
    printf "\n%-8s %6s %12s %9s %7s %8s %6s %8s %8s %8s %7s\n", qw(flight kB statements/s updates/s hot/s),
        'WAL kB/s', 'cpu', 'MB before', 'MB most', 'MB after', 'ends/s';
    printf "%-8d %6.1f %12.1f %9.1f %7.1f %8.1f %5.1f%% %9.0f %8.0f %8.0f %7.0f\n",
        @$_{qw(count kb statements updates hot wal cpu mb_before mb_most mb_after ends)} for @results;
    print <<"END";

Generations in flight in one child, at a provider over plain HTTP that does not answer. kB: memory of httpd for
each. statements, updates (of genflow.work and genflow.children), WAL and cpu (httpd and PostgreSQL) while they wait. MB: memory of the
child before them, with them, and @{[SETTLED]} s after their end.
END
    return;
}

1;

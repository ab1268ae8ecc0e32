# SPDX-License-Identifier: Apache-2.0
#
# One round of load and what it cost: wrk or pgbench for some seconds, and the CPU time that httpd,
# PostgreSQL and everybody else took meanwhile. Which rounds, with what and in which order is for
# support/bench to say.
#
#     my $load  = Load->new(site => $site, seconds => 3);
#     my $round = $load->wrk(clients => 32, requests => 'create.requests', url => $url);
#     my $round = $load->pgbench(clients => 32, script => 'create', variables => {...});
#
# Both run a second longer, at the beginning, which does not count: new connections plan their
# statements then. They return
#     rate                      so many a second
#     done                      so many at all, the first second included
#     cpu_httpd, cpu_postgres   us for each
#     others                    share of the machine's CPU that somebody else took
#     median                    wrk alone: ms from request to answer
# and die when something failed.

package Load;

use strict;
use warnings;

use List::Util qw(sum);
use POSIX ();
use Time::HiRes qw(CLOCK_PROCESS_CPUTIME_ID clock_gettime sleep time);

use constant {
    TIMEOUT  => 10,                       # seconds that an answer may take
    WARM     => 1,                        # seconds that do not count
    REST     => 0.2,                      # seconds in which pgbench's backends end
    QUIET    => 0.1,                      # so much of the machine's CPU time others may take
    LOOK     => 0.5,                      # seconds of a look at the others
    FILES    => 200,                      # that are made, to see what a new one costs
    PATIENCE => 10,                       # seconds of waiting for quiet, then it is measured anyway
};

# The settings of the module's connections in t/conf/site.conf (DBDParams).
my $PG_OPTIONS = '-c statement_timeout=5000 -c lock_timeout=2000';

my $TICK = 1_000_000 / POSIX::sysconf(POSIX::_SC_CLK_TCK());       # us

sub new {
    my ($class, %option) = @_;
    return bless {%option}, $class;
}

# ---- the generators of load ----------------------------------------------------------------------

sub wrk {
    my ($self, %of) = @_;
    my $warm  = $self->run_wrk(WARM, %of);
    my $round = $self->measured(sub { $self->run_wrk($self->{seconds}, %of) });
    $round->{done} += $warm->{done};
    return $round;
}

sub run_wrk {
    my ($self, $seconds, %of) = @_;
    my $folder = $self->{site}->folder;
    my @script = ("$folder/support/bench.d/requests.lua", $of{url}, '--', "$folder/$of{requests}");
    my $says   = output_of('wrk', '-t1', "-c$of{clients}", "-d${seconds}s",
        '--timeout', TIMEOUT . 's', '-s', @script);
    my %number = $says =~ /\b(answers|duration|median|errors)=(\d+)/g;
    return $self->run_wrk(2 * $seconds, %of)              # it takes longer
        if !$number{answers} && !$number{errors} && $seconds < TIMEOUT;
    die "wrk says:\n$says" if !$number{answers} || $number{errors};
    return {
        done   => $number{answers},
        rate   => $number{answers} / $number{duration} * 1e6,
        median => $number{median} / 1000,
    };
}

sub pgbench {
    my ($self, %of) = @_;
    my $script    = $self->{site}->folder . "/support/bench.d/$of{script}.pgbench";
    my @variables = map { ('-D', "$_=$of{variables}{$_}") } sort keys %{ $of{variables} };
    local $ENV{PGOPTIONS} = $PG_OPTIONS;
    return $self->measured(
        sub {
            my $says = output_of('pgbench', qw(-n -M prepared -U genflow_app -j 1 -P 1),
                '-c', $of{clients}, '-T', $self->{seconds} + WARM, '-f', $script, @variables);
            my ($done)   = $says =~ /actually processed: (\d+)/;
            my ($failed) = $says =~ /failed transactions: (\d+)/;
            my (undef, @rates) = $says =~ /^progress: [\d.]+ s, ([\d.]+) tps/mg;
            die "pgbench says:\n$says" if !$done || !@rates || $failed;
            return { done => $done, rate => sum(@rates) / @rates };
        });
}

# For requests.lua: the requests of a round, in a file of this name in the site's folder.
sub write_requests {
    my ($self, $name, @requests) = @_;
    my $path = $self->{site}->folder . "/$name";
    open my $file, '>', $path or die "$path: $!\n";
    print $file "$_\0" for @requests;
    close $file or die "$path: $!\n";
    return;
}

sub http_request {
    my ($method, $path, $headers, $body) = @_;
    my @lines = ("$method $path HTTP/1.1", 'Host: 127.0.0.1');
    push @lines, map { "$_: $headers->{$_}" } sort keys %$headers;
    push @lines, 'Content-Length: ' . length $body if defined $body;
    return join("\r\n", @lines, '', '') . ($body // '');
}

# What a command says on both its channels.
sub output_of {
    my @command = @_;
    my $pid = open(my $pipe, '-|') // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    local $/ = undef;
    my $says = <$pipe> // '';
    close $pipe or die "$command[0] failed:\n$says";
    return $says;
}

sub median {
    my @numbers = sort { $a <=> $b } @_;
    return ($numbers[ $#numbers / 2 ] + $numbers[ @numbers / 2 ]) / 2;
}

# ---- CPU time ------------------------------------------------------------------------------------

sub measured {
    my ($self, $load) = @_;
    my $round;
    $self->wait_for_quiet;
    my $used = $self->used_during(
        sub {
            $round = $load->();
            sleep REST;                   # one that ends just now would be missed
        });
    $round->{others}       = $used->{others};
    $round->{cpu_httpd}    = $used->{httpd} * $TICK / $round->{done};
    $round->{cpu_postgres} = $used->{postgres} * $TICK / $round->{done};
    return $round;
}

# Microseconds of CPU for a new file. After thousands of files were removed, ext4 passes their inodes
# for minutes, one by one, each time it makes a file. What this makes goes with the site.
sub new_file_cpu {
    my ($folder) = @_;
    my $begin = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
    for my $number (1 .. FILES) {
        open my $file, '>', "$folder/new.$number" or die "$folder: $!\n";
    }
    return sprintf '%.0f', (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $begin) / FILES * 1e6;
}

# Neighbours come and go: wait for a moment without them.
sub wait_for_quiet {
    my ($self) = @_;
    my $end = time + PATIENCE;
    while (time < $end) {
        my $used = $self->used_during(sub { sleep LOOK });
        return if $used->{others} < QUIET;
    }
    return;
}

sub used_during {
    my ($self, $doing) = @_;
    my $before = $self->ticks;
    $doing->();
    my $after  = $self->ticks;
    my %used   = map { $_ => $after->{$_} - $before->{$_} } keys %$after;
    my $others = $used{busy} - $used{httpd} - $used{postgres} - $used{ourselves};
    $used{others} = $others > 0 ? $others / $used{all} : 0;
    return \%used;
}

# Ticks since the start: httpd, PostgreSQL, this process with the generator of load and the fake
# provider, and of the machine (busy, all).
sub ticks {
    my ($self) = @_;
    my $process = processes();
    my ($machine) = read_file('/proc/stat') =~ /\Acpu\s+([\d ]+)/;
    my ($user, $nice, $system, $idle, $waiting, $irq, $soft, $stolen) = split ' ', $machine;
    my $busy = $user + $nice + $system + $irq + $soft + $stolen;
    return {
        httpd     => family($process, $self->{site}->httpd_pid),
        postgres  => family($process, $self->postmaster),
        ourselves => family($process, $$),
        busy      => $busy,
        all       => $busy + $idle + $waiting,
    };
}

sub postmaster {
    my ($self) = @_;
    my ($pid) = read_file($self->{site}->folder . '/pg/postmaster.pid') =~ /\A(\d+)/;
    return $pid;
}

# A process and its children, those that have ended included.
sub family {
    my ($process, $head) = @_;
    my $sum = 0;
    for my $pid (grep { $_ == $head || $process->{$_}{parent} == $head } keys %$process) {
        $sum += $process->{$pid}{ticks};
    }
    return $sum;
}

# Per process its parent and its ticks: its own and those of its children that have ended.
sub processes {
    my %found;
    for my $path (glob '/proc/[0-9]*/stat') {
        my ($pid, $rest) = read_file($path) =~ /\A(\d+) \(.*\) (.*)/s or next;
        my ($parent, @time) = (split ' ', $rest)[1, 11 .. 14];
        $found{$pid} = { parent => $parent, ticks => $time[0] + $time[1] + $time[2] + $time[3] };
    }
    return \%found;
}

# A process may be gone by now.
sub read_file {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    local $/ = undef;
    return <$file> // '';
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# What each test file costs (t/run.pl --times): seconds on the clock, and CPU seconds of the test with its children, of httpd, of
# PostgreSQL and of the fakes.
#
# A test of t/fault has its site to itself, and the CPU of that site's servers is its own. The other tests share the servers of
# the main site: there the sum of the site is known, and no file's part. Not seen is the CPU of a server that a test itself
# starts and ends, and what a server that was killed used since the last look.

package Genflow::Times;

use strict;
use warnings;

use List::Util qw(sum0);
use POSIX ();
use Time::HiRes qw(time);

use constant SHOWN => 40;

my @SERVERS = qw(httpd postgres fakes);
my $TICKS   = POSIX::sysconf(POSIX::_SC_CLK_TCK());

# Runs t/exec FILE SITE, and adds a line to the file that GENFLOW_TIMES names.
sub measure {
    my ($class, @command) = @_;
    my ($file, $site) = @command[1, 2];
    my $is_alone = $file =~ m{\At/(?:fault|chaos)/};
    my $before = $is_alone && servers($site);
    my $start  = time;
    my $status = system { $command[0] } @command;
    my $wall   = time - $start;
    my @own    = (times)[2, 3];
    my @of_servers = $is_alone ? used($before, servers($site)) : ();
    open my $times, '>>', $ENV{GENFLOW_TIMES} or die "$ENV{GENFLOW_TIMES}: $!\n";
    syswrite $times, join(' ', $file, map { sprintf '%.2f', $_ } $wall, sum0(@own), @of_servers) . "\n";
    kill $status & 127, $$ if $status & 127;
    POSIX::_exit($status >> 8);
}

# The servers of a site now: for each kind the ids of those that no other of the kind has started, and the CPU seconds of all of
# them with their ended children.
sub servers {
    my ($site) = @_;
    my (%parent, %cpu, %kind);
    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid, $ppid, @ticks) = line_of($stat) =~ /\A(\d+) \(.*\) \S (\d+)(?: \S+){9} (\d+) (\d+) (\d+) (\d+)/ or next;
        $kind{$pid} = kind_of($pid, $site) // next;
        ($parent{$pid}, $cpu{$pid}) = ($ppid, sum0(@ticks) / $TICKS);
    }
    my %found;
    for my $kind (@SERVERS) {
        my @pids = grep { $kind{$_} eq $kind } sort keys %kind;
        my @first = grep { ($kind{ $parent{$_} } // '') ne $kind } @pids;
        $found{$kind} = { first => "@first", cpu => sum0(@cpu{@pids}) };
    }
    return \%found;
}

sub kind_of {
    my ($pid, $site) = @_;
    my $command = line_of("/proc/$pid/cmdline");
    return 'fakes'    if $command =~ /Genflow::Fake/ && $command =~ m{\Q$site\E/};
    return 'httpd'    if $command =~ m{(?:apache2|httpd)\0} && $command =~ m{\Q$site\E/};
    return 'postgres' if (readlink "/proc/$pid/cwd" // '') =~ m{\A\Q$site\E/pg};
    return;
}

sub line_of {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    return <$file> // '';
}

# CPU seconds of each kind in between. Servers that have begun meanwhile count from their beginning.
sub used {
    my ($before, $after) = @_;
    return map {
        my ($old, $new) = ($before->{$_}, $after->{$_});
        my $used = $new->{cpu} - ($old->{first} eq $new->{first} ? $old->{cpu} : 0);
        $used > 0 ? $used : 0;
    } @SERVERS;
}

# Busy and all CPU seconds of the machine since it began.
sub machine {
    my ($user, $nice, $system, $idle, $wait, @more) = line_of('/proc/stat') =~ /(\d+)/g;
    my $busy = sum0($user, $nice, $system, @more[0 .. 2]);
    return ($busy / $TICKS, ($busy + $idle + $wait) / $TICKS);
}

# Remembers what has been used before the tests: for report.
sub begin {
    my ($class, @sites) = @_;
    my $self = bless { log => "$sites[0]{folder}/t/logs/times", sites => \@sites, machine => [machine()] }, $class;
    $self->{before}{ $_->{folder} } = servers($_->{folder}) for @sites;
    $ENV{GENFLOW_TIMES} = $self->{log};
    return $self;
}

sub report {
    my ($self) = @_;
    open my $log, '<', $self->{log} or return;
    my @files = map { [split] } <$log>;
    my $row   = "# %-34s" . ' %9s' x 5 . "\n";
    my @dear  = sort { cpu_of($b) <=> cpu_of($a) || $b->[1] <=> $a->[1] } @files;
    splice @dear, SHOWN if @dear > SHOWN;

    printf $row, 'Seconds, the dearest files first', 'clock', 'CPU: test', @SERVERS;
    printf $row, @$_, ('-') x (6 - @$_) for @dear;
    my %of_kind;
    push @{ $of_kind{ $_->[0] =~ m{\A(t/\w+)/} ? $1 : 't' } }, $_ for @files;
    for my $kind (sort keys %of_kind, ) {
        printf $row, sprintf('%s (%d)', $kind, scalar @{ $of_kind{$kind} }), sums(@{ $of_kind{$kind} });
    }
    printf $row, sprintf('all (%d)', scalar @files), sums(@files);
    for my $site (@{ $self->{sites} }) {
        my @used = used($self->{before}{ $site->{folder} }, servers($site->{folder}));
        printf $row, "servers of the site $site->{name}", '', '', map { sprintf '%.1f', $_ } @used;
    }
    my ($busy, $all) = map { (machine())[$_] - $self->{machine}[$_] } 0, 1;
    printf "# The machine was busy for %.0f of %.0f CPU seconds (%.0f %%), with all that ran on it.\n",
        $busy, $all, $all && 100 * $busy / $all;
    return;
}

sub cpu_of {
    my ($file) = @_;
    return sum0(@$file[2 .. $#$file]);
}

sub sums {
    my @files = @_;
    return map { my $i = $_; sprintf '%.1f', sum0(map { $_->[$i] // 0 } @files) } 1 .. 5;
}

1;

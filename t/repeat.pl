#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# support/check --repeat and --busy: runs support/check several times, until the first red, or beside busy processes.
#
#     t/repeat.pl [--repeat N] [--busy N] [ARGUMENTS...]
#
#   --repeat N   N runs of support/check ARGUMENTS, one line for each
#   --busy N     meanwhile N processes keep the machine busy: the odd ones by a loop, the even ones by a file that they write and
#                flush (fsync) again and again, in a temporary folder

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Getopt::Long qw(GetOptions);
use IO::Handle ();
use POSIX ();
use Time::HiRes qw(time);

$| = 1;
Getopt::Long::Configure(qw(pass_through permute no_auto_abbrev));
my %option = (repeat => 1, busy => 0);
GetOptions(\%option, qw(repeat=i busy=i)) && $option{repeat} > 0 && $option{busy} >= 0
    or die "usage: support/check [--repeat N] [--busy N] ...\n";
my $check = dirname(abs_path(__FILE__)) . '/../support/check';

my ($starter, $running) = ($$, 0);
my $folder = $option{busy} && tempdir('gf-busy.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @busy;
# END ends the busy processes. What runs is told, and cleans up by itself.
$SIG{$_} = sub { kill TERM => $running if $running; waitpid $running, 0 if $running; exit 1 } for qw(INT TERM HUP);
push @busy, busy_process($_) for 1 .. $option{busy};
print '# Beside ', scalar @busy, " busy processes.\n" if @busy;

my $code = 0;
for my $run (1 .. $option{repeat}) {
    my $start = time;
    $code = run($check, @ARGV);
    printf "# Run %d of %d: %s, %.0f s.\n", $run, $option{repeat}, $code ? 'RED' : 'ok', time - $start if $option{repeat} > 1;
    last if $code;
}
exit $code;

sub run {
    my @command = @_;
    $running = fork // die "fork: $!\n";
    if (!$running) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        exec @command or POSIX::_exit(127);
    }
    1 while waitpid($running, 0) == -1 && $!{EINTR};
    $running = 0;
    return $? & 127 ? 1 : $? >> 8;
}

# It ends with its parent, too, if that is killed.
sub busy_process {
    my ($number) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    my $path = "$folder/$number";
    while (getppid == $starter) {
        $number % 2 ? turn_around() : write_and_flush($path);
    }
    POSIX::_exit(0);
}

sub turn_around {
    my $sum = 0;
    $sum += $_ for 1 .. 1_000_000;
    return $sum;
}

sub write_and_flush {
    my ($path) = @_;
    open my $file, '>', $path or POSIX::_exit(0);
    print $file 'x' x 65_536;
    $file->flush;
    $file->sync;
    close $file;
    return;
}

END {
    if ($$ == $starter) {
        my $status = $?;
        kill KILL => @busy if @busy;
        waitpid $_, 0 for @busy;
        $? = $status;
    }
}

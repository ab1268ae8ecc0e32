#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# support/check --long: what takes hours, one part after another, and a line for each at the end.
#
#     t/long.pl [PART...]     without PART, all of them: at most four hours
#
# Exit 1 if a part is red. One that takes longer than its minutes is ended, and red.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use POSIX ();
use Time::HiRes qw(time);

# Each part, its minutes, and how support/check is called.
my @PARTS = (
    # The races of SQL, with 500 rounds for each race that has rounds.
    [races    => 25, 'GENFLOW_ROUNDS=500', glob_of('t/sql/race_*.t')],
    # What chooses at random, each time from a new seed, which its output names.
    [chaos    => 35, 'GENFLOW_SEED=new --repeat 5', glob_of('t/chaos/*.t t/sql/random_*.t t/sql/user_events.t t/front/cuts.t
        t/legacy/tabs.t t/wait/user-stream-chain.t')],
    # All tests again and again, in a new order each time, on a busy machine.
    [soak     => 50, '--busy 2 --repeat 2 --shuffle 0'],
    [migrate  => 15, '--migrate'],
    [sanitize => 35, '--sanitize'],
    [valgrind => 55, '--valgrind'],
    [tsan     => 5,  '--tsan'],
    [openapi  => 20, '--openapi'],
);

$| = 1;
chdir dirname(abs_path(__FILE__)) . '/..' or die "support/check: $!\n";
my %part = map { $_->[0] => $_ } @PARTS;
for my $name (grep { !$part{$_} } @ARGV) {
    die "there is no part $name: ", join(' ', map { $_->[0] } @PARTS), "\n";
}
my $running = 0;
$SIG{$_} = sub { end_part() if $running; exit 1 } for qw(INT TERM HUP);

my (@lines, $red);
for my $part (@ARGV ? @part{@ARGV} : @PARTS) {
    my ($name, $minutes, @how) = @$part;
    print "# ==== $name\n";
    my $start = time;
    my $state = run_part($minutes, map { split } @how);
    $red = 1 if $state ne 'ok';
    push @lines, sprintf "# %-10s %-10s %5.0f s\n", $name, $state, time - $start;
}
print "# ==== the long parts\n", @lines;
exit !!$red;

sub glob_of {
    my ($pattern) = @_;
    chdir dirname(abs_path(__FILE__)) . '/..';
    return sort grep { -e } glob $pattern;
}

# ok, RED, or TOO LONG
sub run_part {
    my ($minutes, @how) = @_;
    my @variables = grep { /\A[A-Z_]+=/ } @how;
    $running = fork // die "fork: $!\n";
    if (!$running) {
        POSIX::setpgid(0, 0);
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        exec 'env', @variables, 'support/check', grep { !/\A[A-Z_]+=/ } @how or POSIX::_exit(127);
    }
    POSIX::setpgid($running, $running);
    my $is_late;
    local $SIG{ALRM} = sub { $is_late = 1; end_part() };
    alarm 60 * $minutes;
    1 while waitpid($running, 0) == -1 && $!{EINTR};
    my $state = $is_late ? 'TOO LONG' : $? ? 'RED' : 'ok';
    alarm 0;
    $running = 0;
    return $state;
}

# It stops its servers and removes its folders by itself.
sub end_part {
    kill TERM => -$running;
    return;
}

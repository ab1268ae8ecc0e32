#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# `support/check --fuzz MINUTES [TARGETS...]`: runs the libFuzzer programs of a build of support/build
# --fuzz, one after another, an equal share of the time each, from the corpus of t/fuzz/corpus/. What
# they find goes to the build folder, the committed corpus stays as it is. Prints executions and edges
# of each target; fails when one of them has a finding.
#
#     t/fuzz/run.pl --build DIR --minutes N [TARGETS...]     (json picture ...; without any, all)

use strict;
use warnings;

use File::Basename qw(basename);
use File::Path qw(make_path);
use FindBin ();
use Getopt::Long qw(GetOptions);

my %option;
GetOptions(\%option, qw(build=s minutes=f)) && $option{build} && $option{minutes}
    or die "usage: t/fuzz/run.pl --build DIR --minutes N [TARGETS...]\n";

my @programs = sort glob "$option{build}/t/fuzz/*_fuzz";
my %wanted   = map { $_ => 1 } @ARGV;
@programs = grep { $wanted{ target_of($_) } } @programs if @ARGV;
die "$option{build} has no such targets\n" if !@programs;
my $seconds = int(60 * $option{minutes} / @programs) || 1;

my (@findings, $all);
printf "%-12s %12s %8s\n", qw(target executions edges);
for my $program (@programs) {
    my ($executions, $edges, $why) = fuzz($program);
    printf "%-12s %12d %8d%s\n", target_of($program), $executions, $edges, $why ? '  FAILED' : '';
    $all += $executions;
    push @findings, $why if $why;
}
printf "%d targets, %d s each: %d executions, %d findings\n", scalar @programs, $seconds, $all,
    scalar @findings;
print @findings;
exit(@findings ? 1 : 0);

sub target_of {
    my ($program) = @_;
    return basename($program) =~ s/_fuzz\z//r;
}

# Executions, edges, and what was found, with the place of the input.
sub fuzz {
    my ($program) = @_;
    my $target = target_of($program);
    my $work   = "$option{build}/found/$target";
    my $log    = "$work.log";
    make_path($work);
    local $ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';
    my $failed = system "'$program' -max_total_time=$seconds -print_final_stats=1 -timeout=20"
        . " -rss_limit_mb=1024 -max_len=65536 -artifact_prefix='$work.' '$work'"
        . " '$FindBin::Bin/corpus/$target' >'$log' 2>&1";
    open my $file, '<:raw', $log or die "$log: $!\n";
    my $text = do { local $/; <$file> };
    my ($executions) = $text =~ /^stat::number_of_executed_units:\s*(\d+)/m;
    my @edges = $text =~ /\bcov: (\d+)/g;
    my ($why) = $text =~ /^(==\d+== ?ERROR.*|.*runtime error:.*|\S+\.[ch]:\d+: .*)$/m;
    return ($executions // 0, $edges[-1] // 0,
        $failed ? "$target: " . ($why // 'failed') . ": see $log\n" : undef);
}

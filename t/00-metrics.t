#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# docs/metrics.md, the board and the alert rules are what support/metrics makes of the list of all values, and name nothing else. Read
# from the source folder, GENFLOW_SRCDIR or the one above this file.
use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Genflow::Site ();

my $TOP  = abs_path($ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..");
my %text = map { $_ => slurp($_) } qw(docs/metrics.md conf/genflow-dashboard.json conf/genflow-alerts.yml);

for my $file (sort keys %text) {
    my $made = qx{$^X '$TOP/support/metrics' --print $file};
    ok $made eq $text{$file}, "$file is that of the list" or diag 'run support/metrics';
}

my %known;
for my $row (slurp('mod_genflow/base/metric_table.h') =~ /^GF_METRIC\(([^)]*)/mg) {
    my ($name, $kind) = $row =~ /"(\w+)", (\w+)/ or next;
    $known{$_} = 1 for $kind eq 'COUNTER' ? "${name}_total" : $kind eq 'GAUGE' ? $name : map { "${name}_$_" } qw(bucket sum count);
}
cmp_ok scalar keys %known, '>', 30, 'the list has values';

my $board = JSON::PP->new->decode($text{'conf/genflow-dashboard.json'});
my @drawn = map { $_->{expr} } map { @{ $_->{targets} // [] } } @{ $board->{panels} };
my @rules = $text{'conf/genflow-alerts.yml'} =~ /^ +expr: '(.*)'$/mg;
cmp_ok scalar @rules, '>', 10, 'there are rules';
is_deeply [grep { !$known{$_} } map { /\b(genflow_\w+)/g } @drawn, @rules], [], 'board and rules name values of the list';
my %in = map { $_ => 1 } map { /\b(genflow_\w+)/g } @drawn;
is_deeply [grep { !$in{ s/_(?:sum|count)\z/_bucket/r } && $_ ne 'genflow_info' } sort keys %known], [], 'the board draws every value';
my %tag = map { $_ => 1 } slurp('docs/log.md') =~ /\b(GF\d{4})\b/g;
is_deeply [grep { !$tag{$_} } $text{'conf/genflow-alerts.yml'} =~ /\b(GF\d{4})\b/g], [], 'alerts name tags of the log';

SKIP: {
    my ($promtool) = grep { -x } map { "$_/promtool" } split /:/, $ENV{PATH};
    skip 'promtool is not installed: support/packages metrics', 1 if !$promtool;
    my $says = qx{$promtool check rules '$TOP/conf/genflow-alerts.yml' 2>&1};
    is $?, 0, 'promtool accepts the rules' or diag $says;
}

done_testing;

sub slurp { return Genflow::Site::slurp("$TOP/$_[0]") }


#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# t/fault/faults.list has each fault once, with tests that exist, and each injection point that it names is one, which one of these
# tests arms. Each edge of a run's states and of the other places is armed by some test.
#
#     perl t/00-faults.t --points      which test arms which point

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Genflow::Site ();

my $top   = $ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..";
my $page  = read_file('docs/injection-points.md');
my ($states, $statements, $places) = $page =~ /^## States.*?\n(.*)^## Statements\n(.*)^## Other places\n(.*)/ms
    or die "docs/injection-points.md has another form\n";
my @edges = map { /^\| `([\w.]+)`/mg } $states, $places;
my %known = map { $_ => 1 } @edges, $statements =~ /`(\w+)`/g;
my %arms  = map { $_ => { map { $_ => 1 } edges_armed_by($_) } } tests_that_arm();

if (@ARGV && $ARGV[0] eq '--points') {
    my %is_of_states = map { $_ => 1 } @edges;
    for my $edge (@edges, grep { !$is_of_states{$_} } sort keys %known) {
        my @tests = tests_of($edge);
        printf "%-20s %s\n", $edge, @tests ? "@tests" : '-' if @tests || $is_of_states{$edge};
    }
    exit;
}

my @rows = map { [split / \| /, $_, -1] } grep { /\S/ && !/\A#/ } split /\n/, read_file('t/fault/faults.list');
is_deeply [map { $_->[0] } @rows], [1 .. 22, '22a', 23 .. 43], 'each fault has its row';
none('each row has six fields', map { $_->[0] } grep { @$_ != 6 || grep { !/\S/ } @$_ } @rows);
none('each test is there', map { my $row = $_; map { "$row->[0]: $_" } grep { !-e "$top/$_" } split ' ', $row->[5] } @rows);
none('each injection point is one', map { my $row = $_; map { "$row->[0]: $_" } grep { !$known{ edge_of($_) } } points_of($row) } @rows);
none('each is armed by a test of its row', map { unarmed($_) } @rows);
none('each edge of a state or a place is armed by some test', grep { !tests_of($_) } @edges);

done_testing;

sub none {
    my ($says, @violations) = @_;
    ok !@violations, $says or diag join "\n", @violations;
    return;
}

sub points_of { return $_[0][2] =~ /\b([\w.]+\.(?:before|after))\b/g }

sub edge_of { return $_[0] =~ s/\.(?:before|after)\z//r }

sub unarmed {
    my ($row) = @_;
    my @tests = split ' ', $row->[5];
    return map { "$row->[0]: $_" } grep { my $edge = edge_of($_); !grep { $arms{$_}{$edge} } @tests } points_of($row);
}

sub tests_of {
    my ($edge) = @_;
    return grep { $arms{$_}{$edge} } sort keys %arms;
}

sub tests_that_arm {
    return grep { read_file($_) =~ /^use Genflow::Inject;/m } map { substr $_, 1 + length $top } glob "$top/t/*/*.t";
}

# Points stand there with their side, or as the first field of a row of a table, or in a list of edges that gets sides.
sub edges_armed_by {
    my ($test) = @_;
    my $text = read_file($test) =~ s/^\s*#.*//mgr;
    my @found = $text =~ /['"\s(\[]([\w.]+)\.(?:before|after|\$side)\b/g;
    push @found, $text =~ /\[+'([\w.]+)'/g;
    push @found, map { split ' ' } $text =~ /"\$_\.after"\) }\s*\(?qw\((.*?)\)/sg;
    push @found, $text =~ /', '([\w.]+)'\],/g;
    return grep { $known{$_} } @found;
}

sub read_file { return Genflow::Site::slurp("$top/$_[0]") }


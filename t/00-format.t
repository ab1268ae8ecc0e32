#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# clang-format has nothing to change in the sources of the module. Other versions than the one named
# here lay out a few lines otherwise, and are not used.

use strict;
use warnings;

use FindBin;
use Test::More;

use constant VERSION => 14;

my $top      = $ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..";
my ($format) = grep { (`$_ --version 2>/dev/null` || '') =~ /version ${\VERSION}\./ }
    'clang-format-' . VERSION, 'clang-format';
plan skip_all => 'clang-format ' . VERSION . ' is not installed' if !$format;

my @sources = glob "$top/mod_genflow*/*.[ch] $top/mod_genflow/*/*.[ch]";
ok @sources > 100, 'there are sources';
my $names = join ' ', map { "'$_'" } @sources;
my %wrong;
for (`$format --style=file --dry-run $names 2>&1`) {
    push @{ $wrong{$1} }, $_ if /\A(\S+?):\d+:\d+: warning:/;
}
for my $source (sort keys %wrong) {
    my @wrong = @{ $wrong{$source} };
    fail 'is laid out as .clang-format says: ' . substr $source, 1 + length $top;
    diag "clang-format -i $source\n", @wrong[0 .. ($#wrong < 2 ? $#wrong : 2)];
}
pass 'all of them were read';
done_testing;

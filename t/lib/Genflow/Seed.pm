# SPDX-License-Identifier: Apache-2.0
#
# The seed of a test that chooses at random: the one that the test names, so that each run does the same. GENFLOW_SEED is
# another one, and GENFLOW_SEED=new a new one each time (support/check --long chaos).
#
#     my $seed = seed(1);              # srand has been called; a child of in_parallel calls srand $seed + its number
#     my $seed = seed();               # t/chaos: a new one, unless GENFLOW_SEED is set

package Genflow::Seed;

use strict;
use warnings;

use parent 'Exporter';
use Test::More;

our @EXPORT = qw(seed);

sub seed {
    my ($usual) = @_;
    my $seed = $ENV{GENFLOW_SEED} // $usual // 'new';
    my $is_usual = defined $usual && $seed eq $usual;
    $seed = int rand 2**31 if $seed eq 'new';
    $seed =~ /\A\d+\z/ or die "GENFLOW_SEED is a number or 'new', not '$seed'\n";
    srand $seed;
    $is_usual ? note("GENFLOW_SEED=$seed") : diag("GENFLOW_SEED=$seed");
    return $seed;
}

1;

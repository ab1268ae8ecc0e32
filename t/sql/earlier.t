#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Servers of an earlier release go on with the schema of today: every statement that they send
# (t/upgrade/*.statements, written at each release by t/unit/db_test --statements) still names one function and
# the columns that it has.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $db = Genflow::Database->new;
for my $file (sort glob "$FindBin::Bin/../upgrade/[0-9]*.statements") {
    my ($version) = $file =~ m{(\d+)\.statements\z};
    open my $lines, '<', $file or die "$file: $!\n";
    while (my $line = <$lines>) {
        my ($name, $text) = $line =~ /\A(\w+): (.+)$/ or die "$file: $line";
        my $statement = $text =~ s{%s}{neo_glitch}r;
        ok eval { $db->sql("PREPARE sent_${name}_$version AS $statement"); 1 }, "$name of schema version $version is still there"
            or diag $@;
    }
}
done_testing;

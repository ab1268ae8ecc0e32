#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# sql/schema.sql, which a reviewer reads, is what sql/apply makes of an empty database.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $path = "$FindBin::Bin/../../sql/schema.sql";
open my $file, '<', $path or die "$path: $!\n";
my $committed = do { local $/; <$file> };
close $file;

# A major version may print an expression in a way of its own; minor versions do not matter.
my ($major) = $committed =~ /^-- .*\bPostgreSQL (\d+)\b/m;
my $here    = Genflow::Database::server_major();
plan skip_all => "sql/schema.sql was written by PostgreSQL $major, this is $here"
    if defined $major && $major != $here;

# PostgreSQL 15.20 prints the second of each pair where 15.18 prints the first.
is Genflow::Schema::canonical($_->[1]), Genflow::Schema::canonical($_->[0]),
    "parentheses that mean nothing are not compared: $_->[1]"
    for ['btree ((state = ANY (ARRAY[1])))', 'btree (((state = ANY (ARRAY[1]))))'],
    ["CHECK ((a = '((x))'))", "CHECK (a = '((x))')"];
isnt Genflow::Schema::canonical('(a OR b) AND c'), Genflow::Schema::canonical('a OR (b AND c)'),
    'and those that mean something are';

my $made = Genflow::Database->new->described;
ok length $made > 10_000, 'an empty database is migrated';
ok $made eq $committed, 'sql/schema.sql is what came of it'
    or diag(differences(), 'If that is as it should be, run support/schema and commit its result.');

done_testing;

# The lines that only one of the two has.
sub differences {
    my %in_made      = map { $_ => 1 } split /^/, $made;
    my %in_committed = map { $_ => 1 } split /^/, $committed;
    return (map({ "only in sql/schema.sql: $_" } grep { !$in_made{$_} } split /^/, $committed),
        map { "only in the database: $_" } grep { !$in_committed{$_} } split /^/, $made);
}

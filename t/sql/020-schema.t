#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# sql/schema.sql, which a reviewer reads, is what sql/apply makes of an empty database; of the types it
# shows one, and the others are equal to it but for their names.

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

my $db   = Genflow::Database->new;
my $made = $db->described;
ok length $made > 10_000, 'an empty database is migrated';
ok $made eq $committed, 'sql/schema.sql is what came of it'
    or diag(differences(), 'If that is as it should be, run support/schema and commit its result.');

my ($sample, @others) = map { [split /\|/] }
    split /\n/, $db->sql('SELECT prefix, name, no FROM genflow.types ORDER BY no');
ok @others >= 4, 'there are more types than the sample';
for my $type (@others) {
    is_deeply [differing_words($sample, $type)], [], "$type->[1] is equal to $sample->[1]";
}

done_testing;

# Words of the one that the other has not in the same place, names and numbers of types apart.
sub differing_words {
    my ($one, $other) = @_;
    my @words = map { [split /\b/, nameless($_)] } $one, $other;
    return 'nothing is described' if @{ $words[0] } < 1000;
    return 'they differ in length' if @{ $words[0] } != @{ $words[1] };
    return map { "$words[0][$_] is $words[1][$_]" } grep {
        $words[0][$_] ne $words[1][$_]
            && ($words[0][$_] ne $one->[2] || $words[1][$_] ne $other->[2])
    } 0 .. $#{ $words[0] };
}

sub nameless {
    my ($type) = @_;
    my ($prefix, $name) = @$type;
    return $db->schema($prefix) =~ s/(?<![A-Za-z])(?:\Q$prefix\E|\Q$name\E)(?![A-Za-z])/NAME/gr;
}

# The lines that only one of the two has.
sub differences {
    my %in_made      = map { $_ => 1 } split /^/, $made;
    my %in_committed = map { $_ => 1 } split /^/, $committed;
    return (map({ "only in sql/schema.sql: $_" } grep { !$in_made{$_} } split /^/, $committed),
        map { "only in the database: $_" } grep { !$in_committed{$_} } split /^/, $made);
}

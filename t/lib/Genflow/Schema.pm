# SPDX-License-Identifier: Apache-2.0
#
# Describes schema genflow of a database in SQL's words, from the catalogs: what sql/schema.sql holds.
# pg_dump does not serve for this, because each of its versions, minor ones included, may print the
# same schema in another way. Here the columns of the catalogs are printed. Only expressions
# (defaults, checks, indexes, conditions of triggers) come from the server as text; canonical() then
# takes away the parentheses that mean nothing.
#
#     my $text = Genflow::Schema::describe($database);              # all of it
#     my $text = Genflow::Schema::describe($database, 'one');       # of all types the first
#     my $text = Genflow::Schema::describe($database, 'ghibli');    # the type of that prefix alone

package Genflow::Schema;

use strict;
use warnings;

sub describe {
    my ($database, $shown) = @_;
    $shown //= 'all';
    my $pid = open(my $answer, '-|') // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '-|', 'cat', script_file() or die "cat: $!\n";
        exec qw(psql -XqAt -v ON_ERROR_STOP=1 -v), "shown=$shown", '-d', $database, '-f', '-' or die "psql: $!\n";
    }
    my $text = do { local $/; <$answer> };
    close $answer or die "psql failed to describe $database\n";
    $text =~ s/^\x01(.*)$/canonical($1)/gme;
    return $text;
}

sub script_file { return __FILE__ =~ s/\.pm\z/.sql/r }

# An expression with one pair of parentheses where several stand around the same. Quoted text stays
# as it is.
sub canonical {
    my ($text) = @_;
    my @parts = $text =~ /('(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|[^()'"]+)/g;
    my (@open, %twin);
    for my $i (0 .. $#parts) {
        push @open, $i if $parts[$i] eq '(';
        next if $parts[$i] ne ')' || !@open;
        my $begin = pop @open;
        $twin{$begin} = $i;
    }
    for my $begin (keys %twin) {
        my $end = $twin{$begin};
        next if ($twin{ $begin + 1 } // -1) != $end - 1;
        @parts[$begin + 1, $end - 1] = ('', '');
    }
    return join '', @parts;
}

1;

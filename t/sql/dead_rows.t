#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What a look for due jobs costs while an old snapshot (a pg_dump, a forgotten psql) keeps vacuum from
# removing 200,000 dead rows: as much as without any, because it begins where the last look ended.
# A statement that read them all would be noticed; the numbers are printed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

use constant { DEAD => 200_000, OVER => 400 };    # dead rows, due in so many seconds before this test

my $db = Genflow::Database->new;
my ($holder) = $db->sessions(1);
my @types = split /\n/, $db->sql('SELECT name FROM genflow.types ORDER BY no');
my $types = sprintf q('{%s}'), join ',', @types;

# (buffers, milliseconds) of a statement, at best of five.
sub cost {
    my ($statement) = @_;
    my ($buffers, $time);
    for my $round (1 .. 5) {
        my $plan = $db->sql("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY) $statement");
        my ($top) = $plan =~ /^(.*?Buffers:[^\n]*)/s;
        my ($hit, $read) = ($top =~ /shared hit=(\d+)/, 0);
        $read = $1 if $top =~ /read=(\d+)/;
        my ($ms) = $plan =~ /Execution Time: ([\d.]+)/;
        $buffers = $hit + $read if !defined $buffers || $hit + $read < $buffers;
        $time    = $ms          if !defined $time    || $ms < $time;
    }
    return ($buffers, $time);
}

# A look whose cursors are the time of the last one, so far back.
sub look {
    my ($back) = @_;
    my $count = 4 * @types + 3;
    return cost("SELECT * FROM genflow.due($types, array_fill(clock_timestamp(), ARRAY[$count]), '$back', '1 s')");
}

sub claims {
    my ($from) = @_;
    return map { [$_, cost("SELECT * FROM genflow.${_}_claim($types, 10, '1 s', $from)")] } qw(restore removal delivery);
}

my ($none, $none_ms) = look('10 s');
diag sprintf 'a look over no dead rows: %d buffers, %.2f ms', $none, $none_ms;

$holder->sql('BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1');
my $at = sprintf q{clock_timestamp() - i * interval '%f s'}, OVER / DEAD;
$db->sql(<<"SQL");
    INSERT INTO genflow.work (job_id, user_id, type_no, cost, due_at, deadline_at, phase, lease_owner)
    SELECT gen_random_uuid(), genflow.account_make('user'), 1, 1, $at, $at, 'queued', 'host' FROM generate_series(1, ${\DEAD} / 2) i;
    INSERT INTO genflow.work (job_id, user_id, type_no, cost, due_at, deadline_at, phase, lease_owner, turn)
    SELECT gen_random_uuid(), genflow.account_make('user'), 1, 1, $at, $at, 'queued', 'host', $at FROM generate_series(${\DEAD} / 2 + 1, ${\DEAD}) i;
    DELETE FROM genflow.work;
SQL
for my $table (qw(restores removals deliveries)) {
    my ($column, $value) = $table eq 'deliveries' ? ('user_id', q{genflow.account_make('user')}) : ('url', q{'a'});
    $db->sql(<<"SQL");
        INSERT INTO genflow.$table (job_id, type_no, due_at, $column)
        SELECT gen_random_uuid(), 1, $at, $value FROM generate_series(1, ${\DEAD}) i;
        DELETE FROM genflow.$table;
SQL
}
$db->sql("VACUUM genflow.$_") for qw(work restores removals deliveries);



my ($all, $all_ms) = look('95 years');
diag sprintf 'from the very beginning: %d buffers, %.2f ms', $all, $all_ms;
cmp_ok $all, '>', 10 * $none, 'the dead rows are there, and are passed by a look from the very beginning';

# 11 s of them are within reach of a look that comes at once: the rest is not.
my ($soon, $soon_ms) = look('10 s');
diag sprintf 'while %d of them lie within 10 s: %d buffers, %.2f ms', 10 * DEAD / OVER, $soon, $soon_ms;
my ($some, $some_ms) = look('0 s');
diag sprintf 'over dead rows: %d buffers, %.2f ms', $some, $some_ms;
cmp_ok $some, '<=', 1.5 * $none + 20, 'a look costs as much as over none';
for my $claim (claims('clock_timestamp()')) {
    my ($kind, $buffers, $ms) = @$claim;
    diag sprintf '%s_claim: %d buffers, %.2f ms', $kind, $buffers, $ms;
    cmp_ok $buffers, '<=', $none + 100, "... so does a claim of what ended ($kind)";
}
for my $claim (claims(q{'-infinity'})) {
    my ($kind, $buffers, $ms) = @$claim;
    diag sprintf '%s_claim from the very beginning: %d buffers, %.2f ms', $kind, $buffers, $ms;
}
$holder->sql('ROLLBACK');
is $db->sql('SELECT count(*) FROM genflow.check()'), 0, 'the books are sound';

done_testing;

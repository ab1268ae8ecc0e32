#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Two hosts, or a host and the deadline, settle the same generation at once: it has one end, and is
# charged once or not at all.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(shuffle);
use Test::More;

use Genflow::Database qw(settle_sql claim_sql);

my $db = Genflow::Database->new;
$db->grant_credits(100);

sub expire {
    my ($id) = @_;
    return $db->sql("UPDATE genflow.work SET due_at = clock_timestamp() - interval '1 second',
        deadline_at = clock_timestamp() - interval '1 second' WHERE job_id = '$id'");
}

# How it ended, and what the ledger has of it.
sub end_of {
    my ($id) = @_;
    return $db->sql("SELECT m.status, string_agg(l.kind, ' ' ORDER BY l.phase),
            (SELECT count(*) FROM genflow.late_results r WHERE r.job_id = m.id)
        FROM public.neo_glitch_media m JOIN genflow.ledger l ON l.ref = m.id
        WHERE m.id = '$id' GROUP BY m.id");
}

my ($one, $two) = $db->sessions(2);

# ---- step by step: the second waits for the first ----

# first, second, the answer to the second, and the end
my @cases = (
    ['completed', 'completed', 'same',    'completed|hold capture|0'],
    ['completed', 'failed',    'settled', 'completed|hold capture|0'],
    ['failed',    'completed', 'settled', 'failed|hold release|1'],
    ['failed',    'failed',    'same',    'failed|hold release|0'],
    ['cancelled', 'completed', 'settled', 'cancelled|hold release|1'],
    ['completed', 'cancelled', 'settled', 'completed|hold capture|0'],
);
for my $case (@cases) {
    my ($first, $second, $outcome, $end) = @$case;
    my $id = $db->new_job;
    is $one->sql('BEGIN', settle_sql($id, 1, $first)), 'done', "one host settles a job as $first";
    $two->start(settle_sql($id, 1, $second));
    ok $db->waits($two), "... another, as $second, waits";
    $one->sql('COMMIT');
    is $two->answer, $outcome, "... and is answered: $outcome";
    is end_of($id), $end, '... there is one end';
}

my $id = $db->new_job;
$one->sql('BEGIN', settle_sql($id, 1, 'failed'));
$two->start(settle_sql($id, 1, 'completed'));
ok $db->waits($two), 'a success waits for a failure that is under way';
$one->sql('ROLLBACK');
is $two->answer, 'done', '... and counts if that came to nothing';
is end_of($id), 'completed|hold capture|0', '... as the only end';

# ---- step by step: the deadline ----

expire($id = $db->new_job);
$one->sql('BEGIN', settle_sql($id, 1, 'completed'));
is $two->sql(claim_sql()), 0, 'a claim does not wait for a success that is under way';
$one->sql('COMMIT');
is $two->sql(claim_sql()), 0, '... nor does it find the job later';
is end_of($id), 'completed|hold capture|0', '... which completed after its deadline, in time';

expire($id = $db->new_job);
is $one->sql(claim_sql()), 1, 'a host looks once more for the picture of a job past its deadline';
expire($id);
$one->sql('BEGIN', claim_sql());
$two->start(settle_sql($id, 1, 'completed'));
ok $db->waits($two), 'a success waits for the claim that is ending its job';
$one->sql('COMMIT');
is $two->answer, 'settled', '... and comes too late';
is end_of($id), 'failed|hold release|1', '... to be charged, but is recorded as late';

# ---- step by step: the lease ----

$id = $db->new_job;
$db->sql("UPDATE genflow.work SET due_at = clock_timestamp() WHERE job_id = '$id'");
is $one->sql('BEGIN', claim_sql()), 1, 'a host takes over a job whose lease ran out';
$two->start(settle_sql($id, 1, 'failed'));
ok $db->waits($two), '... the old host, which has failed, waits';
$one->sql('COMMIT');
is $two->answer, 'stale', '... and does not count any more';
is $two->sql(settle_sql($id, 1, 'completed')), 'done', 'a success of the old host would';

# ---- refunds ----

my $refund = "INSERT INTO genflow.ledger (ref, kind, user_id, amount)
              VALUES ('$id', 'refund', genflow.account_of('user'), 1)";
$one->sql('BEGIN', $refund);
$two->start($refund);
ok $db->waits($two), 'a second refund waits for the first';
$one->sql('COMMIT');
is $two->answer, '!23505', '... and is refused';

# ---- all at once ----

my @ids    = map { $db->new_job } 1 .. 40;
my ($paid) = split /\|/, $db->sql("SELECT balance FROM genflow.accounts WHERE user_id = genflow.account_of('user')");
my @hosts  = $db->sessions(8);
my @storm  = map {
    my $host = $_;
    [$hosts[$host], map { settle_sql($_, 1, $host % 2 ? 'completed' : 'failed') } shuffle @ids]
} 0 .. 7;
my @answers = map { @$_ } $db->at_once(@storm);
is scalar(grep { $_ eq 'done' } @answers), 40,
    'of 8 hosts that settle 40 jobs at once one ends each';
is_deeply [grep { !/\A(?:done|same|settled)\z/ } @answers], [], '... and the others learn of it';
my $completed = $db->sql("SELECT count(*) FROM public.neo_glitch_media WHERE status = 'completed'
    AND id = ANY ('{" . join(',', @ids) . "}')");
is $db->sql("SELECT balance, held FROM genflow.accounts WHERE user_id = genflow.account_of('user')"),
    ($paid - $completed) . '|0', '... what completed is charged, what failed is not';
is $db->sql('SELECT count(*) FROM genflow.work'), 0, '... no job is left';
is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

done_testing;

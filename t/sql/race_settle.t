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

use Genflow::Database ();

my $db = Genflow::Database->new;
$db->sql("SELECT genflow.grant_credits('user', 100, 'for a test')");

# A new generation for one credit, leased to the host of epoch 1.
my $jobs = 0;
sub job {
    my $key = ++$jobs;
    return $db->sql("SELECT id FROM genflow.neo_glitch_create('user', '$key', '\\x01', NULL, 'base',
        'a cat', NULL, '{}', 7, 1, 3::smallint, '10 minutes', 'host', '30 seconds')");
}

sub settle {
    my ($id, $status, $epoch) = @_;
    my $image = $status eq 'completed' ? "'/a.png'" : 'NULL';
    my $error = $status eq 'failed'    ? "'X'"      : 'NULL';
    $epoch //= 1;
    return "SELECT genflow.neo_glitch_settle('$id', $epoch, '$status', 'acme', 'acme-1', false,"
        . " $image, NULL, true, '{}', $error, NULL, NULL)";
}

sub claim {
    return "SELECT count(*) FROM genflow.neo_glitch_claim('other', 100, '30s', '-infinity')";
}

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

# first, second, what the second is told, and the end
my @cases = (
    ['completed', 'completed', 'same',    'completed|hold capture|0'],
    ['completed', 'failed',    'settled', 'completed|hold capture|0'],
    ['failed',    'completed', 'settled', 'failed|hold release|1'],
    ['failed',    'failed',    'same',    'failed|hold release|0'],
    ['cancelled', 'completed', 'settled', 'cancelled|hold release|1'],
    ['completed', 'cancelled', 'settled', 'completed|hold capture|0'],
);
for my $case (@cases) {
    my ($first, $second, $told, $end) = @$case;
    my $id = job();
    is $one->sql('BEGIN', settle($id, $first)), 'done', "one host settles a job as $first";
    $two->start(settle($id, $second));
    ok $db->waits($two), "... another, as $second, waits";
    $one->sql('COMMIT');
    is $two->answer, $told, "... and is told: $told";
    is end_of($id), $end, '... there is one end';
}

my $id = job();
$one->sql('BEGIN', settle($id, 'failed'));
$two->start(settle($id, 'completed'));
ok $db->waits($two), 'a success waits for a failure that is under way';
$one->sql('ROLLBACK');
is $two->answer, 'done', '... and counts if that came to nothing';
is end_of($id), 'completed|hold capture|0', '... as the only end';

# ---- step by step: the deadline ----

expire($id = job());
$one->sql('BEGIN', settle($id, 'completed'));
is $two->sql(claim()), 0, 'a claim does not wait for a success that is under way';
$one->sql('COMMIT');
is $two->sql(claim()), 0, '... nor does it find the job later';
is end_of($id), 'completed|hold capture|0', '... which completed after its deadline, in time';

expire($id = job());
is $one->sql(claim()), 1, 'a host looks once more for the picture of a job past its deadline';
expire($id);
$one->sql('BEGIN', claim());
$two->start(settle($id, 'completed'));
ok $db->waits($two), 'a success waits for the claim that is ending its job';
$one->sql('COMMIT');
is $two->answer, 'settled', '... and comes too late';
is end_of($id), 'failed|hold release|1', '... to be charged, but is kept aside';

# ---- step by step: the lease ----

$id = job();
$db->sql("UPDATE genflow.work SET due_at = clock_timestamp() WHERE job_id = '$id'");
is $one->sql('BEGIN', claim()), 1, 'a host takes over a job whose lease ran out';
$two->start(settle($id, 'failed', 1));
ok $db->waits($two), '... the old host, which has failed, waits';
$one->sql('COMMIT');
is $two->answer, 'stale', '... and does not count any more';
is $two->sql(settle($id, 'completed', 1)), 'done', 'a success of the old host would';

# ---- refunds ----

my $refund = "INSERT INTO genflow.ledger (ref, kind, user_id, amount)
              VALUES ('$id', 'refund', 'user', 1)";
$one->sql('BEGIN', $refund);
$two->start($refund);
ok $db->waits($two), 'a second refund waits for the first';
$one->sql('COMMIT');
is $two->answer, '!23505', '... and is refused';

# ---- all at once ----

my @ids    = map { job() } 1 .. 40;
my ($paid) = split /\|/, $db->sql("SELECT balance FROM genflow.accounts WHERE user_id = 'user'");
my @hosts  = $db->sessions(8);
my @storm  = map {
    my $host = $_;
    [$hosts[$host], map { settle($_, $host % 2 ? 'completed' : 'failed') } shuffle @ids]
} 0 .. 7;
my @answers = map { @$_ } $db->at_once(@storm);
is scalar(grep { $_ eq 'done' } @answers), 40,
    'of 8 hosts that settle 40 jobs at once one ends each';
is_deeply [grep { !/\A(?:done|same|settled)\z/ } @answers], [], '... and the others are told so';
my $completed = $db->sql("SELECT count(*) FROM public.neo_glitch_media WHERE status = 'completed'
    AND id = ANY ('{" . join(',', @ids) . "}')");
is $db->sql("SELECT balance, held FROM genflow.accounts WHERE user_id = 'user'"),
    ($paid - $completed) . '|0', '... what completed is charged, what failed is not';
is $db->sql('SELECT count(*) FROM genflow.work'), 0, '... no job is left';
is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

done_testing;

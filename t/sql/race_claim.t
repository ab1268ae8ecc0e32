#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Hosts that claim at once: each job goes to one of them, in the order in which they are due, no host
# waits, and what they end for several accounts at once does not lock them up.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(uniq);
use Test::More;

use Genflow::Database ();

my $db = Genflow::Database->new;

# New queued generations, one credit each: so many for each of the users.
my $rounds = 0;
sub jobs {
    my ($count, @users) = @_;
    my $round = ++$rounds;
    my $names = "unnest('{" . join(',', @users) . "}'::text[]) AS u(name)";
    $db->sql("SELECT genflow.grant_credits(name, $count, 'for a test') FROM $names");
    return split /\n/, $db->sql(
        "SELECT (genflow.neo_glitch_create(name, '$round-' || n, '\\x01', NULL, 'base', 'a cat',
                 NULL, '{}', 7, 1, 3::smallint, '10 minutes', NULL, NULL)).id
           FROM generate_series(1, $count) n, $names");
}

sub claim {
    my ($host, $limit) = @_;
    return "SELECT id, epoch FROM genflow.neo_glitch_claim('$host', $limit, '30s', '-infinity')";
}

sub heartbeat {
    my ($id, $epoch) = @_;
    return "SELECT count(*) FROM genflow.heartbeat('{$id}', '{$epoch}', '30s')";
}

# All leases are over.
sub expire_leases {
    return $db->sql('UPDATE genflow.work SET due_at = clock_timestamp()');
}

# All jobs are past their ends, in no order, and the last look for their pictures was had.
sub expire_jobs {
    return $db->sql("UPDATE genflow.work SET last_look = true,
        deadline_at = clock_timestamp() - interval '1 second',
        due_at = clock_timestamp() - interval '1 second' - random() * interval '1 minute'");
}

# ---- the order, even where the statistics say that the tables are empty ----

my ($one, $two) = $db->sessions(2);
$db->sql('VACUUM public.neo_glitch_media', 'VACUUM genflow.work');
is $one->sql(claim('one', 10)), '', 'nothing is due yet';
my @line = reverse jobs(20, 'user');
$db->sql("UPDATE genflow.work w SET due_at = clock_timestamp() - (21 - o.n) * interval '1 second'
            FROM unnest('{" . join(',', @line) . "}'::uuid[]) WITH ORDINALITY AS o(id, n)
           WHERE o.id = w.job_id");
is $one->sql(claim('one', 10)), join("\n", map { "$_|1" } @line[0 .. 9]),
    'what was due first is claimed first, and comes first: it is the cursor of the next claim';
$db->sql('SELECT count(genflow.neo_glitch_settle(job_id, epoch, $$cancelled$$, NULL, NULL, NULL,
              NULL, NULL, NULL, NULL, NULL, NULL, NULL)) FROM genflow.work');

# ---- step by step ----

my ($id) = jobs(1, 'user');
is $one->sql('BEGIN', claim('one', 10)), "$id|1", 'a host claims a job';
is $two->sql(claim('two', 10)), '', 'another that claims meanwhile does not wait, and gets nothing';
$one->sql('COMMIT');
is $two->sql(claim('two', 10)), '', '... nor later';

expire_leases();
$one->sql('BEGIN', claim('one', 10));
$one->sql('ROLLBACK');
is $two->sql(claim('two', 10)), "$id|2", 'a claim that came to nothing leaves the job to others';

expire_leases();
is $two->sql('BEGIN', heartbeat($id, 2)), 1, 'a host keeps its lease at the last moment';
is $one->sql(claim('one', 10)), '', '... and no host claims the job meanwhile';
$two->sql('COMMIT');
is $one->sql(claim('one', 10)), '', '... nor later';

expire_leases();
is $one->sql('BEGIN', claim('one', 10)), "$id|3", 'a host is late: its job is being taken over';
$two->start(heartbeat($id, 2));
ok $db->waits($two), '... its heartbeat waits';
$one->sql('COMMIT');
is $two->answer, 0, '... and reports the lost lease';

$two->sql('BEGIN', "SELECT genflow.hand_back('{$id}', '{3}')");
is $one->sql(claim('one', 10)), '', 'a job that is being handed back is not waited for';
$two->sql('COMMIT');
is $one->sql(claim('one', 10)), "$id|4", '... and claimed at the next look';

# ---- many hosts, many jobs ----

jobs(200, 'crowd');
my @hosts   = $db->sessions(8);
my @claims  = map { [$hosts[$_], (claim("host $_", 5)) x 8] } 0 .. 7;
my @claimed = map { split /\n/ } map { @$_ } $db->at_once(@claims);
push @claimed, split /\n/, $one->sql(claim('one', 1000));
is scalar(@claimed), 200, '8 hosts that claim at once get all jobs';
is scalar(uniq @claimed), 200, '... none of them twice';
is_deeply [grep { !/\|1\z/ } @claimed], [], '... each for the first time';

# ---- many accounts whose jobs are overdue: a claim ends them, in account order ----

jobs(30, 'a' .. 'h');
expire_jobs();
@claims = map { [$hosts[$_], (claim("host $_", 20)) x 4] } 0 .. 7;
my @answers = map { @$_ } $db->at_once(@claims);
is_deeply [grep { $_ eq '!40P01' } @answers], [], '8 hosts end overdue jobs of 8 accounts at once';
my @ends = map { split /\n/ } @answers;
is_deeply [grep { !/\|\z/ } @ends], [], '... without an error';
is scalar(uniq @ends), scalar(@ends), '... and return each once';
is $one->sql(claim('one', 1000)), '', '... and the rest after them';
is $db->sql('SELECT count(*) FROM genflow.work'), 0, '... so that none is left';
is $db->sql('SELECT sum(balance), sum(held) FROM genflow.accounts'), 8 * 30 + 221 . '|0',
    '... and every credit is back';
is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

done_testing;

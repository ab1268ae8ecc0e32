#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A provider's webhook and a poll find the end of the same run in the same moment: one of them waits
# for the other, and the generation has one end, whichever comes first.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $db = Genflow::Database->new;
$db->sql("SELECT genflow.grant_credits('user', 100, 'for a test')");
my ($one, $two) = $db->sessions(2);

# A run of acme's that this host polls.
my $jobs = 0;
sub job {
    my $key = ++$jobs;
    my $id = $db->sql("SELECT id FROM genflow.neo_glitch_create('user', '$key', '\\x01', NULL, 'base', 'a cat', NULL,
        '{}', 7, 1, 3::smallint, '10 minutes', 'host', '30 seconds')");
    $db->sql("SELECT genflow.attempt_begin('$id', 1, 1::smallint, 'acme', 'acme-1', 7, 'token', '30 s')",
        "SELECT genflow.neo_glitch_accepted('$id', 1, 1::smallint, 'acme', 'fal', 'run $id', '30 s')");
    return $id;
}

sub hook {
    my ($id, $event) = @_;
    return "SELECT genflow.hook('acme', 'fal', '$id', 'token', '$event', 'run $id', 'other')";
}

sub settle {
    my ($id, $status, $epoch) = @_;
    my $image = $status eq 'completed' ? "'/a.png'" : 'NULL';
    my $error = $status eq 'failed'    ? "'X'"      : 'NULL';
    return "SELECT genflow.neo_glitch_settle('$id', $epoch, '$status', 'acme', 'acme-1', false, $image, NULL, true,"
        . " '{}', $error, NULL, NULL)";
}

sub claim { return "SELECT count(*) FROM genflow.neo_glitch_claim('other', 100, '30s', '-infinity')" }

sub end_of {
    my ($id) = @_;
    return $db->sql("SELECT m.status || ': ' || string_agg(l.kind, ' ' ORDER BY l.phase) FROM public.neo_glitch_media m
                       JOIN genflow.ledger l ON l.ref = m.id WHERE m.id = '$id' GROUP BY m.id");
}

# ---- the poll was first ----

my $id = job();
$one->sql('BEGIN', settle($id, 'completed', 1));
$two->start(hook($id, 'e1'));
ok $db->waits($two), 'a webhook waits for the poll that ends its run';
$one->sql('COMMIT');
is $two->answer, 'ended', '... and finds that it has ended';
is end_of($id), 'completed: hold capture', '... once';

# ---- the webhook was first: the other host may claim the run, and both bring its picture ----

$id = job();
$one->sql('BEGIN', hook($id, 'e2'));
$two->start(settle($id, 'completed', 1));
ok $db->waits($two), 'a poll that ends a run waits for its webhook';
$one->sql('COMMIT');
is $two->answer, 'done', '... and ends it';
is $db->sql(claim()), 0, '... nobody else claims it then';
is end_of($id), 'completed: hold capture', '... it has one end';

$id = job();
is $db->sql(hook($id, 'e3')), 'due', 'a webhook makes a run due';
is $db->sql(claim()), 1, '... which another host claims';
$one->sql('BEGIN', settle($id, 'completed', 2));
$two->start(settle($id, 'completed', 1));
ok $db->waits($two), '... both bring the picture at once';
$one->sql('COMMIT');
is $two->answer, 'same', '... one is told that it is there';
is end_of($id), 'completed: hold capture', '... and it is charged once';

$id = job();
$db->sql(hook($id, 'e4'), claim());
is $db->sql(settle($id, 'failed', 1)), 'stale', 'a failure of the one that lost it is refused';
is $db->sql(settle($id, 'completed', 2)), 'done', '... and the picture counts';
is $db->sql(hook($id, 'e4')), 'duplicate', '... a repeated webhook is known';
is $db->sql(hook($id, 'e5')), 'ended', '... and a late one changes nothing';

is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';
done_testing;

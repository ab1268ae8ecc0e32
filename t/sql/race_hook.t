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

use Genflow::Database qw(begin_sql accepted_sql settle_sql claim_sql);

my $db = Genflow::Database->new;
$db->grant_credits(100);
my ($one, $two) = $db->sessions(2);

# A run of acme's that this host polls.
sub job {
    my $id = $db->new_job;
    $db->sql(begin_sql($id, 1, 1, 'token'), accepted_sql($id, 1, 1, "run $id"));
    return $id;
}

sub hook {
    my ($id, $event) = @_;
    return "SELECT genflow.hook('acme', 'fal', '$id', 'token', '$event', 'run $id', 'other')";
}

sub end_of {
    my ($id) = @_;
    return $db->sql("SELECT m.status || ': ' || string_agg(l.kind, ' ' ORDER BY l.phase) FROM public.neo_glitch_media m
                       JOIN genflow.ledger l ON l.ref = m.id WHERE m.id = '$id' GROUP BY m.id");
}

# ---- the poll was first ----

my $id = job();
$one->sql('BEGIN', settle_sql($id, 1, 'completed'));
$two->start(hook($id, 'e1'));
ok $db->waits($two), 'a webhook waits for the poll that ends its run';
$one->sql('COMMIT');
is $two->answer, 'ended', '... and finds that it has ended';
is end_of($id), 'completed: hold capture', '... once';

# ---- the webhook was first: the other host may claim the run, and both bring its picture ----

$id = job();
$one->sql('BEGIN', hook($id, 'e2'));
$two->start(settle_sql($id, 1, 'completed'));
ok $db->waits($two), 'a poll that ends a run waits for its webhook';
$one->sql('COMMIT');
is $two->answer, 'done', '... and ends it';
is $db->sql(claim_sql()), 0, '... no other host claims it then';
is end_of($id), 'completed: hold capture', '... it has one end';

$id = job();
is $db->sql(hook($id, 'e3')), 'due', 'a webhook makes a run due';
is $db->sql(claim_sql()), 1, '... which another host claims';
$one->sql('BEGIN', settle_sql($id, 2, 'completed'));
$two->start(settle_sql($id, 1, 'completed'));
ok $db->waits($two), '... both bring the picture at once';
$one->sql('COMMIT');
is $two->answer, 'same', '... the second settle returns same';
is end_of($id), 'completed: hold capture', '... and it is charged once';

$id = job();
$db->sql(hook($id, 'e4'), claim_sql());
is $db->sql(settle_sql($id, 1, 'failed')), 'stale', 'a failure of the one that lost it is refused';
is $db->sql(settle_sql($id, 2, 'completed')), 'done', '... and the picture counts';
is $db->sql(hook($id, 'e4')), 'duplicate', '... a repeated webhook is known';
is $db->sql(hook($id, 'e5')), 'ended', '... and a late one changes nothing';

is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';
done_testing;

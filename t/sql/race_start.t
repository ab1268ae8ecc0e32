#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Starts that meet each other, and the claim that cancels what was not started: one of them decides,
# the others learn what it did.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $db   = Genflow::Database->new;
my $keys = 0;
$db->sql("SELECT genflow.grant_credits('user', 200, 'for a test')");

# A generation that waits to be started; for a time that is over, if $over.
sub pending {
    my ($over) = @_;
    my $id = $db->sql("SELECT id FROM genflow.neo_glitch_create('user', '@{[++$keys]}', '\\x01', NULL,
        'base', 'a cat', NULL, '{}', 7, 1, 3::smallint, '10 minutes', NULL, NULL, false)");
    $db->sql("UPDATE genflow.work SET (due_at, deadline_at) = (SELECT t, t
                FROM (SELECT now() - interval '1 second' AS t) v) WHERE job_id = '$id'") if $over;
    return $id;
}

sub start {
    my ($id, $host) = @_;
    $host = $host ? "'$host'" : 'NULL';
    return "SELECT concat_ws(' ', outcome, status)
              FROM genflow.neo_glitch_start('user', '$id', $host, '30s', '10 minutes')";
}

sub claim { return "SELECT count(*) FROM genflow.neo_glitch_claim('host', 10, '30s', '-infinity')" }

sub state_of {
    my ($id) = @_;
    return $db->sql("SELECT m.status, w.phase, w.epoch FROM public.neo_glitch_media m
                       LEFT JOIN genflow.work w ON w.job_id = m.id WHERE m.id = '$id'");
}

# ---- many at once ----

my @crowd = $db->sessions(20);
for my $round (1 .. 5) {
    my $id = pending();
    my %count;
    my @calls = map { [$crowd[$_], start($id, "host $_")] } 0 .. 19;
    $count{$_}++ for map { @$_ } $db->at_once(@calls);
    is_deeply \%count, { 'ok processing' => 1, 'invalid_status processing' => 19 },
        "of 20 starts at once one starts it ($round)";
    is state_of($id), 'processing|queued|1', '... under one lease';
}
@crowd = ();

# ---- step by step ----

my ($one, $two) = $db->sessions(2);
my $id = pending();
$one->sql('BEGIN', start($id, 'one'));
$two->start(start($id, 'two'));
ok $db->waits($two), 'a start waits for another of the same';
$one->sql('COMMIT');
is $two->answer, 'invalid_status processing', '... and hears that it is started';

$id = pending();
$one->sql('BEGIN', start($id, 'one'));
$two->start(start($id, 'two'));
ok $db->waits($two), 'a start waits';
$one->sql('ROLLBACK');
is $two->answer, 'ok processing', '... and starts it if the other came to nothing';

# ---- and the end of its time ----

$id = pending('over');
$one->sql('BEGIN', start($id, 'one'));
is $two->sql(claim()), 0, 'a claim leaves alone what is being started';
$one->sql('COMMIT');
is state_of($id), 'processing|queued|1', '... so that it is started in the last moment';

$id = pending('over');
$one->sql('BEGIN', claim());
$two->start(start($id, 'two'));
ok $db->waits($two), 'a start waits for the claim that cancels';
$one->sql('COMMIT');
is $two->answer, 'invalid_status cancelled', '... and hears of it';
is state_of($id), 'cancelled||', '... which was the end';

is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

done_testing;

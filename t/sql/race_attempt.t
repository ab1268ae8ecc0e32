#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# While another host takes a job over, or ends it, what its sender says waits, and is then refused:
# no intent to submit, no retry, no provider's id gets past the lock of the job's row.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $db = Genflow::Database->new;
$db->sql("SELECT genflow.grant_credits('user', 100, 'for a test')");
my ($one, $two) = $db->sessions(2);

# A new generation, leased to the host of epoch 1.
my $jobs = 0;
sub job {
    my $key = ++$jobs;
    return $db->sql("SELECT id FROM genflow.neo_glitch_create('user', '$key', '\\x01', NULL, 'base',
        'a cat', NULL, '{}', 7, 1, 3::smallint, '10 minutes', 'host', '30 seconds')");
}

sub intent {
    my ($id, $epoch, $number) = @_;
    return "SELECT genflow.attempt_begin('$id', $epoch, ${number}::smallint, 'acme', 'acme-1', 7, NULL, '30 s')";
}

sub requeue {
    my ($id, $epoch) = @_;
    return "SELECT genflow.requeue('$id', $epoch, '1 second', 0::smallint, 1::smallint, 'SPENT')";
}

sub accepted {
    my ($id, $epoch, $ref, $number) = @_;
    $number //= 1;
    return "SELECT genflow.neo_glitch_accepted('$id', $epoch, ${number}::smallint, 'acme', 'fal', '$ref', '30 s')";
}

# Another host takes the job over, or its user cancels it.
sub take_over {
    my ($id) = @_;
    return ("UPDATE genflow.work SET lease_owner = NULL, due_at = clock_timestamp() WHERE job_id = '$id'",
        "SELECT count(*) FROM genflow.neo_glitch_claim('other', 100, '30s', '-infinity')");
}

sub cancel { return "SELECT outcome FROM genflow.neo_glitch_cancel('user', '$_[0]')" }

sub state_of {
    my ($id) = @_;
    return $db->sql("SELECT concat_ws(' ', phase, attempts, epoch, provider_ref) FROM genflow.work
                      WHERE job_id = '$id'");
}

# ---- another host takes it over meanwhile ----

my @acts = (
    # what the sender says, whether its attempt is sent already, how the row then stands, the name
    [sub { intent($_[0], 1, 1) },      0, 'queued 0 2',      'the intent to submit'],
    [sub { requeue($_[0], 1) },        1, 'sending 1 2',     'that it failed for now'],
    [sub { accepted($_[0], 1, 'r1') }, 1, 'working 1 2 r1',  'the provider\'s id, which is kept'],
);
for my $act (@acts) {
    my ($says, $sent, $stands, $name) = @$act;
    my $id = job();
    $db->sql(intent($id, 1, 1)) if $sent;
    $one->sql('BEGIN', take_over($id));
    $two->start($says->($id));
    ok $db->waits($two), "while another host takes the job over, the sender waits with $name";
    $one->sql('COMMIT');
    is $two->answer, 'stale', '... and is stale';
    is state_of($id), $stands, '... and the other host finds it so';
    $db->sql(cancel($id));
}

# ---- its user cancels it meanwhile ----

for my $act (@acts) {
    my ($says, $sent, undef, $name) = @$act;
    my $id = job();
    $db->sql(intent($id, 1, 1)) if $sent;
    $one->sql('BEGIN', cancel($id));
    $two->start($says->($id));
    ok $db->waits($two), "while its user cancels the job, the sender waits with $name";
    $one->sql('COMMIT');
    is $two->answer, 'gone', '... and it is gone';
}

# ---- a cancel meets a start ----

my $id = job();
$one->sql('BEGIN', intent($id, 1, 1));
$two->start(cancel($id));
ok $db->waits($two), 'a cancel waits for the intent';
$one->sql('COMMIT');
is $two->answer, 'ok', '... and ends what is being sent';

# ---- a sender of an older attempt ----

$id = job();
$db->sql(intent($id, 1, 1), requeue($id, 1), take_over($id), intent($id, 2, 2));
is state_of($id), 'sending 2 2', 'the second attempt of a job is being sent by another host';
is $db->sql(accepted($id, 1, 'run of the first')), 'stale', 'then the sender of the first brings its run';
is state_of($id), 'sending 2 2', '... which is not taken for the second one\'s';
is $db->sql("SELECT string_agg(coalesce(provider_ref, '-'), ', ' ORDER BY no) FROM genflow.attempts
              WHERE job_id = '$id'"), 'run of the first, -', '... but stands with its own attempt';
is $db->sql(accepted($id, 2, 'run of the second', 2)), 'ok', '... and the second brings its own';

is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';
done_testing;

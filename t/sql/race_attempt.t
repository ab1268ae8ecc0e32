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

use Genflow::Database qw(begin_sql accepted_sql claim_sql);

my $db = Genflow::Database->new;
$db->grant_credits(100);
my ($one, $two) = $db->sessions(2);

sub requeue {
    my ($id, $epoch) = @_;
    return "SELECT genflow.requeue('$id', $epoch, '1 second', 0::smallint, 1::smallint, 'SPENT')";
}

# Another host takes the job over, or its user cancels it.
sub take_over {
    my ($id) = @_;
    return ("UPDATE genflow.work SET lease_owner = NULL, due_at = clock_timestamp() WHERE job_id = '$id'",
        claim_sql());
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
    [sub { begin_sql($_[0], 1, 1) },          0, 'queued 0 2',     'the intent to submit'],
    [sub { requeue($_[0], 1) },               1, 'sending 1 2',    'that it failed for now'],
    [sub { accepted_sql($_[0], 1, 1, 'r1') }, 1, 'working 1 2 r1', 'the provider\'s id, which is recorded'],
);
for my $act (@acts) {
    my ($says, $sent, $stands, $name) = @$act;
    my $id = $db->new_job;
    $db->sql(begin_sql($id, 1, 1)) if $sent;
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
    my $id = $db->new_job;
    $db->sql(begin_sql($id, 1, 1)) if $sent;
    $one->sql('BEGIN', cancel($id));
    $two->start($says->($id));
    ok $db->waits($two), "while its user cancels the job, the sender waits with $name";
    $one->sql('COMMIT');
    is $two->answer, 'gone', '... and it is gone';
}

# ---- a cancel meets a start ----

my $id = $db->new_job;
$one->sql('BEGIN', begin_sql($id, 1, 1));
$two->start(cancel($id));
ok $db->waits($two), 'a cancel waits for the intent';
$one->sql('COMMIT');
is $two->answer, 'ok', '... and ends what is being sent';

# ---- a sender of an older attempt ----

$id = $db->new_job;
$db->sql(begin_sql($id, 1, 1), requeue($id, 1), take_over($id), begin_sql($id, 2, 2));
is state_of($id), 'sending 2 2', 'the second attempt of a job is being sent by another host';
is $db->sql(accepted_sql($id, 1, 1, 'run of the first')), 'stale', 'then the sender of the first brings its run';
is state_of($id), 'sending 2 2', '... which is not taken for the second one\'s';
is $db->sql("SELECT string_agg(coalesce(provider_ref, '-'), ', ' ORDER BY no) FROM genflow.attempts
              WHERE job_id = '$id'"), 'run of the first, -', '... but stands with its own attempt';
is $db->sql(accepted_sql($id, 2, 2, 'run of the second')), 'ok', '... and the second brings its own';

is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';
done_testing;

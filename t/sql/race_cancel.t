#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A cancel races a completion, 500 times, from several sessions at once: a generation is cancelled
# and free, or completed and charged, never both, never neither; the loser learns it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(shuffle);
use Test::More;

use Genflow::Database qw(settle_sql);

use constant { RACES => 500, ROUND => 50 };

my $db = Genflow::Database->new;
$db->grant_credits(1000);

sub complete { return settle_sql($_[0], 1, 'completed') }

sub cancel {
    my ($id) = @_;
    return "SELECT outcome, status FROM genflow.neo_glitch_cancel('user', '$id')";
}

sub remove {
    my ($id) = @_;
    return "SELECT outcome FROM genflow.neo_glitch_delete('user', '$id')";
}

sub end_of {
    my ($id) = @_;
    return $db->sql("SELECT m.status, string_agg(l.kind || l.amount, ' ' ORDER BY l.phase)
        FROM public.neo_glitch_media m JOIN genflow.ledger l ON l.ref = m.id
        WHERE m.id = '$id' GROUP BY m.id");
}

my ($one, $two) = $db->sessions(2);

# ---- step by step: the second waits for the first ----

my $id = $db->new_job;
$one->sql('BEGIN', complete($id));
$two->start(cancel($id));
ok $db->waits($two), 'a cancel waits for a completion that is under way';
$one->sql('COMMIT');
is $two->answer, 'invalid_status|completed', '... and finds it completed';
is end_of($id), 'completed|hold1 capture1', '... which is charged';

$id = $db->new_job;
$one->sql('BEGIN', cancel($id));
$two->start(complete($id));
ok $db->waits($two), 'a completion waits for a cancel that is under way';
$one->sql('COMMIT');
is $two->answer, 'settled', '... and finds it already ended';
is end_of($id), 'cancelled|hold1 release0', '... which is free';

$id = $db->new_job;
$one->sql('BEGIN', cancel($id));
$two->start(cancel($id));
ok $db->waits($two), 'a second cancel waits for the first';
$one->sql('COMMIT');
is $two->answer, 'invalid_status|cancelled', '... and changes nothing';

$id = $db->new_job;
$one->sql('BEGIN', complete($id));
is $two->sql(remove($id)), 'invalid_status', 'what is not completed yet cannot be deleted';
$one->sql('COMMIT');
$one->sql('BEGIN', remove($id));
$two->start(remove($id));
ok $db->waits($two), 'a second delete waits for the first';
$one->sql('COMMIT');
is $two->answer, 'not_found', '... and finds nothing';
is $db->sql("SELECT count(*) FROM genflow.removals WHERE job_id = '$id'"), 1,
    '... its picture is removed once';

# ---- all at once ----

my @hosts = $db->sessions(8);
my (%cancelled, %completed);
for (1 .. RACES / ROUND) {
    my @ids     = map { $db->new_job } 1 .. ROUND;
    my @storm   = map { my $host = $_; [$hosts[$host], map { [$_, $host % 2 ? cancel($_) : complete($_)] }
        shuffle @ids] } 0 .. 7;
    my @answers = $db->at_once(map { my ($session, @acts) = @$_; [$session, map { $_->[1] } @acts] } @storm);
    for my $host (0 .. 7) {
        my ($session, @acts) = @{ $storm[$host] };
        for my $i (0 .. $#acts) {
            my $answer = $answers[$host][$i];
            $cancelled{ $acts[$i][0] }++ if $answer eq 'ok|cancelled';
            $completed{ $acts[$i][0] }++ if $answer eq 'done';
            fail "an answer is $answer" if $answer !~
                /\A(?:ok\|cancelled|invalid_status\|(?:cancelled|completed)|done|same|settled)\z/;
        }
    }
}
is_deeply [grep { $_ != 1 } values %cancelled, values %completed], [], 'each end was returned once';
is_deeply [grep { $cancelled{$_} } keys %completed], [], '... to one side';
is keys(%cancelled) + keys(%completed), RACES, 'in each of 500 races one side wins';
ok %cancelled && %completed, '... now this one, now that';
diag scalar(keys %cancelled) . ' were cancelled' if $ENV{TEST_VERBOSE};
is $db->sql(<<'SQL'), '', 'every row and its ledger say the same';
    SELECT m.id, m.status FROM public.neo_glitch_media m
     WHERE (SELECT string_agg(l.kind || l.amount, ' ' ORDER BY l.phase) FROM genflow.ledger l WHERE l.ref = m.id)
           IS DISTINCT FROM CASE m.status WHEN 'completed' THEN 'hold1 capture1' WHEN 'cancelled' THEN 'hold1 release0' END
SQL
is $db->sql("SELECT a.balance + (SELECT count(*) FROM genflow.ledger WHERE kind = 'capture'), a.held
    FROM genflow.accounts a WHERE user_id = genflow.account_of('user')"), '1000|0', 'the account is what was not charged';
is $db->sql('SELECT count(*) FROM genflow.work'), 0, 'no work is left';
is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

done_testing;

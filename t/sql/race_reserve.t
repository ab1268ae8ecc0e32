#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# One reservation in many hands: of parallel refunds one takes effect, of parallel generations one
# uses it, and who meets its end (by its owner, by a generation, by time) learns what happened.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Credits;
use Genflow::Database ();

my $db = Genflow::Database->new;

sub create {
    my ($user, $run, $key, $cost) = @_;
    $cost //= 2;
    return "SELECT outcome FROM genflow.neo_glitch_create('$user', '$key', '\\x01', '$run', 'base',"
        . " 'a cat', NULL, '{}', 7, $cost, 3::smallint, '10 minutes', NULL, NULL)";
}

sub batch {
    my ($user, $run, $key) = @_;
    return "SELECT min(outcome) FROM genflow.neo_glitch_create_batch('$user', '$key', '\\x01',"
        . " ARRAY['$run-1', '$run-2'], 'base', 'a cat', NULL, '{}', ARRAY[7, 8], 2, 3::smallint,"
        . " '10 minutes', NULL, NULL, p_reserved => '$run')";
}

sub expire { return 'SELECT genflow.reservations_expire(100)' }

sub over {
    my ($user) = @_;
    return $db->sql("UPDATE genflow.reservations SET expires_at = clock_timestamp()"
        . " WHERE user_id = genflow.account_of('$user') AND state = 'open'");
}

my @ten = $db->sessions(10);

# ---- 10 at once ----

grant($db, 'crowd', 5);
$db->sql(reserve_sql('crowd', 'r1'));
is_deeply counted($db->at_once(map { [$_, finalize_sql('crowd', 'r1')] } @ten)),
    { returned => 1, ended => 9 }, 'of 10 refunds at once one takes effect';
is credits_of($db, 'crowd'), '5|0|returned', '... once';
is $db->sql("SELECT count(*) FROM genflow.ledger WHERE user_id = genflow.account_of('crowd') AND kind = 'release'"), 1,
    '... with one release';

is_deeply counted($db->at_once(map { [$_, reserve_sql('crowd', 'r2')] } @ten)), { ok => 10 },
    '10 equal reservations at once are one';
is credits_of($db, 'crowd'), '5|2|returned open', '... held once';

my $answers = counted($db->at_once(map { [$_, create('crowd', 'r2', "k$_", 2)] } @ten));
is delete $answers->{ok}, 2, 'of 10 generations at once one uses it, one pays from what is left';
is_deeply [grep { !/\A(?:insufficient_credits|!GF402)\z/ } keys %$answers], [],
    '... the others lack credits';
is credits_of($db, 'crowd'), '5|4|returned used', '... nothing is held twice';
is $db->sql("SELECT count(*) FROM genflow.ledger l JOIN genflow.reservations r ON r.job_id = l.ref
             WHERE r.user_id = genflow.account_of('crowd')"), 1, '... and the reservation knows its generation';
books_are_sound($db);

grant($db, 'mixed', 20);
$db->sql(map { reserve_sql('mixed', "m$_") } 1 .. 10);
over('mixed');
$db->sql("UPDATE genflow.reservations SET expires_at = clock_timestamp() + interval '1 hour'
          WHERE user_id = genflow.account_of('mixed') AND request_id < 'm5'");
my @mixed = map {
    my $i = $_;
    my @ways = (\&finalize_sql, \&expire, sub { create(@_, "mixed $i") }, sub { batch(@_, "batch $i") });
    [$ten[$i], map { $ways[($i + $_) % 4]->('mixed', "m$_") } 1 .. 10];
} 0 .. 9;
# GF402, GF429: another transaction took the credits, or the quota, between check and hold (sql/types/create.sql)
is_deeply [grep { /\A!(?!GF4(?:02|29))/ } map { @$_ } $db->at_once(@mixed)], [],
    'refunds, generations and time at once meet no deadlock';
unlike credits_of($db, 'mixed'), qr/open/, '... and every reservation has its end';
books_are_sound($db);

# ---- step by step ----

my ($one, $two) = @ten;
my $users = 0;

my %DO = (
    refund     => \&finalize_sql,
    generation => sub { my ($user, $run) = @_; return create($user, $run, 'first') },
    batch      => sub { my ($user, $run) = @_; return batch($user, $run, 'batch') },
    another    => sub { my ($user, $run) = @_; return create($user, $run, 'second') },
);
my @CASES = (    # first, its end, second, which waits, its answer, and the state then
    ['refund',     'COMMIT',   'generation', 'ok',       '4|2|returned'],
    ['generation', 'COMMIT',   'refund',     'used',     '4|2|used'],
    ['generation', 'COMMIT',   'another',    'ok',       '4|4|used'],
    ['batch',      'COMMIT',   'refund',     'used',     '4|4|used'],
    ['refund',     'COMMIT',   'batch',      'ok',       '4|4|returned'],
    ['batch',      'ROLLBACK', 'refund',     'returned', '4|0|returned'],
    ['generation', 'COMMIT',   'batch',      'insufficient_credits', '4|2|used'],
    ['refund',     'COMMIT',   'refund',     'ended',    '4|0|returned'],
    ['refund',     'ROLLBACK', 'refund',     'returned', '4|0|returned'],
    ['generation', 'ROLLBACK', 'another',    'ok',       '4|2|used'],
    ['refund',     'ROLLBACK', 'generation', 'ok',       '4|2|used'],
);
for my $case (@CASES) {
    my ($first, $end, $second, $outcome, $stands) = @$case;
    my $user = 'user ' . ++$users;
    grant($db, $user, 4);
    $db->sql(reserve_sql($user, 'r'));
    is answer_after($db, $one, $DO{$first}->($user, 'r'), $end, $two, $DO{$second}->($user, 'r'),
        "$second waits for $first"), $outcome, "... and is answered after its $end: $outcome";
    is credits_of($db, $user), $stands, '... the reservation ended once';
}

grant($db, 'idle', 4);
$db->sql(reserve_sql('idle', 'r'));
over('idle');
$one->sql('BEGIN', finalize_sql('idle', 'r'));
is $two->sql(expire()), 0, 'who tidies up does not wait for a refund that is under way';
$one->sql('ROLLBACK');
is $two->sql(expire()), 1, '... but finds it later if that came to nothing';
is credits_of($db, 'idle'), '4|0|expired', '... and gives it back';

grant($db, 'twin', 4);
is answer_after($db, $one, reserve_sql('twin', 'r'), 'COMMIT', $two, reserve_sql('twin', 'r'),
    'a repeated reservation waits for the first'), 'ok', '... and is the same';
is credits_of($db, 'twin'), '4|2|open', '... held once';

grant($db, 'last', 2);
is answer_after($db, $one, reserve_sql('last', 'one'), 'COMMIT', $two, reserve_sql('last', 'two'),
    'who wants the last credits waits for who is about to reserve them'), '!GF402', '... and its hold is refused';
is $two->sql(reserve_sql('last', 'two')), 'insufficient_credits', '... repeats the call and is refused';

grant($db, 'tight', 2);
is answer_after($db, $one, create('tight', 'one', 'one'), 'COMMIT', $two, batch('tight', 'two', 'two'),
    'a batch that wants the last credits waits for who is about to hold them'), '!GF402', '... and its hold is refused';
is $two->sql(batch('tight', 'two', 'two')), 'insufficient_credits', '... repeats the call and is refused';

# ---- a day that rolls, and references ----

sub rolling {
    my ($run) = @_;
    return "SELECT outcome FROM genflow.reserve('rolls', '$run', 2, NULL, '1 hour', 'rolling')";
}

grant($db, 'rolls', 9);
$db->sql("UPDATE genflow.accounts SET day_limit = 3 WHERE user_id = genflow.account_of('rolls')");
is answer_after($db, $one, rolling('one'), 'COMMIT', $two, rolling('two'),
    'who wants the last of 24 hours waits'), '!GF429', '... and its hold is refused';
is $two->sql(rolling('two')), 'quota_exceeded', '... repeats the call and is refused';

my $adjust = "SELECT genflow.admin_credit('last', 1, 'put right', 'ticket 1')";
is answer_after($db, $one, $adjust, 'COMMIT', $two, $adjust,
    'a second adjustment with the same reference waits for the first'), 'duplicate', '... and does not count';
books_are_sound($db);

done_testing;

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

use Genflow::Database ();

my $db = Genflow::Database->new;

sub reserve {
    my ($user, $run, $amount) = @_;
    $amount //= 2;
    return "SELECT outcome FROM genflow.reserve('$user', '$run', $amount, NULL, '1 hour', 'UTC')";
}

sub finalize {
    my ($user, $run) = @_;
    return "SELECT outcome FROM genflow.reserve_finalize('$user', '$run')";
}

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
        . " WHERE user_id = '$user' AND state = 'open'");
}

sub grant {
    my ($user, $credits) = @_;
    return $db->sql("SELECT genflow.grant_credits('$user', $credits, 'for a test')");
}

# Balance, held, and the states of the reservations.
sub stands {
    my ($user) = @_;
    return $db->sql("SELECT balance, held, (SELECT string_agg(state, ' ' ORDER BY request_id)
        FROM genflow.reservations r WHERE r.user_id = a.user_id)
        FROM genflow.accounts a WHERE user_id = '$user'");
}

sub books_are_sound {
    return is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';
}

sub counted {
    my %count;
    $count{$_}++ for map { @$_ } @_;
    return \%count;
}

my @ten = $db->sessions(10);

# ---- 10 at once ----

grant('crowd', 5);
$db->sql(reserve('crowd', 'r1'));
is_deeply counted($db->at_once(map { [$_, finalize('crowd', 'r1')] } @ten)),
    { returned => 1, ended => 9 }, 'of 10 refunds at once one takes effect';
is stands('crowd'), '5|0|returned', '... once';
is $db->sql("SELECT count(*) FROM genflow.ledger WHERE user_id = 'crowd' AND kind = 'release'"), 1,
    '... with one release';

is_deeply counted($db->at_once(map { [$_, reserve('crowd', 'r2')] } @ten)), { ok => 10 },
    '10 equal reservations at once are one';
is stands('crowd'), '5|2|returned open', '... held once';

my $answers = counted($db->at_once(map { [$_, create('crowd', 'r2', "k$_", 2)] } @ten));
is delete $answers->{ok}, 2, 'of 10 generations at once one uses it, one pays from what is left';
is_deeply [grep { !/\A(?:insufficient_credits|!GF402)\z/ } keys %$answers], [],
    '... the others lack credits';
is stands('crowd'), '5|4|returned used', '... nothing is held twice';
is $db->sql("SELECT count(*) FROM genflow.ledger l JOIN genflow.reservations r ON r.job_id = l.ref
             WHERE r.user_id = 'crowd'"), 1, '... and the reservation knows its generation';
books_are_sound();

grant('mixed', 20);
$db->sql(map { reserve('mixed', "m$_") } 1 .. 10);
over('mixed');
$db->sql("UPDATE genflow.reservations SET expires_at = clock_timestamp() + interval '1 hour'
          WHERE user_id = 'mixed' AND request_id < 'm5'");
my @mixed = map {
    my $i = $_;
    my @ways = (\&finalize, \&expire, sub { create(@_, "mixed $i") }, sub { batch(@_, "batch $i") });
    [$ten[$i], map { $ways[($i + $_) % 4]->('mixed', "m$_") } 1 .. 10];
} 0 .. 9;
is_deeply [grep { /\A!(?!GF402)/ } map { @$_ } $db->at_once(@mixed)], [],
    'refunds, generations and time at once meet no deadlock';
unlike stands('mixed'), qr/open/, '... and every reservation has its end';
books_are_sound();

# ---- step by step ----

my ($one, $two) = @ten;
my $users = 0;

my %DO = (
    refund     => \&finalize,
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
    grant($user, 4);
    $db->sql(reserve($user, 'r'));
    $one->sql('BEGIN', $DO{$first}->($user, 'r'));
    $two->start($DO{$second}->($user, 'r'));
    ok $db->waits($two), "$second waits for $first";
    $one->sql($end);
    is $two->answer, $outcome, "... and is answered after its $end: $outcome";
    is stands($user), $stands, '... the reservation ended once';
}

grant('idle', 4);
$db->sql(reserve('idle', 'r'));
over('idle');
$one->sql('BEGIN', finalize('idle', 'r'));
is $two->sql(expire()), 0, 'who tidies up does not wait for a refund that is under way';
$one->sql('ROLLBACK');
is $two->sql(expire()), 1, '... but finds it later if that came to nothing';
is stands('idle'), '4|0|expired', '... and gives it back';

grant('twin', 4);
$one->sql('BEGIN', reserve('twin', 'r'));
$two->start(reserve('twin', 'r'));
ok $db->waits($two), 'a repeated reservation waits for the first';
$one->sql('COMMIT');
is $two->answer, 'ok', '... and is the same';
is stands('twin'), '4|2|open', '... held once';

grant('last', 2);
$one->sql('BEGIN', reserve('last', 'one'));
$two->start(reserve('last', 'two'));
ok $db->waits($two), 'who wants the last credits waits for who is about to reserve them';
$one->sql('COMMIT');
is $two->answer, '!GF402', '... and its hold is refused';
is $two->sql(reserve('last', 'two')), 'insufficient_credits', '... repeats the call and is refused';

grant('tight', 2);
$one->sql('BEGIN', create('tight', 'one', 'one'));
$two->start(batch('tight', 'two', 'two'));
ok $db->waits($two), 'a batch that wants the last credits waits for who is about to hold them';
$one->sql('COMMIT');
is $two->answer, '!GF402', '... and its hold is refused';
is $two->sql(batch('tight', 'two', 'two')), 'insufficient_credits', '... repeats the call and is refused';

# ---- a day that rolls, and references ----

sub rolling {
    my ($run) = @_;
    return "SELECT outcome FROM genflow.reserve('rolls', '$run', 2, NULL, '1 hour', 'rolling')";
}

grant('rolls', 9);
$db->sql("UPDATE genflow.accounts SET day_limit = 3 WHERE user_id = 'rolls'");
$one->sql('BEGIN', rolling('one'));
$two->start(rolling('two'));
ok $db->waits($two), 'who wants the last of 24 hours waits';
$one->sql('COMMIT');
is $two->answer, '!GF429', '... and its hold is refused';
is $two->sql(rolling('two')), 'quota_exceeded', '... repeats the call and is refused';

my $adjust = "SELECT genflow.admin_credit('last', 1, 'put right', 'ticket 1')";
$one->sql('BEGIN', $adjust);
$two->start($adjust);
ok $db->waits($two), 'a second adjustment with the same reference waits for the first';
$one->sql('COMMIT');
is $two->answer, 'duplicate', '... and does not count';
books_are_sound();

done_testing;

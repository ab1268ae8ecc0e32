#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Creates that meet each other: no credit is held twice, no key makes two generations, and who loses
# a race learns it in a way that he can act on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Credits;
use Genflow::Database ();

# afford() finds the first of these states, the account decides on the others: repeat the call.
my %REFUSED = map { $_ => 1 } qw(insufficient_credits !GF402);

my $db = Genflow::Database->new;

sub create {
    my ($user, $key, $hash) = @_;
    $hash //= '01';
    return "SELECT outcome FROM genflow.neo_glitch_create('$user', '$key', '\\x$hash', NULL,"
        . " 'base', 'a cat', NULL, '{}', 7, 1, 3::smallint, '10 minutes', NULL, NULL)";
}

sub credits {
    my ($user) = @_;
    return $db->sql("SELECT balance, held FROM genflow.accounts WHERE user_id = genflow.account_of('$user')");
}

sub jobs_of {
    my ($user) = @_;
    return $db->sql("SELECT count(*), (SELECT count(*) FROM genflow.work WHERE user_id = genflow.account_of('$user'))
                       FROM genflow.ledger WHERE kind = 'hold' AND user_id = genflow.account_of('$user')");
}

# ---- 1000 at once for 10 credits ----

grant($db, 'crowd', 10);
my @crowd   = $db->sessions(25);
my @calls    = map { my $i = $_; [$crowd[$i], map { create('crowd', "$i-$_") } 1 .. 40] } 0 .. 24;
my $answers = counted($db->at_once(@calls));
is delete $answers->{ok}, 10, 'of 1000 creates at once on a balance for 10 exactly 10 are accepted';
is_deeply [grep { !$REFUSED{$_} } sort keys %$answers], [], '... all others for lack of credits';
is credits('crowd'), '10|10', '... all credits are held';
is jobs_of('crowd'), '10|10', '... by 10 generations';
is $db->sql(create('crowd', 'once more')), 'insufficient_credits', 'a create after that is refused';
books_are_sound($db);

# ---- the same key 50 times at once ----

grant($db, 'twice', 60);
@calls    = map { [$_, (create('twice', 'key')) x 2] } @crowd;
$answers = counted($db->at_once(@calls));
is_deeply $answers, { ok => 1, replay => 49 }, 'of 50 equal creates at once one makes a generation';
is jobs_of('twice'), '1|1', '... of which there is one, with one hold';

@calls    = map { [$crowd[$_], create('twice', 'bodies', sprintf '%02x', $_)] } 0 .. 24;
$answers = counted($db->at_once(@calls));
is_deeply $answers, { ok => 1, mismatch => 24 }, 'of 25 bodies under one key one is accepted';
is credits('twice'), '60|2', '... and paid';
@crowd = ();
books_are_sound($db);

# ---- step by step: the same key ----

my ($one, $two) = $db->sessions(2);
is answer_after($db, $one, create('twice', 'second key'), 'COMMIT', $two, create('twice', 'second key'),
    'a repeat of a create that is under way waits for it'), 'replay', '... and gets its answer';

is answer_after($db, $one, create('twice', 'third key'), 'ROLLBACK', $two, create('twice', 'third key'),
    'a repeat waits'), 'ok', '... and makes the generation itself if the first came to nothing';
is jobs_of('twice'), '4|4', 'each key has made one';

# ---- step by step: the last credit ----

grant($db, 'last', 1);
is answer_after($db, $one, create('last', 'first'), 'ROLLBACK', $two, create('last', 'second'),
    'who wants the credit that another create is about to hold waits'), 'ok',
    '... and gets it if the other came to nothing';

grant($db, 'last', 1);
is answer_after($db, $one, create('last', 'third'), 'COMMIT', $two, create('last', 'fourth'),
    'the next waits'), '!GF402', '... and its hold is refused';
is $two->sql(create('last', 'fourth')), 'insufficient_credits', '... repeats the call and is refused';
is jobs_of('last'), '2|2', '... and leaves nothing behind';

# ---- step by step: the quota, and an account that is blocked meanwhile ----

grant($db, 'daily', 10);
$db->sql("UPDATE genflow.accounts SET day_limit = 1 WHERE user_id = genflow.account_of('daily')");
is answer_after($db, $one, create('daily', 'first'), 'COMMIT', $two, create('daily', 'second'),
    'who wants the last of a quota waits'), '!GF429', '... and its hold is refused';
is $two->sql(create('daily', 'second')), 'quota_exceeded', '... repeats the call and is refused';

grant($db, 'bad', 10);
my $block = "UPDATE genflow.accounts SET blocked = true WHERE user_id = genflow.account_of('bad')";
is answer_after($db, $one, $block, 'COMMIT', $two, create('bad', 'first'),
    'a create waits for the administrator who is about to block the user'), '!GF403', '... and its hold is refused';
is $two->sql(create('bad', 'first')), 'blocked', '... repeats the call and is refused';
books_are_sound($db);

# ---- a payment that is reported twice at once ----

my $pay = "SELECT genflow.grant_credits('payer', 10, 'bought', 'payment 1')";
is answer_after($db, $one, $pay, 'COMMIT', $two, $pay,
    'a second grant with the same reference waits for the first'), 'duplicate', '... and does not count';
is credits('payer'), '10|0', '... so that the credits are given once';

done_testing;

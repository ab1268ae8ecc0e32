#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Unbound reservations and renewed keys in many hands: of parallel generations of older clients each
# takes a reservation of its own, a refund and a generation never both get one, and a run id whose
# generation failed makes one new generation.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Credits;
use Genflow::Database ();

my $db = Genflow::Database->new;

sub create {
    my ($user, $run) = @_;
    return "SELECT outcome FROM genflow.neo_glitch_create('$user', 'run:$run', '\\x01', '$run', 'base',"
        . " 'a cat', NULL, '{}', 7, 2, 3::smallint, '10 minutes', NULL, NULL, p_take => true,"
        . ' p_renew => true)';
}

my @ten = $db->sessions(10);
my ($one, $two) = @ten;

# ---- ten tabs ----

grant($db, 'tabs', 20);
$db->sql(map { reserve_sql('tabs', "r$_", unbound => 1) } 0 .. 9);
is credits_of($db, 'tabs'), '20|20|' . join(' ', ('open') x 10), 'ten tabs have reserved all credits';
is_deeply counted($db->at_once(map { [$ten[$_], create('tabs', "run $_")] } 0 .. 9)), { ok => 10 },
    'their generations at once each find one';
is credits_of($db, 'tabs'), '20|20|' . join(' ', ('used') x 10), '... and leave none';
is $db->sql("SELECT count(DISTINCT job_id) FROM genflow.reservations WHERE user_id = genflow.account_of('tabs')"), 10,
    '... each has another one';
books_are_sound($db);

grant($db, 'mixed', 20);
$db->sql(map { reserve_sql('mixed', "r$_", unbound => 1) } 0 .. 9);
my @mixed = map {
    my $i = $_;
    [$ten[$i], map { ($i + $_) % 2 ? finalize_sql('mixed', "r$_") : create('mixed', "run $i $_") } 0 .. 4];
} 0 .. 9;
is_deeply [grep { /\A!(?!GF402)/ } map { @$_ } $db->at_once(@mixed)], [],
    'refunds and generations at once meet no deadlock';
my ($balance, $held, $states) = split /\|/, credits_of($db, 'mixed');
my $lives = $db->sql("SELECT count(*) FROM genflow.work WHERE user_id = genflow.account_of('mixed')");
my $open  = () = $states =~ /open/g;
is $held, 2 * ($lives + $open), '... what is held is what lives, and what is open';
books_are_sound($db);

# ---- step by step ----

my @CASES = (    # first, its end, second, which waits, its answer, and how things stand then
    ['generation', 'COMMIT',   'another', 'ok',       '9|4|used used'],
    ['generation', 'ROLLBACK', 'another', 'ok',       '9|4|used open'],
    ['generation', 'COMMIT',   'refund',  'used',     '9|4|used open'],
    ['generation', 'ROLLBACK', 'refund',  'returned', '9|2|returned open'],
    ['refund',     'COMMIT',   'another', 'ok',       '9|2|returned used'],
    ['refund',     'ROLLBACK', 'another', 'ok',       '9|4|used open'],
);
my %DO = (
    generation => sub { create($_[0], 'one') },
    another    => sub { create($_[0], 'two') },
    refund     => sub { finalize_sql($_[0], 'r1') },
);
my $users = 0;
for my $case (@CASES) {
    my ($first, $end, $second, $outcome, $stands) = @$case;
    my $user = 'user ' . ++$users;
    grant($db, $user, 9);
    $db->sql(reserve_sql($user, 'r1', unbound => 1), reserve_sql($user, 'r2', unbound => 1));
    is answer_after($db, $one, $DO{$first}->($user), $end, $two, $DO{$second}->($user),
        "$second waits for $first"), $outcome, "... and is answered after its $end: $outcome";
    is credits_of($db, $user), $stands, '... each reservation has one end at most';
}
books_are_sound($db);

# ---- the last credits ----

grant($db, 'last', 4);
$db->sql(reserve_sql('last', 'r1', unbound => 1));
is answer_after($db, $one, create('last', 'one'), 'COMMIT', $two, create('last', 'two'),
    'a second generation waits for the reservation that the first takes'), 'ok', '... and takes what is free';
$two->start(create('last', 'three'));
is $two->answer, 'insufficient_credits', 'a third is refused';
is credits_of($db, 'last'), '4|4|used', 'nothing is held twice';

# ---- a run id whose generation failed ----

sub fail_live {
    my ($user) = @_;
    return $db->sql("SELECT genflow.neo_glitch_settle(w.job_id, w.epoch, 'failed', 'acme', 'acme-1', false,
        NULL, NULL, NULL, NULL, 'API_ERROR', NULL, NULL) FROM genflow.work w WHERE w.user_id = genflow.account_of('$user')");
}

grant($db, 'again', 20);
$db->sql(create('again', 'r'));
fail_live('again');
is_deeply counted($db->at_once(map { [$_, create('again', 'r')] } @ten)), { ok => 1, replay => 9 },
    'of ten retries at once one makes a new generation';
is credits_of($db, 'again'), '20|2|', '... held once';
fail_live('again');
is answer_after($db, $one, create('again', 'r'), 'ROLLBACK', $two, create('again', 'r'),
    'a second retry waits for the first'), 'ok', '... and makes it if that came to nothing';
is credits_of($db, 'again'), '20|2|', '... held once';
is $db->sql("SELECT count(*) FROM public.neo_glitch_media WHERE user_id = genflow.account_of('again')"), 3,
    '... so that there are three in all';
books_are_sound($db);

done_testing;

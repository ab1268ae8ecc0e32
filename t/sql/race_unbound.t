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

use Genflow::Database ();

my $db = Genflow::Database->new;

sub reserve {
    my ($user, $request) = @_;
    return "SELECT outcome FROM genflow.reserve('$user', '$request', 2, NULL, '1 hour', 'UTC', true)";
}

sub finalize {
    my ($user, $request) = @_;
    return "SELECT outcome FROM genflow.reserve_finalize('$user', '$request')";
}

sub create {
    my ($user, $run) = @_;
    return "SELECT outcome FROM genflow.neo_glitch_create('$user', 'run:$run', '\\x01', '$run', 'base',"
        . " 'a cat', NULL, '{}', 7, 2, 3::smallint, '10 minutes', NULL, NULL, p_take => true,"
        . ' p_renew => true)';
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
my ($one, $two) = @ten;

# ---- ten tabs ----

grant('tabs', 20);
$db->sql(map { reserve('tabs', "r$_") } 0 .. 9);
is stands('tabs'), '20|20|' . join(' ', ('open') x 10), 'ten tabs have reserved all credits';
is_deeply counted($db->at_once(map { [$ten[$_], create('tabs', "run $_")] } 0 .. 9)), { ok => 10 },
    'their generations at once each find one';
is stands('tabs'), '20|20|' . join(' ', ('used') x 10), '... and leave none';
is $db->sql("SELECT count(DISTINCT job_id) FROM genflow.reservations WHERE user_id = 'tabs'"), 10,
    '... each has another one';
books_are_sound();

grant('mixed', 20);
$db->sql(map { reserve('mixed', "r$_") } 0 .. 9);
my @mixed = map {
    my $i = $_;
    [$ten[$i], map { ($i + $_) % 2 ? finalize('mixed', "r$_") : create('mixed', "run $i $_") } 0 .. 4];
} 0 .. 9;
is_deeply [grep { /\A!(?!GF402)/ } map { @$_ } $db->at_once(@mixed)], [],
    'refunds and generations at once meet no deadlock';
my ($balance, $held, $states) = split /\|/, stands('mixed');
my $lives = $db->sql("SELECT count(*) FROM genflow.work WHERE user_id = 'mixed'");
my $open  = () = $states =~ /open/g;
is $held, 2 * ($lives + $open), '... what is held is what lives, and what is open';
books_are_sound();

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
    refund     => sub { finalize($_[0], 'r1') },
);
my $users = 0;
for my $case (@CASES) {
    my ($first, $end, $second, $outcome, $stands) = @$case;
    my $user = 'user ' . ++$users;
    grant($user, 9);
    $db->sql(reserve($user, 'r1'), reserve($user, 'r2'));
    $one->sql('BEGIN', $DO{$first}->($user));
    $two->start($DO{$second}->($user));
    ok $db->waits($two), "$second waits for $first";
    $one->sql($end);
    is $two->answer, $outcome, "... and is answered after its $end: $outcome";
    is stands($user), $stands, '... each reservation has one end at most';
}
books_are_sound();

# ---- the last credits ----

grant('last', 4);
$db->sql(reserve('last', 'r1'));
$one->sql('BEGIN', create('last', 'one'));
$two->start(create('last', 'two'));
ok $db->waits($two), 'a second generation waits for the reservation that the first takes';
$one->sql('COMMIT');
is $two->answer, 'ok', '... and takes what is free';
$two->start(create('last', 'three'));
is $two->answer, 'insufficient_credits', 'a third is refused';
is stands('last'), '4|4|used', 'nothing is held twice';

# ---- a run id whose generation failed ----

sub fail_live {
    my ($user) = @_;
    return $db->sql("SELECT genflow.neo_glitch_settle(w.job_id, w.epoch, 'failed', 'acme', 'acme-1', false,
        NULL, NULL, NULL, NULL, 'API_ERROR', NULL, NULL) FROM genflow.work w WHERE w.user_id = '$user'");
}

grant('again', 20);
$db->sql(create('again', 'r'));
fail_live('again');
is_deeply counted($db->at_once(map { [$_, create('again', 'r')] } @ten)), { ok => 1, replay => 9 },
    'of ten retries at once one makes a new generation';
is stands('again'), '20|2|', '... held once';
fail_live('again');
$one->sql('BEGIN', create('again', 'r'));
$two->start(create('again', 'r'));
ok $db->waits($two), 'a second retry waits for the first';
$one->sql('ROLLBACK');
is $two->answer, 'ok', '... and makes it if that came to nothing';
is stands('again'), '20|2|', '... held once';
is $db->sql("SELECT count(*) FROM public.neo_glitch_media WHERE user_id = 'again'"), 3,
    '... so that there are three in all';
books_are_sound();

done_testing;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# An administrator gives and takes credits, and gives charges back, each with a reason and once per
# reference, however often it is repeated; the ledger names who did it.
use Genflow::Admin;
use Genflow::Test;

my $user = account(0);
my ($TRUE, $FALSE) = (JSON::PP::true(), JSON::PP::false());

# ---- credits ----

my $reply = credit(10, 'paid');
is_deeply $reply, { success => $TRUE, ok => $TRUE, applied => $TRUE, userId => $user, amount => 10,
    reference => "paid-$user", currentBalance => 10, held => 0 }, 'credits are given';
is join('|', sql1('SELECT kind, amount, reason FROM genflow.ledger WHERE external_ref = :\'ref\'',
    ref => "paid-$user")), 'grant|10|for a test (by admin)', '... with reason and administrator';
is_deeply [@{ credit(10, 'paid') }{qw(applied currentBalance)}], [$FALSE, 10],
    'the same reference does not count again';
fields_are(admin(POST => '/credits', json => credit_body(11, 'paid')), 'reference',
    '... nor for another amount');
fields_are(admin(POST => '/credits', json => { %{ credit_body(10, 'paid') }, userId => "x$user" }),
    'reference', '... nor for another user');
is_deeply [@{ credit(-4, 'lost') }{qw(applied currentBalance)}], [$TRUE, 6], 'credits are taken';
is_deeply [@{ credit(-4, 'lost') }{qw(applied currentBalance)}], [$FALSE, 6], '... once';

my $poor = admin(POST => '/credits', json => credit_body(-7, 'more'));
error_is($poor, 402, 'INSUFFICIENT_CREDITS', 'more than there is cannot be taken');
is_deeply [@{ data($poor) }{qw(currentBalance requiredCredits shortfall)}], [6, 7, 1], '... it says';
error_is(admin(POST => '/credits', json => { %{ credit_body(-1, 'none') }, userId => "x$user" }),
    402, 'INSUFFICIENT_CREDITS', '... nor from who has no account');
my $slow = data(generate($user, { prompt => "a cat {{gate=$user}}" }, Prefer => 'respond-async'));
error_is(admin(POST => '/credits', json => credit_body(-6, 'held')), 402, 'INSUFFICIENT_CREDITS',
    'what is held cannot be taken');

my @answers = in_parallel(20, sub { credit(5, 'at-once')->{applied} ? 1 : 0 });
is scalar(grep { $_ } @answers), 1, 'of 20 at once with one reference one counts';
is credits($user)->[0], 11, '... once';

# ---- refunds ----

my $made = data(generate($user))->{id};
my $part = data(generate($user, { type => 'sketch' }))->{id};
open_gate($user);
is data(api(GET => "/api/neo-glitch/status?id=$slow->{id}", user => $user,
    headers => { Prefer => 'wait=60' }))->{status}, 'completed', 'what ran has ended';
credits_are $user, 7, 0, 'three generations were charged';
my $back = refund($made, 'broken');
is_deeply [@{ data($back) }{qw(applied userId generationId amount currentBalance)}],
    [$TRUE, $user, $made, 1, 8], 'a charge is given back';
is data(refund($made, 'broken'))->{applied}, $FALSE, '... once under its reference';
fields_are(refund($made, 'again'), 'generationId', '... and under any other');
fields_are(refund($slow->{id}, 'broken'), 'reference', 'a reference is of one generation');
fields_are(refund($slow->{id}, 'paid'), 'reference', '... or of one grant');
fields_are(refund($part, 'ugly', 3), 'amount', 'not more than the charge is given back');
is data(refund($part, 'ugly', 1))->{amount}, 1, 'but a part of it may be';
is data(refund($part, 'ugly', 1))->{applied}, $FALSE, '... once';
fields_are(refund($part, 'ugly', 2), 'reference', '... and not more later');
is status_of($user, $made)->{status}, 'completed', 'the picture stays';
is sql1("SELECT reason FROM genflow.ledger WHERE ref = :'id' AND kind = 'refund'", id => $made),
    'for a test (by admin)', 'the ledger names who gave it back';

expect_log('GF0203');
my $failed = data(generate($user, { prompt => 'a cat {{status=400}}' }))->{id};
for my $id ($failed, '01a1fc7d-bbf5-7c3a-8e9f-0100824fa663') {
    fields_are(refund($id, "none of $id"), 'generationId', 'what was not charged is not given back');
}
credits_are $user, 9, 0, 'all of that came to this';

# ---- what is no such request ----

my %credit = %{ credit_body(1, 'bad') };
my %refund = (generationId => $made, reason => 'r', reference => "bad-$user");
my @BAD = (    # where, body, fields
    ['credits', {}, 'amount reason reference userId'],
    ['credits', { %credit, userId => '', reason => '' }, 'reason userId'],
    ['credits', { %credit, userId => 'x' x 256, reference => 'x' x 201 }, 'reference userId'],
    ['credits', { %credit, userId => 7, amount => '7', reason => [], reference => {} },
        'amount reason reference userId'],
    (map { ['credits', { %credit, amount => $_ }, 'amount'] } 0, 0.5, 1e13, undef, $TRUE),
    ['credits', { %credit, reason => "a\0b" }, 'reason'],
    ['refunds', {}, 'generationId reason reference'],
    ['refunds', { %refund, generationId => 'x', amount => 0 }, 'amount generationId'],
    ['refunds', { %refund, amount => '1' }, 'amount'],
);
for my $bad (@BAD) {
    my ($where, $body, $fields) = @$bad;
    fields_are(admin(POST => "/$where", json => $body), $fields, "$where without sense are refused");
}
error_is(admin(POST => '/credits', body => 'x', headers => { 'Content-Type' => 'text/plain' }), 415,
    'UNSUPPORTED_MEDIA_TYPE', 'a body is JSON');
credits_are $user, 9, 0, 'and nothing came of it';
is sql1("SELECT count(*) FROM genflow.ledger WHERE external_ref = :'ref'", ref => "bad-$user"), 0,
    '... not a row';

finish;

sub credit_body {
    my ($amount, $reference) = @_;
    return { userId => $user, amount => $amount, reason => 'for a test', reference => "$reference-$user" };
}

sub credit { return data(admin(POST => '/credits', json => credit_body(@_))) }

sub refund {
    my ($id, $reference, $amount) = @_;
    my %amount = defined $amount ? (amount => $amount) : ();
    return admin(POST => '/refunds', json => { generationId => $id, reason => 'for a test',
        reference => "$reference-$user", %amount });
}

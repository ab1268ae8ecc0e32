#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# An administrator reads the ledger of any user as the user does, page by page, which credits are held and
# for what, and what administrators did.
use Genflow::Admin;
use Genflow::Test;

my $user = account(10) . '/x';
admin(POST => '/credits', json => { userId => $user, amount => 10, reason => 'a gift', reference => "gift of $user" });
my $made = data(generate($user));

# ---- the ledger ----

my $own = data(api(GET => '/api/credits', user => $user));
is_deeply data(admin(GET => "/users/$user/ledger")), $own, 'an administrator reads the ledger of a user as the user does';
is_deeply [map { $_->{kind} } @{ $own->{items} }], [qw(capture hold grant)], '... the newest entry first';
my ($page, @kinds) = (data(admin(GET => "/users/$user/ledger?limit=2")));
push @kinds, map { $_->{kind} } @{ $page->{items} };
$page = data(admin(GET => "/users/$user/ledger?limit=2&cursor=$page->{nextCursor}"));
push @kinds, map { $_->{kind} } @{ $page->{items} };
is "@kinds $page->{hasMore}", 'capture hold grant 0', '... page by page';
fields_are(admin(GET => "/users/$user/ledger?cursor=x"), 'cursor', 'a cursor of nothing is refused');
error_is(admin(GET => "/users/nobody-of-$user/$_"), 404, 'NOT_FOUND', "who has no account has no $_") for qw(ledger holds);
is admin(GET => "/users/$user")->{status}, 200, 'the user is where it was';
is api(GET => "/api/admin/users/$user/ledger", user => $user)->{status}, 404, 'and it is no part of the API';

# ---- holds ----

is_deeply [@{ data(admin(GET => "/users/$user/holds")) }{qw(userId held holds)}], [$user, 0, []], 'nothing is held';
my $sent = later($user, { prompt => "{{gate=hold-$user}} on its way [$user]" });
my $reserved = data(api(POST => '/api/credits-reserve', user => $user, json => { request_id => 'for-later', cost => 3 }));
my $held = data(admin(GET => "/users/$user/holds"));
is_deeply [map { [@{$_}{qw(kind type credits requestId)}] } @{ $held->{holds} }],
    [['generation', 'neo-glitch', 1, undef], ['reservation', undef, 3, 'for-later']], 'a generation and a reservation hold credits';
is $held->{holds}[0]{id}, $sent, '... of that generation';
is $held->{held}, 4, '... as many as the account says';
ok !(grep { $_->{ageSeconds} < 0 || $_->{since} gt $_->{expiresAt} } @{ $held->{holds} }), '... for a time';
api(POST => "/api/generation/$sent/cancel", user => $user);
open_gate("hold-$user");
api(POST => '/api/credits-finalize', user => $user, json => { request_id => 'for-later', disposition => 'refund' });
is_deeply [@{ data(admin(GET => "/users/$user/holds")) }{qw(held holds)}], [0, []], '... until that ends';

# ---- the record ----

for my $n (1 .. 3) {
    my $id = data(generate($user))->{id};
    admin(DELETE => "/jobs/$id/picture", json => { reason => "$n of $user" });
}
my @mine = grep { ($_->{reason} // '') =~ / of \Q$user\E\z/ } @{ data(admin(GET => '/audit?action=takedown&admin=admin'))->{entries} };
is_deeply [map { $_->{reason} } @mine], [map { "$_ of $user" } 3, 2, 1], 'the record has what was done, the newest first';
is_deeply [sort keys %{ $mine[0] }], [sort qw(id at admin action target before after reason)], '... with who, what, when and why';
my $one = data(admin(GET => '/audit?limit=1'));
my ($first, $after) = map { $_->{entries}[0]{id} } $one, data(admin(GET => "/audit?limit=1&cursor=$one->{nextCursor}"));
cmp_ok $after, '<', $first, '... page by page';
is_deeply data(admin(GET => "/audit?admin=nobody-of-$user"))->{entries}, [], 'nobody else did anything';
fields_are(admin(GET => '/audit?cursor=x'), 'cursor', 'a cursor of nothing is refused');
fields_are(admin(GET => '/audit?who=admin'), 'who', '... and a filter that there is not');

# ---- every act has its entry ----

my $other   = account(10) . '/y';
my $since = data(admin(GET => '/audit?limit=1'))->{entries}[0]{id};
admin(POST => '/credits', json => { userId => $other, amount => 10, reason => 'x', reference => "first of $other" });
my ($account) = sql("SELECT genflow.account_of(:'user')", user => $other);
my $kept = data(generate($other))->{id};

my $word = "audit-$since";

# What was recorded of this user and these names since the last look, the oldest first.
sub recorded {
    my @all = (@{ data(admin(GET => "/audit?user=$other&limit=100"))->{entries} },
        grep { $_->{target} =~ /\Q$word\E\z/ } @{ data(admin(GET => '/audit?limit=100'))->{entries} });
    my @new = sort { $a->{id} <=> $b->{id} } grep { $_->{id} > $since } @all;
    $since = $new[-1]{id} if @new;
    return @new;
}

recorded();
sub one_entry {
    my ($action, $target, $reason, $before, $after) = @_;
    my @new = recorded();
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply [map { [@{$_}{qw(admin action target reason)}] } @new], [['admin', $action, $target, $reason]],
        "$action has one entry";
    my $entry = $new[0] // {};
    for ([before => $before], [after => $after]) {
        my ($side, $want) = @{$_};
        my $got = $entry->{$side};
        is_deeply $want && $got ? { map { $_ => $got->{$_} } keys %{$want} } : $got, $want, "... with what was $side";
    }
    return $entry;
}

my %credit = (userId => $other, amount => 7, reason => 'sorry', reference => "audit of $other");
my $balance = data(admin(GET => "/users/$other"))->{user}{balance};
admin(POST => '/credits', json => \%credit);
one_entry('credit', $account, 'sorry', { balance => $balance }, { balance => $balance + 7, amount => 7, reference => "audit of $other" });
admin(POST => '/credits', json => \%credit);
admin(POST => '/credits', json => { %credit, amount => -100000, reference => "no $other" });
admin(POST => '/credits', json => { %credit, amount => 8 });
is_deeply [recorded()], [], 'a duplicate and what is refused have none';

my %refund = (generationId => $kept, reason => 'ugly', reference => "refund to $other");
admin(POST => '/refunds', json => \%refund);
one_entry('refund', $kept, 'ugly', { balance => $balance + 7, charged => 1 }, { balance => $balance + 8, amount => 1 });
admin(POST => '/refunds', json => \%refund);
admin(POST => '/refunds', json => { %refund, reference => "again $other" });
is_deeply [recorded()], [], '... nor has a refund';

admin(PUT => "/users/$other", json => { blocked => JSON::PP::true(), reason => 'spam' });
one_entry('block', $account, 'spam', { blocked => JSON::PP::false() }, { blocked => JSON::PP::true() });
admin(PUT => "/users/$other", json => { blocked => JSON::PP::false() });
one_entry('block', $account, undef, { blocked => JSON::PP::true() }, { blocked => JSON::PP::false() });
admin(PUT => "/users/$other", json => { dayLimit => 5, weekLimit => undef, reason => 'too much' });
one_entry('limits', $account, 'too much', { dayLimit => undef, weekLimit => undef }, { dayLimit => 5, weekLimit => undef });
admin(PUT => "/users/nobody-of-$other", json => { blocked => JSON::PP::true() });
admin(PUT => "/users/$other", json => { dayLimit => -1 });
is_deeply [recorded()], [], 'neither who has no account nor a bad limit has one';
admin(PUT => "/users/$other", json => { dayLimit => undef });
recorded();

my $live = later($other, { prompt => "{{gate=one-$other}} waits [$other]" });
admin(DELETE => "/jobs/$live", json => { reason => 'asked for' });
my $entry = one_entry('cancel', $live, 'asked for', {}, { status => 'cancelled', released => 1 });
like $entry->{before}{status}, qr/\A(?:pending|processing)\z/, '... which it was';
admin(DELETE => "/jobs/$live");
is_deeply [recorded()], [], 'what had ended is not cancelled again';
open_gate("one-$other");
$live = later($other, { prompt => "{{gate=two-$other}} waits [$other]" });
admin(DELETE => "/jobs?user=$other", json => { reason => 'all of them' });
one_entry('clear', 'jobs', 'all of them', { status => undef }, { cancelled => 1, released => 1, ids => [$live] });
admin(DELETE => "/jobs?user=$other");
is_deeply [recorded()], [], 'what clears nothing has none';
open_gate("two-$other");

my $key = data(admin(POST => '/keys', json => { user => $other, name => 'for the audit', reason => 'their server' }));
one_entry('key.add', $key->{id}, 'their server', undef, { name => 'for the audit', budget => undef });
admin(DELETE => "/keys/$key->{id}", json => { reason => 'leaked' });
one_entry('key.revoke', $key->{id}, 'leaked', { name => 'for the audit' }, {});
admin(DELETE => "/keys/$key->{id}");
fields_are(api(POST => '/api/keys', user => $other, json => { name => 'own', reason => 'x' }), 'reason', 'users give no reason');
$key = data(api(POST => '/api/keys', user => $other, json => { name => 'own' }));
api(DELETE => "/api/keys/$key->{id}", user => $other);
is_deeply [recorded()], [], 'a second revocation has none, nor what users do with keys of theirs';

admin(POST => '/presets', json => { type => 'presets', key => $word, label => 'Old', category => 'c', prompt => 'p', reason => 'winter' });
one_entry('preset.add', "presets/$word", 'winter', undef, { key => $word, label => 'Old' });
admin(POST => '/presets', json => { type => 'presets', key => $word, label => 'Old', category => 'c', prompt => 'p' });
is_deeply [recorded()], [], 'a preset that is there is not added again';
admin(PUT => "/presets/$word?type=presets", json => { label => 'New', reason => '' });
one_entry('preset.edit', "presets/$word", undef, { label => 'Old' }, { label => 'New' });
admin(PUT => "/presets/$word?type=presets", json => { label => 'New', reason => 'a typo' });
one_entry('preset.edit', "presets/$word", 'a typo', { label => 'New' }, { label => 'New' });
admin(DELETE => "/presets/$word?type=presets", json => { reason => 'ugly' });
one_entry('preset.delete', "presets/$word", 'ugly', { label => 'New' }, undef);
admin(DELETE => "/presets/$word?type=presets");
admin(PUT => "/presets/$word?type=presets", json => { label => 'New' });
is_deeply [recorded()], [], 'one that is gone has no entry';

sql("SELECT genflow.breaker_note(:'name', 'm', 'refused', 'no money', 1, interval '1 minute')", name => $word);
admin(POST => "/providers/$word/reset", json => { reason => 'paid' });
one_entry('breaker.reset', $word, 'paid', { breakers => [{ model => 'm', failures => 1, reason => 'no money' }] }, { closed => 1 });
admin(POST => "/providers/$word/reset");
is_deeply [recorded()], [], 'no breaker, no entry';
fields_are(admin(DELETE => "/jobs/$live", json => { why => 'x' }), 'why', 'a body has a reason and nothing else');
for my $long (7, 'x' x 501) {
    fields_are(admin(@{$_}, json => { reason => $long }), 'reason', "a reason is a text: $_->[0] $_->[1]")
        for [DELETE => "/jobs/$live"], [PUT => "/users/$other"], [PUT => "/presets/$word"];
    fields_are(admin(POST => '/keys', json => { user => $other, name => 'x', reason => $long }), 'reason', '... POST /keys');
}

my %actions = map { $_->{action} => 1 } @{ data(admin(GET => "/audit?user=$other"))->{entries} };
is join(' ', sort keys %actions), 'block cancel clear credit key.add key.revoke limits refund', 'the record of a user';

# ---- of a realm ----

sql("SELECT genflow.admin_credit(:'user', 3, 'x', :'ref', p_by => '{\"admin\": \"r\", \"reason\": \"in a realm\"}')",
    user => "audited\x1f$other", ref => "realm $other");
sql("SELECT genflow.audit_add('{\"admin\": \"r\", \"realm\": \"audited\"}', 'preset.add', 'audited-neo/x', NULL, NULL)");
is +(sql("SELECT string_agg(entry->>'action', ' ' ORDER BY id) FROM genflow.admin_audit(NULL, NULL, NULL, 9, :'scope')",
    scope => "audited\x1f"))[0], 'credit preset.add', 'the administrators of a realm read what was done in it';
is +(sql("SELECT count(*) FROM genflow.admin_audit(NULL, NULL, NULL, 9, :'user')", user => "audited\x1f$other"))[0], 1, '... of a user of it';
is +(sql("SELECT count(*) FROM genflow.admin_audit(NULL, 'r', NULL, 9, chr(31))"))[0], 0, '... and nobody else does';

finish;

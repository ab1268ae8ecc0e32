#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# API keys of a user: making one shows it once, a list never; only its user lists and revokes it; what
# is asked for wrongly is named; administration does the same for any user.
use Genflow::Test;

use Genflow::Admin qw(admin fields_are);
use Genflow::Keys;

my ($user, $other) = (account(5), account(5));

# ---- making ----

my $res  = api(POST => '/api/keys', user => $user, json => { name => 'ci' });
my $made = data($res);
is $res->{status}, 201, 'a key is made';
like $made->{key}, qr/\Agf_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}\z/, '... in the form of keys';
is $made->{id}, substr($made->{key}, 3, 12), '... whose first part is its id';
is $res->{headers}{'cache-control'}, 'no-store', '... which no cache stores';
is_deeply [@$made{qw(name types budget expiresAt revokedAt lastUsedAt createdBy)}, @{ $made->{scopes} }],
    ['ci', undef, undef, undef, undef, undef, undef, 'images', 'read'], '... with the usual scopes';
my $row = sql1("SELECT k.*, encode(k.hash, 'hex') FROM genflow.api_keys k WHERE id = :'id'", id => $made->{id});
unlike $row, qr/\Q@{[substr $made->{key}, 16]}\E/, 'its secret is not in the database';
like $row, qr/\Q@{[Digest::SHA::sha256_hex($made->{key})]}\E/, '... but the hash of the whole key';

my $limited = new_key($user, scopes => ['read'], types => ['neo-glitch', 'sketch', 'sketch'],
    expiresAt => '2099-12-31T23:59:59+01:00', budget => { credits => 7, per => 'day' });
is_deeply $limited->{types}, ['neo-glitch', 'sketch'], 'a key may be for some types';
is_deeply $limited->{budget}, { credits => 7, per => 'day', spent => 0 }, '... may have a budget';
is $limited->{expiresAt}, '2099-12-31T22:59:59.000Z', '... and an end';
is_deeply new_key($user, budget => 3)->{budget}, { credits => 3, per => 'total', spent => 0 },
    'a number is a budget in total';

my @WRONG = (    # what, body, the bad field
    ['no name',              {},                              'name'],
    ['an empty name',        { name => '' },                  'name'],
    ['a long name',          { name => 'x' x 101 },           'name'],
    ['no scope',             { scopes => [] },                'scopes'],
    ['an unknown scope',     { scopes => ['read', 'all'] },   'scopes'],
    ['a scope as a text',    { scopes => 'read' },            'scopes'],
    ['scope admin',          { scopes => ['admin'] },         'scopes'],
    ['no type',              { types => [] },                 'types'],
    ['an unknown type',      { types => ['sketch', 'cube'] }, 'types'],
    ['a date alone',         { expiresAt => '2099-12-31' },   'expiresAt'],
    ['a day of no calendar', { expiresAt => '2099-02-30T00:00:00Z' }, 'expiresAt'],
    ['a time of the past',   { expiresAt => '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['an end in words',      { expiresAt => 'tomorrow' },     'expiresAt'],
    ['a negative budget',    { budget => -1 },                'budget'],
    ['a budget in words',    { budget => 'much' },            'budget'],
    ['a budget of a week',   { budget => { credits => 1, per => 'week' } }, 'budget'],
    ['a budget of nothing',  { budget => { per => 'day' } },  'budget'],
    ['a budget with more',   { budget => { credits => 1, roll => 1 } }, 'budget'],
    ['an unknown member',    { scope => ['read'] },           'scope'],
);
my $count = keys_of($user);
for my $case (@WRONG) {
    my ($what, $body, $field) = @$case;
    $body = { name => 'x', %$body } if $what ne 'no name';
    my $answer = api(POST => '/api/keys', user => $user, json => $body);
    is $answer->{status} . ' ' . join(' ', map { $_->{field} } @{ data($answer)->{validationErrors} }),
        "422 $field", "$what is refused";
}
is keys_of($user), $count, '... and makes no key';
error_is(api(POST => '/api/keys', json => { name => 'x' }), 401, 'AUTHENTICATION_REQUIRED',
    'nobody makes none');

# ---- listing ----

my $list = data(api(GET => '/api/keys', user => $user));
is_deeply [map { $_->{id} } @{ $list->{items} }[1, 2]], [$limited->{id}, $made->{id}],
    'a user lists their keys, newest first';
unlike api(GET => '/api/keys', user => $user)->{content}, qr/gf_|hash/, '... never what they are';
is_deeply data(api(GET => '/api/keys', user => $other))->{items}, [], '... and nobody else\'s';
my $page = data(api(GET => '/api/keys?limit=1', user => $user));
my $next = data(api(GET => "/api/keys?limit=1&cursor=$page->{nextCursor}", user => $user));
is $next->{items}[0]{id}, $limited->{id}, 'by pages, too';
is api(GET => "/api/keys?cursor=$_", user => $user)->{status}, 422, "... but not from $_" for 'x', 'a' x 13;

# ---- revoking ----

error_is(api(DELETE => "/api/keys/$_", user => $other), 404, 'NOT_FOUND', "$_ is not another user's to revoke")
    for $made->{id}, 'a' x 12, 'x', 'a' x 400;
for my $time (1, 2) {
    $res = api(DELETE => "/api/keys/$made->{id}", user => $user);
    is_deeply [$res->{status}, @{ data($res) }{qw(id revoked)}], [200, $made->{id}, JSON::PP::true()],
        "its user revokes it, time $time";
}
my ($gone) = grep { $_->{id} eq $made->{id} } @{ data(api(GET => '/api/keys', user => $user))->{items} };
like $gone->{revokedAt}, qr/\A\d{4}-.*Z\z/, 'the list shows when';

# ---- administration ----

$res = admin(POST => '/keys', json => { user => $other, name => 'by hand', scopes => ['admin', 'read'] });
my $theirs = data($res);
is_deeply [$res->{status}, $theirs->{user}, @{ $theirs->{scopes} }], [201, $other, 'read', 'admin'],
    'an administrator makes a key for any user, with any scope';
fields_are(admin(POST => '/keys', json => { name => 'x' }), 'user', 'not for nobody');
is_deeply [map { $_->{id} } @{ data(admin(GET => "/keys?user=$other"))->{keys} }], [$theirs->{id}],
    'lists those of one user';
cmp_ok data(admin(GET => '/keys?limit=100'))->{count}, '>=', 4, '... and of all';
is admin(DELETE => "/keys/$theirs->{id}")->{status}, 200, 'and revokes them';
error_is(admin(DELETE => '/keys/aaaaaaaaaaaa'), 404, 'NOT_FOUND', '... if they are there');

my $log = log_since(0) // '';
unlike $log, qr/\Q@{[substr $_->{key}, 16, 10]}\E/, 'the log has nothing of a key' for $made, $limited, $theirs;
finish;

sub keys_of {
    my ($whose) = @_;
    return scalar @{ data(api(GET => '/api/keys', user => $whose))->{items} };
}

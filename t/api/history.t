#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The history of a user, newest first, over all types or one, by status and preset, in pages that
# meet without a gap also while generations come and go. No other user's is in it. (How fast it is on
# many rows is shown in t/sql/history.pg.)
use Genflow::Test;

my ($user, $other) = (account(60), account(10));

is_deeply page(''), { %{ empty() } }, 'who made nothing has an empty history';

my @MADE = (    # type, preset, prompt
    ['neo-glitch', 'visor', 'one'], ['sketch', undef, 'two'], ['neo-glitch', 'base', 'three'],
    ['neo-glitch', 'base', 'four {{filter}}'], ['custom-prompt', 'custom', 'the fifth one'],
    ['relay', undef, 'six'], ['hook-replicate', undef, 'seven {{poll-hang}}'],
);
my @ids;
for my $case (@MADE) {
    my ($type, $preset, $prompt) = @$case;
    my $id = later($user, { type => $type, presetKey => $preset, prompt => $prompt });
    ended($user, $id, $type) if $prompt !~ /hang/;
    unshift @ids, $id;
}
generate($other, { type => 'sketch' });

# ---- all, and each filter ----

my @FILTERS = (    # query, which ones, by their age
    ['',                                   0 .. 6],
    ['type=&status=&preset=&limit=&cursor=', 0 .. 6],
    ['type=neo-glitch',                    3, 4, 6],
    ['type=neo_glitch',                    3, 4, 6],
    ['type=stray'],
    ['status=completed',                   1, 2, 4, 5, 6],
    ['status=failed',                      3],
    ['status=processing',                  0],
    ['status=cancelled'],
    ['preset=base',                        3, 4],
    ['preset=custom',                      2],
    ['preset=nobody-has-it'],
    ['preset=base&status=completed',       4],
    ['type=neo-glitch&preset=base&status=failed', 3],
    ['type=sketch&preset=base'],
    ['limit=100',                          0 .. 6],
);
for my $filter (@FILTERS) {
    my ($query, @which) = @$filter;
    my $got = page($query);
    is_deeply [map { $_->{id} } @{ $got->{items} }], [@ids[@which]],
        "?$query returns " . (@which ? "@which" : 'nothing');
    is_deeply [@{$got}{qw(total hasMore nextCursor)}], [scalar @which, JSON::PP::false(), undef],
        'and how many there are';
    is $got->{totalIsExact}, JSON::PP::true(), 'exactly';
}
is_deeply page('limit=1&status=completed')->{items}[0], without_head(status_of($user, $ids[1], 'relay')),
    'an item is the object of its status';
ok exists page('limit=1&names=both')->{items}[0]{image_url}, 'with twins where they are wanted';

# ---- pages ----

for my $limit (1, 2, 3, 6, 7) {
    my ($cursor, @seen) = ('');
    for (1 .. 8) {
        my $got = page("limit=$limit&cursor=$cursor");
        push @seen, map { $_->{id} } @{ $got->{items} };
        is $got->{total}, 7, 'each page has the total';
        $cursor = $got->{nextCursor} // last;
        is scalar @{ $got->{items} }, $limit, "a page of $limit is full, unless it is the last";
    }
    is_deeply \@seen, \@ids, "pages of $limit list all, once, in order";
}
my $first = page('limit=3');
my $fresh = data(generate($user, { type => 'sketch', prompt => 'eight' }))->{id};
api(DELETE => "/api/generation/$first->{items}[2]{id}", user => $user);
my $next  = page("limit=3&cursor=$first->{nextCursor}");
is_deeply [map { $_->{id} } @{ $next->{items} }], [@ids[3 .. 5]],
    'pages meet also when one came meanwhile, and the last of the page before was deleted';
is page('limit=1')->{items}[0]{id}, $fresh, 'a new one is on the first page';
unlike $first->{nextCursor}, qr/[^A-Za-z0-9_=-]/, 'a cursor can stand in an address as it is';
is_deeply [map { $_->{id} } @{ page("cursor=$first->{nextCursor}", $other)->{items} }], [],
    'a cursor shows nothing of another user';

# ---- bad input ----

my $good = $first->{nextCursor};
my @BAD  = (    # query, fields
    ['limit=0', 'limit'], ['limit=101', 'limit'], ['limit=x', 'limit'], ['limit=-1', 'limit'],
    ['limit=1.5', 'limit'], ['limit=99999999999999999999', 'limit'],
    ['type=nothing', 'type'], ['type=NEO-GLITCH', 'type'], ["type=%27", 'type'],
    ['status=done', 'status'], ['status=Completed', 'status'], ['status=completed,failed', 'status'],
    ['preset=a%20key', 'preset'], ['preset=%FF', 'preset'], ['preset=' . 'k' x 65, 'preset'],
    ['cursor=x', 'cursor'], ['cursor=' . substr($good, 1), 'cursor'], ["cursor=${good}x", 'cursor'],
    ['cursor=' . cursor('1:1:not-an-id'), 'cursor'], ['cursor=' . cursor("2:1:$fresh"), 'cursor'],
    ['cursor=' . cursor("1:-1:$fresh"), 'cursor'], ['cursor=' . cursor("1:99999999999999999999:$fresh"), 'cursor'],
    ['cursor=' . cursor("1:$fresh"), 'cursor'], ['cursor=' . cursor("1:1:$fresh:"), 'cursor'],
    ['type=x&status=x&preset=%20&limit=x&cursor=x', 'type status preset limit cursor'],
);
for my $case (@BAD) {
    my ($query, $fields) = @$case;
    my $res = api(GET => "/api/generations?$query", user => $user);
    error_is($res, 422, 'VALIDATION_FAILED', '?' . substr($query, 0, 50) . ' is refused');
    is join(' ', map { $_->{field} } @{ data($res)->{validationErrors} }), $fields, "for $fields";
}
is page('cursor=' . cursor("1:0:$fresh"))->{total}, 7, 'a cursor at the beginning of time ends it';
error_is(api(GET => '/api/generations', user => undef), 401, 'AUTHENTICATION_REQUIRED', 'a request without a user gets none');
error_is(api(POST => '/api/generations', user => $user), 405, 'METHOD_NOT_ALLOWED', 'it is read alone');
error_is(api(GET => '/api/generations/more', user => $user), 404, 'NOT_FOUND', 'and as a whole');

# ---- many ----

my $busy = "busy-$$";                    # not of this file's, or the log would be searched for each
grant($busy, 1_200);
my $each = sprintf <<'SQL', $busy;                  # in small transactions: the account is one row
    PERFORM genflow.sketch_settle(c.id, 1, 'completed', 'x', 'x', false, '/x.png', NULL, true, '{}',
                                  NULL, NULL, NULL)
       FROM (SELECT (genflow.sketch_create('%s', n || '-' || i, '\x01', NULL, 'many', 'a cat', NULL,
                     '{}', 7, 1, 3::smallint, '1 hour', 'nobody', '1 hour')).id
               FROM generate_series(1, 25) i OFFSET 0) c;
SQL
sql("DO \$\$ BEGIN FOR n IN 1 .. 41 LOOP $each COMMIT; END LOOP; END \$\$");
my $many = page('preset=many&limit=2', $busy);
is_deeply [@{$many}{qw(total totalIsExact hasMore)}], [1_000, JSON::PP::false(), JSON::PP::true()],
    'beyond 1000 the count says that there are more';

api(POST => "/api/generation/$ids[0]/cancel", user => $user);
finish;

sub page {
    my ($query, $who) = @_;
    my $res = api(GET => "/api/generations?$query", user => $who // $user);
    is $res->{status}, 200, 'a page is returned' or diag $res->{content};
    return data($res);
}

sub empty {
    my ($yes, $no) = (JSON::PP::true(), JSON::PP::false());
    return { success => $yes, ok => $yes, items => [], total => 0, totalIsExact => $yes,
        hasMore => $no, nextCursor => undef };
}

sub without_head {
    my %object = %{ $_[0] };
    delete @object{qw(success ok)};
    return \%object;
}

sub cursor {
    my ($text) = @_;
    require MIME::Base64;
    return MIME::Base64::encode_base64url($text);
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A user reads every entry of his ledger, newest first and page by page: what it was for and what it
# left him to spend. A user sees no other user's, and what is no page is refused.
use Genflow::Test;

my $JSON = JSON::PP->new->canonical;
my $user = account(10);

# ---- entries ----

my $done = data(generate($user));
expect_log('GF0203');
my $failed = data(generate($user, { prompt => 'a cat {{status=400}}' }));
reserve('kept', 3, 'upload');
reserve('used', 2);
my $used = data(generate($user, { type => 'sketch', runId => 'used' }));
sql("SELECT genflow.admin_refund(:'job', NULL, 'ugly', :'ref')",
    job => $done->{id}, ref => "ticket $user");
sql("SELECT genflow.admin_credit(:'user', -1, 'too much', :'ref')",
    user => $user, ref => "put $user");

my $res  = api(GET => '/api/credits', user => $user);
my $list = data($res);
is $res->{status}, 200, 'the ledger is returned';
my @WANTED = (    # kind, amount, credits, balanceAfter, generation, request id, reason
    ['adjust',  -1, -1,  4, undef,         undef,  'too much'],
    ['refund',   1,  1,  5, $done->{id},   undef,  'ugly'],
    ['capture',  0,  2,  4, $used->{id},   undef,  undef],
    ['hold',    -2,  2,  4, $used->{id},   undef,  undef],
    ['release',  2,  2,  6, $used->{id},   'used', undef],
    ['hold',    -2,  2,  4, $used->{id},   'used', undef],
    ['hold',    -3,  3,  6, undef,         'kept', 'upload'],
    ['release',  1,  1,  9, $failed->{id}, undef,  undef],
    ['hold',    -1,  1,  8, $failed->{id}, undef,  undef],
    ['capture',  0,  1,  9, $done->{id},   undef,  undef],
    ['hold',    -1,  1,  9, $done->{id},   undef,  undef],
    ['grant',   10, 10, 10, undef,         undef,  'for a test'],
);
my @NAMES = qw(kind amount credits balanceAfter generationId requestId reason);
my @items = @{ $list->{items} };
is $JSON->encode([@{ $items[$_] }{@NAMES}]), $JSON->encode($WANTED[$_]),
    "entry $_ is a $WANTED[$_][0]" for 0 .. $#WANTED;
is scalar @items, @WANTED, 'and there is no other';
is_deeply [$list->{hasMore}, $list->{nextCursor}], [JSON::PP::false(), undef], 'nor more of them';
is_deeply [map { $_->{reference} } @items[0, 1]], ["put $user", "ticket $user"],
    'what an administrator did has its reference';
is_deeply [sort map { $_->{at} } @items], [reverse map { $_->{at} } @items],
    'they are in the order of their instants';
my %ids = map { $_->{id} => 1 } @items;
is scalar keys %ids, @items, 'each has an id of its own';
my $quota = data(api(GET => '/api/getQuota', user => $user));
is $items[0]{balanceAfter}, $quota->{currentBalance} - $quota->{held},
    'the newest says what may be spent now';

# ---- pages ----

for my $size (1, 5, 12) {
    my (@seen, $cursor, $pages);
    do {
        my $page = data(api(GET => "/api/credits?limit=$size" . ($cursor ? "&cursor=$cursor" : ''),
            user => $user));
        push @seen, @{ $page->{items} };
        $cursor = $page->{nextCursor};
        is !!$page->{hasMore}, !!$cursor, 'there is a cursor where there is more';
    } while $cursor && ++$pages < 20;
    is_deeply \@seen, \@items, "pages of $size make the whole";
}
my $first  = data(api(GET => '/api/credits?limit=3', user => $user));
my $second = "/api/credits?limit=3&cursor=$first->{nextCursor}";
my $before = data(api(GET => $second, user => $user));
grant($user, 1);
is_deeply data(api(GET => $second, user => $user)), $before, 'what comes meanwhile moves no page';
is_deeply data(api(GET => '/api/credits', user => account()))->{items}, [], 'a new user has none';
is_deeply data(api(GET => $second, user => account(1)))->{items}, [], 'nor by another\'s cursor';

# ---- refused ----

my @BAD = (    # query, field
    (map { ["limit=$_", 'limit'] } 0, -1, 101, 'x', '1e1', '9' x 30),
    (map { ["cursor=$_", 'cursor'] } 'x', '1_2_3_4', '%00', '%FF', "$first->{nextCursor}'",
        'x' x 5000, '9' x 20 . '_1_00000000-0000-0000-0000-000000000000_1'),
);
for my $bad (@BAD) {
    my ($query, $field) = @$bad;
    my $got = api(GET => "/api/credits?$query", user => $user);
    error_is($got, 422, 'VALIDATION_FAILED', 'refused: ' . substr $query, 0, 60);
    is_deeply [map { $_->{field} } @{ data($got)->{validationErrors} }], [$field], 'with its field';
}
error_is(api(GET => '/api/credits'), 401, 'AUTHENTICATION_REQUIRED', 'a request without a user gets none');
error_is(api(POST => '/api/credits', user => $user, json => {}), 405, 'METHOD_NOT_ALLOWED',
    'a ledger is only read');

finish;

sub reserve {
    my ($run, $cost, $action) = @_;
    return api(POST => '/api/credits-reserve', user => $user,
        json => { request_id => $run, cost => $cost, action => $action });
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# An administrator sees the generations of all users, by status, type and user, page by page; ends
# one that lives, for nothing; and sees, blocks and limits users.
use Genflow::Admin;
use Genflow::Test;

my $user = account(20);
my ($NULL, $TRUE, $FALSE) = (undef, JSON::PP::true(), JSON::PP::false());

# ---- the list ----

my @made = map { data(generate($user, { prompt => "cat $_" }))->{id} } 1 .. 3;
my $sketch = data(generate($user, { type => 'sketch' }))->{id};
expect_log('GF0203');
my $failed = data(generate($user, { prompt => 'a cat {{status=400}}' }))->{id};
my $slow = data(generate($user, { type => 'hook-replicate', prompt => 'a cat' }, Prefer => 'respond-async'));
my @all = ($slow->{id}, $failed, $sketch, reverse @made);

my $list = jobs("user=$user");
is_deeply ids($list), \@all, 'the generations of a user are there, newest first';
is_deeply [@{$list}{qw(success count nextCursor)}], [$TRUE, 6, $NULL], '... on one page';
my ($seen) = grep { $_->{id} eq $made[0] } @{ $list->{jobs} };
my %own = %{ status_of($user, $made[0]) };
delete @own{qw(success ok)};
is_deeply $seen, { %own, user => $user }, '... as their user sees them, with the user';
ok scalar(grep { $_->{id} eq $made[2] } @{ jobs('limit=100&type=neo-glitch')->{jobs} }),
    'without a user they are of all users';

my @FILTERS = (    # query, ids
    ['status=completed', $sketch, reverse @made],
    ['status=failed', $failed],
    ['status=processing', $slow->{id}],
    ['status=cancelled'],
    ['status=pending'],
    ['type=sketch', $sketch],
    ['type=neo_glitch&status=completed', reverse @made],
);
for my $filter (@FILTERS) {
    my ($query, @wanted) = @$filter;
    is_deeply ids(jobs("user=$user&$query")), \@wanted, "$query finds those";
}

my (@pages, $cursor);
do {
    my $page = jobs("user=$user&limit=2" . (defined $cursor ? "&cursor=$cursor" : ''));
    push @pages, ids($page);
    $cursor = $page->{nextCursor};
} while (defined $cursor && @pages < 9);
is_deeply \@pages, [[@all[0, 1]], [@all[2, 3]], [@all[4, 5]]], 'pages follow each other';
is_deeply ids(jobs("user=nobody-$user")), [], 'an unknown user has none';

my $good = data(admin(GET => '/jobs?limit=1'))->{nextCursor};
my @BAD = (    # query, fields
    ['status=running', 'status'], ['type=nothing', 'type'], ['limit=0', 'limit'],
    ['limit=101', 'limit'], ['limit=x', 'limit'], ['cursor=%%', 'cursor'],
    ['cursor=bm9uZQ', 'cursor'], ['user=%FF', 'user'],
    ['status=x&type=x&limit=-1&cursor=!', 'cursor limit status type'],
);
for my $bad (@BAD) {
    fields_are(admin(GET => "/jobs?$bad->[0]"), $bad->[1], "$bad->[0] is refused");
}
is admin(GET => "/jobs?limit=1&cursor=$good")->{status}, 200, 'and a cursor of ours is taken';

# ---- ending one ----

credits_are $user, 15, 1, 'what runs holds its price';
my $end = data(admin(DELETE => "/jobs/$slow->{id}"));
is_deeply [@{$end}{qw(id status cancelled released message)}],
    [$slow->{id}, 'cancelled', $TRUE, 1, 'Job cancelled'], 'a generation is ended';
credits_are $user, 15, 0, '... and its credits are free';
is status_of($user, $slow->{id}, 'hook-replicate')->{status}, 'cancelled', '... as its user sees';
$end = data(admin(DELETE => "/jobs/$slow->{id}"));
is_deeply [@{$end}{qw(status cancelled released message)}],
    ['cancelled', $FALSE, 0, 'Job had ended'], '... once';
is data(admin(DELETE => "/jobs/$made[0]"))->{status}, 'completed', 'what is completed stays so';
ok defined status_of($user, $made[0])->{imageUrl}, '... with its picture';
for my $id ('nothing', '01a1fc7d-bbf5-7c3a-8e9f-0100824fa663', '01a1fc7d-bbf5-7c3a-8e9f-ff00824fa663') {
    error_is(admin(DELETE => "/jobs/$id"), 404, 'GENERATION_NOT_FOUND', "$id is none");
}

# ---- users ----

my $reply = data(admin(GET => "/users/$user"));
my %account = %{ $reply->{user} };
like delete $account{createdAt}, qr/\A[\d-]{10}T[\d:.]{12}Z\z/, 'a user has its creation time';
is_deeply \%account, { userId => $user, balance => 15, held => 0, remaining => 15, dayUsed => 5,
    dayLimit => $NULL, weekUsed => 5, weekLimit => $NULL, blocked => $FALSE, generations => 6 },
    '... with all that they have';
is_deeply ids($reply), \@all, '... and their generations';
my $odd = "$user\@login.example/tenant/v2.0";
grant($odd, 1);
is data(admin(GET => "/users/$odd"))->{user}{userId}, $odd, 'a name may have slashes';

my %found;
$cursor = undef;
do {
    my $page = data(admin(GET => '/users?limit=100' . (defined $cursor ? "&cursor=$cursor" : '')));
    $found{ $_->{userId} }++ for @{ $page->{users} };
    $cursor = $page->{nextCursor};
} while (defined $cursor);
is_deeply [@found{ $user, $odd }], [1, 1], 'the pages of users have each user once';

my @CHANGES = (    # body, what is then
    [{ blocked => $TRUE }, 'blocked'],
    [{ dayLimit => 5, weekLimit => 9 }, 'blocked 5 9'],
    [{ blocked => $FALSE, dayLimit => $NULL }, '9'],
    [{}, '9'],
    [{ blocked => $NULL, weekLimit => $NULL }, ''],
);
for my $change (@CHANGES) {
    my ($body, $then) = @$change;
    my $now = data(admin(PUT => "/users/$user", json => $body))->{user};
    is join(' ', grep { defined } $now->{blocked} ? 'blocked' : $NULL, @{$now}{qw(dayLimit weekLimit)}),
        $then, 'an account is changed: ' . JSON::PP->new->canonical->encode($body);
    error_is(generate($user), 403, 'ACCOUNT_BLOCKED', '... and does not generate')
        if $now->{blocked} && !defined $now->{dayLimit};
}
fields_are(admin(PUT => "/users/$user", json => { blocked => 'yes', dayLimit => -1, weekLimit => 0.5 }),
    'blocked dayLimit weekLimit', 'each wrong field is named');
error_is(admin(PUT => "/users/$user", json => []), 400, 'VALIDATION_ERROR', 'no object is refused');
error_is(admin(PUT => "/users/nobody-$user", json => {}), 404, 'NOT_FOUND', 'and so is an unknown user');
is sql1("SELECT count(*) FROM genflow.accounts WHERE name = :'u'", u => "nobody-$user"), 0,
    '... who gets no account';

finish;

sub jobs { return data(admin(GET => "/jobs?$_[0]")) }

sub ids { return [map { $_->{id} } @{ $_[0]{jobs} }] }

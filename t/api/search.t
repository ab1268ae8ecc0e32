#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A user finds generations again: by words of the prompt and the title in any script, by tag, by heart,
# and by what has changed since a time; together with the other filters, page by page. Wrong filters
# are all named in one error. A page that the client has is not sent again, and any change sends it.
use utf8;
use Genflow::Test;

use Genflow::Httpd qw(small_site);

use Encode qw(encode);
use POSIX ();
use Time::HiRes qw(sleep time);

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
my ($YES, $NO) = (JSON::PP::true(), JSON::PP::false());
my ($user, $other) = (account(40), account(10));

my @MADE = (    # type, prompt, what is written at it
    ['sketch',     'A Lighthouse over the SEA',           { tags => ['sea', 'a,b'], favourite => $YES }],
    ['neo-glitch', '夜の街のネオンと雨',                  { tags => ['街', 'sea'] }],
    ['sketch',     '100% of a back\\slash under_score',   { title => 'Odd {signs}, "all" of them' }],
    ['neo-glitch', 'ÉCLAIR ΑΘΗΝΑ МОСКВА',                 { favourite => $YES, title => '好きな絵' }],
    ['sketch',     'one hundred under-score',             {}],
    ['relay',      'sea and city {{filter}}',             { tags => ['Sea'] }],
);
my @ids;                            # by age, the newest first
for my $case (@MADE) {
    my ($type, $prompt, $marks) = @$case;
    my $id = later($user, { type => $type, prompt => $prompt, $type eq 'neo-glitch' ? () : (presetKey => undef) });
    ended($user, $id, $type);
    edit($id, $marks) if %$marks;
    unshift @ids, $id;
}
my $foreign = data(generate($other, { type => 'sketch', prompt => 'a lighthouse over the sea 夜の街' }))->{id};
api(PATCH => "/api/generation/$foreign", user => $other, json => { tags => ['sea'], favourite => $YES });

# ---- words, tags, hearts ----

my @FILTERS = (    # filters, which ones, by their age
    [{ q => 'lighthouse' }, 5],
    [{ q => 'LIGHTHOUSE sea' }, 5],
    [{ q => 'sea' }, 0, 5],
    [{ q => 'ight ous' }, 5],
    [{ q => 'sea lighthouse nowhere' }],
    [{ q => '夜の街' }, 4],
    [{ q => "雨\x{3000}ネオン" }, 4],
    [{ q => '雨ネオン' }],
    [{ q => '好き' }, 2],
    [{ q => '好きな絵 éclair' }, 2],
    [{ q => 'αθηνα москва' }, 2],
    [{ q => 'Éclair' }, 2],
    [{ q => '100%' }, 3], [{ q => '%' }, 3], [{ q => '_' }, 3], [{ q => 'r_s' }, 3], [{ q => '\\' }, 3], [{ q => 'k\\s' }, 3],
    [{ q => '%%%' }], [{ q => '\\%' }], [{ q => '{signs},' }, 3], [{ q => '"all"' }, 3],
    [{ q => '   ' }, 0 .. 5], [{ q => '' }, 0 .. 5],
    [{ q => "score\tunder" }, 1, 3],
    [{ q => join ' ', ('sea') x 5 }, 0, 5],
    [{ q => 'x' x 1000 }],
    [{ tag => 'sea' }, 4, 5], [{ tag => 'Sea' }, 0], [{ tag => 'a,b' }, 5], [{ tag => 'a' }], [{ tag => '街' }, 4], [{ tag => '%' }],
    [{ tag => 'x' x 200 }],
    [{ favourite => 1 }, 2, 5], [{ favourite => 'true' }, 2, 5], [{ favourite => 0 }, 0 .. 5], [{ favourite => 'false' }, 0 .. 5],
    [{ favourite => 1, tag => 'sea' }, 5], [{ favourite => 1, q => 'sea' }, 5], [{ tag => 'sea', q => '街' }, 4],
    [{ tag => 'sea', type => 'sketch' }, 5], [{ favourite => 1, preset => 'base' }, 2], [{ q => 'sea', status => 'failed' }, 0],
    [{ q => 'sea', status => 'completed' }, 5], [{ tag => 'Sea', status => 'failed' }, 0], [{ tag => 'Sea', status => 'completed' }],
    [{ favourite => 1, status => 'failed' }], [{ favourite => 1, status => 'processing' }], [{ q => 'sea', status => 'pending' }],
    [{ tag => 'sea', status => 'processing' }],
    [{ favourite => 1, tag => 'sea', q => 'light', type => 'sketch', status => 'completed' }, 5],
    [{ favourite => 1, tag => 'sea', q => 'light', since => '2020-01-01T00:00:00Z' }, 5],
);
for my $filter (@FILTERS) {
    my ($query, @which) = @$filter;
    my $said = substr join('&', map { "$_=$query->{$_}" } sort keys %$query), 0, 60;
    my $got  = page(%$query);
    is_deeply [map { $_->{id} } @{ $got->{items} }], [@ids[@which]], "$said returns " . (@which ? "@which" : 'nothing');
    is_deeply [@{$got}{qw(total totalIsExact hasMore nextCursor)}], [scalar @which, $YES, $NO, undef], '... and how many there are';
    next if @which < 2;
    my $first = page(%$query, limit => 1);
    is_deeply [$first->{items}[0]{id}, $first->{total}, $first->{hasMore}], [$ids[$which[0]], scalar @which, $YES], '... page by page';
    is page(%$query, limit => 1, cursor => $first->{nextCursor})->{items}[0]{id}, $ids[$which[1]], '... and on';
    my $foreign_cursor = page(limit => 1)->{nextCursor};
    is_deeply [map { $_->{id} } @{ page(%$query, cursor => $foreign_cursor)->{items} }], [@ids[grep { $_ > 0 } @which]],
        '... a cursor of other filters only says where';
}
my $posted = data(api(POST => '/api/getUserMedia', user => $user, json => { q => '夜', favourite => $NO, tag => 'sea' }));
is_deeply [map { $_->{id} } @{ $posted->{items} }], [$ids[4]], 'a body has them, too, at the older name';

# ---- since ----

my $slow = later($user, { type => 'hook-replicate', prompt => '{{poll-hang}} slow' });
sleep 0.01;
my $then = instant();
sleep 0.01;
is_deeply since($then), [], 'nothing has changed since now';
my $new = data(generate($user, { type => 'sketch', prompt => 'a new one' }))->{id};
is_deeply since($then), [$new], 'what was created since is named';
edit($ids[3], { favourite => $YES });
is_deeply since($then), [$new, $ids[3]], '... and what was edited, in the order of creation';
edit($ids[3], { favourite => $YES });
edit($ids[2], {});
is_deeply since($then), [$new, $ids[3]], '... but not what an edit has not changed';
api(POST => "/api/generation/$slow/cancel", user => $user);
is_deeply since($then), [$new, $slow, $ids[3]], '... and what has ended';
is_deeply since($then, limit => 2), [$new, $slow], '... page by page';
my $paged = page(since => $then, limit => 2);
is_deeply [map { $_->{id} } @{ page(since => $then, limit => 2, cursor => $paged->{nextCursor})->{items} }], [$ids[3]], '... and on';
is $paged->{total}, 3, '... all are counted';
is_deeply since($then, status => 'cancelled'), [$slow], '... by state';
is_deeply since($then, favourite => 1), [$ids[3]], '... favourites alone';
is_deeply since($then, q => 'slash'), [$ids[3]], '... by words';
is_deeply since($then, tag => 'sea'), [], '... by tag';
edit($ids[5], { title => 'x' });
is_deeply since($then, tag => 'sea'), [$ids[5]], '... which was edited';
api(DELETE => "/api/generation/$new", user => $user);
is_deeply since($then), [$slow, $ids[3], $ids[5]], 'what is deleted is not named';
my @ALL = ($slow, @ids);
my @TIMES = (    # since, which
    ['1970-01-01T00:00:00Z', @ALL], ['0000-01-01T00:00:00Z', @ALL], ['2020-02-29T23:59:59.999999999Z', @ALL],
    ['9999-12-31T23:59:59Z'], ['2999-01-01T00:00:00+14:00'], ['1969-12-31T23:59:59-12:00', @ALL],
    [with_offset($then, 9 * 60), $slow, $ids[3], $ids[5]], [with_offset($then, -210), $slow, $ids[3], $ids[5]],
);
for my $case (@TIMES) {
    my ($time, @which) = @$case;
    is_deeply since($time), \@which, "since $time: " . @which;
}

# ---- wrong filters ----

my @BAD = (    # query, fields
    ['q=' . 'a' x 1001, 'q'], ['q=' . join('+', ('a') x 6), 'q'], ['q=' . join('+', ('a') x 100), 'q'],
    ['q=%ED%A0%80', 'query'], ['q=%FF', 'query'], ['q=a%00b', 'query'],
    ['tag=' . 'x' x 201, 'tag'],
    ['favourite=2', 'favourite'], ['favourite=yes', 'favourite'], ['favourite=TRUE', 'favourite'],
    (map { ["since=$_", 'since'] } 'yesterday', '0', '2026-01-01', '2026-01-01T00:00:00', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z',
        '2026-01-01T24:00:00Z', '2026-01-01T00:00:60Z', '2026-01-01T00:00:00.Z', '2026-01-01T00:00:00+09:00', '2026-01-01T00:00:00%2B9:00',
        '2026-01-01T00:00:00%2B24:00', '2026-01-01T00:00:00Zx', '-2026-01-01T00:00:00Z', '99999-01-01T00:00:00Z', "2026-01-01T00:00:00Z%27"),
    ['q=' . 'a' x 1001 . '&tag=' . 'x' x 201 . '&since=x&favourite=x&type=x&status=x&preset=%20&limit=x&cursor=x',
        'type status preset q tag since favourite limit cursor'],
);
for my $case (@BAD) {
    my ($query, $fields) = @$case;
    my $res = api(GET => "/api/generations?$query", user => $user);
    error_is($res, 422, 'VALIDATION_FAILED', '?' . substr($query, 0, 50) . ' is refused');
    my @named = map { $_->{field} } @{ data($res)->{validationErrors} };
    is $fields eq 'query' ? scalar @named : "@named", $fields eq 'query' ? 1 : $fields, "... for $fields";
}

my $long = api(POST => '/api/getUserMedia', user => $user, json => { q => 'a' x 10_000, tag => ['sea'], since => 1, favourite => 2 });
error_is($long, 422, 'VALIDATION_FAILED', 'a body is checked, too');
is join(' ', map { $_->{field} } @{ data($long)->{validationErrors} }), 'q since favourite', '... for each of its members';

# ---- what the client has is not sent again ----

for my $path ('/api/generations', '/api/generations?q=sea&limit=1', '/api/getUserMedia', '/api/presets?type=neo-glitch&all=1') {
    my $res = api(GET => $path, user => $user);
    my $tag = $res->{headers}{etag};
    like $tag, qr/\A"[0-9a-f]{32}"\z/, "$path has an ETag";
    is $res->{headers}{'cache-control'}, 'private, no-cache', '... to be revalidated each time';
    my $known = api(GET => $path, user => $user, headers => { 'If-None-Match' => $tag });
    is_deeply [$known->{status}, $known->{content} // ''], [304, ''], '... a client that has it gets 304';
    is api(HEAD => $path, user => $user, headers => { 'If-None-Match' => $tag })->{status}, 304, '... by HEAD, too';
    is api(GET => $path, user => $user, headers => { 'If-None-Match' => '"x"' })->{status}, 200, '... another gets it';
}
my $known;
my $path   = '/api/generations?limit=3';
my @CHANGES = (    # what changes, how
    ['a title',      sub { edit($ids[0], { title => 'another' }) }],
    ['a tag',        sub { edit($ids[0], { tags => ['another'] }) }],
    ['a heart',      sub { edit($ids[0], { favourite => $YES }) }],
    ['a new one',    sub { $slow = later($user, { type => 'hook-replicate', prompt => '{{poll-hang}} slow' }) }],
    ['an end',       sub { api(POST => "/api/generation/$slow/cancel", user => $user) }],
    ['a deletion',   sub { api(DELETE => "/api/generation/$slow", user => $user) }],
    ['only the total', sub { edit($ids[5], { title => 'y' }); api(DELETE => "/api/generation/$ids[4]", user => $user) }],
);
for my $change (@CHANGES) {
    my ($what, $act) = @$change;
    $known = api(GET => $path, user => $user)->{headers}{etag};
    is api(GET => $path, user => $user, headers => { 'If-None-Match' => $known })->{status}, 304, 'a page that is known';
    $act->();
    is api(GET => $path, user => $user, headers => { 'If-None-Match' => $known })->{status}, 200, "... $what sends it again";
}
isnt api(GET => '/api/generations', user => $other)->{headers}{etag}, $known, 'another user has another page';

# ---- a search of many ----

my $busy = "busy-search-$$";
sql(<<"SQL");
SET session_replication_role = replica;
INSERT INTO public.sketch_media (id, user_id, status, prompt, seed, cost, max_retries, image_url, created_at, finished_at, tags, legacy_id)
SELECT genflow.new_id((SELECT no FROM genflow.types WHERE name = 'sketch')), genflow.account_make('$busy'), 'completed',
       CASE WHEN i IN (1, 14999, 15000) THEN 'the needle' ELSE 'hay' END, 7, 0, 3, '/x.png', at, at,
       CASE WHEN i % 2 = 0 THEN ARRAY['even'] END, '$busy-' || i
  FROM generate_series(1, 25000) i, LATERAL (SELECT timestamptz '2026-01-01' + i * interval '1 second') w (at);
INSERT INTO genflow.tags SELECT user_id, 'even', (SELECT no FROM genflow.types WHERE name = 'sketch'), created_at, id
  FROM public.sketch_media WHERE user_id = genflow.account_of('$busy') AND tags IS NOT NULL;
SET session_replication_role = origin;
SQL
for my $case ([{ q => 'needle' }, 3, 13], [{ q => 'nowhere' }, 0, 13], [{ q => 'NEEDLE', tag => 'even' }, 1, 7], [{ q => 'needle', limit => 2 }, 3, 13]) {
    my ($query, $count, $pages) = @$case;
    my ($cursor, @found, $seen) = ('');
    for (1 .. 20) {
        my $got = data(api(GET => address(%$query, cursor => $cursor), user => $busy));
        push @found, map { $_->{id} } @{ $got->{items} };
        $seen++;
        is $got->{totalIsExact}, $NO, 'a search does not count what it has not looked at';
        $cursor = $got->{nextCursor} // last;
        is $got->{hasMore}, $YES, '... and says that it goes on';
    }
    my $said = join '&', map { "$_=$query->{$_}" } sort keys %$query;
    my %once = map { $_ => 1 } @found;
    is_deeply [scalar @found, scalar keys %once, $seen], [$count, $count, $pages], "$said finds each once, and ends, on so many pages";
}
# ---- how many searches ----

my $strict = Genflow::Httpd->start(small_site() . <<'END');
GenflowLimitRate 1/1h 1
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($strict);
is_deeply [map { api(GET => '/api/generations?q=sea', user => $other)->{status} } 1 .. 11], [(200) x 10, 429],
    'searches count against a limit: ten times that of requests that cost';
is api(GET => '/api/generations', user => $other)->{status}, 200, '... and lists do not';
is api(GET => '/api/generations?q=sea', user => $user)->{status}, 200, '... and another user has a limit of their own';
talk_to();

finish;

sub address {
    my (%query) = @_;
    my @pairs = map { my $value = encode('UTF-8', $query{$_}); $value =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge; "$_=$value" } sort keys %query;
    return '/api/generations?' . join '&', @pairs;
}

sub page {
    my (%query) = @_;
    my $res = api(GET => address(%query), user => $user);
    is $res->{status}, 200, 'a page is returned' or diag $res->{content};
    return data($res);
}

sub edit {
    my ($id, $body) = @_;
    my $res = api(PATCH => "/api/generation/$id", user => $user, json => $body);
    is $res->{status}, 200, 'an edit' or diag $res->{content};
    return;
}

sub since {
    my ($time, %query) = @_;
    return [map { $_->{id} } @{ page(%query, since => $time)->{items} }];
}

sub instant { return sql1(q{SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')}) }

# The same instant as a clock of that zone shows it.
sub with_offset {
    my ($time, $minutes) = @_;
    my $sign = $minutes < 0 ? '-' : '+';
    return sql1(qq{SELECT to_char(timestamptz '$time' AT TIME ZONE 'UTC' + interval '$minutes minutes', 'YYYY-MM-DD"T"HH24:MI:SS.US')})
        . sprintf '%s%02d:%02d', $sign, abs($minutes) / 60, abs($minutes) % 60;
}

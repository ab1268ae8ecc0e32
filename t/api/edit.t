#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# PATCH generation/{id}: a user writes tags, a title and a heart at a generation of their own, in any
# state. It changes what it names and nothing else: no state, no credits, no other user's. A wrong
# body is refused with all that is wrong in it, and changes nothing.
use utf8;
use Genflow::Test;

use Genflow::Httpd qw(small_site);
use Genflow::Keys;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
my ($YES, $NO) = (JSON::PP::true(), JSON::PP::false());
my ($user, $other) = (account(30), account(10));

my $id = data(generate($user, { prompt => 'a cat' }))->{id};
my $before = object($id);
is_deeply marks($before), { tags => [], favourite => $NO, title => undef }, 'a new generation has none of them';

# ---- what is written stays ----

my @EDITS = (    # body, what is there afterwards
    [{ tags => ['sea', 'night'] },          { tags => ['sea', 'night'], favourite => $NO,  title => undef }],
    [{ favourite => $YES },                 { tags => ['sea', 'night'], favourite => $YES, title => undef }],
    [{ title => 'The cat' },                { tags => ['sea', 'night'], favourite => $YES, title => 'The cat' }],
    [{},                                    { tags => ['sea', 'night'], favourite => $YES, title => 'The cat' }],
    [{ favourite => undef, tags => undef }, { tags => ['sea', 'night'], favourite => $YES, title => 'The cat' }],
    [{ title => undef },                    { tags => ['sea', 'night'], favourite => $YES, title => undef }],
    [{ title => "  \x{3000}猫と海\t\n " },    { tags => ['sea', 'night'], favourite => $YES, title => '猫と海' }],
    [{ title => " \x{3000}" },              { tags => ['sea', 'night'], favourite => $YES, title => undef }],
    [{ tags => [' 海 ', "\x{3000}夜 の 街"], favourite => $NO }, { tags => ['海', '夜 の 街'], favourite => $NO, title => undef }],
    [{ tags => ['a,b', '{c}', '"d"', '\\e', "it's", 'NULL', '%_', '<b>', "\x{1F468}\x{200D}\x{1F469}"] },
        { tags => ['a,b', '{c}', '"d"', '\\e', "it's", 'NULL', '%_', '<b>', "\x{1F468}\x{200D}\x{1F469}"], favourite => $NO, title => undef }],
    [{ tags => [map { "t$_" } 1 .. 10], title => '猫' x 200 }, { tags => [map { "t$_" } 1 .. 10], favourite => $NO, title => '猫' x 200 }],
    [{ tags => ['猫' x 40], title => 't' },  { tags => ['猫' x 40], favourite => $NO, title => 't' }],
    [{ tags => ['Sea', 'sea'] },            { tags => ['Sea', 'sea'], favourite => $NO, title => 't' }],
    [{ tags => [] },                        { tags => [], favourite => $NO, title => 't' }],
);
for my $edit (@EDITS) {
    my ($body, $marks) = @$edit;
    my $res = patch($id, $body);
    is $res->{status}, 200, 'an edit is accepted: ' . JSON::PP->new->canonical->encode($body) or diag $res->{content};
    is_deeply marks(data($res)), $marks, '... and answered with the generation as it is now';
    is_deeply marks(object($id)), $marks, '... which everybody else reads, too';
}
my $after = object($id);
delete @$_{qw(tags favourite title)} for $before, $after;
is_deeply $after, $before, 'nothing else of it has changed';
is data(patch($id, {}, path => '?names=both'))->{image_url}, $before->{imageUrl}, 'names=both is known';
is_deeply marks(data(api(GET => "/api/job/$id", user => $user))), { tags => [], favourite => $NO, title => 't' },
    'a job has them, too';

# ---- in every state, and without money ----

my $slow = later($user, { type => 'hook-replicate', prompt => '{{poll-hang}} slow' });
my $pending = data(api(POST => '/api/generation/create', user => $user,
    json => { type => 'neo-glitch', productImages => ["$ENV{GENFLOW_FAKE}/_source/picture/1"] }))->{data}{id};
my $failed = data(generate($user, { prompt => '{{filter}}' }))->{generationId} // newest('failed');
my $cancelled = later($user, { type => 'hook-replicate', prompt => '{{poll-hang}} cancelled' });
api(POST => "/api/generation/$cancelled/cancel", user => $user);
my $entries = rows_of($user, 'genflow.ledger');
my %state = (processing => $slow, pending => $pending, failed => $failed, cancelled => $cancelled, completed => $id);
for my $state (sort keys %state) {
    my $res = patch($state{$state}, { title => "it is $state", favourite => $YES });
    is $res->{status}, 200, "a $state one is edited" or diag $res->{content};
    is_deeply [@{ data($res) }{qw(status title favourite)}], [$state, "it is $state", $YES], '... and stays what it is';
}
is rows_of($user, 'genflow.ledger'), $entries, 'the ledger has no further entry';
api(POST => "/api/generation/$_/cancel", user => $user) for $slow, $pending;
is object($slow)->{title}, 'it is processing', 'an end leaves what was written';

# ---- whose it is ----

my $foreign = data(generate($other, { prompt => 'of another' }))->{id};
my @NOBODYS = ($foreign, '00000000-0000-7000-8000-000000000000', 'no-such-id', 'x' x 300, '%27');
for my $none (@NOBODYS) {
    error_is(patch($none, { title => 'mine' }), 404, 'GENERATION_NOT_FOUND', substr($none, 0, 40) . ' is none of the user');
}
is_deeply marks(data(api(GET => "/api/generation/$foreign", user => $other))), { tags => [], favourite => $NO, title => undef },
    "... and another user's is as it was";
error_is(api(PATCH => "/api/generation/$id", json => { title => 'x' }), 401, 'AUTHENTICATION_REQUIRED', 'nobody edits without a user');
my $gone = data(generate($user, {}))->{id};
is patch($gone, { tags => ['gone'], favourite => $YES })->{status}, 200, 'a generation';
is api(DELETE => "/api/generation/$gone", user => $user)->{status}, 200, '... is deleted';
error_is(patch($gone, { title => 'x' }), 404, 'GENERATION_NOT_FOUND', '... and cannot be edited');
is sql1(qq{SELECT count(*) FROM genflow.tags WHERE job_id = '$gone'}) + sql1(qq{SELECT count(*) FROM genflow.edits WHERE job_id = '$gone'}),
    0, '... and leaves nothing of what was written';

# ---- wrong bodies ----

my $kept = object($id);
my @BAD = (    # body, fields
    [{ tags => 'sea' }, 'tags'], [{ tags => { a => 1 } }, 'tags'], [{ tags => [1] }, 'tags'], [{ tags => [undef] }, 'tags'],
    [{ tags => [['a']] }, 'tags'], [{ tags => [''] }, 'tags'], [{ tags => [" \x{3000}"] }, 'tags'], [{ tags => ['x' x 41] }, 'tags'],
    [{ tags => ['a', ' a '] }, 'tags'], [{ tags => [map { "t$_" } 1 .. 11] }, 'tags'], [{ tags => ["a\nb"] }, 'tags'],
    [{ tags => ["a\x{85}b"] }, 'tags'], [{ tags => ["a\x{7f}"] }, 'tags'], [{ tags => ["a\0b"] }, 'tags'], [{ tags => 0 }, 'tags'],
    [{ tags => [map { "t$_" } 1 .. 5000] }, 'tags'],
    [{ favourite => 1 }, 'favourite'], [{ favourite => 'true' }, 'favourite'], [{ favourite => [] }, 'favourite'],
    [{ title => 1 }, 'title'], [{ title => 't' x 201 }, 'title'], [{ title => "a\tb" }, 'title'], [{ title => ['t'] }, 'title'],
    [{ title => $NO }, 'title'],
    [{ titel => 'x' }, 'titel'], [{ prompt => 'x' }, 'prompt'], [{ status => 'completed', cost => 0 }, 'cost status'],
    [{ tags => 1, favourite => 1, title => 1, nothing => 1 }, 'favourite nothing tags title'],
);
for my $case (@BAD) {
    my ($body, $fields) = @$case;
    my $res = patch($id, $body);
    error_is($res, 422, 'VALIDATION_FAILED', 'refused: ' . substr(JSON::PP->new->canonical->encode($body), 0, 60));
    is join(' ', sort map { $_->{field} } @{ data($res)->{validationErrors} }), $fields, "... for $fields";
}
my @BODIES = (    # body, type, status
    ['{"title":"\ud800"}', 'application/json', 400], ['{"title":"a","title":"b"}', 'application/json', 400],
    ["{\"title\":\"\xff\"}", 'application/json', 400], ['[]', 'application/json', 400], ['', 'application/json', 400],
    ['{"title":"x"}', 'text/plain', 415], ['{"title":"x"}', 'application/merge-patch+json', 415],
    ['{"title":"' . 'x' x 11_000_000 . '"}', 'application/json', 413],
);
for my $case (@BODIES) {
    my ($body, $type, $status) = @$case;
    my $res = api(PATCH => "/api/generation/$id", user => $user, body => $body, headers => { 'Content-Type' => $type });
    is $res->{status}, $status, "$status for $type " . substr($body, 0, 40) or diag $res->{content};
}
is_deeply object($id), $kept, 'nothing of that has changed anything';

# ---- two devices at once ----

my @statuses = map { @$_ } in_parallel(4, sub {
    my ($n) = @_;
    return [map { patch($id, $n % 2 ? { tags => ["of $n", "turn $_"] } : { title => "of $n turn $_" })->{status} } 1 .. 15];
});
is_deeply [grep { $_ != 200 } @statuses], [], 'edits of several devices at once are all accepted';
my $now = object($id);
like $now->{title}, qr/\Aof \d turn 15\z/, '... the last title stays';
like "@{ $now->{tags} }", qr/\Aof \d turn 15\z/, '... and so do the last tags, whole';
is sql1(qq{SELECT string_agg(tag, ' ' ORDER BY tag) FROM genflow.tags WHERE job_id = '$id'}), join(' ', sort @{ $now->{tags} }),
    '... which lists by tag know';

# ---- methods, keys, pages of other sites ----

my $not = api(PUT => "/api/generation/$id", user => $user, json => {});
is $not->{status}, 405, 'another method is not allowed';
is join(' ', sort split /, /, $not->{headers}{allow}), 'DELETE GET HEAD PATCH', '... and Allow names PATCH';
my %origin = (Origin => 'https://evil.example', 'Sec-Fetch-Site' => 'cross-site');
error_is(api(PATCH => "/api/generation/$id", user => $user, json => { title => 'evil' }, headers => \%origin), 403, 'UNAUTHORIZED',
    "another site's page edits nothing");
my $preflight = api(OPTIONS => "/shared/generation/$id",
    headers => { Origin => 'https://studio.example', 'Access-Control-Request-Method' => 'PATCH' });
like $preflight->{headers}{'access-control-allow-methods'}, qr/\bPATCH\b/, 'a page of ours may: its preflight says so';

my %key = map { $_ => new_key($user, scopes => [$_]) } qw(images read);
my $httpd = Genflow::Httpd->start(small_site() . <<'END');
GenflowLimitKeyRate 1000/1s 100000
<Location "/api">
    SetHandler genflow-api
    AuthType GenflowKey
    Require valid-user
</Location>
<Location "/limited">
    SetHandler genflow-api
    GenflowBase /limited
    <Limit PATCH>
        Require all denied
    </Limit>
    <LimitExcept PATCH>
        Require all granted
    </LimitExcept>
</Location>
END
talk_to($httpd);
is api(PATCH => "/api/generation/$id", json => { title => 'by key' }, headers => bearer($key{images}))->{status}, 200,
    'a key with the scope images edits';
error_is(api(PATCH => "/api/generation/$id", json => { title => 'x' }, headers => bearer($key{read})), 403, 'INSUFFICIENT_SCOPE',
    'one with the scope read does not');
is api(PATCH => "/limited/generation/$id", json => { title => 'x' }, user => $user)->{status}, 403, '<Limit PATCH> of httpd holds';
finish;

sub patch {
    my ($which, $body, %option) = @_;
    return api(PATCH => "/api/generation/$which" . ($option{path} // ''), user => $user, json => $body);
}

sub object {
    my ($which) = @_;
    return data(api(GET => "/api/generation/$which", user => $user));
}

sub marks {
    my ($object) = @_;
    return { map { $_ => $object->{$_} } qw(tags favourite title) };
}

sub newest {
    my ($status) = @_;
    return data(api(GET => "/api/generations?status=$status&limit=1", user => $user))->{items}[0]{id};
}

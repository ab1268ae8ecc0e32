#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The running module answers as docs/openapi.yaml says: each operation, those of older names too, to who is
# not signed in, to a method it does not take, to a body that is none, and to a request that is right; and
# each kind of refusal. Statuses, types, headers, required members and codes are as documented; none is unknown.
use Genflow::Test;

use MIME::Base64 qw(encode_base64);

use Genflow::Httpd ();
use Genflow::OpenApi ();

my $document   = Genflow::OpenApi->new($ENV{GENFLOW_WORK});
my %operations = %{ $document->operations };
my $user       = account(60);
my $poor       = account(0);
my %answered;                          # operation => the statuses that were seen

# ---- every operation: what needs nothing but its address ----

my %sample = (type => 'neo-glitch', id => '00000000-0000-7000-8000-000000000000', key => 'nothing',
    provider => 'nobody', file => 'admin.js', token => 'x', user => 'nobody');

for my $operation (sort keys %operations) {
    my ($method, $path) = split / /, $operation;
    $path =~ s/\{(\w+)\}/$sample{$1}/g;
    my $is_open = $operations{$operation}{security} && !@{ $operations{$operation}{security} };
    my $res     = api($method, address($path));
    as_documented($operation, $res, 'without a user');
    is $res->{status}, 401, "$operation requires a user" if !$is_open;

    my %sign_in = sign_in($path);
    as_documented($operation, api('MKCOL', address($path), %sign_in), 'MKCOL');
    next if !$operations{$operation}{requestBody}{content}{'application/json'};
    my %json = (headers => { 'Content-Type' => 'application/json', %{ $sign_in{headers} // {} } });
    $res = api($method, address($path), %sign_in, %json, body => '{"a":');
    as_documented($operation, $res, 'no JSON');
    like $res->{status}, qr/\A4/, "$operation refuses what is no JSON";
    my %text = (headers => { %{ $json{headers} }, 'Content-Type' => 'text/plain' });
    $res = api($method, address($path), %sign_in, %text, body => '{}');
    as_documented($operation, $res, 'text');
    like $res->{status}, qr/\A4/, "$operation refuses what says that it is text";
}

# ---- what is right ----

my $picture  = png(3, 2);
my $image    = { 'Content-Type' => 'image/png' };
my $two_step = { type => 'neo-glitch', productImages => ["$ENV{GENFLOW_FAKE}/_source/picture/1"] };
my $base     = { prompt => 'a cat', presetKey => 'base' };
my $slow     = { %$base, prompt => 'a cat {{poll=30}}' };
my $at_once  = { headers => { Prefer => 'respond-async' } };
my $drawn    = { headers => { Prefer => 'wait=60' } };
my $other    = { headers => { 'If-Match' => '"another state"' } };
my $beyond   = { headers => { Range => 'bytes=1000000-' } };
my %from_answers;                              # what an answer has for later requests

my @RIGHT = (    # operation, its answer's status, query or id, options; what to keep of the answer
    ['GET /health',           200],
    ['GET /getQuota',         200],
    ['GET /me',               200],
    ['GET /types',            200],
    ['GET /webhook-secret',   200],
    ['POST /getQuota',        200],
    ['POST /{type}/generate', 200, '', { json => $base, %$drawn }, 'id'],
    ['POST /{type}/generate', 200, '?dryRun=1', { json => $base }],
    ['POST /{type}/generate', 200, '', { json => { %$base, n => 2 }, %$drawn }],
    ['GET /{type}/status',    200, '?id={id}'],
    ['POST /{type}/status',   200, '', { json => sub { { id => $from_answers{id} } } }],
    ['GET /generations',      200, '?limit=1'],
    ['GET /generations',      200, '?q=cat&tag=sea&favourite=1&since=2026-01-01T00:00:00Z'],
    ['PATCH /generation/{id}', 200, '', { json => { tags => ['sea'], favourite => JSON::PP::true(), title => 'a cat' } }],
    ['GET /generation/{id}',  200],
    ['GET /job/{id}',         200],
    ['GET /{type}/status',    412, '?id={id}', $other],
    ['GET /generation/{id}',  412, '', $other],
    ['GET /job/{id}',         412, '', $other],
    ['GET /generation/{id}/events', 200],
    ['DELETE /generation/{id}', 200],
    ['POST /{type}/generate', 202, '', { json => $slow, %$at_once }, 'id'],
    ['GET /{type}/status',    200, '?id={id}'],
    ['GET /job/{id}',         200],
    ['POST /generation/{id}/cancel',   200],
    ['POST /generation/{id}/retry',    201, '', $at_once],
    ['POST /job/{id}/retry',           200, '', $at_once, 'id'],    # requested above
    ['POST /job/{id}/cancel',          200],
    ['POST /generation/{id}/fallback', 201, '', $drawn],
    ['POST /job/{id}/fallback',        200, '', $drawn, 'id'],
    ['DELETE /job/{id}',               200],
    ['POST /generation/create', 201, '', { json => $two_step }, 'generationId'],
    ['POST /generate',  200, '', { json => sub { { generationId => $from_answers{generationId} } } }],
    ['POST /generate',  200, '', { json => $two_step }],
    ['POST /templates', 201, '', { json => { name => 'openapi', config => {} } }, 'id'],
    ['GET /templates',  200],
    ['DELETE /templates/{id}', 200],
    ['POST /keys',      201, '', { json => { name => 'openapi', budget => 3 } }, 'id'],
    ['GET /keys',       200, '?limit=2'],
    ['DELETE /keys/{id}', 200],
    ['POST /credits-reserve',  200, '', { json => { request_id => "$user:1" } }],
    ['POST /credits-finalize', 200, '', { json => { request_id => "$user:1",
        disposition => 'refund' } }],
    ['POST /{type}/generate', 200, '', { json => $base, %$drawn }, 'id'],
    ['GET /getUserMedia',  200, '?limit=1'],
    ['POST /getUserMedia', 200, '', { json => { limit => 1 } }],
    ['POST /delete-media', 200, '', { json => sub { { id => $from_answers{id} } } }],
    ['GET /credits',      200, '?limit=2'],
    ['POST /assets',      201, '', { body => $picture, headers => $image }, 'id'],
    ['GET /assets/{id}',  200],
    ['GET /assets/{id}',  412, '', $other],
    ['GET /assets/{id}',  416, '', $beyond],
    ['DELETE /assets/{id}', 200],
    ['GET /presets',      200, '?all=1'],
    ['GET /admin/jobs',   200, '?limit=2'],
    ['GET /admin/users',  200, '?limit=2'],
    ['POST /admin/credits', 200, '', { json => { userId => $user, amount => 1, reason => 'a test',
        reference => "$user:openapi" } }],
    ['POST /admin/keys',  201, '', { json => { name => 'openapi', user => $user, scopes => ['admin'] } }, 'id'],
    ['GET /admin/keys',   200, '?limit=2'],
    ['DELETE /admin/keys/{id}', 200],
    ['GET /admin/stats',  200],
    ['GET /admin/providers', 200],
    ['GET /admin/presets', 200],
    ['GET /admin/ledger/check', 200],
);
request_is(@$_) for @RIGHT;

# ---- what is right of an older name ----

my $old = '/functions/{type}';
my $yes = JSON::PP::true();
my $mine   = sub { { jobId  => $from_answers{id} } };
my $saves  = sub { { finalUrl => $from_answers{imageUrl} } };
my $erases = sub { { mediaId  => $from_answers{id} } };
my @RIGHT_OLD = (
    ["POST $old-generate", 200, '', { json => { %$base, runId => 'old' } }, 'imageUrl'],
    ["POST $old-generate", 200, '', { json => { %$base, runId => 'old' } }, 'id'],    # once more: it is the same
    ["POST $old-generate", 200, '', { json => $mine }],
    ["POST $old-generate", 200, '?dryRun=1', { json => $base }],
    ["POST $old-generate", 200, '', { json => { %$base, n => 2 } }],
    ["POST $old-generate", 202, '', { json => { %$slow, runId => 'old-slow' }, %$at_once }],
    ["GET $old-generate",  200, '?jobId={id}'],
    ["GET $old-status",    200, '?runId=old-slow'],
    ["GET $old-status",    200, '?id={id}', $drawn],
    ["POST $old-status",   200, '', { json => $mine }],
    ["POST $old-status",   200, '', { json => { jobId => 'nothing' } }],
    (map { my $name = $_; map { ["$_ /functions/$name", 200] } qw(GET POST) } qw(getQuota check-credits whoami)),
    ['POST /functions/credits-reserve',  200, '', { json => { cost => 1 } }, 'request_id'],
    ['POST /functions/credits-finalize', 200, '', { json => sub { { request_id => $from_answers{request_id},
        success => JSON::PP::false() } } }],
    ['GET /functions/user-settings',     200],
    ['POST /functions/user-settings',    200, '', { json => { settings => { media_upload_agreed => $yes } } }],
    ['PUT /functions/user-settings',     200, '', { json => { media_upload_agreed => undef } }],
    ['POST /functions/togglePublish',    200, '', { json => sub { { assetId => $from_answers{id}, publish => $yes } } }],
    (map { ["GET /functions/$_", 200, '?limit=2&offset=0'] } qw(feed getPublicFeed getNeoGlitchFeed getUserMedia)),
    ['POST /functions/getUserMedia',     200, '', { json => { limit => '2', offset => 0, type => 'neo' } }],
    ['POST /functions/save-media',       200, '', { json => $saves }],
    ['POST /functions/save-media',       200, '', { json => sub { { variations => [$saves->(), $saves->()] } } }],
    ['POST /functions/save-neo-glitch',  200, '', { json => $saves }],
    (map { ["GET /functions/$_", 200], ["GET /functions/$_", 200, '?type=neo-glitch'] }
        qw(get-presets get-all-presets get-current-week-presets)),
    ['DELETE /functions/delete-media',   200, '', { json => $erases }],
    ["POST $old-generate", 200, '', { json => { %$base, runId => 'old-2' } }, 'id'],
    ['POST /functions/delete-media',     200, '', { json => $erases }],
    ['POST /image/generate', 202, '', { json => { mood => 'calm', duration => 90 } }],
    ['POST /image/generate', 200, '?dryRun=1', { json => { mood => 'calm' } }],
    ['POST /image/generate', 400, '', { json => { duration => 90 } }],    # its error is a sentence
);
request_is(@$_) for @RIGHT_OLD;

# A stream that ends soon.
my $httpd = Genflow::Httpd->start(<<'END' . Genflow::Httpd::small_site());
Include "${GENFLOW_WORK}/t/conf/api.conf"
GenflowWatchEvents 1s
END
talk_to($httpd);
request_is('GET /events', 200);
talk_to();
$httpd->stop;

# ---- what is refused ----

my @WRONG = (    # operation, status, code, query, options
    ['POST /{type}/generate', 409, 'IDEMPOTENCY_IN_PROGRESS', '',
        { json => { %$slow, runId => 'slow' } }],
    ['POST /{type}/generate', 422, 'IDEMPOTENCY_MISMATCH', '',
        { json => { %$base, runId => 'slow' } }],
    ['POST /{type}/generate', 402, 'INSUFFICIENT_CREDITS', '', { user => $poor, json => $base }],
    ['POST /{type}/generate', 413, 'PAYLOAD_TOO_LARGE', '', { body => ' ' x 11_000_000,
        headers => { 'Content-Type' => 'application/json' } }],
    ['POST /{type}/generate', 415, 'UNSUPPORTED_MEDIA_TYPE', '', { body => 'x' }],
    ['POST /{type}/generate', 422, 'VALIDATION_FAILED', '',
        { json => { prompt => 5, seed => -1 } }],
    ['POST /{type}/generate', 422, 'INVALID_PRESET', '', { json => { presetKey => 'nothing' } }],
    ['POST /{type}/generate', 422, 'PROMPT_TOO_LONG', '',
        { json => { %$base, prompt => 'x' x 1001 } }],
    ['POST /{type}/generate', 500, 'GENERATION_FAILED', '', { json => { %$base,
        prompt => "$user {{status=400}}" }, %$drawn }],
    ['GET /{type}/status',    404, 'GENERATION_NOT_FOUND', "?id=$sample{id}"],
    ['POST /generation/create', 400, 'VALIDATION_ERROR', '', { json => {} }],
    ['POST /generate',        400, 'INVALID_GENERATION_STATUS', '',
        { json => sub { { generationId => $from_answers{generationId} } } }],
    ['POST /credits-finalize', 404, 'TRANSACTION_NOT_FOUND', '', { json => { request_id => 'none',
        disposition => 'refund' } }],
    ['POST /hook/{provider}/{id}/{token}', 404, 'NOT_FOUND', '', { json => {} }],
    ["GET $old-generate",     422, 'MISSING_IDENTIFIER'],
    ["GET $old-generate",     404, 'NOT_FOUND', '?jobId=nothing'],
    ['GET /functions/feed',   422, 'VALIDATION_FAILED', '?limit=0'],
    ['POST /functions/credits-reserve',  403, 'INSUFFICIENT_CREDITS', '', { user => $poor, json => {} }],
    ['POST /functions/credits-finalize', 404, 'TRANSACTION_NOT_FOUND', '', { json => { request_id => 'none',
        success => $yes } }],
    ['POST /functions/cloudinary-sign',  404, 'NOT_FOUND'],
    ['POST /functions/togglePublish',    404, 'GENERATION_NOT_FOUND', '', { json => { assetId => $sample{id},
        publish => $yes } }],
    ['POST /functions/save-media',       404, 'GENERATION_NOT_FOUND', '', { json => { url => 'https://a.example/b.png' } }],
    ['DELETE /functions/delete-media',   404, 'GENERATION_NOT_FOUND', '?mediaId={id}'],
);
expect_log('GF0203');
api(POST => '/api/neo-glitch/generate', user => $user, json => { %$slow, runId => 'slow' },
    %$at_once);
for my $row (@WRONG) {
    my ($operation, $status, $code, @how) = @$row;
    my $res = request_is($operation, $status, @how) or next;
    error_is($res, $status, $code, "... as $code");
}

# ---- nothing is left out ----

# Administration that changes things has tests of its own, a report needs a provider, and the signature of an
# upload needs a store (t/legacy/sign.t).
my @here = grep { !m{ /(?:admin\b|hook/)|/cloudinary-sign\z} } sort keys %operations;
is_deeply [grep { !grep { /\A2/ } @{ $answered{$_} } } @here], [],
    'every operation had a request that succeeds';
my $answer = api(GET => '/api/getQuota', user => $user);
$answer->{content} =~ s/"daily_used":\d+/"daily_used":"3"/;
like join(' ', $document->complaints('GET /getQuota', $answer)), qr/daily_used/,
    'a wrong type is found';
$answer->{content} =~ s/"daily_used":"3"/"daily_used":3,"surprise":1/;
like join(' ', $document->complaints('GET /getQuota', $answer)), qr/surprise/,
    '... and an unknown member';
$answer->{headers}{etag} = '"1"';
like join(' ', $document->complaints('GET /getQuota', $answer)), qr/etag/,
    '... and an unknown header';
my $refused = api(PUT => '/api/getQuota', user => $user);
delete $refused->{headers}{allow};
like join(' ', $document->complaints('GET /getQuota', $refused)), qr/allow is missing/,
    '... and one that is missing';

finish;

# Sends a request, compares and stores the response; nothing where the document has no such operation.
sub request_is {
    my ($operation, $status, $query, $option, $keep) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return if !$operations{$operation};
    my ($method, $path) = split / /, $operation . ($query // '');
    my %option = %{ $option // {} };
    $option{json} = $option{json}->() if ref $option{json} eq 'CODE';
    my %here = (%sample, %from_answers);
    $path =~ s/\{(\w+)\}/$here{$1}/g;
    my %sign_in = sign_in($path);
    my %headers = (%{ $sign_in{headers} // {} }, %{ $option{headers} // {} });
    my $res = api($method, address($path), %sign_in, %option, headers => \%headers);
    is $res->{status}, $status, "$operation is answered $status"
        or diag substr $res->{content}, 0, 500;
    as_documented($operation, $res, $status);
    my $data = data($res);
    $from_answers{$keep} = $data->{$keep} // $data->{data}{$keep} if $keep;
    return $res;
}

sub as_documented {
    my ($operation, $res, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    push @{ $answered{$operation} }, $res->{status};
    return is join("\n", $document->complaints($operation, $res)), '',
        "$operation ($what) is as documented";
}

# Administration has a place of its own here, and requires a password. So have older names.
sub address {
    my ($path) = @_;
    return $path eq '/admin'          ? '/admin/'          # its page is at the root of its location
        : $path =~ m{\A/admin/}      ? $path
        : $path =~ m{\A/functions/}  ? "/.netlify$path"
        : $path =~ m{\A/image/}      ? "/mood/api$path"
        :                               "/api$path";
}

sub sign_in {
    my ($path) = @_;
    return (user => $user) if $path !~ m{\A/admin\b};
    return (headers => { Authorization => 'Basic ' . encode_base64('admin:secret', '') });
}

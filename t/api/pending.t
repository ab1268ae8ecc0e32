#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation is `pending`, without startedAt, until a process begins to work on it, and a job view
# says `queued`. startedAt and processingTime are of the work alone. The response says when to poll.
use Genflow::Httpd;
use Genflow::Test;
use Genflow::TwoStep;

my $user = account(50);

# ---- without a host that works ----

my $TYPE = 'pending-only';
sql("SELECT genflow.create_type('$TYPE')");
my $idle = Genflow::Httpd->start(<<END);
Include "\${GENFLOW_WORK}/t/conf/database.conf"
GenflowStoreFolder "\${GENFLOW_WORK}/store"
GenflowDispatch Off
GenflowSourceAllow 127.0.0.1
GenflowPollAfter 1s
GenflowPollAfterMax 3s
<GenflowProvider stability>
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
</GenflowProvider>
<GenflowType $TYPE>
    GenflowTypeProviders stability/sd3
    GenflowTypeCost 1
</GenflowType>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
Include "\${GENFLOW_WORK}/conf/genflow-legacy.conf"
<Location "/.netlify/functions">
    GenflowUser "%{HTTP:X-User}"
</Location>
END
talk_to $idle;

my %QUICK = (Prefer => 'respond-async');
my $res = generate($user, { type => $TYPE, prompt => 'an old cat' }, %QUICK);
my $new = data($res);
is $res->{status}, 202, 'a generation is taken';
is_deeply [@$new{qw(status startedAt processingTime retryAfter)}], ['pending', undef, undef, 1],
    'it is pending and has not started';
is $res->{headers}{'retry-after'}, 1, '... and the response says when to poll';
my $seen = status_of($user, $new->{id}, $TYPE);
is_deeply [@$seen{qw(status startedAt)}], ['pending', undef], '... as its status says';
my $job = data(api(GET => "/api/job/$new->{id}", user => $user));
is_deeply [@$job{qw(status startedAt)}], ['queued', undef], '... and as a job it is queued';
is data(api(GET => "/api/generations?type=$TYPE&status=pending", user => $user))->{total}, 1,
    '... and history finds it so';

my $first = api(GET => "/api/$TYPE/status?id=$new->{id}", user => $user);
ok wait_for(sub { status_of($user, $new->{id}, $TYPE)->{retryAfter} == 3 }),
    'the hint grows up to its bound';
my $later = api(GET => "/api/$TYPE/status?id=$new->{id}", user => $user);
is $later->{headers}{'retry-after'}, 3, '... in the header, too';
is $later->{headers}{etag}, $first->{headers}{etag}, '... which is no change of the state';

# ---- created, then started ----

my $made = data(create($user, { type => $TYPE, productImages => [], customPrompt => 'a shoe' }))->{data};
is_deeply [@$made{qw(status startedAt)}], ['pending', undef], 'a created one is pending';
my $begun = data(start($user, $made->{generationId}, %QUICK))->{data};
is $begun->{status}, 'processing', 'the answer of its start says processing';
is_deeply [@{ status_of($user, $made->{generationId}, $TYPE) }{qw(status startedAt)}],
    ['pending', undef], '... until its work begins it is pending';
error_is(start($user, $made->{generationId}), 400, 'INVALID_GENERATION_STATUS',
    '... and cannot be started again');
error_is(start($user, $made->{generationId}, query => '?dryRun=1'), 400, 'INVALID_GENERATION_STATUS',
    '... and has no price any more');

# ---- below the older names ----

$res = api(POST => "/.netlify/functions/generation-create", user => $user, json => {
    type => $TYPE, customPrompt => 'a shoe', productImages => [] });
$made = data($res)->{data};
is_deeply [$res->{status}, @$made{qw(status message)}],
    [201, 'pending', 'Generation record created successfully'], 'older clients get their message';
$res = api(POST => '/.netlify/functions/generate', user => $user, headers => \%QUICK,
    json => { generationId => $made->{generationId} });
is_deeply [$res->{status}, @{ data($res)->{data} }{qw(status message)}],
    [200, 'processing', 'Generation processing started successfully'], '... and that of the start';
is sql1("SELECT status FROM pending_only_media WHERE id = :'id'", id => $made->{generationId}),
    'pending', '... while it waits';

# ---- somebody works ----

talk_to;
my $slow = later($user, { prompt => "{{poll=3}} slow of $user" });
my $done = ended($user, $slow);
ok $done->{startedAt} ge $done->{createdAt}, 'work begins after the creation';
my ($off) = sql1("SELECT round(extract(epoch FROM finished_at - started_at) * 1000) FROM neo_glitch_media
    WHERE id = :'id'", id => $slow);
cmp_ok abs($done->{processingTime} - $off), '<=', 1, 'processingTime is the time of the work';
ok exists $done->{originalFalUrl}, 'originalFalUrl is there';
is $done->{originalFalUrl}, undef, '... null for another provider';
my $fal = ended($user, later($user, { type => 'echo-fal', prompt => "fal of $user" }), 'echo-fal');
is $fal->{originalFalUrl}, $fal->{originalUrl}, '... and the address at fal, of one that fal made';
like $fal->{originalFalUrl}, qr{\Ahttp}, '... which is an address';

# ---- what failed ----

expect_log 'GF0203';
$res = generate($user, { prompt => "refused of $user {{status=400}}" });
error_is($res, 500, 'GENERATION_FAILED', 'a failure within the wait is an error');
is_deeply [@{ data($res) }{qw(retryCount maxRetries provider errorCode)}], [0, 3, 'stability', 'API_ERROR'],
    '... with its retries and its provider';
like data($res)->{message}, qr/stability.*API_ERROR/, '... and its message says what failed';

cancel_ours();
finish;

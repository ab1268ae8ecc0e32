#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A provider that answers at once completes a generation in its own request: the answer is the whole
# generation object, the row is completed before it goes out, one charge stands in the books. A type
# answers under every name that it has.
use Genflow::Test;

my $NULL = undef;
my $YES  = JSON::PP::true();
my $NO   = JSON::PP::false();
my $TIME = qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/;

# ---- the generation object ----

my $user  = account(10);
my $begin = submissions($user);
my $res   = generate($user, {
    prompt     => "the cat of $user",
    presetKey  => 'visor',
    seed       => 7,
    runId      => 'a-run:1.0_x',
    parameters => { cfg_scale => 5 },
    userId     => 'somebody-else',
});
my $got = data($res);
my $id  = $got->{id};
my $url = base() . '/generated/neo-glitch/' . substr($id, -2) . '/' . (picture_file($id) =~ s{.*/}{}r);

is $res->{status}, 200, 'a generation is completed in its own request';
is sql1("SELECT status FROM public.neo_glitch_media WHERE id = :'id'", id => $id), 'completed',
    'its row is completed when the answer comes';
is submissions($user) - $begin, 1, 'the provider got one submission';

like $url, qr{/\Q$id\E-[0-9a-f]{32}\.png\z}, 'the name of the picture is its id and a random part';
like $id, qr/\A[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}(?:-[0-9a-f]+){2}\z/, 'the id is a UUIDv7';
like $got->{prompt}, qr/\ANeo Tokyo, glowing cyber visor\b.*, the cat of \Q$user\E\z/,
    'the prompt is what the preset says and then what the user says';
like $got->{$_}, $TIME, "$_ is an instant" for qw(createdAt startedAt finishedAt);
like $got->{result}{sha256}, qr/\A[0-9a-f]{64}\z/, 'the result has the hash of the picture';
cmp_ok $got->{processingTime}, '>=', 0, 'the processing time is a number';

is_deeply $got, {
    success => $YES, ok => $YES, message => 'Your media is ready',
    id => $id, jobId => $id, generationId => $id, runId => 'a-run:1.0_x',
    type => 'neo-glitch', status => 'completed', userId => $user,
    imageUrl => $url, cloudinaryUrl => $url, resultImages => [$url], originalUrl => $NULL,
    thumbnailUrl => $NULL, color => $NULL,
    persisted => $YES, expiresAt => $NULL, originalFalUrl => $NULL,
    result => {
        type => 'image/png', width => 64, height => 64,
        bytes => $got->{result}{bytes}, sha256 => $got->{result}{sha256},
    },
    provider => 'stability', model => 'sd3', fallbackUsed => $NO,
    stabilityJobId => $NULL, aimlJobId => $NULL, falJobId => $NULL, replicateId => $NULL,
    preset => 'visor', prompt => $got->{prompt}, sourceUrl => $NULL, seed => 7,
    parameters => { cfg_scale => 5, strength => 0.35, seed => 7 },
    estimatedCost => 1, tokensUsed => 1, retryCount => 0, maxRetries => 3,
    queuePosition => $NULL, expectedSeconds => $NULL, progress => $NULL, logs => [],
    errorCode => $NULL, errorMessage => $NULL, causeCode => $NULL,
    visibility => 'private', allowRemix => $NO, tags => [], favourite => $NO, title => $NULL,
    takenDown => $NULL,
    createdAt => $got->{createdAt}, startedAt => $got->{startedAt},
    finishedAt => $got->{finishedAt}, completedAt => $got->{finishedAt},
    processingTime => $got->{processingTime},
}, 'the answer is the whole generation object';

my %without_message = %$got;
delete $without_message{message};
is_deeply status_of($user, $id), \%without_message, 'the status is the same object';

# ---- its price ----

credits_are $user, 9, 0, 'one credit is gone and none is held';
my @ledger = sql("SELECT kind, amount FROM genflow.ledger WHERE ref = :'id' ORDER BY at",
    id => $id);
is_deeply \@ledger, ['hold|1', 'capture|1'], 'it was held once and charged once';
is sql1("SELECT count(*) FROM genflow.accounts WHERE name = 'somebody-else'"), 0,
    'a userId in the body is ignored';

# ---- the names of a type ----

my @NAMES = (    # generate, status
    ['/api/neo-glitch/generate', '/api/neo-glitch/status'],
    ['/api/neo_glitch/generate', '/api/neo_glitch/status'],
    ['/neo',                     '/neo-status'],
);
for my $name (@NAMES) {
    my ($generate, $status) = @$name;
    my %body = (prompt => 'a cat', presetKey => 'base', runId => "run-of-$generate" =~ tr{/}{.}r);
    my $made = data(api(POST => $generate, user => $user, json => \%body));
    is "$made->{type} $made->{status}", 'neo-glitch completed', "$generate makes a neo-glitch";
    is $made->{runId}, $body{runId}, 'and gives the run id back';

    my @ways = ((map { [$_ => $made->{id}] } qw(id jobId generationId)), [runId => $body{runId}]);
    for my $way (@ways) {
        my ($key, $value) = @$way;
        my $by_query = data(api(GET => "$status?$key=$value", user => $user));
        my $by_body  = data(api(POST => $status, user => $user, json => { $key => $value }));
        is_deeply [map { $_->{id} } $by_query, $by_body], [($made->{id}) x 2],
            "$status finds it by $key, in the query and in the body";
    }
}
my $nameless = data(generate($user));
is $nameless->{runId}, $nameless->{id}, 'without a run id the id stands for it';

finish;

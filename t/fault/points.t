#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child is killed with kill -9 at each edge of a generation: before and after each act, exchange and statement of its
# way, the folder store's name and the news. Whatever dies, the generation ends once: completed, charged once and with one
# picture, or failed, free and without one; and no provider gets a submission twice that it may have taken.
use Genflow::Fault;
use Genflow::Httpd qw(fake_provider);
use Genflow::Inject;
use Genflow::Points;
use Genflow::Site ();
use Genflow::Test;
use Genflow::Webhooks;

use Digest::SHA qw(sha256_hex);

my %CHAIN = (
    'points-bytes' => 'stability/sd3',                         # sends the picture, or an id; has no list of runs
    'points-list'  => 'replicate/black-forest-labs/flux-dev',  # lists its runs, and sends addresses
    'points-fal'   => 'fal/fal-ai/fast-sdxl',                  # lists its runs in another way
    'points-hook'  => 'points-hooks/black-forest-labs/flux-dev',   # sends provider webhooks, long before its list is read
    'points-drawn' => 'local',
    'points-file'  => 'openai/gpt-image-1',                    # gets source images as files
);
sql("SELECT genflow.create_type(:'type')", type => $_) for sort keys %CHAIN;
my @POLLED = ('GenflowProviderPoll 100ms', 'GenflowProviderBackoff 50ms');
my @LISTED = (@POLLED, 'GenflowProviderListWait 1s');
my $SITE   = join '', <<'END', fake_provider('stability', @POLLED), map({ fake_provider($_, @LISTED) } qw(replicate fal)),
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 4
ServerLimit 4
ThreadsPerChild 16
MaxRequestWorkers 64
MinSpareThreads 1
MaxSpareThreads 64
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowStoreThumbnail Off
GenflowDispatchPoll 100ms
GenflowDispatchLease 60s
GenflowFetchAllow 127.0.0.1
GenflowSourceAllow 127.0.0.1
GenflowPublicUrl "http://127.0.0.1:${OWN_PORT}/api"
GenflowWebhookAllow http://127.0.0.1
GenflowWebhookSecret env:WEBHOOK_SECRET
END
    fake_provider('openai', 'GenflowProviderBackoff 50ms'), <<'END', map { <<"END" } sort keys %CHAIN;
<GenflowProvider points-hooks>
    GenflowProviderKind replicate
    GenflowProviderUrl "${GENFLOW_FAKE}/replicate/v1"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderHookSecret env:PEERS_HOOK_SECRET
    GenflowProviderListWait 5m
</GenflowProvider>
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
Include "${GENFLOW_WORK}/t/conf/api.conf"
<Location "/generated">
    SetHandler genflow-result
</Location>
END
<GenflowType $_>
    GenflowTypeProviders $CHAIN{$_}
    GenflowTypeCost 1
    GenflowTypeSource optional
</GenflowType>
END
my $httpd = Genflow::Httpd->start($SITE);
talk_to $httpd;

# Where it is killed, at several points one after another; type, with a source picture or not, and the provider's script; then before
# and after: how the generation ends, and after how many submissions.
my $UNKNOWN = 'failed';                                        # it may have been sent, and nobody can tell
my @CASES = (
    # the fault list: 6, 7
    ['claim',             'bytes', 'status=503 times=1', 'completed 2', 'completed 2'],
    ['attempt_begin',     'bytes', 'status=503 times=1', 'completed 2', "$UNKNOWN 1"],
    ['generate.intent',   'bytes', 'status=503 times=1', 'completed 2', "$UNKNOWN 1"],
    ['generate.sent',     'bytes', '',                   "$UNKNOWN 0",  "$UNKNOWN 1"],
    ['generate.sent',     'list',  'poll=1',             'completed 1', 'completed 1'],
    # 8, 9
    ['generate.accept',   'bytes', 'poll=1',             "$UNKNOWN 1",  'completed 1'],
    ['generate.accept',   'list',  'poll=1',             'completed 1', 'completed 1'],
    ['accepted',          'list',  'poll=1',             'completed 1', 'completed 1'],
    ['accepted',          'fal',   'poll=1',             'completed 1', 'completed 1'],
    ['accepted',          'hook',  'hook=end',           'completed 1', 'completed 1'],
    ['generate.poll',     'bytes', 'poll=1',             'completed 1', 'completed 1'],
    ['generate.poll',     'fal',   'poll=1',             'completed 1', 'completed 1'],
    ['generate.progress', 'fal',   'poll=2 position=3',  'completed 1', 'completed 1'],
    ['generate.lookup',   'list',  'cut-before',         'completed 1', 'completed 1'],
    ['generate.list',     'list',  'cut-before',         'completed 1', 'completed 1'],
    # 10, 11, 12, 13
    ['generate.fetch',    'list',  '',                   'completed 1', 'completed 1'],
    ['generate.fetch',    'fal',   '',                   'completed 1', 'completed 1'],
    ['generate.check',    'bytes', '',                   "$UNKNOWN 1",  'completed 1'],
    ['generate.check',    'list',  '',                   'completed 1', 'completed 1'],
    ['name',              'bytes', '',                   "$UNKNOWN 1",  'completed 1'],
    ['name',              'list',  '',                   'completed 1', 'completed 1'],
    ['settle',            'bytes', '',                   'completed 1', 'completed 1'],
    ['settle',            'drawn', '',                   'completed 0', 'completed 0'],
    ['settle',            'fal',   'poll=1',             'completed 1', 'completed 1'],
    ['news',              'bytes', '',                   'completed 1', 'completed 1'],
    # what a picture is made from, and drawing it here
    ['generate.source',   'file source',  '',            'completed 1', 'completed 1'],
    ['generate.source',   'bytes source', '',            'completed 1', 'completed 1'],
    ['generate.asset',    'file source',  '',            'completed 1', 'completed 1'],
    ['attempt_begin',     'file source',  '',            'completed 1', "$UNKNOWN 0"],
    ['attempt_begin',     'bytes source', '',            'completed 1', "$UNKNOWN 0"],
    ['generate.draw',     'drawn', '',                   'completed 0', 'completed 0'],
    # a failure that is known is written by the next child as one that is not
    ['generate.requeue',  'bytes', 'status=503 times=1', "$UNKNOWN 1",  'completed 2'],
    ['requeue',           'bytes', 'status=503 times=1', "$UNKNOWN 1",  'completed 2'],
    ['generate.fail',     'bytes', 'moderation',         'failed 1',    'failed 1'],
    # a second death, while the first one is followed
    [['name.after', 'generate.adopt'],           'bytes', '', 'completed 1', 'completed 1'],
    [['generate.sent.after', 'generate.lookup'], 'list',  'poll=1', 'completed 1', 'completed 1'],
);
for my $case (@CASES) {
    my ($edges, $kind, $script, @ends) = @$case;
    my @before = ref $edges ? @$edges : $edges;
    my $edge   = pop @before;
    my ($provider, $has_source) = split / /, $kind;
    for my $side (qw(before after)) {
        my ($status, $sent) = split / /, shift @ends;
        my $user  = account(10);
        my $type  = "points-$provider";
        my $input = { type => $type, prompt => "{{$script}} [$user]" };
        $input->{sourceUrl} = source_of($user) if $has_source;
        my $id    = killed_at([@before, "$edge.$side"], $user, $input);
        my $name  = join(', ', @before, "$edge.$side of $type") . ($has_source ? ' with a source picture' : '');
        ok $id, "killed at $name" or next;
        my $there = picture($type, $id);
        my $end   = end_of($user, $id, $type) || {};
        is $end->{status}, $status, "... it ends: $status";
        is submissions("[$user]"), $sent, "... submissions: $sent";
        credits_are $user, $status eq 'completed' ? 9 : 10, 0, '... charged once or not at all';
        my @pictures = glob "$ENV{GENFLOW_WORK}/store/$type/*/$id*";
        is scalar(@pictures), $status eq 'completed' ? 1 : 0, '... with one picture or none';
        next if $status ne 'completed';
        is served($end), "200 $end->{result}{sha256}", '... which is served';
        is picture($type, $id), $there, '... and is the one that was stored' if $there;
    }
}

# ---- between the source pictures of one generation ----

for my $pass (2, 3) {
    my $user   = account(10);
    my @source = map { source_of("$user-$_") } 1 .. 3;
    inject('generate.source.before', for => $user, kill => 1, pass => $pass);
    api(POST => '/api/generate', user => $user, headers => { Prefer => 'respond-async' }, json => { type => 'points-file',
        customPrompt => "[$user]", productImages => [@source[0, 1]], modelImages => [$source[2]] });
    my $id = kills_at($user, ['generate.source.before', $user]);
    ok $id, "killed before it fetches source picture $pass of 3";
    is end_of($user, $id, 'points-file')->{status}, 'completed', '... another child fetches them and completes it';
    my ($sent, @more) = @{ Genflow::Test::call_fake('_submissions', "[$user]") };
    is_deeply [scalar @{ $sent->{fields}{'image[]'} }, @more], [3], '... with one submission, of all three';
    credits_are $user, 9, 0, '... and charged once';
    is_deeply [glob "$ENV{GENFLOW_WORK}/store/.spool/$id*.2.source*"], [], '... and that child leaves no files';
}

# ---- inside the statement that settles (12) ----

for my $end ('is rolled back', 'is committed without its client') {
    my $user = account(10);
    my $id   = later($user, { type => 'points-bytes', prompt => "{{gate=$user}} [$user]" });
    ok wait_for(sub { submissions("[$user]") }), 'a generation is being sent';
    my $lock = hold_up();
    open_gate($user);
    ok wait_for(sub { is_held_up() }), '... and settled';
    my $pid = leader_of($id);
    kill KILL => $pid;
    break_up() if $end =~ /rolled back/;
    close $lock;
    ok is_gone($pid), "killed inside the statement, which $end";
    end_leases($user, $pid);
    is end_of($user, $id, 'points-bytes')->{status}, 'completed', '... it completes';
    is submissions("[$user]"), 1, '... submitted once';
    credits_are $user, 9, 0, '... and charged once';
}

# ---- a client that waits at another host, and learns the end from PostgreSQL (13) ----

my $other = Genflow::Httpd->start("GenflowDispatch Off\n$SITE");
for my $case (['accepted.before', 'list', 'completed'], ['settle.before', 'bytes', 'completed'],
    ['settle.after', 'bytes', 'completed'], ['generate.sent.after', 'bytes', 'failed'])
{
    my ($point, $kind, $status) = @$case;
    my $user = account(10);
    my $id   = later($user, { type => "points-$kind", prompt => "{{gate=$user}} [$user]" });
    inject('park.after', for => $user, delay => 1);
    inject($point, for => $user, kill => 1);
    my ($seen) = in_parallel(2, sub {
        if ($_[0] == 0) {
            talk_to $other;
            return data(api(GET => "/api/generation/$id", user => $user, headers => { Prefer => 'wait=60' }));
        }
        reached('park.after', for => $user);
        open_gate($user);
        kills_at($user, [$point, $user]);
        return end_of($user, $id, "points-$kind");
    });
    is $seen->{status}, $status, "killed at $point: a client that waits at another host gets: $status";
    credits_are $user, $status eq 'completed' ? 9 : 10, 0, '... charged once or not at all';
    is submissions("[$user]"), 1, '... and submitted once';
}
is $other->alarms, '', 'its log has no warning';
$other->stop;

# ---- what a request makes (4, 5) ----

for my $side (qw(before after)) {
    my $user  = account(10);
    my %again = (type => 'points-bytes', prompt => "[$user]");
    inject("create.$side", for => $user, kill => 1);
    is generate($user, {%again}, 'Idempotency-Key' => $user)->{status}, 599, "killed at create.$side: the client has no answer";
    my $id = kills_at($user, ["create.$side", $user]);
    is !!$id, $side eq 'after', $side eq 'after' ? '... there is a generation' : '... there is none';
    my $made = data(generate($user, {%again}, 'Idempotency-Key' => $user, Prefer => 'respond-async'));
    is $made->{generationId} // $made->{id}, $id, '... which the repeated call finds' if $id;
    $id //= $made->{id};
    is end_of($user, $id, 'points-bytes')->{status}, $side eq 'after' ? 'failed' : 'completed',
        $side eq 'after' ? '... nobody knows whether it was sent' : '... the repeated call makes it';
    credits_are $user, $side eq 'after' ? 10 : 9, 0, '... charged once or not at all';
    is submissions("[$user]"), $side eq 'after' ? 0 : 1, '... and submitted once or not at all';
}

# ---- a client that repeats with its key ----

{
    my $user  = account(10);
    my %again = (type => 'points-bytes', prompt => "[$user]");
    my @key   = ('Idempotency-Key' => $user);
    inject('generate.sent.after', for => $user, kill => 1);
    is generate($user, {%again}, @key, Prefer => 'wait=60')->{status}, 599,
        'killed at generate.sent.after: who waits there loses the connection';
    my $id  = id_of($user);
    my $pid = reached('generate.sent.after', for => $user);
    ok $pid && is_gone($pid), '... its child is gone';
    error_is generate($user, {%again}, @key), 409, 'IDEMPOTENCY_IN_PROGRESS', '... the key finds the generation while it lives';
    end_leases($user, $pid);
    ok wait_for(sub { !leader_of($id) }), '... its lease is over, and nobody leads it yet';
    error_is generate($user, {%again}, @key), 409, 'IDEMPOTENCY_IN_PROGRESS', '... the key finds it';
    credits_are $user, 10, 1, '... its credit is held';
    is end_of($user, $id, 'points-bytes')->{errorCode}, 'NETWORK_ERROR', '... it fails: it may have been sent';
    error_is generate($user, {%again}, @key), 500, 'GENERATION_FAILED', '... the key finds it when it has ended';
    credits_are $user, 10, 0, '... and it costs nothing';
    is submissions("[$user]"), 1, '... nothing was sent a second time';
}

# ---- a request that waits ----

for my $side (qw(before after)) {
    my $user = account(10);
    my $id   = later($user, { type => 'points-bytes', prompt => "{{poll=1 poll-gate=$user}} [$user]" });
    ok wait_for(sub { status_of($user, $id, 'points-bytes')->{stabilityJobId} }), 'a provider works';
    inject("park.$side", for => $user, kill => 1);
    my $res = api(GET => "/api/generation/$id", user => $user, headers => { Prefer => 'wait=1' });
    is $res->{status}, 200, "killed at park.$side: the request that waits is repeated by its client, and waits elsewhere";
    kills_at($user, ["park.$side", $user]);
    open_gate($user);
    is end_of($user, $id, 'points-bytes')->{status}, 'completed', '... its generation completes';
    credits_are $user, 9, 0, '... charged once';
}

# ---- a webhook of a client ----

for my $point (map { ("$_.before", "$_.after") } qw(delivery_claim deliver.read deliver.deliver deliver.settle delivery_note)) {
    my $user = account(10);
    my $hook = hook('ok', $user);
    my @for  = (for => $point =~ /claim/ ? 'pid-' . $httpd->pid : $user);
    inject($point, @for, kill => 1);
    generate($user, { type => 'points-drawn', prompt => "[$user]", webhookUrl => $hook }, Prefer => 'respond-async');
    my $pid = reached($point, @for);
    ok $pid && is_gone($pid), "killed at $point";
    withdraw($point, @for);
    my $id = id_of($user);
    is end_of($user, $id, 'points-drawn')->{status}, 'completed', '... the generation has completed';
    ok wait_for(sub { end_leases($user, $pid); !pending($id) }), '... the webhook is delivered';
    my %ids = map { $_->{header}{'webhook-id'} => 1 } deliveries($hook, 1);
    is join(' ', keys %ids), $id, '... under one id';
    credits_are $user, 9, 0, '... for one charge';
}

is_deeply [grep { !/GF0202/ } split /\n/, $httpd->alarms], [], 'the log has no warning but of what may have been sent';
$httpd->stop;
talk_to undef;
finish;

sub source_of {
    my ($name) = @_;
    return "$ENV{GENFLOW_FAKE}/_source/picture/" . $name =~ tr/-/_/r;
}

# The status of the address of its picture, and the digest of what it serves.
sub served {
    my ($job) = @_;
    my $res = api(GET => $job->{imageUrl} =~ s{\Ahttp://[^/]+}{}r);
    return "$res->{status} " . sha256_hex($res->{content});
}

# Where the picture of a generation is, and its digest; empty without one.
sub picture {
    my ($type, $id) = @_;
    my ($file) = glob "$ENV{GENFLOW_WORK}/store/$type/*/$id*" or return '';
    return "$file " . sha256_hex(Genflow::Site::read_text($file));
}

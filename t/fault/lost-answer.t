#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The connection to PostgreSQL dies between COMMIT and the answer: the module repeats the statement,
# and the client gets the answer of the first one. A generation that was made or started so begins
# at once, in the same child. No act takes place twice.
use Genflow::Admin;
use Genflow::Httpd;
use Genflow::Proxy;
use Genflow::Test;
use Genflow::TwoStep;

# Only this httpd, of one child, works on the type. A job that no child begins lies idle for a minute.
my $TYPE = 'lost-answer';
sql("SELECT genflow.create_type('$TYPE')");
my $proxy = Genflow::Proxy->postgres;
my $httpd = Genflow::Httpd->start(<<'END' . $proxy->params);
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowDispatchLease 60s
GenflowDispatchPoll 100ms
GenflowFetchAllow 127.0.0.1
GenflowSourceAllow 127.0.0.1
GenflowJanitorInterval 0s
<GenflowProvider fal>
    GenflowProviderUrl "${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 100ms
    GenflowProviderBreakerFailures 2
    GenflowProviderBreakerOpen 30s
</GenflowProvider>
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType lost-answer>
    GenflowTypeProviders fal/fal-ai/fast-sdxl local
    GenflowTypeCost 1
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
Include "${GENFLOW_WORK}/t/conf/admin.conf"
END
talk_to $httpd;

my $user = account(100);
my $lost = 0;
my @NEXT = (type => $TYPE);

# ---- made and started ----

my $res = losing('create', sub { one("plain of $user") });
is $res->{status}, 200, 'a generation is made and completes in its own request';
is $res->{headers}{'idempotency-replayed'}, undef, '... which is the first answer, no replay';
$res = losing('create', sub { one("keyed of $user", 'Idempotency-Key' => 'lost') });
is $res->{status}, 200, '... with a key of the client, too';
is one("keyed of $user", 'Idempotency-Key' => 'lost')->{headers}{'idempotency-replayed'}, 'true',
    '... and who repeats with that key gets a replay';
$res = losing('create_batch', sub { generate($user, { @NEXT, prompt => "batch of $user", n => 3 }, Prefer => 'wait=60') });
is_deeply [$res->{status}, map { $_->{status} } @{ data($res)->{batch} }], [200, ('completed') x 3],
    'three of one request are made and complete';
$res = losing('create', sub { create($user, { type => $TYPE, customPrompt => "two steps of $user",
        productImages => [] }) });
is $res->{status}, 201, 'generation/create makes one';
my $id = data($res)->{data}{generationId};
$res = losing('start', sub { start($user, $id, Prefer => 'wait=60') });
is_deeply [$res->{status}, data($res)->{data}{status}], [200, 'completed'],
    'generate starts it, and it completes';
error_is(start($user, $id), 400, 'INVALID_GENERATION_STATUS', '... once');
is scalar(map { submissions("$_ of $user") } qw(plain keyed)), 2, 'each was submitted once';
is submissions("two steps of $user"), 1, '... that one, too';

# ---- cancelled, deleted, made again ----

$id  = later($user, { @NEXT, prompt => "{{poll=30}} cancelled of $user" });
$res = losing('cancel', sub { api(POST => "/api/generation/$id/cancel", user => $user) });
is_deeply [$res->{status}, data($res)->{status}], [200, 'cancelled'], 'a generation is cancelled';
error_is(api(POST => "/api/generation/$id/cancel", user => $user), 400, 'INVALID_GENERATION_STATUS',
    '... once');
for my $act (qw(retry fallback)) {
    $res = losing('create', sub {
        api(POST => "/api/generation/$id/$act", user => $user, headers => { Prefer => 'wait=60' });
    });
    is $res->{status}, 201, "a $act makes it again";
    is data($res)->{status}, 'completed', '... and it begins at once';
}
$res = losing('delete', sub { api(DELETE => "/api/generation/$id", user => $user) });
is_deeply [$res->{status}, data($res)->{deleted}], [200, JSON::PP::true()], 'one is deleted';
error_is(api(DELETE => "/api/generation/$id", user => $user), 404, 'GENERATION_NOT_FOUND', '... once');

# ---- credits ----

my %run = (request_id => 'run', cost => 3);
$res = losing('reserve', sub { api(POST => '/api/credits-reserve', user => $user, json => \%run) });
is_deeply [$res->{status}, data($res)->{cost}], [200, 3], 'credits are reserved';
my %end = (request_id => 'run', disposition => 'refund');
$res = losing('reserve_finalize', sub { api(POST => '/api/credits-finalize', user => $user, json => \%end) });
is $res->{status}, 200, 'they are given back';
$res = api(POST => '/api/credits-finalize', user => $user, json => \%end);
is data($res)->{code}, 'ALREADY_PROCESSED', '... once';

# ---- other things of a user ----

my $template = data(api(POST => '/api/templates', user => $user, json => { name => 'one', config => {} }))->{id};
$res = losing('template_delete', sub { api(DELETE => "/api/templates/$template", user => $user) });
is $res->{status}, 200, 'a template is deleted';
my $asset = data(upload($user, png(3, 2)))->{id};
$res = losing('asset_delete', sub { api(DELETE => "/api/assets/$asset", user => $user) });
is $res->{status}, 200, 'a source picture is deleted';

# ---- administration ----

my %credit = (userId => $user, amount => 5, reason => 'test', reference => "given-$user");
$res = losing('admin_credit', sub { admin(POST => '/credits', json => \%credit) });
ok data($res)->{applied}, 'an administrator gives credits';
ok !data(admin(POST => '/credits', json => \%credit))->{applied}, '... once';
my $paid   = data(one("refunded of $user"))->{id};
my %refund = (generationId => $paid, reason => 'test', reference => "back-$user");
$res = losing('admin_refund', sub { admin(POST => '/refunds', json => \%refund) });
ok data($res)->{applied}, '... gives a charge back';
$id  = later($user, { @NEXT, prompt => "{{poll-hang}} ended of $user" });
$res = losing('admin_cancel', sub { admin(DELETE => "/jobs/$id") });
is_deeply [@{ data($res) }{qw(cancelled released)}], [JSON::PP::true(), 1], '... cancels a generation';
my $key = "lost-$$";
my %preset = (type => $TYPE, key => $key, label => 'Test', category => 'tests', prompt => 'soft light');
$res = losing('admin_preset_add', sub { admin(POST => '/presets', json => \%preset) });
is $res->{status}, 201, '... adds a preset';
$res = losing('admin_preset_edit', sub { admin(PUT => "/presets/$key?type=$TYPE", json => { label => 'Other' }) });
is data($res)->{preset}{label}, 'Other', '... edits it';
$res = losing('admin_preset_delete', sub { admin(DELETE => "/presets/$key?type=$TYPE") });
is $res->{status}, 200, '... deletes it';
$res = losing('admin_user_set', sub { admin(PUT => "/users/$user", json => { dayLimit => 1000 }) });
is $res->{status}, 200, '... limits a user';

# ---- jobs ----

for my $act (qw(attempt_begin accepted settle)) {
    my $prompt = "$act of $user";
    $id  = data(losing($act, sub { $act eq 'attempt_begin' ? started($prompt) : one($prompt) }))->{id};
    is submissions("$act of $user"), 1, "$act: the generation is submitted once";
    ok wait_for(sub { $httpd->log_text =~ /GF0405: job=\Q$id\E/ }), '... completes and is charged';
}
unlike $httpd->log_text, qr/GF0404.*: same/, 'no settle took its own first one for somebody else\'s';

# A claim, which takes ten jobs that a transaction leaves at that moment.
open my $psql, '|-', 'psql', '-Xqo', '/dev/null' or die "psql: $!\n";
$psql->autoflush(1);
print $psql "BEGIN;\n", map { <<"END" } 1 .. 10;
SELECT genflow.lost_answer_create('$user', 'queued-$_', '', NULL, NULL, '$_ queued by $user', NULL, '{}', $_, 1, 3::smallint,
    '10 min', NULL, '60 s');
END
ok wait_for(sub { sql1("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%queued-10%' AND state LIKE 'idle in%'") }),
    'ten jobs are about to be queued';
$proxy->order('lose_answer', 'claim');
print $psql "COMMIT;\n";
close $psql;
my $all = wait_for { submissions("queued by $user") >= 10
    && !rows_of($user, 'genflow.work') };
ok $all, 'a claim: its jobs begin at once';
is submissions("queued by $user"), 10, '... each once';
$lost++;

# A note to the breaker.
$proxy->order('lose_answer', 'breaker_note');
is generate($user, { @NEXT, prompt => "{{status=500}} broken of $user", maxRetries => 0 },
    Prefer => 'wait=60')->{status}, 200, 'a model fails, the next one of the chain completes';
$lost++;
is sql1("SELECT failures, open_until FROM genflow.breakers WHERE model = 'fal-ai/fast-sdxl'"), '1|',
    'its failure counts once, and its breaker stays closed';

# ---- all of it ----

is_deeply [grep { !/ ok\z/ } $proxy->events], [], 'every lost answer was a success';
is scalar(my @events = $proxy->events), $lost, "there were $lost of them";
my $left = rows_of($user, 'genflow.work');
is $left, 0, 'nothing is left behind';
talk_to undef;

finish;

# A generation, waited for.
sub one {
    my ($prompt, %headers) = @_;
    return generate($user, { @NEXT, prompt => $prompt }, Prefer => 'wait=60', %headers);
}

# The same, made before it is started: create records no intent for it.
sub started {
    my ($prompt) = @_;
    my $started = start($user, made($user, { type => $TYPE, customPrompt => $prompt, productImages => [] }),
        Prefer => 'wait=60');
    return { %$started, content => JSON::PP::encode_json({ id => data($started)->{data}{generationId} }) };
}

# What the function returns, while the first answer of that statement is lost.
sub losing {
    my ($statement, $function) = @_;
    $proxy->order('lose_answer', $statement);
    my $result = $function->();
    $lost++;
    is scalar(my @events = $proxy->events), $lost, "the answer of $statement was lost";
    return $result;
}

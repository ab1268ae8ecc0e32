#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What a client of the older systems may send again: the run of a completed picture is that picture,
# of one under way it waits for it, of a failed one it makes a new one, which is the newest. Bodies
# that differ only in sender, times or notes are the same request. A call waits for its picture, also
# where the provider has a queue.
use Genflow::Test;

use JSON::PP ();

my $OLD  = '/.netlify/functions';
my $user = account(60);
my $runs = 0;

# ---- waiting ----

for my $type (qw(echo-fal echo-aiml)) {
    my $res = make($type, { prompt => "a queued cat $$ {{poll=3}}" });
    my $job = data($res);
    is_deeply [$res->{status}, $job->{status}], [200, 'completed'], "$type: a call waits for its picture"
        or diag $res->{content};
    ok $job->{imageUrl}, '... and gets it';
}
is api(POST => '/api/echo-fal/generate', user => $user, json => { prompt => "a queued cat $$ {{poll=30}}" })->{status},
    202, 'at the API a call waits until the provider has it';
my $hanging = "a hanging cat {{poll-gate=again$$}}";
my $gate    = "again$$";                                   # of this process, not of a worker's
my $short   = make('echo-fal', { prompt => $hanging }, Prefer => 'wait=1');
is $short->{status}, 202, 'a client that names its time is answered in time';
my $hangs = data($short);

# ---- the same run ----

my @all = in_parallel(3, sub {
    open_gate($gate) if !$_[0];
    my $res = make('echo-fal', { prompt => $hanging, runId => $hangs->{runId} });
    return [$res->{status}, @{ data($res) }{qw(id status)}];
});
is_deeply \@all, [([200, $hangs->{id}, 'completed']) x 3], 'a run that is under way is waited for';
is submissions($hanging), 1, '... and sent once';

my %body = (prompt => "the same cat $$", presetKey => 'visor', runId => "same-$$", strength => 0.4);
my $first = data(make('neo-glitch', {%body}));
my @SAME = (
    {}, { userId => 'x' }, { userId => 7 }, { timestamp => 1 }, { timestamp => '2026-08-31T00:00:00Z' },
    { generationMeta => { userId => 'x', at => 5 } }, { generationMeta => 'x' }, { meta => [1], createdAt => 'x' },
);
for my $more (@SAME) {
    my $res = make('neo-glitch', { %body, %$more });
    is_deeply [$res->{status}, data($res)->{id}], [200, $first->{id}],
        'the same again with ' . JSON::PP->new->canonical->encode($more);
}
my $other_way = api(POST => "$OLD/neo-glitch-generate", user => $user, headers => { 'Content-Type' => 'application/json' },
    body => qq({"strength": 0.4, "runId":"same-$$",  "presetKey":"visor","prompt":"the same cat $$"}));
is data($other_way)->{id}, $first->{id}, '... in another order';
for my $more ({ prompt => 'another cat' }, { presetKey => 'base' }, { strength => 0.3 }, { seed => 5 }) {
    error_is(make('neo-glitch', { %body, %$more }), 422, 'IDEMPOTENCY_MISMATCH',
        'another request under its run id is refused: ' . join ' ', %$more);
}
is submissions("the same cat $$"), 1, 'it was sent once';

# ---- a run that failed ----

expect_log('GF0203');
my $who = account(3);
my %fails = (prompt => "a failing cat $$ {{status=400 times=2}}", presetKey => 'base', runId => "fails-$$");
my @bad = map { make_as($who, 'neo-glitch', {%fails}) } 1, 2;
is_deeply [map { $_->{status} } @bad], [500, 500], 'a run fails, and is retried';
isnt data($bad[0])->{id}, data($bad[1])->{id}, '... each time as a new generation';
my $good = make_as($who, 'neo-glitch', {%fails});
is_deeply [$good->{status}, data($good)->{status}], [200, 'completed'], '... until it completes';
credits_are $who, 2, 0, '... and is charged once';
is data(api(POST => "$OLD/neo-glitch-status", user => $who, json => { runId => "fails-$$" }))->{id}, data($good)->{id},
    'its run id is that of the newest';
is data(make_as($who, 'neo-glitch', {%fails}))->{id}, data($good)->{id}, '... and repeats that';
is submissions("a failing cat $$"), 3, 'three were sent';
my $changed = account(3);
make_as($changed, 'neo-glitch', { prompt => 'a cat {{status=400}}', presetKey => 'base', runId => "changed-$$" });
is make_as($changed, 'neo-glitch', { prompt => 'another cat', presetKey => 'visor', runId => "changed-$$" })->{status},
    200, 'after a failure the request may be another one';
credits_are $changed, 2, 0, '... charged once';
my $poor = account(1);
make_as($poor, 'neo-glitch', { prompt => 'a cat {{status=400}}', presetKey => 'base', runId => "poor-$$" });
sql("UPDATE genflow.accounts SET day_limit = 0 WHERE name = :'user'", user => $poor);
error_is(make_as($poor, 'neo-glitch', { prompt => 'a cat', presetKey => 'base', runId => "poor-$$" }), 429,
    'QUOTA_EXCEEDED', 'a retry that may not be made says why');
my $race = account(9);
my %raced = (prompt => "a raced cat $$ {{status=400 times=1}}", presetKey => 'base', runId => "race-$$");
make_as($race, 'neo-glitch', {%raced});
my @at_once = in_parallel(4, sub { my $res = make_as($race, 'neo-glitch', {%raced}); return [$res->{status}, data($res)->{id}] });
is_deeply \@at_once, [($at_once[0]) x 4], 'retries at once are one generation';
is $at_once[0][0], 200, '... that completes';
credits_are $race, 8, 0, '... and is charged once';
error_is(api(POST => '/api/neo-glitch/generate', user => $race, json => { prompt => 'a cat {{status=400}}',
    presetKey => 'base', runId => "api-$$" }), 500, 'GENERATION_FAILED', 'at the API a failed run id ...');
my $api = api(POST => '/api/neo-glitch/generate', user => $race,
    json => { prompt => 'a cat {{status=400}}', presetKey => 'base', runId => "api-$$" });
is $api->{headers}{'idempotency-replayed'}, 'true', '... stays that of its generation';

# ---- no preset ----

my $none = make('neo-glitch', { prompt => "no preset $$", presetKey => 'default' });
is_deeply [$none->{status}, data($none)->{preset}], [200, undef], 'the preset default is none' or diag $none->{content};
is((prompts_sent("no preset $$"))[0], "no preset $$", '... so that the prompt is sent as it is');
my $empty = make('neo-glitch', { presetKey => 'default' });
error_is($empty, 422, 'VALIDATION_FAILED', '... and needs one');
is_deeply data($empty)->{missingFields}, ['prompt'], '... which the answer names';
error_is(make('neo-glitch', { prompt => 'x', presetKey => 'Default' }), 422, 'INVALID_PRESET', 'Default is no preset');
error_is(api(POST => '/api/neo-glitch/generate', user => $user, json => { prompt => 'x', presetKey => 'default' }), 422,
    'INVALID_PRESET', 'nor is default at the API');

# ---- what is shown of a picture ----

my $preset = data(api(GET => '/api/presets?type=presets', user => $user))->{data}{presets}[0];
my $reply   = data(make('presets', { prompt => 'a cat', presetKey => $preset->{key} }));
is_deeply $reply->{presetInfo}, { name => $preset->{label}, map { $_ => $preset->{$_} } qw(description category week rotationIndex) },
    'a preset is shown with its picture';
my $custom = data(make('custom-prompt', { prompt => "my own long words $$" }));
like $custom->{customPrompt}, qr/my own long words $$/, 'and so are the words of custom-prompt';
is_deeply [@$custom{qw(ok status fallbackUsed attemptCount)}], [JSON::PP::true(), 'completed', JSON::PP::false(), 1],
    '... with what clients read besides';

finish;

sub make {
    my ($type, $json, %headers) = @_;
    return make_as($user, $type, $json, %headers);
}

sub make_as {
    my ($who, $type, $json, %headers) = @_;
    return api(POST => "$OLD/$type-generate", user => $who, headers => \%headers,
        json => { runId => 'run-' . ++$runs . "-$$", %$json });
}

# The prompts that reached the fake.
sub prompts_sent {
    my ($text) = @_;
    my $res = HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_submissions?match=" . $text =~ s/ /%20/gr);
    return map { $_->{prompt} } @{ data($res) };
}

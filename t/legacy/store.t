#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The third system's page, unchanged: it uploads pictures, creates a generation with the addresses that
# the uploads returned, starts it, and reads the live record to its end.
use Genflow::Test;

my $AT = '/store/api';
my $user = account(20);

my @uploads = map { data(api(POST => "$AT/assets", user => $user, body => png(40 + $_, 40),
    headers => { 'Content-Type' => 'image/png' })) } 1 .. 2;
is_deeply [grep { !$_->{url} } @uploads], [], 'pictures are uploaded';
my %wish = (productImages => [map { $_->{url} } @uploads], modelImages => [], customPrompt => 'on a beach',
    style => 'realistic', quality => 'auto', aspectRatio => '1:1', type => 'openai-source',
    parameters => { guidance_scale => 7.5, num_inference_steps => 50, strength => 0.8, seed => 11 });

# ---- create, start, read ----

my $res  = api(POST => "$AT/generation/create", user => $user, json => \%wish);
my $made = data($res)->{data};
is $res->{status}, 201, 'a generation is created' or diag $res->{content};
is_deeply [@$made{qw(status message)}], ['pending', 'Generation record created successfully'], '... and waits';
ok $made->{estimatedCost} && $made->{prompt}, '... with its price and its prompt';
$res = api(POST => "$AT/generate", user => $user, json => { generationId => $made->{generationId} });
is_deeply [$res->{status}, @{ data($res)->{data} }{qw(generationId status resultImages message)}],
    [200, $made->{generationId}, 'processing', [], 'Generation processing started successfully'], 'it is started';
my $live;
wait_for { $live = data(api(GET => "$AT/generation/$made->{generationId}", user => $user)); $live->{finishedAt} };
is_deeply [@$live{qw(status tokensUsed)}, scalar @{ $live->{resultImages} }], ['completed', 1, 1],
    'the live record ends with its picture' or diag JSON::PP->new->encode($live);
credits_are $user, 19, 0, '... for one charge';
is submissions('on a beach'), 1, '... from both pictures, submitted once';

# ---- slow, failing, filtered ----

expect_log qw(GF0203);
for my $case (['{{delay=700}}', 'completed', 18], ['{{status=400}}', 'failed', 18],
    ['{{status=400 type=moderation_blocked}}', 'failed', 18]) {
    my ($script, $status, $left) = @$case;
    my $new = data(api(POST => "$AT/generation/create", user => $user, json => { type => 'openai-source',
        productImages => [$uploads[0]{url}], customPrompt => "$script of $user" }))->{data}{generationId};
    $res = api(POST => "$AT/generate", user => $user, json => { generationId => $new });
    is data($res)->{data}{status}, 'processing', "$script is started";
    wait_for { $live = data(api(GET => "$AT/generation/$new", user => $user)); $live->{finishedAt} };
    is $live->{status}, $status, "... and ends $status";
    credits_are $user, $left, 0, '... and is charged once, or not at all';
}

# ---- the models that the page names ----

for my $case (['openai-source', 'gpt-image-1', 'gpt-image-1'], ['openai-source', 'gpt-4-vision-enhanced', 'gpt-image-1'],
    ['gallery', 'gpt-image-1', 'fal-ai/ghiblify'], ['gallery', 'gpt-4-vision-enhanced', 'fal-ai/ghiblify']) {
    my ($type, $model, $made_by) = @$case;
    $res = api(POST => "$AT/generation/create", user => $user, json => { type => $type, model => $model,
        productImages => ["$ENV{GENFLOW_FAKE}/_source/picture/3"], customPrompt => "by $model for $user" });
    is $res->{status}, 201, "$type takes the model $model" or diag $res->{content};
    my $new = data($res)->{data}{generationId} // next;
    is data($res)->{data}{parameters}{model}, 'gpt-image-1', '... as gpt-image-1';
    api(POST => "$AT/generate", user => $user, json => { generationId => $new });
    wait_for { $live = data(api(GET => "$AT/generation/$new", user => $user)); $live->{finishedAt} };
    is_deeply [@$live{qw(status model)}], ['completed', $made_by], "... and $made_by makes it";
}
credits_are $user, 14, 0, '... each for one charge';
for my $at ($AT, '/api') {
    is api(POST => "$at/generation/create", user => $user, json => { type => 'openai-source', model => $_,
        productImages => [$uploads[0]{url}] })->{status}, 400, "another model is refused: $_ at $at"
        for $at eq $AT ? 'gpt-9' : ('gpt-9', 'gpt-4-vision-enhanced');
}

# ---- errors ----

my %again = (json => { generationId => $made->{generationId} });
error_is(api(POST => "$AT/generate", user => $user, %again), 400, 'INVALID_GENERATION_STATUS', 'it starts once');
error_is(api(POST => "$AT/generate", user => account(0), %again), 403, 'UNAUTHORIZED', "another's is not started");
error_is(api(POST => "$AT/generate", user => $user, json => { generationId => 'x' }), 404, 'GENERATION_NOT_FOUND', 'nor an unknown one');
error_is(api(POST => "$AT/generation/create", user => account(0), json => { %wish, productImages => [$wish{productImages}[0]] }),
    403, 'UNAUTHORIZED', "another's upload is another's");
error_is(api(POST => "$AT/generation/create", user => account(0), json => { %wish, productImages => ["$ENV{GENFLOW_FAKE}/_source/picture/1"] }),
    400, 'INSUFFICIENT_TOKENS', 'too few credits are too few tokens');
error_is(api(POST => "$AT/generation/create", json => \%wish), 401, 'AUTHENTICATION_REQUIRED', 'users alone create');
for my $bad ([productImages => 'x'], [productImages => []], [productImages => [7]], [modelImages => 7], [style => 7], [quality => {}],
    [aspectRatio => '2:1'], [customPrompt => 7], [customPrompt => 'x' x 501]) {
    my $reply = api(POST => "$AT/generation/create", user => $user, json => { %wish, @$bad });
    error_is($reply, 400, 'VALIDATION_ERROR', "a bad $bad->[0] is refused");
    is_deeply [map { $_->{field} } @{ data($reply)->{validationErrors} }], [$bad->[0]], '... by name';
}
credits_are $user, 14, 0, 'nothing is held for what is refused';
is_deeply [broken_rules()], [], 'the books are sound';

finish;

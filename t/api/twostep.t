#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# In two steps: a call makes a generation that waits with its credits held, another starts it and
# answers like every call that starts one. The old body does both in one; a dry run does neither.
use Genflow::Test;
use Genflow::TwoStep;

my $user = account(200);

# ---- made ----

my $tag  = "the shoe of $user";
my $res  = create($user, {
    type => 'neo-glitch', customPrompt => $tag, style => 'minimal', quality => 'high',
    aspectRatio => '16:9', productImages => [$IMAGE],
    model => 'sd3', parameters => { seed => 2_147_483_647, strength => 0.1 }, runId => 'run-a',
});
my $made = data($res)->{data};
my $id   = $made->{generationId};
is $res->{status}, 201, 'a generation is made';
is data($res)->{success}, JSON::PP::true(), 'with success';
is_deeply [@$made{qw(status estimatedCost tokensUsed startedAt runId resultImages seed)}],
    ['pending', 1, 0, undef, 'run-a', [], 2_147_483_647], 'it waits';
like $made->{message}, qr/\S/, 'and the answer says so';
is $made->{prompt}, "product photograph of the product in the picture, $tag, minimalist composition, plain background, few elements,"
    . ' generous empty space, intricate detail, sharp focus, high resolution, wide 16:9 composition',
    'its prompt is composed of all that was said';
is_deeply $made->{parameters}, {
    strength => 0.1, guidance_scale => 7.5, num_inference_steps => 50, aspect_ratio => '16:9',
    seed => 2_147_483_647, model => 'sd3', productImages => [$IMAGE], style => 'minimal', customPrompt => $tag,
}, 'its parameters are those given and the usual ones';
credits_are $user, 200, 1, 'its cost is held';
is submissions($tag), 0, 'no provider gets a request';
my $seen = status_of($user, $id);
is_deeply [@$seen{qw(status pollUrl)}], ['pending', "/api/neo-glitch/status?id=$id"],
    'its status can be looked at';
is sql1("SELECT phase, lease_owner, due_at = deadline_at, deadline_at - now() BETWEEN interval '29'
    minute AND interval '30' minute FROM genflow.work WHERE job_id = :'id'", id => $id),
    'pending||t|t', 'it has half an hour';

# ---- started ----

my $begun = start($user, $id);
my $done  = data($begun)->{data};
is $begun->{status}, 200, 'it is started';
is_deeply [@$done{qw(generationId status tokensUsed)}, scalar @{ $done->{resultImages} }],
    [$id, 'completed', 1, 1], 'a provider that answers at once completes it at once';
is submissions($tag), 1, 'it got one submission';
credits_are $user, 199, 0, 'and one credit is gone';
my $twice = start($user, $id);
error_is($twice, 400, 'INVALID_GENERATION_STATUS', 'it cannot be started again');
is_deeply [@{ data($twice) }{qw(status generationId)}], ['completed', $id], 'the response has its status';

my $slow = made($user, { customPrompt => "slow of $user {{gate=$user}}" });
my $run  = start($user, $slow, Prefer => 'respond-async');
is_deeply [$run->{status}, @{ data($run)->{data} }{qw(status resultImages)}], [200, 'processing', []],
    'who does not wait hears that it runs';
is data($run)->{data}{pollUrl}, "/api/neo-glitch/status?id=$slow", 'and where to look';
ok data($run)->{data}{startedAt}, 'it has started';
error_is(start($user, $slow), 400, 'INVALID_GENERATION_STATUS', 'while it runs it is not started');
open_gate($user);
my $end = api(GET => "/api/neo-glitch/status?id=$slow", user => $user,
    headers => { Prefer => 'wait=60' });
is data($end)->{status}, 'completed', 'and it ends like any other';

expect_log('GF0203');
my $bad = start($user, made($user, { customPrompt => "refused of $user {{status=400 times=1}}" }));
error_is($bad, 500, 'GENERATION_FAILED', 'a failure within the wait has the usual error');
credits_are $user, 198, 0, 'and costs nothing';

# ---- in one step ----

my $old = data(one_step($user, {
    type => 'neo-glitch', prompt => "one step of $user", presetKey => 'base' }));
is_deeply [@{ $old->{data} }{qw(status preset type)}], ['completed', 'base', 'neo-glitch'],
    'a body of prompt, preset and type is made and started in one';
my $shoe = data(one_step($user, { type => 'neo-glitch', productImages => [$IMAGE] }))->{data};
is_deeply [@$shoe{qw(status prompt)}],
    ['completed', 'product photograph of the product in the picture'], 'and so is a create body';
credits_are $user, 196, 0, 'for one credit each';
my $repaint = data(create($user, {
    type => 'sketch-source', productImages => [$IMAGE] }))->{data};
is $repaint->{sourceUrl}, $IMAGE, 'a type that takes a picture gets that of the product';

# ---- a dry run ----

my $dry = data(create($user, { customPrompt => "dry of $user" }, query => '?dryRun=1'));
is_deeply [@$dry{qw(estimatedCost provider)}, $dry->{prompt} =~ /dry of/], [1, 'stability', 1],
    'a dry run of a create returns the price';
my $wait = made($user, {});
my $priced  = data(start($user, $wait, query => '?dryRun=1'));
is $priced->{estimatedCost}, 1, 'and so does one of a start';
is status_of($user, $wait)->{status}, 'pending', 'which starts nothing';
error_is(start($user, $id, query => '?dryRun=1'), 400, 'INVALID_GENERATION_STATUS',
    'and is refused where the start would be');

finish;

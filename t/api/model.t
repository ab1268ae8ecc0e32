#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The `model` of a two-step body says which link of its type's chain begins; those behind it are its
# fallbacks, those before it get no request. One that the chain does not have is refused.
use Genflow::Test;
use Genflow::TwoStep;

my $user  = account(50);
# stability/sd3, then local; takes no picture
my %RELAY = (type => 'relay', productImages => [], customPrompt => "relay of $user");

my @CASES = (    # model, what the prompt says besides, who draws, after a fallback, providers before it
    [undef,          '',               'stability', 0, 1],
    ['sd3',          '',               'stability', 0, 1],
    ['sd3',          '{{status=400}}', 'local',     1, 1],
    ['local',        '{{status=400}}', 'local',     0, 0],
);
for my $case (@CASES) {
    my ($model, $more, $provider, $fallback, $sent) = @$case;
    my $name = ($model // 'no model') . ($more && " where the first fails");
    my $tag  = "$name of $user";
    my %body = (%RELAY, customPrompt => "$tag $more", $model ? (model => $model) : ());
    my $dry  = data(create($user, \%body, query => '?dryRun=1'));
    is $dry->{provider}, $model && $model eq 'local' ? 'local' : 'stability', "$name: the response names the first provider";
    my $id   = made($user, \%body);
    is status_of($user, $id, 'relay')->{fallbackUsed}, JSON::PP::false(), '... no fallback yet';
    my $done = data(start($user, $id, Prefer => 'wait=60'))->{data};
    is_deeply [@$done{qw(status provider)}, $done->{fallbackUsed} ? 1 : 0],
        ['completed', $provider, $fallback], "... it is drawn by $provider";
    is submissions($tag), $sent, '... and no other provider gets a request';
}
my $whole = data(one_step($user, { %RELAY, model => 'stability/sd3' },
    Prefer => 'wait=60'));
is $whole->{data}{provider}, 'stability', 'a model may be named with its provider; one step does, too';

# ---- again ----

my $id = made($user, { %RELAY, model => 'local', customPrompt => "again of $user" });
api(POST => "/api/generation/$id/cancel", user => $user);
my $again = data(api(POST => "/api/generation/$id/retry", user => $user,
    headers => { Prefer => 'wait=60' }));
is_deeply [@$again{qw(status provider)}, submissions("again of $user")], ['completed', 'local', 0],
    'a retry begins with the same model';

# ---- while it lives ----

my $slow = later($user, { type => 'lens', prompt => "{{status=503 times=1 poll-gate=$user}} slow of $user" });
my $retried = wait_for { my $now = status_of($user, $slow, 'lens'); $now->{retryCount} && $now };
is $retried->{fallbackUsed}, JSON::PP::false(),
    'one that begins behind models that do not fit, and is retried, has not fallen back';
api(POST => "/api/generation/$slow/cancel", user => $user);

# ---- refused ----

my $before = credits($user);
for my $bad ('sd3.5', 'aiml/sd3', 'SD3', 'relay', '') {
    my $res = create($user, { %RELAY, model => $bad });
    error_is($res, 400, 'VALIDATION_ERROR', "no model of the chain: '$bad'");
    is_deeply data($res)->{validationErrors}, [{ field => 'model', message => 'must be one of sd3, local' }],
        'and the response lists the models';
}
for my $bad ({ model => 'sd3.5' }, { parameters => { model => 'sd3.5' } }, { parameters => { model => 7 } },
    { model => ['local'] }, { model => 'sd3.5', parameters => { model => 'local' } }) {
    my $res = generate($user, { type => 'relay', presetKey => undef, %$bad });
    if ($bad->{model} && $bad->{parameters}) {
        is $res->{status}, 200, 'among the parameters it counts before the one beside the prompt';
        $before->[0] -= 2;
        next;
    }
    error_is($res, 422, 'VALIDATION_FAILED', 'a one-step body with no model of the chain');
    is_deeply data($res)->{validationErrors}, [{ field => 'model', message => 'must be one of sd3, local' }],
        '... the response lists the models';
}
is_deeply credits($user), $before, 'nothing is held for them';
for my $good ({ model => 'local' }, { parameters => { model => 'local' } }) {
    my $res = generate($user, { type => 'relay', presetKey => undef, %$good });
    is data($res)->{provider}, 'local', 'a one-step body names the model that begins, too';
}

# ---- a webhook that comes with the start ----

my $pending = data(create($user, { %RELAY, model => 'local' }))->{data}{generationId};
for my $path ('/api/generate', '/.netlify/functions/generate') {
    my $res = api(POST => $path, user => $user,
        json => { generationId => $pending, webhookUrl => 'http://127.0.0.1:9/x' });
    is "$res->{status} " . data($res)->{validationErrors}[0]{field}, '422 webhookUrl',
        "a webhookUrl of a start is refused at $path";
}
is status_of($user, $pending, 'relay')->{status}, 'pending', '... and nothing is started';

finish;

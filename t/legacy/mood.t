#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The second system's page, unchanged: it posts a mood, polls the job, shows its picture, and retries a
# failed job by posting its `input` again. It has no sign-in: users are its visitors' addresses.
use Genflow::Test;

my $AT = '/mood/api';
my $user = account(40);
my %mood = (mood => 'calm', duration => 90, motifTags => ['sea', 'fog'], stylePreset => 'abstract-oil', seed => 7,
    valence => 0.5, arousal => -0.25, focus => 'x', confidence => 0.875);

# ---- post, poll, show ----

my $res = api(POST => "$AT/image/generate", user => $user, json => \%mood);
is_deeply [$res->{status}, @{ data($res) }{qw(status message)}], [202, 'queued', 'Image generation started'],
    'a mood is taken';
my $id  = data($res)->{jobId};
my $job = poll($id);
is $job->{status}, 'succeeded', 'the page polls the job until it has succeeded' or diag JSON::PP->new->encode($job);
is_deeply $job->{input}, \%mood, '... its input is what was sent, flat';
is_deeply $job->{inputSummary}, { mood => 'calm', duration => 90, stylePreset => 'abstract-oil', seed => 7 },
    '... and its summary';
is $job->{maxRetries}, 3, '... of three retries';
is api(GET => $job->{resultUrl} =~ s{\Ahttp://[^/]+}{}r)->{status}, 200, '... and shows its picture';
credits_are $user, 38, 0, '... for its price';
my $prompt = sql1("SELECT prompt FROM custom_prompt_media WHERE id = :'id'", id => $id);
like $prompt, qr/calm/, 'the prompt has the mood';
like $prompt, qr/balanced, moderate detail/, '... what the duration means';
like $prompt, qr/sea, fog/, '... the motifs';
like $prompt, qr/abstract oil painting/, '... and the style';
for my $case ([30, 'simple, minimalist'], [500, 'complex, intricate, detailed']) {
    my ($duration, $words) = @$case;
    my $one = data(api(POST => "$AT/image/generate", user => $user, json => { mood => 'wild', duration => $duration }))->{jobId};
    like sql1("SELECT prompt FROM custom_prompt_media WHERE id = :'id'", id => $one), qr/\Q$words/, "a duration of $duration is $words";
    poll($one);
}

# ---- a retry is the same once more ----

my $again = data(api(POST => "$AT/image/generate", user => $user, json => $job->{input}))->{jobId};
isnt $again, $id, 'its input posted again is another job';
is_deeply poll($again)->{input}, \%mood, '... of the same input';

# ---- what is refused ----

my $before = credits($user);
$res = api(POST => "$AT/image/generate", user => $user, json => { duration => 90 });
is_deeply [$res->{status}, data($res)->{error}], [400, 'mood is required'], 'a mood is required';
for my $bad ({ mood => 7 }, { mood => '' }, { mood => [] }, { mood => undef }) {
    is api(POST => "$AT/image/generate", user => $user, json => $bad)->{status}, 400, 'a mood is a text';
}
is api(POST => "$AT/image/generate", user => $user, json => { mood => 'x', junk => 'y' x 9000 })->{status}, 400, 'a body is of moderate size';
for my $odd ({ duration => 'long' }, { duration => {} }, { motifTags => 7 }, { motifTags => [{}] }, { stylePreset => 7 },
    { stylePreset => 'unheard-of' }, { mood => '{duration}' }, { seed => -1 }) {
    my $reply = api(POST => "$AT/image/generate", user => $user, json => { mood => 'calm', %$odd });
    like $reply->{status}, qr/\A(?:202|400|422)\z/, 'an odd member is taken or refused: ' . JSON::PP->new->canonical->encode($odd);
    poll(data($reply)->{jobId}) if $reply->{status} == 202;
}
$res = api(GET => "$AT/job/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", user => $user);
is_deeply [$res->{status}, data($res)->{error}], [404, 'Job not found'], 'an unknown job is not found';
is api(GET => "$AT/job/$id", user => account(0))->{status}, 403, "another's job is another's";
is_deeply [broken_rules()], [], 'the books are sound';

finish;

sub poll {
    my ($job) = @_;
    my $reply;
    wait_for {
        $reply = data(api(GET => "$AT/job/$job", user => $user));
        $reply->{status} !~ /\A(?:queued|running)\z/;
    };
    return $reply;
}

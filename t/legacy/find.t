#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Clients of older systems find a generation by any id that they have of it, under any of their names,
# by GET and POST, at the address of its status and at the one that made it. Its ids are never null.
# A user does not find that of another user.
use Genflow::Test;

use JSON::PP ();

my $OLD  = '/.netlify/functions';
my $JSON = JSON::PP->new->utf8->canonical;
my $user = account(40);
my @IDS  = qw(stabilityJobId aimlJobId falJobId);

# ---- a run under way, and at its end ----

my $run  = '0b6f1c9e-4a54-4d7c-9a3d-' . sprintf '%012x', $$;
my $made = post('echo-fal-generate', { prompt => "a fal cat {{poll-gate=find$$}}", runId => $run },
    Prefer => 'respond-async');
my $job = data($made);
is $made->{status}, 202, 'a run is under way';
is_deeply [map { $job->{$_} } @IDS], [($job->{id}) x 3], 'its ids are ours until the provider has one';
is_deeply [@$job{qw(jobId runId status)}], [$job->{id}, $run, 'processing'], '... beside the others';
# A few names: its provider has 8 seconds for it.
found('under way, by our id', 'echo-fal', $job->{id}, 'pending|processing', $job->{id}, qw(jobId falJobId));
found('under way, by its run id', 'echo-fal', $run, 'pending|processing', $job->{id}, qw(runId id));
open_gate("find$$");
ok wait_for(sub { data(old(GET => "echo-fal-status?jobId=$job->{id}"))->{status} eq 'completed' }),
    'it completes';
my $end = data(old(GET => "echo-fal-status?jobId=$job->{id}"));
isnt $end->{falJobId}, $job->{id}, 'it has the id of the provider';
is_deeply [map { $end->{$_} } qw(stabilityJobId aimlJobId)], [($job->{id}) x 2], '... for that kind alone';
my %NAME = (
    'our id'                => $job->{id},
    'our id in capitals'    => uc $job->{id},
    'its run id'            => $run,
    "the provider's id"     => $end->{falJobId},
    'stability_ its run id' => "stability_$run",
    'unknown_ its run id'   => "unknown_$run",
    'stability_ our id'     => "stability_$job->{id}",
);
found($_, 'echo-fal', $NAME{$_}, 'completed', $job->{id}) for sort keys %NAME;

my $plain = data(post('neo-glitch-generate',
    { prompt => 'a cat', presetKey => 'base', runId => "my_run_$$" }));
found('a run id with _', 'neo-glitch', "my_run_$$", 'completed', $plain->{id});
is_deeply [map { data(old(GET => "neo-glitch-status?jobId=$plain->{id}"))->{$_} } @IDS],
    [map { $plain->{$_} } @IDS], 'its ids stay';
ok !(grep { !defined } map { $plain->{$_} } @IDS), '... and none is null';

# ---- what a status has ----

my $status = data(post('echo-fal-status', { jobId => $job->{id} }));
is_deeply [@$status{qw(id status sourceUrl preset prompt error details)}, $status->{generationMeta}],
    [$job->{id}, 'completed', undef, undef, "a fal cat {{poll-gate=find$$}}", undef, undef,
    { userId => $user, prompt => $status->{prompt} }], 'it has what was requested';
is $status->{cloudinaryUrl}, $status->{imageUrl}, '... and the picture, under both names';
like $status->{imageUrl}, qr{\Ahttp://}, '... with an address';
like $status->{jobAge}, qr/\A\d+s\z/, '... and its age';
like $status->{createdAt}, qr/\A\d{4}-/, '... and its beginning';
ok length $status->{message}, '... in words';
my $saved = data(post('neo-glitch-generate', { stabilityJobId => $plain->{stabilityJobId},
    presetKey => 'base', sourceUrl => 'https://a.example/b.png', cloudinaryUrl => $plain->{imageUrl} }));
is_deeply [@$saved{qw(success mediaId status)}], [JSON::PP::true(), $plain->{id}, 'completed'],
    'what a page saves is there';

expect_log('GF0203');
my $bad = post('neo-glitch-generate',
    { prompt => 'a cat {{status=400}}', presetKey => 'base', runId => "bad-$$" });
error_is($bad, 500, 'GENERATION_FAILED', 'a generation fails');
$bad = data(post('neo-glitch-status', { runId => "bad-$$" }));
is $bad->{status}, 'failed', '... and its status says so';
ok length $bad->{error} && length $bad->{details}, '... and why';
my $gone = later($user, { prompt => "a cat {{poll-hang}}" });
api(POST => "/api/generation/$gone/cancel", user => $user);
is data(post('neo-glitch-status', { jobId => $gone }))->{status}, 'failed',
    'what was cancelled has failed, for clients that know no other word';

# ---- what is not there ----

my $unknown_id = '01a1fc7d-bbf5-7c3a-8e9f-0100824fa663';
for my $id ($unknown_id, 'unknown_x', 'x', 'stability_', '%', "it's", 'x' x 5000, '_', "\x{fc}") {
    my $what = length $id > 20 ? length($id) . ' letters' : $JSON->encode([$id]);
    my $none = post('neo-glitch-status', { stabilityJobId => $id });
    is_deeply [$none->{status}, @{ data($none) }{qw(status imageUrl)}], [200, 'not_found', undef],
        "$what is not found";
    my $other = post('presets-status', { jobId => $id });
    error_is($other, 404, 'NOT_FOUND', '... which is an error at other types');
    is data($other)->{status}, 'not_found', '... that says so, too';
}
error_is(post('neo-glitch-generate', { jobId => $unknown_id }), 404, 'NOT_FOUND', 'nothing is made for it');
error_is(old(GET => "presets-generate?jobId=$unknown_id"), 404, 'NOT_FOUND', '... by GET either');
for my $body ({}, { jobId => '' }, { jobId => 7 }, { runId => [] }, { id => { a => 1 } }, { falJobId => undef }) {
    error_is(post('presets-status', $body), 422, 'MISSING_IDENTIFIER', 'names nothing: ' . $JSON->encode($body));
    is data(post('neo-glitch-status', $body))->{status}, 'not_found', '... which is not found at neo-glitch';
}
error_is(old(GET => 'presets-status'), 422, 'MISSING_IDENTIFIER', 'nor does an empty GET');
error_is(post('presets-generate', {}), 422, 'VALIDATION_FAILED', 'a body that requests nothing is no status request');
is post('neo-glitch-status', { jobId => 'x', runId => "my_run_$$" })->{status}, 200,
    'a name that finds nothing leaves it to the next';

is post('neo-glitch-status', { jobId => $plain->{id}, id => $plain->{id}, runId => 'x', falJobId => 'y' })->{status}, 200,
    'so does each of a few different ones';
is data(post('neo-glitch-status', { jobId => 'a', id => 'b', aimlJobId => 'c', falJobId => 'd', runId => "my_run_$$" }))->{status},
    'not_found', 'of many only the first are looked for';

# ---- whose ----

my $other = account(0);
for my $id ($job->{id}, $end->{falJobId}, "stability_$job->{id}") {
    error_is(api(POST => "$OLD/echo-fal-$_", user => $other, json => { jobId => $id }), 403, 'UNAUTHORIZED',
        "another user is refused at $_") for qw(status generate);
}
for my $id ($run, "unknown_$run") {
    error_is(api(POST => "$OLD/echo-fal-status", user => $other, json => { runId => $id, userId => $user }), 404,
        'NOT_FOUND', 'a run id is known to its user alone');
}
error_is(api(GET => "$OLD/echo-fal-status?jobId=$job->{id}"), 401, 'AUTH_REQUIRED', 'a request without a user is refused');
is submissions("a fal cat {{poll-gate=find$$}}"), 1, 'status requests have made nothing';

finish;

# One job, by each name and in each way.
sub found {
    my ($what, $type, $id, $status, $wanted, @names) = @_;
    @names = qw(id jobId generationId runId stabilityJobId aimlJobId falJobId run_id job_id) if !@names;
    my $under = $type =~ tr/-/_/r;
    my @wrong;
    for my $name (@names) {
        my @ways = (
            ["GET $type-status?$name", old(GET => "$type-status?$name=$id")],
            ["POST $type-status $name", post("$type-status", { $name => $id, userId => 'x', more => [1] })],
        );
        push @ways, ["GET $type-generate?$name", old(GET => "$type-generate?$name=$id")],
            ["POST ${under}_generate $name", post("${under}_generate", { $name => $id })],
            ["POST $type-status?$name", old(POST => "$type-status?$name=$id")]
            if $name =~ /\A(?:jobId|runId|falJobId)\z/;
        for my $way (@ways) {
            my $got = data($way->[1]) // {};
            push @wrong, "$way->[0]: $way->[1]{status} $way->[1]{content}"
                if $way->[1]{status} != 200 || ($got->{id} // '') ne $wanted || $got->{status} !~ /\A(?:$status)\z/;
        }
    }
    return is join("\n", @wrong), '', "$what, under every name";
}

sub old {
    my ($method, $path) = @_;
    return api($method => "$OLD/$path", user => $user);
}

sub post {
    my ($name, $json, %headers) = @_;
    return api(POST => "$OLD/$name", user => $user, json => $json, headers => \%headers);
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation is found by its id alone, whatever its type: as the object of its status, with
# snake_case twins where they are wanted, and as a job, for clients that know a queue.
use Genflow::Test;

use Genflow::Httpd ();

my $user = account(40);

# ---- the object, over several types ----

my @MADE = (    # type, prompt
    ['neo-glitch', 'a cat'], ['sketch', 'a drawn cat'], ['relay', 'a cat {{status=400}}'],
    ['neo-glitch', 'a cat {{filter}}'],
);
for my $case (@MADE) {
    my ($type, $prompt) = @$case;
    my $id  = later($user, { type => $type, prompt => $prompt });
    my $end = ended($user, $id, $type);
    my $got = api(GET => "/api/generation/$id", user => $user);
    is $got->{status}, 200, "a generation of $type is found by its id";
    is_deeply data($got), $end, 'and is the object of its status';
    is api(GET => '/api/generation/' . uc $id, user => $user)->{status}, 200, 'in either spelling';
    is_deeply [map { $end->{$_} } qw(pollUrl eventsUrl)], [undef, undef], 'what ended says no more';
}

my $id  = later($user, { prompt => 'a cat {{poll-hang}}' });
my $now = wait_for {
    my $generation = data(api(GET => "/api/generation/$id", user => $user));
    $generation->{stabilityJobId} && $generation;
};
is $now->{status}, 'processing', 'a running one has its present state';
is $now->{eventsUrl}, "/api/generation/$id/events", 'with the address of its events';
is $now->{pollUrl}, "/api/neo-glitch/status?id=$id", 'and that of its status';
my $head = api(HEAD => "/api/generation/$id", user => $user);
is $head->{status}, 200, 'the head is to be had alone';
is $head->{content} // '', '', 'without a body';

# ---- twins ----

my $plain = data(api(GET => "/api/generation/$id", user => $user));
my $both  = data(api(GET => "/api/generation/$id?names=both", user => $user));
my %twin  = map { s/([A-Z])/_\l$1/gr => $plain->{$_} } keys %$plain;
is_deeply $both, { %$plain, %twin }, 'every member has a twin in snake_case on request';
ok exists $both->{image_url} && exists $both->{run_id}, 'as image_url and run_id';
my $new = api(POST => '/api/sketch/generate?names=both', user => $user,
    json => { prompt => 'a cat', presetKey => 'base' });
is data($new)->{image_url}, data($new)->{imageUrl}, 'so it is in the answer to a generate call';
is data(api(GET => "/api/neo-glitch/status?id=$id&names=both", user => $user))->{run_id}, $id,
    'and of the status';
is data(api(GET => "/api/generation/$id?names=other", user => $user))->{run_id}, undef,
    'for no other user';

my $legacy = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/database.conf"
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowDispatch Off
GenflowLegacyNames On
<GenflowProvider local>
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeProviders local
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($legacy);
my $old = data(api(GET => "/api/generation/$id", user => $user));
is $old->{run_id}, $id, 'a server with GenflowLegacyNames sends them to every client';
$old = data(api(GET => '/api/generations?type=neo-glitch&limit=1', user => $user));
is_deeply [map { $_->{created_at} } @{ $old->{items} }], [map { $_->{createdAt} } @{ $old->{items} }],
    'in the history, too';
talk_to();

# ---- as a job ----

my @MEMBERS = sort qw(id status createdAt startedAt finishedAt error errorCode errorMessage retryCount
    maxRetries provider model input inputSummary result resultUrl retryAfter success ok
    tags favourite title takenDown);
my $job = data(api(GET => "/api/job/$id", user => $user));
is_deeply [sort keys %$job], \@MEMBERS, 'a job has its members';
is $job->{status}, 'running', 'one that runs is running';
is_deeply [@{$job}{qw(result resultUrl error)}], [undef, undef, undef], 'and has no end';
is $job->{input}{prompt}, $plain->{prompt}, 'it has its input';
$job = data(api(GET => '/api/job/' . data($new)->{id}, user => $user));
is $job->{status}, 'succeeded', 'one that completed has succeeded';
is $job->{resultUrl}, data($new)->{imageUrl}, 'with the address of its picture';
is $job->{result}{imageUrl}, $job->{resultUrl}, 'also in its result';
$job = data(api(GET => "/api/job/" . later_failed(), user => $user));
is_deeply [@{$job}{qw(status errorCode)}], ['failed', 'CONTENT_FILTERED'], 'one that failed has failed';
is $job->{error}, $job->{errorMessage}, 'and says why';

api(POST => "/api/job/$id/cancel", user => $user);
credits_are $user, 40 - 1 - 2 - 2 - 2, 0, 'looking costs nothing';

finish;

sub later_failed {
    my $failed = later($user, { prompt => 'a cat {{filter}} again' });
    ended($user, $failed);
    return $failed;
}

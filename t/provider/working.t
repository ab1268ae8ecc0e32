#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A provider that needs time makes the generation `processing`, and the client learns all that it
# needs to follow it, the provider's id included. One that answers at once, however late, completes
# in the same request. One that is overrun is left in peace.
use Genflow::Test;

# ---- an id, and later the picture ----

my $user = account(10);
my $res  = generate($user, { prompt => "{{poll=1 poll-gate=$user}} in its time" });
my $job  = data($res);
is $res->{status}, 202, 'a provider that needs time makes the answer 202';
is $job->{status}, 'processing', 'the generation is processing';
is $job->{pollUrl}, "/api/neo-glitch/status?id=$job->{id}", 'pollUrl has the address to poll';
is $res->{headers}{location}, $job->{pollUrl}, 'Location has the same';
like $res->{headers}{'retry-after'}, qr/\A\d+\z/, 'Retry-After has the delay';
like $job->{stabilityJobId}, qr/\A[0-9a-f]{32}\z/, 'the provider\'s id is in the answer';
is $job->{imageUrl}, undef, 'there is no picture yet';
credits_are $user, 10, 1, 'its credit is held';

my ($recorded) = sql("SELECT m.provider_ref, w.provider_ref, a.provider_ref FROM genflow.work w"
    . ' JOIN public.neo_glitch_media m ON m.id = w.job_id JOIN genflow.attempts a USING (job_id)'
    . " WHERE w.job_id = :'id'", id => $job->{id});
is $recorded, join('|', ($job->{stabilityJobId}) x 3), 'the id is recorded before the end, everywhere';

open_gate($user);
$res = api(GET => "$job->{pollUrl}", user => $user, headers => { Prefer => 'wait=60' });
my $done = data($res);
is $done->{status}, 'completed', 'who waits at pollUrl gets the end';
is $done->{stabilityJobId}, $job->{stabilityJobId}, 'it still has its id';
is $done->{pollUrl}, undef, 'an ended generation has no pollUrl';
is submissions('in its time'), 1, 'it was sent once';
credits_are $user, 9, 0, 'and costs one credit';

my $by_ref = data(api(GET => "/api/neo-glitch/status?stabilityJobId=$job->{stabilityJobId}",
        user => $user));
is $by_ref->{id}, $job->{id}, 'the provider\'s id finds the generation';

$res = generate($user, { prompt => '{{poll=5}} waited for' }, Prefer => 'wait=60');
is $res->{status}, 200, 'a client that prefers to wait gets the picture';

# ---- longer than a lease ----

my $LEASE  = 10;                                      # seconds (t/run.pl)
my $long   = data(generate($user, { prompt => '{{poll=1000}} longer than a lease' }, Prefer => 'respond-async'));
my $renewed = wait_for {
    sql1("SELECT genflow.lease_end(w) > m.created_at + :'time'::interval FROM genflow.work w"
        . ' JOIN public.neo_glitch_media m ON m.id = w.job_id'
        . " WHERE w.job_id = :'id'", id => $long->{id}, time => $LEASE + 5 . ' s') eq 't';
};
ok $renewed, 'a generation that takes longer than a lease is still worked on';
is sql1("SELECT epoch, lost_leases FROM genflow.work WHERE job_id = :'id'", id => $long->{id}), '1|0',
    '... under its first lease, which its process renews';
is api(POST => "/api/generation/$long->{id}/cancel", user => $user)->{status}, 200, '... until it is cancelled';

# ---- at once ----

$res = generate($user, { prompt => '{{delay=700}} at once' });
is $res->{status}, 200, 'a slow provider that answers with the picture completes in the request';
is data($res)->{stabilityJobId}, undef, 'it has no id';

# ---- an overrun provider ----

# It says nothing about when to come back: then not within its window of a minute.
my $patient = account(10);
$job = data(generate($patient, { prompt => '{{status=429 times=1}} overrun' },
        Prefer => 'respond-async'));
my $back = wait_for {
    sql1("SELECT extract(epoch FROM due_at - clock_timestamp()) FROM genflow.work"
        . " WHERE job_id = :'id' AND phase = 'queued' AND retries = 1", id => $job->{id});
};
cmp_ok $back, '>', 50, 'after 429 without Retry-After a provider is left in peace for a minute';
cmp_ok $back, '<', 80, '... and not much longer';
is submissions('overrun'), 1, '... so it got one submission';
is status_of($patient, $job->{id})->{retryCount}, 1, '... and the client sees the retry';
is api(POST => "/api/generation/$job->{id}/cancel", user => $patient)->{status}, 200, '... until it is cancelled';

finish;

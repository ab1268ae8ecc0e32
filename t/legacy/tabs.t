#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Many tabs of one user at once, each with calls in an order of its own: reserving, generating, failing,
# repeating a run, committing, refunding, cancelling, deleting. Each picture is charged once, nothing
# else is, and nothing is left held. GENFLOW_SEED makes other orders. Another user's request ids and run ids are another user's.
use Genflow::Seed;
use Genflow::Test;

use JSON::PP ();

my $OLD  = '/.netlify/functions';
my $TABS = 8;
my $user = account(200);
my $seed = seed(1000);
expect_log('GF0203');

# ---- many tabs ----

my @tabs = in_parallel($TABS, sub {
    my ($tab) = @_;
    my (@requests, %made, @wrong);
    srand $seed + $tab;
    for my $step (1 .. 12) {
        my $act = int rand 8;
        my $run = sprintf 'run-%d-%d-%s', $tab % 2 ? $tab : 0, rand 6, $user;
        if ($act < 2) {
            my $res = call($user, 'credits-reserve', { cost => 1 + int rand 3 });
            push @requests, data($res)->{request_id} if $res->{status} == 200;
            push @wrong, "reserve $res->{status}" if $res->{status} !~ /\A(?:200|403)\z/;
        }
        elsif ($act < 6) {
            my $fails = !int rand 3;
            my $res = call($user, 'neo-glitch-generate', { prompt => $fails ? 'a cat {{status=400}}' : 'a cat',
                presetKey => 'base', runId => $run, userId => "x$step", generationMeta => { at => time } });
            my $job = data($res);
            $job = ended($user, $job->{id}) if $res->{status} == 202;
            $made{ $job->{id} } = 1 if ($job->{status} // '') eq 'completed';
            push @wrong, "generate $res->{status} $res->{content}" if $res->{status} !~ /\A(?:200|202|422|500)\z/
                || ($res->{status} == 500 && $job->{code} ne 'GENERATION_FAILED');
        }
        elsif ($act == 6 && @requests) {
            my $res = call($user, 'credits-finalize', { request_id => $requests[rand @requests],
                disposition => rand() < 0.5 ? 'commit' : 'refund' });
            push @wrong, "finalize $res->{status}" if $res->{status} !~ /\A(?:200|400)\z/;
        }
        else {
            my $job = data(api(POST => "$OLD/neo-glitch-generate", user => $user, headers => { Prefer => 'respond-async' },
                json => { prompt => 'a cat', presetKey => 'base', runId => "later-$tab-$step-$user" }));
            my $res = api(POST => "/api/generation/$job->{id}/cancel", user => $user);
            my $end = ended($user, $job->{id});
            $made{ $job->{id} } = 1 if $end->{status} eq 'completed';
            push @wrong, "cancel $res->{status}" if $res->{status} !~ /\A(?:200|400)\z/;
        }
    }
    return [\@requests, [sort keys %made], \@wrong];
});
is_deeply [map { @{ $_->[2] } } @tabs], [], 'each call is answered as it may be';
my @open = map { @{ $_->[0] } } @tabs;
cmp_ok scalar @open, '>', 0, 'some reserved';
call($user, 'credits-finalize', { request_id => $_, disposition => 'refund' }) for @open;
my %pictures = map { $_ => 1 } map { @{ $_->[1] } } @tabs;
cmp_ok scalar keys %pictures, '>', 0, '... some made pictures';
credits_are $user, 200 - keys %pictures, 0, 'each picture is charged once, and nothing is left held';
is rows_of($user, 'neo_glitch_media', "status = 'completed'"),
    scalar keys %pictures, '... and there are no others';
is rows_of($user, 'genflow.reservations', "state = 'open'"), 0, '... nor reservations';

# ---- another user ----

my ($one, $other) = (account(9), account(9));
my $request = data(call($one, 'credits-reserve', { cost => 3, request_id => "shared-$one" }))->{request_id};
error_is(call($other, 'credits-finalize', { request_id => $request, disposition => 'refund', userId => $one }), 404,
    'TRANSACTION_NOT_FOUND', "another user's reservation cannot be finalized");
credits_are $one, 9, 3, '... and is still held';
is call($other, 'credits-reserve', { cost => 2, request_id => $request })->{status}, 200, 'the same id of another user is another one';
credits_are $other, 9, 2, '... of their credits';
is call($other, 'neo-glitch-generate', { prompt => 'a cat', presetKey => 'base', runId => $request, userId => $one })->{status},
    200, 'a generation under it ...';
credits_are $other, 8, 0, '... uses theirs';
credits_are $one, 9, 3, '... alone';
my $mine = data(call($one, 'neo-glitch-generate', { prompt => 'my cat', presetKey => 'base', runId => 'the-run' }));
my $theirs = data(call($other, 'neo-glitch-generate', { prompt => 'their cat', presetKey => 'base', runId => 'the-run' }));
isnt $theirs->{id}, $mine->{id}, 'the same run id of two users is two generations';
for my $call (['delete-media', { mediaId => $mine->{id} }], ['togglePublish', { assetId => $mine->{id}, publish => JSON::PP::true() }],
    ['neo-glitch-status', { jobId => $mine->{id} }]) {
    error_is(call($other, @$call), 403, 'UNAUTHORIZED', "another user's picture is theirs: $call->[0]");
}
error_is(call($other, 'save-media', { finalUrl => $mine->{imageUrl} }), 404, 'GENERATION_NOT_FOUND', '... nor can it be saved');
is_deeply [grep { $_->{id} eq $mine->{id} } map { @{ data(api(GET => "$OLD/$_", user => $other))->{items} } }
    "getUserMedia?userId=$one", 'feed?limit=100'], [], '... or listed';

finish;

sub call {
    my ($who, $name, $json) = @_;
    return api(POST => "$OLD/$name", user => $who, json => $json);
}

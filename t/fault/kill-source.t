#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child dies while it fetches the source picture, with the picture fetched and the intent to submit
# not written, or with the intent written and nothing sent. It is submitted once, or, where no record
# shows that it was not, never; then it costs nothing.
use Genflow::Fault;
use Genflow::Test;

my @TYPES = qw(sd3-source openai-source);

expect_log 'GF0202';

for my $type (@TYPES) {
    my ($user, $id) = begin($type, 'slow');
    ok kill_child(leader_of($id)), "$type: a child is killed while it fetches the source";
    is ended($user, $id, $type)->{status}, 'completed', '... another one fetches it and completes';
    cmp_ok fetched($user), '>=', 2, '... by itself';
    is submissions("[$user]"), 1, '... with one submission';
    credits_are $user, 9, 0, '... for one charge';

    my $lock = hold_up();
    ($user, $id) = begin($type, 'picture');
    wait_for { is_held_up() };
    my $killed = kill KILL => leader_of($id);
    break_up();
    close $lock;
    ok $killed, "$type: a child is killed before it has written that it will submit";
    is ended($user, $id, $type)->{status}, 'completed', '... another one completes';
    is submissions("[$user]"), 1, '... with one submission';
    credits_are $user, 9, 0, '... for one charge';
    wait_for { children() >= 2 };

    $lock = hold_up();
    ($user, $id) = begin($type, 'picture');
    wait_for { is_held_up() };
    $killed = kill KILL => leader_of($id);
    close $lock;                                     # the statement goes on, without a client
    ok $killed, "$type: a child is killed when it has written so, before it submits";
    is ended($user, $id, $type)->{errorCode}, 'NETWORK_ERROR', '... the module cannot know that it did not';
    is submissions("[$user]"), 0, '... nothing is submitted';
    credits_are $user, 10, 0, '... and nothing charged';
    wait_for { children() >= 2 };
}

# ---- between the source pictures of one generation ----

for my $times (1, 2) {
    my $user = account(10);
    my $name = $user =~ tr/-/_/r;
    my @slow = map { "$ENV{GENFLOW_FAKE}/_source/slow/${name}_$_" } 1 .. 3;
    my $made = data(api(POST => '/api/generate', user => $user, headers => { Prefer => 'respond-async' }, json => {
        type => 'openai-source', customPrompt => "[$user]", productImages => [@slow[0, 1]],
        modelImages => [$slow[2]] }));
    my $id = $made->{data}{generationId};
    wait_for { fetched($user) > $times };
    ok kill_child(leader_of($id)), "a child is killed with $times of 3 source pictures fetched";
    is ended($user, $id, 'openai-source')->{status}, 'completed', '... another one fetches them and completes';
    is submissions("[$user]"), 1, '... with one submission';
    my ($sent) = @{ data(HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_submissions?match=$user")) };
    is scalar @{ $sent->{fields}{'image[]'} }, 3, '... of all three';
    credits_are $user, 9, 0, '... for one charge';
    is_deeply [glob "$ENV{GENFLOW_WORK}/store/.spool/$id*.2.source*"], [], '... and the new child leaves no files';
    wait_for { children() >= 2 };
}

# User and id of a generation whose source is being fetched, or was.
sub begin {
    my ($type, $kind) = @_;
    my $user = account(10);
    my $name = $user =~ tr/-/_/r;
    my $id   = later($user, { type => $type, prompt => "[$user]",
        sourceUrl => "$ENV{GENFLOW_FAKE}/_source/$kind/$name" });
    wait_for { fetched($user) };
    return ($user, $id);
}

sub fetched {
    my ($user) = @_;
    my $name = $user =~ tr/-/_/r;
    return HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_fetches?match=$name")->{content};
}

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A host dies between storing the picture and the statement that charges for it. Whatever ends the
# generation then, no picture stays that no user paid for: cancelled, or deleted after that, its picture
# is removed; past its deadline the host that claims it finds the picture and completes it.
use Genflow::Fault;
use Genflow::Test;

my @WAYS = (
    # type, prompt, cost, the test's name
    ['neo-glitch', '{{gate=GATE}} picked', 1, 'from a provider'],
    ['sketch',     'drawn',                2, 'drawn here'],
);

for my $way (@WAYS) {
    my ($type, $prompt, $cost, $name) = @$way;

    my ($user, $id, $file) = left_behind($type, $prompt);
    is api(POST => "/api/generation/$id/cancel", user => $user)->{status}, 200,
        "$name: a generation is cancelled while its picture is stored and its host is dead";
    is api(DELETE => "/api/generation/$id", user => $user)->{status}, 200, '... and deleted' if $type eq 'sketch';
    sql("UPDATE genflow.removals SET due_at = now(), again_at = least(again_at, now()) WHERE job_id = :'id'", id => $id);
    ok wait_for(sub { !-e $file }), '... when the lease of the other host is over the picture is removed';
    ok wait_for(sub { !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $id) }),
        '... and nothing is left to do';
    credits_are $user, 10, 0, '... nothing is charged';

    ($user, $id, $file) = left_behind($type, $prompt);
    take_from_child($id, 'due_at = now(), deadline_at = now()');
    my $end = ended($user, $id, $type);
    is $end->{status}, 'completed', "$name: past its deadline a stored picture completes its generation";
    credits_are $user, 10 - $cost, 0, '... which is charged once';
    like $end->{imageUrl}, qr{\Q${\ ($file =~ s{.*/}{}r) }\E\z}, '... with the picture that was there';
    ok -s $file, '... and stays';
    is sql1("SELECT count(*) FROM genflow.attempts WHERE job_id = :'id'", id => $id), $type eq 'sketch' ? 0 : 1,
        '... no provider gets another submission';
}

finish;

# A generation whose picture is stored, whose host is dead, and which another host leads that does nothing.
sub left_behind {
    my ($type, $prompt) = @_;
    my $user = account(10);
    my $lock = $type eq 'sketch' ? hold_up() : undef;
    my $id   = later($user, { type => $type, prompt => $prompt =~ s/GATE/$user/r });
    wait_for { $type eq 'sketch' || sql1("SELECT 1 FROM genflow.attempts WHERE job_id = :'id'", id => $id) };
    $lock //= hold_up();
    open_gate($user);
    my $stored = wait_for { -e picture_file($id, $type) && is_held_up() };
    ok $stored, "$type, $prompt: the picture is stored, the settling waits";
    my $file = picture_file($id, $type);
    kill KILL => leader_of($id);
    break_up();
    wait_for { !is_held_up() };
    take_over($id);
    close $lock;
    return ($user, $id, $file);
}

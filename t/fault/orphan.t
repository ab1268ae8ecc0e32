#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A host dies between storing the picture and the statement that charges for it. Whatever ends the
# generation then, no picture stays that no user paid for: cancelled, or deleted after that, its picture
# is removed; past its deadline the host that claims it finds the picture and completes it.
use Genflow::Inject;
use Genflow::Points;
use Genflow::Test;

my @WAYS = (
    # type, cost, the test's name
    ['neo-glitch', 1, 'from a provider'],
    ['sketch',     2, 'drawn here'],
);

for my $way (@WAYS) {
    my ($type, $cost, $name) = @$way;

    my ($user, $id, $file) = left_behind($type);
    is api(POST => "/api/generation/$id/cancel", user => $user)->{status}, 200,
        "$name: a generation is cancelled while its picture is stored and its host is dead";
    is api(DELETE => "/api/generation/$id", user => $user)->{status}, 200, '... and deleted' if $type eq 'sketch';
    sql("UPDATE genflow.removals SET due_at = now(), again_at = least(again_at, now()) WHERE job_id = :'id'", id => $id);
    ok wait_for(sub { !-e $file }), '... when the lease of the other host is over the picture is removed';
    ok wait_for(sub { !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $id) }),
        '... and nothing is left to do';
    credits_are $user, 10, 0, '... nothing is charged';

    ($user, $id, $file) = left_behind($type);
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
    my ($type) = @_;
    my $user = account(10);
    inject('settle.before', for => $user, kill => 1);
    generate($user, { type => $type, prompt => 'picked' }, Prefer => 'respond-async');      # whose answer may be lost
    my $pid = reached('settle.before', for => $user);
    my $id  = id_of($user);
    take_over($id);
    my $file = picture_file($id, $type);
    ok is_gone($pid) && -e $file, "$type: the picture is stored, and its host dies before it settles";
    wait_for { children() >= 2 };
    return ($user, $id, $file);
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child dies while it polls a queued run, while it fetches the picture, or with the picture in
# the folder and not charged yet. Another child goes on: the same run, one submission, one charge.
use Digest::SHA ();
use Genflow::Fault;
use Genflow::Test;

my %ID    = ('echo-replicate' => 'replicateId', 'echo-fal' => 'falJobId');
my @CASES = (
    # script, when the child is killed, the test's name
    ['poll=1 poll-gate=GATE', \&is_polled,  'while it polls'],
    ['result=slow',           \&is_fetched, 'while it fetches the picture'],
);

for my $type (sort keys %ID) {
    for my $case (@CASES) {
        my ($script, $now, $name) = @$case;
        my $user = account(10);
        my $id   = later($user, { type => $type, prompt => "{{$script}} [$user]" =~ s/GATE/$user/r });
        ok wait_for(sub { $now->($user) }), "$type: a child works on it";
        my $ref = status_of($user, $id, $type)->{ $ID{$type} };
        ok kill_child(leader_of($id)), "... and is killed $name";
        open_gate($user);
        goes_on($user, $id, $type, $ref);
    }
    for my $end (['before it is charged', 1], ['inside the statement that charges', 0]) {
        my ($name, $broken) = @$end;
        my $user = account(10);
        my $id   = later($user, { type => $type, prompt => "{{poll=1 poll-gate=$user}} [$user]" });
        wait_for { status_of($user, $id, $type)->{ $ID{$type} } };
        my $lock = hold_up();
        open_gate($user);
        my $ref  = status_of($user, $id, $type)->{ $ID{$type} };
        ok wait_for(sub { picture($type, $id) && is_held_up() }), "$type: a picture is in the folder";
        my $picture = picture($type, $id);
        my $killed  = kill KILL => leader_of($id);
        break_up() if $broken;
        close $lock;
        ok $killed, "... and its child is killed $name";
        goes_on($user, $id, $type, $ref);
        is picture($type, $id), $picture, '... with that picture';
        wait_for { children() >= 2 };
    }
}

sub goes_on {
    my ($user, $id, $type, $ref) = @_;
    my $end = ended($user, $id, $type);
    is $end->{status}, 'completed', '... another one completes it';
    is $end->{ $ID{$type} }, $ref, '... from the same run';
    is submissions("[$user]"), 1, '... which was submitted once';
    credits_are $user, 9, 0, '... and charged once';
    is api(GET => $end->{imageUrl} =~ s{\Ahttp://[^/]+}{}r)->{status}, 200, '... and is served';
    return;
}

sub is_polled { return count('_polls', $_[0]) > 3 }

sub is_fetched { return count('_fetches', $_[0]) }

# How many such requests about the user's runs the fake got.
sub count {
    my ($what, $user) = @_;
    return HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/$what?match=%5B$user%5D")->{content};
}

# Where the picture is, and its bytes in short.
sub picture {
    my ($type, $id) = @_;
    my ($file) = glob "$ENV{GENFLOW_WORK}/store/$type/*/$id*" or return '';
    return "$file " . Digest::SHA->new(256)->addfile($file)->hexdigest;
}

finish;

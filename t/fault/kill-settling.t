#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child dies between storing the picture and the statement that charges for it, or inside of that
# statement. The next child finds the picture under the name that it would give it, and settles: one
# picture, one charge.
use Digest::SHA ();
use Genflow::Fault;
use Genflow::Test;

my @CASES = (
    # type, prompt, cost, the test's name
    ['sketch',     'drawn',                2, 'drawn here'],
    ['neo-glitch', '{{poll=1 poll-gate=GATE}} fetched', 1, 'from a provider that can be polled again'],
    ['neo-glitch', '{{gate=GATE}} picked', 1, 'from a provider that cannot be polled'],
);

for my $case (@CASES) {
    my ($type, $prompt, $cost, $name) = @$case;

    my ($user, $id, $lock) = stored($type, $prompt);
    my $picture = picture($type, $id);
    ok $picture, "$name: the picture is stored, the settling waits";
    kill KILL => leader_of($id);
    break_up();
    close $lock;
    my $end = ended($user, $id, $type);
    is $end->{status}, 'completed', '... its child is killed, and another one settles it';
    credits_are $user, 10 - $cost, 0, '... for one charge';
    is picture($type, $id), $picture, '... and keeps the picture';
    like $end->{imageUrl}, qr/\Q$id\E/, '... which the row names';
    is sql1("SELECT count(*) FROM genflow.attempts WHERE job_id = :'id'", id => $id),
        $type eq 'sketch' ? 0 : 1, '... without a request to a provider for another one';
    wait_for { children() >= 2 };

    ($user, $id, $lock) = stored($type, $prompt);
    kill KILL => leader_of($id);
    close $lock;                                 # the statement goes on, without a client
    is ended($user, $id, $type)->{status}, 'completed', "$name: killed inside the statement";
    credits_are $user, 10 - $cost, 0, '... one charge';
    wait_for { children() >= 2 };
}

# A generation whose picture is stored while its settling waits for a lock, and the holder of that.
sub stored {
    my ($type, $prompt) = @_;
    my $user = account(10);
    my $lock = $type eq 'sketch' ? hold_up() : undef;
    my $id   = later($user, { type => $type, prompt => $prompt =~ s/GATE/$user/r });
    wait_for { under_way($user, $id, $prompt) };
    $lock //= hold_up();
    open_gate($user);
    my $waits = wait_for { picture($type, $id) && is_held_up() };
    ok $waits, "$type, $prompt: settling waits";
    return ($user, $id, $lock);
}

# Nothing more will be written to the attempts before the end.
sub under_way {
    my ($user, $id, $prompt) = @_;
    return 1 if $prompt !~ /\{\{/;
    return status_of($user, $id)->{stabilityJobId} if $prompt =~ /poll/;
    return sql1("SELECT 1 FROM genflow.attempts WHERE job_id = :'id'", id => $id);
}

# Where the picture is, and its bytes in short.
sub picture {
    my ($type, $id) = @_;
    my ($file) = glob "$ENV{GENFLOW_WORK}/store/$type/*/$id*" or return '';
    return "$file " . Digest::SHA->new(256)->addfile($file)->hexdigest;
}

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What may be on its way is not sent again: not when a child hands it back while it sends, not when it
# sleeps between its intent and the first byte, not when the chain is configured otherwise meanwhile.
use Genflow::Fault;
use Genflow::Test;
use Genflow::TwoStep;

my $TYPE = 'of-many';
my @MOVES = (
    # chain, script, the next chain, status, the test's name
    ['fal/fal-ai/fast-sdxl', 'poll=1 poll-gate=GATE', 'stability/sd3', 'completed', 'a run that works'],
    ['stability/sd3',        'gate=GATE-sent',       'replicate/a/b', 'failed',    'one being sent'],
    ['fal/fal-ai/fast-sdxl', 'cut-before poll=2',    'replicate/a/b', 'completed', 'a lost answer'],
);

expect_log 'GF0202';

# ---- handed back while it is sent ----

ok configure("GenflowDispatchDrain 100ms\n"), 'children shall not wait';
for my $type (qw(echo-replicate echo-fal)) {
    my $user = account(10);
    my $id   = later($user, { type => $type, prompt => "{{delay=1200}} [$user]" });
    wait_for { submissions("[$user]") };
    ok restart_httpd('USR1'), "$type: a submission is handed back before it arrives";
    is ended($user, $id, $type)->{status}, 'completed', '... its run is found when it has';
    is submissions("[$user]"), 1, '... and no other is begun';
    credits_are $user, 9, 0, '... for one charge';
}

# ---- asleep with its intent written ----

for my $case (['echo-replicate', 'completed', 1, 9], ['neo-glitch', 'failed', 0, 10]) {
    my ($type, $status, $sent, $credits) = @$case;
    my $user   = account(10);
    my $made   = create($user, { type => $type, customPrompt => "{{poll=2}} [$user]",
        $type eq 'neo-glitch' ? () : (productImages => []) });
    my $id = data($made)->{data}{generationId};
    is $made->{status}, 201, "$type: a generation waits for its start" or diag $made->{content};
    my $lock = hold_up();
    start($user, $id, Prefer => 'respond-async');        # create would have recorded the intent
    wait_for { is_held_up() };
    my $frozen = leader_of($id);
    freeze($frozen);
    close $lock;
    is ended($user, $id, $type)->{status}, $status, "$type: a child sleeps before it sends: $status";
    my $mark = log_mark();
    kill CONT => $frozen;
    ok wait_for(sub { log_since($mark) =~ /\[pid $frozen:.*GF0420: job=\Q$id\E/ }), '... and wakes';
    is submissions("[$user]"), $sent, "... sent $sent times";
    credits_are $user, $credits, 0, '... and the credits say the same';
}

# ---- another chain ----

sql("SELECT genflow.create_type(:'type')", type => $TYPE);
for my $move (@MOVES) {
    my ($chain, $script, $next, $status, $name) = @$move;
    ok chain($chain), "$name, $chain";
    my $user = account(10);
    my $id   = later($user, { type => $TYPE, prompt => "{{$script}} [$user]" =~ s/GATE/$user/r });
    wait_for { submissions("[$user]") };
    wait_for { status_of($user, $id, $TYPE)->{falJobId} } if $script =~ /poll-gate/;
    ok chain($next), "... then the chain is $next";
    open_gate($user);
    is ended($user, $id, $TYPE)->{status}, $status, "... $status";
    is submissions("[$user]"), 1, '... sent once';
    open_gate("$user-sent");
}
ok configure(''), 'all is as before';

sub chain {
    my ($providers) = @_;
    return configure(<<"END");
GenflowDispatchDrain 100ms
<GenflowType $TYPE>
    GenflowTypeProviders $providers
    GenflowTypeCost 1
</GenflowType>
END
}

END { kill CONT => children() }

finish;

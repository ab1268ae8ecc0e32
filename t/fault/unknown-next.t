#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# GenflowTypeUnknown next: an attempt of unknown outcome may be followed by one at another provider,
# never by a second one at the same, whatever dies in between. The user pays once at most. Without
# the directive the generation fails.
use Genflow::Fault;
use Genflow::Test;

expect_log qw(GF0202 GF0425);

sql("SELECT genflow.create_type('$_')") for qw(next-two next-back next-off);
ok configure(<<'END'), 'three types have two providers each';
<GenflowProvider stability>
    GenflowProviderDeadline 15s
</GenflowProvider>
<GenflowType next-two>
    GenflowTypeProviders stability/sd3 stability/core openai/gpt-image-1
    GenflowTypeCost 1
    GenflowTypeUnknown next
</GenflowType>
<GenflowType next-back>
    GenflowTypeProviders stability/sd3 openai/gpt-image-1 stability/core
    GenflowTypeCost 1
    GenflowTypeUnknown next
</GenflowType>
<GenflowType next-off>
    GenflowTypeProviders stability/sd3 openai/gpt-image-1
    GenflowTypeCost 1
</GenflowType>
END

# ---- nothing dies ----

for my $lost (qw(cut-before cut-after half hang gateway=cloudflare-524-html gateway=nginx-429)) {
    my $user = account(10);
    my $end  = ended($user, later($user, { type => 'next-two', prompt => "{{$lost times=1}} [$user]" }),
        'next-two');
    is_deeply [@$end{qw(status provider fallbackUsed)}], ['completed', 'openai', JSON::PP::true()],
        "$lost: another provider makes the picture";
    is_deeply [sent_to($user)], [qw(stability openai)], '... the first one was sent it once';
    credits_are $user, 9, 0, '... and the user pays once';
    is_deeply [attempts($end->{id})], ['stability UNKNOWN', 'openai completed'],
        '... both attempts are on record';
}
my $user = account(10);
my $end  = ended($user, later($user, { type => 'next-back', prompt => "{{cut-before}} [$user]" }),
    'next-back');
is_deeply [@$end{qw(status errorCode)}], ['failed', 'NETWORK_ERROR'], 'lost everywhere, it fails';
is_deeply [sent_to($user)], [qw(stability openai)], '... and the first provider is not sent it again';
credits_are $user, 10, 0, '... and nothing is charged';

$user = account(10);
$end  = ended($user, later($user, { type => 'next-off', prompt => "{{cut-before times=1}} [$user]" }),
    'next-off');
is_deeply [@$end{qw(status errorCode)}], ['failed', 'NETWORK_ERROR'],
    'by default an unknown outcome fails the generation';
is_deeply [sent_to($user)], ['stability'], '... and no other provider gets a request';

# ---- kill -9 at each point ----

my @POINTS = (    # what, script, when, what else happens then, where it was sent
    ['while the first provider has the request', 'gate=GATE', sub { submissions($_[0]) == 1 },
        [qw(stability openai)], 'completed'],
    ['while the second one has the request', 'cut-before times=1 gate=GATE',
        sub { grep({ $_ eq 'openai' } sent_to($_[1])) }, [qw(stability openai)], 'failed'],
);
for my $point (@POINTS) {
    my ($what, $script, $now, $sent, $status) = @$point;
    for my $type (qw(next-two next-back)) {
        $user = account(10);
        my $id = later($user, { type => $type, prompt => "{{$script}} [$user]" =~ s/GATE/$user/r });
        ok wait_for(sub { $now->("[$user]", $user) }), "$type: a child works";
        ok kill_child(leader_of($id)), "... and is killed $what";
        wait_for { open_gate($user); status_of($user, $id, $type)->{finishedAt} };
        is status_of($user, $id, $type)->{status}, $status, "... it has $status";
        is_deeply [sent_to($user)], $sent, '... each provider was sent it once';
        credits_are $user, $status eq 'completed' ? 9 : 10, 0, '... and the credits match';
    }
}

# With the loss seen and not written, inside the statement that writes it, and after that.
for my $broken (1, 0) {
    $user = account(10);
    my $id = later($user, { type => 'next-two', prompt => "{{gate=$user cut-before times=1}} [$user]" });
    ok wait_for(sub { submissions("[$user]") }), 'a child works';
    my $leader = leader_of($id);
    my $lock   = hold_up();
    open_gate($user);
    ok wait_for(sub { is_held_up() }), '... and has lost the answer';
    kill KILL => $leader;
    break_up() if $broken;
    close $lock;
    ok 1, '... and is killed ' . ($broken ? 'before that is written' : 'inside the statement');
    is ended($user, $id, 'next-two')->{status}, 'completed', '... another one goes on elsewhere';
    is_deeply [sent_to($user)], [qw(stability openai)], '... each provider was sent it once';
    credits_are $user, 9, 0, '... and the user pays once';
    wait_for { children() >= 2 };
}

# ---- the first one was only asleep ----

lengthen_grace();
$user = account(10);
my $id = later($user, { type => 'next-two', prompt => "{{gate=$user}} [$user]" });
wait_for { submissions("[$user]") };
my $frozen = leader_of($id);
freeze $frozen;
wait_for { (leader_of($id) // 0) != $frozen };
normal_grace();
take_from_child($id, 'due_at = now()');
wait_for { grep { $_ eq 'openai' } sent_to($user) };
open_gate($user);
kill CONT => $frozen;
is ended($user, $id, 'next-two')->{status}, 'completed', 'two providers made it: it is completed';
credits_are $user, 9, 0, '... and charged once';
is_deeply [sort(sent_to($user))], [qw(openai stability)], '... each was sent it once';

is_deeply [broken_rules()], [], 'the books are sound';

finish;

# Whom the fake was, in this order, as it was sent the user's generation.
sub sent_to {
    my ($who) = @_;
    my $res = HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_submissions?match=%5B$who%5D");
    return map { $_->{path} =~ m{/openai/} ? 'openai' : 'stability' } @{ data($res) };
}

sub attempts {
    my ($job) = @_;
    return sql("SELECT provider || ' ' || outcome FROM genflow.attempts WHERE job_id = :'id' ORDER BY no",
        id => $job);
}

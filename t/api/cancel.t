#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation is cancelled at once, whatever is being done for it; its credits come back. When a
# cancel and the picture come at once, one of them counts: it is cancelled and free, or completed and
# paid. (500 such races in the database alone are in t/sql/race_cancel.t; whether runs are cancelled
# to stop is in t/provider/cancel.t.)
use Genflow::Test;

use Time::HiRes qw(time);

# ---- in every phase ----

my $user   = account(20);
my @PHASES = (    # type, prompt, phase of its work row
    ['relay',      'queued {{status=503 retry-after=50}}', 'queued'],
    ['neo-glitch', 'sent {{gate=cancel-sent}}',            'sending'],
    ['neo-glitch', 'worked on {{poll-hang}}',             'working'],
);
my @ids;
for my $case (@PHASES) {
    my ($type, $prompt, $phase) = @$case;
    my $id = later($user, { type => $type, prompt => $prompt });
    push @ids, [$id, $type];
    my $reached = wait_for {
        (sql1("SELECT phase FROM genflow.work WHERE job_id = :'id' AND attempts > 0", id => $id) // '')
            eq $phase;
    };
    ok $reached, "a generation is $phase";
    my $begin = time;
    my $res   = api(POST => "/api/generation/$id/cancel", user => $user);
    my $reply  = data($res);
    is $res->{status}, 200, '... its owner cancels it';
    cmp_ok time - $begin, '<', 15, '... and need not wait';
    is_deeply [@{$reply}{qw(id status tokensUsed errorCode imageUrl)}], [$id, 'cancelled', 0, undef, undef],
        '... it is cancelled, and has cost nothing';
    ok $reply->{finishedAt}, '... at an instant that is shown';
    is_deeply status_of($user, $id, $type), $reply, '... as its status says';
    credits_are $user, 20, 0, '... the hold is given back';
    is sql1("SELECT string_agg(kind || amount, ' ' ORDER BY at) FROM genflow.ledger WHERE ref = :'id'",
        id => $id), 'hold' . ($type eq 'relay' ? 2 : 1) . ' release0', '... in the ledger, too';
    error_is(api(POST => "/api/generation/$id/cancel", user => $user), 400,
        'INVALID_GENERATION_STATUS', '... and cannot be cancelled again');
}
open_gate('cancel-sent');
my $came = wait_for { sql1("SELECT count(*) FROM genflow.late_results WHERE job_id = :'id'",
        id => $ids[1][0]) };
is $came, 1, 'a picture that was under way comes too late, and is noted';
ok !-e picture_file($ids[1][0]), '... but not stored';
is status_of($user, @$_)->{status}, 'cancelled', 'what is cancelled stays so' for @ids;
is submissions('queued {{'), 1, 'and is not retried';
credits_are $user, 20, 0, 'all of that was free';

# ---- who waits ----

my $waited = later($user, { prompt => 'waited for {{poll-hang}}' });
wait_for { status_of($user, $waited)->{stabilityJobId} };
my @answers = in_parallel(3, sub {
    my ($i) = @_;
    my $begin = time;
    my %path  = (1 => "/api/generation/$waited", 2 => "/api/neo-glitch/status?id=$waited");
    if ($i == 0) {
        wait_for { time > $begin + 0.5 };               # the others wait by then
        return data(api(POST => "/api/job/$waited/cancel", user => $user))->{status};
    }
    my $reply = data(api(GET => $path{$i}, user => $user, headers => { Prefer => 'wait=20' }));
    return "$reply->{status} " . (time - $begin < 15 ? 'soon' : 'late');
}, 3);
is_deeply \@answers, ['cancelled', 'cancelled soon', 'cancelled soon'],
    'a job is cancelled, and a waiting client learns it soon';

# ---- against completion ----

my $racer = account(200);
my @ends  = in_parallel(80, sub {
    my ($i)   = @_;
    my $delay = $i * 7 % 60;                            # of the provider, in milliseconds
    my $id    = later($racer, { prompt => "{{delay=$delay}} a race of $racer" });
    my $said  = api(POST => "/api/generation/$id/cancel", user => $racer)->{status};
    return [$id, $said, ended($racer, $id)->{status}];
}, 8);
my %seen;
$seen{"$_->[1] $_->[2]"}++ for @ends;
is_deeply [grep { $_ ne '200 cancelled' && $_ ne '400 completed' } keys %seen], [],
    'of cancel and completion one wins, and the other learns it';
my $paid = $seen{'400 completed'} // 0;
credits_are $racer, 200 - $paid, 0, 'what completed is paid, what was cancelled is not';
my $as_settled = wait_for { !grep { ($_->[2] eq 'completed') != !!-e picture_file($_->[0]) } @ends };
ok $as_settled, 'pictures are there of what completed, and of nothing else';
is rows_of($racer, 'genflow.work'), 0, 'and no work is left';

finish;

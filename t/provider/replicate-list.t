#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A submission to Replicate whose answer was lost is never sent twice: not where its clock is 20
# minutes behind, and not where its list shows runs only after a while. What two lists, requested
# one GenflowProviderListWait apart, do not hold was never taken, and is sent again.
use Genflow::Test;

use Genflow::Httpd ();

my $WAIT = 2;                                    # seconds: GenflowProviderListWait

my $SITE = <<"END";
Include "\${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
GenflowStoreFolder "\${GENFLOW_WORK}/store"
GenflowFetchAllow 127.0.0.1
GenflowDispatchPoll 100ms
<GenflowProvider behind>
    GenflowProviderKind replicate
    GenflowProviderUrl "\${GENFLOW_FAKE}/replicate/behind/v1"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 100ms
    GenflowProviderBackoff 50ms
    GenflowProviderListWait ${WAIT}s
</GenflowProvider>
<GenflowType list-behind>
    GenflowTypeProviders behind/black-forest-labs/flux-dev
    GenflowTypeCost 1
</GenflowType>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END

sql("SELECT genflow.create_type('list-behind')");
my $httpd = Genflow::Httpd->start($SITE);
talk_to($httpd);

my @CASES = (
    # script, how often it is sent, at least so many waits between the first and the last, the name
    ['cut-before poll=1',               1, 0, 'a clock that is 20 minutes behind'],
    ['cut-before poll=1 list-lag=3000', 1, 0, 'a list that lags behind for longer than the wait'],
    ['cut-before untaken times=1',      2, 2, 'a request that was never taken'],
);
my @done = in_parallel(scalar @CASES, sub {
    my ($script) = @{ $CASES[ $_[0] ] };
    my $user = account(10);
    my $id   = later($user, { type => 'list-behind', prompt => "{{$script}} [$user]" });
    my $end  = wait_for {
        my $generation = status_of($user, $id, 'list-behind');
        $generation->{finishedAt} && $generation;
    } 20 * $WAIT;
    return { user => $user, status => $end->{status} };
});
for my $i (0 .. $#CASES) {
    my (undef, $times, $waits, $name) = @{ $CASES[$i] };
    my $user = $done[$i]{user};
    my @sent = sent_of($user);
    is $done[$i]{status}, 'completed', "$name: completes";
    is scalar @sent, $times, "... sent " . ($times == 1 ? 'once' : "$times times");
    cmp_ok $sent[-1]{time} - $sent[0]{time}, '>=', $waits * $WAIT, '... not before two lists agree' if $waits;
    credits_are $user, 9, 0, '... and charged once';
}
is $httpd->alarms, '', 'nothing was alarming';

# The submissions of that user, oldest first.
sub sent_of {
    my ($user) = @_;
    my $res = HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_submissions?match=%5B$user%5D");
    return @{ data($res) };
}

finish;

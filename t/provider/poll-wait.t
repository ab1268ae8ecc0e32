#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A run is polled soon after the provider has accepted it, and then at waits that double up to
# GenflowProviderPoll: a picture that is ready at once is not waited for. Each wait is taken from the
# times at which the polls came.
use Genflow::Test;

use List::Util qw(min);

use Genflow::Httpd ();

my $PATIENCE = $ENV{GENFLOW_TEST_PATIENCE} || 1;
my $SITE     = <<'END';
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowFetchAllow 127.0.0.1
GenflowDispatchPoll 100ms
END

# name, GenflowProviderPoll, the wait before each poll in seconds
my @CASES = (
    ['seldom', '20s',   [0.25, 0.5, 1, 2, 4]],
    ['even',   '2s',    [0.25, 0.5, 1, 2, 2]],
    ['often',  '100ms', [(0.1) x 31]],
);
for my $case (@CASES) {
    my ($name, $poll) = @$case;
    sql("SELECT genflow.create_type(:'type')", type => "poll-$name");
    $SITE .= <<"END";
<GenflowProvider $name>
    GenflowProviderKind replicate
    GenflowProviderUrl "\${GENFLOW_FAKE}/replicate/v1"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll $poll
</GenflowProvider>
<GenflowType poll-$name>
    GenflowTypeProviders $name/a/b
    GenflowTypeCost 1
</GenflowType>
END
}
my $httpd = Genflow::Httpd->start($SITE . "Include \"\${GENFLOW_WORK}/t/conf/api.conf\"\n");
talk_to($httpd);

for my $case (@CASES) {
    my ($name, $poll, $waits) = @$case;
    my $user = account(10);
    my $id   = later($user, { type => "poll-$name", prompt => "{{poll=$#$waits}} [$user]" });
    is ended($user, $id, "poll-$name")->{status}, 'completed', "$name: completed";
    my @gaps = poll_gaps("[$user]");
    is scalar @gaps, scalar @$waits, '... with poll ' . @$waits;
    for my $i (0 .. $#gaps) {
        cmp_ok $gaps[$i], '>', 0.95 * $waits->[$i], "... poll $i waits for $waits->[$i] s";
    }
    cmp_ok $gaps[$_], '<', 10 * $PATIENCE, "... and poll $_ not for the whole interval"
        for $name eq 'seldom' ? (0 .. 2) : ();
    cmp_ok min(@gaps), '<', 0.25 * $PATIENCE, '... and not longer for the first one'
        if $name eq 'often';
    credits_are $user, 9, 0, '... for one credit';
}

my $user = account(10);
my $id   = later($user, { type => 'poll-even', prompt => "{{poll=1 poll-status=503}} [$user]" });
is ended($user, $id, 'poll-even')->{status}, 'completed', 'a refused poll: completed';
my @gaps = poll_gaps("[$user]");
is scalar @gaps, 3, '... with the third poll';
cmp_ok min(@gaps[1, 2]), '>', 1.9, '... and each one after the refused one waits for the interval';
talk_to();

finish;

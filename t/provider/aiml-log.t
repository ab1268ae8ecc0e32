#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The module does not wait for a lost answer that AIML's log has: it reads the log after one poll,
# not after GenflowProviderListWait.
use Genflow::Test;

use Genflow::Httpd ();

my $WAIT = 300;                                  # seconds: GenflowProviderListWait below

sql("SELECT genflow.create_type('logged')");
my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowFetchAllow 127.0.0.1
GenflowDispatchPoll 100ms
<GenflowProvider logbook>
    GenflowProviderKind aiml
    GenflowProviderUrl "${GENFLOW_FAKE}/aiml"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 500ms
    GenflowProviderBackoff 50ms
    GenflowProviderListWait 5m
    GenflowProviderDeadline 10m
</GenflowProvider>
<GenflowType logged>
    GenflowTypeProviders logbook/flux/dev
    GenflowTypeCost 1
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($httpd);

my @CASES = (
    # script, status, credits, the test's name
    ['cut-before',                'failed',    10, 'a lost answer that the log has as paid'],
    ['cut-before failed times=1', 'completed', 9,  'a lost answer that the log has as failed'],
);
for my $case (@CASES) {
    my ($script, $status, $credits, $name) = @$case;
    my $user = account(10);
    my $id   = later($user, { type => 'logged', prompt => "{{$script}} [$user]" });
    my $end  = ended($user, $id, 'logged');
    is $end->{status}, $status, "$name: $status";
    my $took = sql1("SELECT extract(epoch FROM finished_at - created_at) FROM public.logged_media"
        . " WHERE id = :'id'", id => $id);
    cmp_ok $took, '<', $WAIT / 2, '... without that wait';
    credits_are $user, $credits, 0, '... and the credits say the same';
}

finish;

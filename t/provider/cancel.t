#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Who cancels what a provider works on cancels the run at the provider: by the process that leads the
# run, at once when it took the cancel itself, and by its next heartbeat when another one did.
# A provider that took the run only after the cancel gets the cancel as well.
use Genflow::Test;

use Time::HiRes qw(time);

use Genflow::Httpd ();

my $PATIENCE = $ENV{GENFLOW_TEST_PATIENCE} || 1;
my $user = account(30);

# One process that works, on these types alone, and one that only takes requests.
my $SITE = <<'END';
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowFetchAllow 127.0.0.1
<GenflowProvider replicate>
    GenflowProviderUrl "${GENFLOW_FAKE}/replicate/v1"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 60s
</GenflowProvider>
<GenflowProvider fal>
    GenflowProviderUrl "${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 60s
</GenflowProvider>
<GenflowType stop-replicate>
    GenflowTypeProviders replicate/black-forest-labs/flux-dev
    GenflowTypeCost 1
</GenflowType>
<GenflowType stop-fal>
    GenflowTypeProviders fal/fal-ai/fast-sdxl
    GenflowTypeCost 1
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
sql("SELECT genflow.create_type(:'type')", type => $_) for qw(stop-replicate stop-fal);
my $leader = Genflow::Httpd->start("${SITE}GenflowDispatchLease 30s\nGenflowDispatchPoll 100ms\n");
my $other  = Genflow::Httpd->start("${SITE}GenflowDispatch Off\n");

# type, what the provider does, who takes the cancel, whom the row names as the provider's id, seconds
my @CASES = (
    ['stop-replicate', 'poll-hang',             $leader, 'at once', 8],
    ['stop-fal',       'poll-hang',             $leader, 'at once', 8],
    ['stop-replicate', 'poll-hang',             $other,  'by a heartbeat', 40],
    ['stop-fal',       'poll-hang',             $other,  'by a heartbeat', 40],
    ['stop-replicate', 'delay=1500 poll-hang',  $leader, 'once it has taken the run', 9],
    ['stop-fal',       'delay=1500 poll-hang',  $other,  'once it has taken the run', 40],
);
my %polls;    # tag of a run => polls until it ended
for my $case (@CASES) {
    my ($type, $script, $server, $how, $seconds) = @$case;
    my $tag = "[$type $script " . ($server == $leader ? 'here' : 'elsewhere') . " $user]";
    talk_to($leader);
    my $id = later($user, { type => $type, prompt => "{{$script}} $tag" });
    wait_for {
        $script =~ /delay/ ? submissions($tag)
            : sql1("SELECT 1 FROM genflow.work WHERE job_id = :'id' AND phase = 'working'", id => $id);
    };
    is cancels($tag), 0, "a run of $type goes on";
    talk_to($server);
    my $begin = time;
    is api(POST => "/api/generation/$id/cancel", user => $user)->{status}, 200, '... it is cancelled '
        . ($server == $leader ? 'where it is led' : 'elsewhere');
    my $count = wait_for { cancels($tag) };
    is $count, 1, "... the provider gets one cancel $how";
    cmp_ok time - $begin, '<', $seconds * $PATIENCE, '... in time';
    my $log = wait_for { $leader->log_text =~ /GF0404: job=\Q$id\E .*: settle refused: already_ended/ };
    ok $log, '... and the run ends';
    is status_of($user, $id, $type)->{status}, 'cancelled', '... it stays cancelled';
    is cancels($tag), 1, '... the provider gets one cancel';
    $polls{$tag} = poll_gaps($tag);
}
credits_are $user, 30, 0, 'nothing was charged';
is_deeply { map { $_ => scalar poll_gaps($_) } keys %polls }, \%polls,
    'and a cancelled run is not polled any more';
my @alarms = grep { !/GF0005/ } map { split /\n/, $_->alarms } $leader, $other;
is "@alarms", '', 'and has nothing to complain about';
talk_to();

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Who cancels what a provider works on cancels the run at the provider: by the process that leads the
# run, at once when it took the cancel itself, and by its next heartbeat when another one did.
# A provider that took the run only after the cancel gets the cancel as well.
use Genflow::Test;

use Genflow::Httpd ();

my $user = account(30);

# A process that works on these types alone.
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
(my $BEATING = $SITE) =~ s/<GenflowType stop/<GenflowType beat/g;
sql("SELECT genflow.create_type(:'type')", type => $_) for qw(stop-replicate stop-fal beat-replicate beat-fal);

# The first one learns of nothing by a heartbeat, which comes in minutes; the second one soon, and another server takes its
# requests.
my $leader = Genflow::Httpd->start("${SITE}GenflowDispatchLease 10m\nGenflowDispatchPoll 100ms\n");
my $beats  = Genflow::Httpd->start("${BEATING}GenflowDispatchLease 2s\nGenflowDispatchPoll 100ms\n");
my $other  = Genflow::Httpd->start("${BEATING}GenflowDispatch Off\n");

# type, what the provider does, who leads, who takes the cancel, how the leader learns of it
my @CASES = (
    ['stop-replicate', 'poll-hang',             $leader, $leader, 'at once'],
    ['stop-fal',       'poll-hang',             $leader, $leader, 'at once'],
    ['beat-replicate', 'poll-hang',             $beats,  $other,  'by a heartbeat'],
    ['beat-fal',       'poll-hang',             $beats,  $other,  'by a heartbeat'],
    ['stop-replicate', 'gate=GATE poll-hang',   $leader, $leader, 'once it has taken the run'],
    ['beat-fal',       'gate=GATE poll-hang',   $beats,  $other,  'once it has taken the run'],
);
my %polls;    # tag of a run => polls until it ended
for my $case (@CASES) {
    my ($type, $script, $leads, $server, $how) = @$case;
    my $gate = $script =~ s/GATE/stop-$type-$user/ && "stop-$type-$user";
    my $tag  = "[$type $how $user]";
    talk_to($leads);
    my $id = later($user, { type => $type, prompt => "{{$script}} $tag" });
    wait_for {
        $gate ? submissions($tag)
            : sql1("SELECT 1 FROM genflow.work WHERE job_id = :'id' AND phase = 'working'", id => $id);
    };
    is cancels($tag), 0, "a run of $type goes on";
    talk_to($server);
    is api(POST => "/api/generation/$id/cancel", user => $user)->{status}, 200, '... it is cancelled '
        . ($server == $leads ? 'where it is led' : 'elsewhere');
    open_gate($gate) if $gate;
    my $count = wait_for { cancels($tag) };
    is $count, 1, "... the provider gets one cancel $how";
    my $log = wait_for { $leads->log_text =~ /GF0404: job=\Q$id\E .*: settle refused: already_ended/ };
    ok $log, '... and the run ends';
    is status_of($user, $id, $type)->{status}, 'cancelled', '... it stays cancelled';
    is cancels($tag), 1, '... the provider gets one cancel';
    $polls{$tag} = poll_gaps($tag);
}
credits_are $user, 30, 0, 'nothing was charged';
is_deeply { map { $_ => scalar poll_gaps($_) } keys %polls }, \%polls,
    'and a cancelled run is not polled any more';
my @alarms = grep { !/GF0005/ } map { split /\n/, $_->alarms } $leader, $beats, $other;
is "@alarms", '', 'and has nothing to complain about';
talk_to();

finish;

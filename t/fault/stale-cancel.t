#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child sleeps until its provider's time is over, while another host goes on with its runs. When it
# wakes it gives up, and does not cancel the runs at the provider: the other host still polls them.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;
use Time::HiRes ();

my $RUNS     = 10;
my $DEADLINE = 20;                               # seconds that the child which sleeps gives its provider
my $SPREAD   = 4;                                # between the submissions, on a busy machine

# The site, which goes on, has time for whatever the test does meanwhile.
ok configure(<<'END'), 'the site has time';
<GenflowProvider fal>
    GenflowProviderDeadline 5m
</GenflowProvider>
END
my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . <<"END");
ServerLimit 1
MaxRequestWorkers 25
GenflowFetchAllow 127.0.0.1
<GenflowProvider fal>
    GenflowProviderUrl "\${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderDeadline ${DEADLINE}s
    GenflowProviderPoll 100ms
</GenflowProvider>
<GenflowType echo-fal>
    GenflowTypeProviders fal/fal-ai/fast-sdxl
    GenflowTypeCost 1
</GenflowType>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to $httpd;
wait_for { api(GET => '/api/health')->{status} == 200 };

my @users = map { account(10) } 1 .. $RUNS;
my $begun = Time::HiRes::time();
my @ids   = in_parallel($RUNS, sub {
    my $user = $users[ $_[0] ];
    return later($user, { type => 'echo-fal', prompt => "{{poll=1 poll-gate=stale-cancel poll-delay=60}} [$user]" });
});
my $ids   = join ',', @ids;
my $taken = wait_for { $RUNS == sql1(<<'SQL', ids => $ids) };
    SELECT count(*) FROM genflow.work WHERE job_id = ANY (string_to_array(:'ids', ',')::uuid[]) AND phase = 'working'
SQL
ok $taken, "a provider works on $RUNS runs";
# A run that is polled after its deadline only, once it is awake, would hear that its lease is over while that poll waits.
ok wait_for { !grep { !poll_gaps("[$_]") } @users }, '... and has the first poll of each';
my ($frozen) = $httpd->children;
is_deeply [map { leader_of($_) } @ids], [($frozen) x $RUNS], '... of one child';
freeze($frozen);
talk_to;
my $moved = wait_for { !sql1(<<'SQL', ids => $ids, frozen => "%:$frozen:%") };
    SELECT count(*) FROM genflow.work WHERE job_id = ANY (string_to_array(:'ids', ',')::uuid[])
       AND coalesce(lease_owner, :'frozen') LIKE :'frozen'
SQL
ok $moved, '... which sleeps: another host goes on with them';
# Each of the runs has the deadline from its own submission.
wait_for { Time::HiRes::time() - $begun > $DEADLINE + $SPREAD };
my $mark = length $httpd->log_text;
kill CONT => $frozen;
my $gave_up = sub { my $log = substr $httpd->log_text, $mark; scalar grep { $log =~ /\Q$_\E/ } @ids };
# A run that hears first that its lease is over ends without a line.
wait_for { $gave_up->() == $RUNS } $SPREAD;
ok wait_for(sub { $gave_up->() }), 'then the child wakes, and has to do with its runs once more' or diag $httpd->log_text;
is_deeply [map { cancels("[$_]") } @users], [(0) x $RUNS], '... which cancels none';
open_gate('stale-cancel');
is_deeply [map { ended($users[$_], $ids[$_], 'echo-fal')->{status} } 0 .. $#ids], [('completed') x $RUNS],
    '... and the other host completes them';
is_deeply [map { submissions("[$_]") } @users], [(1) x $RUNS], '... each was sent once';
credits_are $_, 9, 0, '... and charged once' for @users;

$httpd->stop;
ok configure(''), 'the provider has its usual time again';

END { kill CONT => $frozen if $frozen }

finish;

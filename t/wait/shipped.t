#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# conf/genflow-waiting.conf, as shipped: hundreds of requests wait in its children, and the end of the
# generation, which another process notices, wakes them all. Where the host gives httpd too few
# descriptors for GenflowWatchMax, the log says how many may wait.
use Genflow::Test;
use Genflow::Wait;

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { MANY => 400, WATCH_MAX => 10_000 };

my $user  = account(50);
my $httpd = wait_site(0, <<'END');
Include "${GENFLOW_WORK}/conf/genflow-waiting.conf"
GenflowWatchUser 400
END
my $id  = waiting_generation($user);
my @all = map { Genflow::Wait->get('/api/' . wait_type() . "/status?id=$id", $user, 60) } 1 .. MANY;
ok all_wait(MANY), MANY . ' requests wait';
cancel_generation($id);
is_deeply [map { $_->answer->{status} } @all], [(200) x MANY], 'the end of the generation wakes all';

my ($descriptors) = `sh -c "ulimit -n"` =~ /(\d+)/;
my $may     = int((($descriptors || 1e6) - 256 - 128) / 3);        # beside 256 jobs in flight
my $lowered = $may < WATCH_MAX ? 1 : 0;
my $line = $httpd->log_text =~ /GF0701: (\d+) requests of a child may wait, not 10000: half of its 25664 connections/
    ? $1 : 0;
is $line, $lowered ? $may : 0, 'the log says if fewer may wait' or diag $descriptors;
$httpd->stop;
talk_to();
finish;

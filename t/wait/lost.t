#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# News that never reach the child: a generation that the child itself works on ends in another process,
# and nobody notifies the child. The slow check of its row finds that, and the request that waits is
# answered, long before the child would notice by its lease.
use Genflow::Test;
use Genflow::Wait;

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { CLIENTS => 5 };

my $user  = account(50);
my $type  = 'wait-lost-here';
my $small = Genflow::Httpd::small_site($type);
my $httpd = Genflow::Httpd->start(<<'END' . $small . <<'LINES');
ServerLimit 2
ThreadLimit 4
ThreadsPerChild 4
MaxRequestWorkers 4
AsyncRequestWorkerFactor 1000
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
GenflowDispatchLease 5m
GenflowWatchUser 100
LINES
talk_to($httpd);
wait_for { api(GET => '/api/health')->{status} == 200 };
wait_at($httpd);

my @makers = map { Genflow::Wait->connection->make($type, $user, {
    prompt => "{{gate=$user}} number $_", presetKey => 'base' }, 60) } 1 .. CLIENTS;
ok all_wait(CLIENTS), CLIENTS . ' requests wait for generations of their child';
my $sent = wait_for { submissions($user) == CLIENTS };
ok $sent, '... which the provider has';
my @ids     = sql("SELECT id FROM public.wait_lost_here_media WHERE user_id = genflow.account_of(:'user')", user => $user);
my @streams = map { Genflow::Wait->get("/api/generation/$_/events", $user) } @ids;
ok all_wait(2 * CLIENTS), '... and a stream for each';
cancel_generation($_) for @ids;
is_deeply [map { $_->answer->{status} } @makers], [(200) x CLIENTS], 'another process ends them: all are answered';
is_deeply [grep { !$_->streams(qr/"status":"cancelled"/) } @streams], [], '... and the streams end';
open_gate($user);

ok all_wait(0), 'all places are free';
$httpd->stop;
talk_to();
credits_are $user, 50, 0, 'nothing was charged';
finish;

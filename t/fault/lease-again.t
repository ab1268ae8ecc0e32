#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A lease runs out, and the very child that held it wins it again: the run that lost it is given up,
# and only the new one goes on.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;

my $httpd = Genflow::Httpd->one_child('won-again', lines => "GenflowDispatchLease 2s\nGenflowFetchAllow 127.0.0.1\n",
    chain => 'fal/fal-ai/fast-sdxl', provider => ['GenflowProviderPoll 100ms']);

my $user = account(10);
my $id   = later($user, { type => 'won-again', prompt => "{{poll=40}} [$user]" });
ok wait_for(sub { status_of($user, $id, 'won-again')->{falJobId} }), 'a provider works';
my $leader = leader_of($id);
ok wait_for(sub { sql1("SELECT led FROM genflow.work WHERE job_id = :'id'", id => $id) eq 't' }),
    '... and a heartbeat has named the job';
sql(<<'SQL', id => $id);
    UPDATE genflow.work SET due_at = clock_timestamp() WHERE job_id = :'id'
SQL
ok wait_for(sub { $httpd->log_text =~ /GF0401: job=\Q$id\E/ }), 'the lease is won a second time';
is leader_of($id), $leader, '... by the same child';
is ended($user, $id, 'won-again')->{status}, 'completed', '... which completes it';
wait_for { $httpd->log_text =~ /GF0404: job=\Q$id\E/ } 1;
my @ends = $httpd->log_text =~ /(GF040[45]): job=\Q$id\E/g;
is "@ends", 'GF0405', '... once: the run that lost the lease was given up';
is submissions("[$user]"), 1, '... sent once';
credits_are $user, 9, 0, '... and charged once';
is $httpd->alarms, '', 'the log has no warning';
talk_to undef;

finish;

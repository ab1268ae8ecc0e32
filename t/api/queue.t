#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation in our queue shows its place there (queuePosition) and about when it is begun
# (expectedSeconds): in its status and in lists. Its place alone ends no wait.
use Genflow::Test;

use Time::HiRes qw(time);

use Genflow::Httpd qw(small_site);

# Nothing here is begun.
my $httpd = Genflow::Httpd->start(small_site('waits-here') . <<'END');
GenflowDispatch Off
Timeout 2
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($httpd);

my ($one, $two) = (account(10), account(10));
my ($first, $second) = map { later($_, { type => 'waits-here', prompt => 'a cat' }) } $one, $two;
my ($path, $listed) = ("/api/generation/$second", '/api/generations?type=waits-here');

# ---- what it shows ----

is place($one, $first), 0, 'the first has nobody before it';
my $job = status_of($two, $second, 'waits-here');
is $job->{status}, 'pending', 'the second is pending';
is $job->{queuePosition}, 1, '... and has one before it';
ok exists $job->{expectedSeconds} && !defined $job->{expectedSeconds}, '... for a time that nobody knows';
is data(api(GET => $listed, user => $two))->{items}[0]{queuePosition}, 1, 'a list says the same';
is data(api(GET => "$path?names=both", user => $two))->{queue_position}, 1, 'so does its twin';

my @begun;
begun(3);
my $expected = status_of($two, $second, 'waits-here')->{expectedSeconds};
cmp_ok $expected, '>=', 6, 'at one start in three seconds the second place waits for two';
cmp_ok $expected, '<', 60, '... of them';

# ---- what its ETag shows ----

my $known = api(GET => $path, user => $two)->{headers}{etag};
is looks($known), 304, 'who knows the state and the place gets 304';
my $queued = data(api(GET => "/api/job/$second", user => $two));
is "$queued->{status} $queued->{queuePosition}", 'queued 1', 'a job has the same place';
begun(9);
is looks($known), 304, '... whatever time it takes';
my $begin = time;
cancel($one, $first);
is looks($known), 200, 'another place is a change';
is looks($known, Prefer => 'wait=1'), 200, '... which is told at the end of a wait';
cmp_ok time - $begin, '>=', 0.95, '... and does not end it';
is place($two, $second), 0, 'it has moved up';

cancel($two, $second);
cancel(@$_) for @begun;
credits_are $one, 10, 0, 'and nothing was charged';
talk_to();

finish;

sub place {
    my ($user, $id) = @_;
    return status_of($user, $id, 'waits-here')->{queuePosition};
}

sub cancel {
    my ($user, $id) = @_;
    my $res = api(POST => "/api/generation/$id/cancel", user => $user);
    $res->{status} == 200 or die "cancel: $res->{status} $res->{content}\n";
}

# The status of a look by a client that knows this ETag.
sub looks {
    my ($tag, %headers) = @_;
    return api(GET => $path, user => $two, headers => { 'If-None-Match' => $tag, %headers })->{status};
}

# As if a generation had been begun lately, so many seconds before now, and created before all others.
sub begun {
    my ($seconds) = @_;
    my $user = account(1);
    my $id   = later($user, { type => 'waits-here', prompt => 'a cat' });
    sql(<<'SQL', id => $id, ago => $seconds);
SET session_replication_role = replica;
UPDATE public.waits_here_media SET status = 'processing', created_at = created_at - interval '1 hour',
       started_at = clock_timestamp() - interval '1 second' * :ago WHERE id = :'id';
UPDATE genflow.work SET turn = NULL WHERE job_id = :'id';
SQL
    return push @begun, [$user, $id];
}

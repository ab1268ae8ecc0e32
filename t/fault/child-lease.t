#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child renews its own lease, and a heartbeat names each of its jobs once. What a living child does
# not work on is claimed all the same: a job that it never heard of, and one that it had to drop.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;

my $httpd = Genflow::Httpd->one_child('child-lease', lines => "GenflowDispatchLease 2s\nGenflowDispatchDrain 100ms\n",
    provider => ['GenflowProviderPoll 100ms', 'GenflowProviderDeadline 5m']);

my $user  = account(10);
my $PRICE = 'AND w.user_id = genflow.account_of(:\'user\')';

# ---- a job is named once ----

my @long = map { later($user, { type => 'child-lease', prompt => "{{gate=$user.long}} $_ [$user]" }) } 1 .. 3;
ok wait_for(sub { submissions("[$user]") == 3 }), 'generations are being sent';
my $child = owner_of($long[0]);
ok wait_for(sub { 3 == sql1("SELECT count(*) FROM genflow.work w WHERE led $PRICE", user => $user) }), 'a heartbeat names them';
my $versions = versions();
for my $number (1 .. 3) {
    my $end = lease_end($long[0]);
    ok wait_for(sub { lease_end($long[0]) > $end }), "heartbeat $number renews the lease of the child";
}
is versions(), $versions, '... and writes no job';
is row_of($child), 1, '... but one row';

# ---- a job of this child that it never heard of ----

my $unknown = sql1(<<'SQL', user => $user, child => $child);
    SELECT id FROM genflow.child_lease_create(:'user', 'unknown', '\x01', NULL, 'base', '[unknown]', NULL, '{}', 7, 1, 3::smallint,
                                              '10 minutes', :'child', '2 seconds')
SQL
is ended($user, $unknown, 'child-lease')->{status}, 'completed', 'a job whose child does not know of it is claimed and completes';
is submissions('[unknown]'), 1, '... sent once';

# ---- a run that PostgreSQL refuses ----

sql(<<'SQL');
    CREATE FUNCTION genflow.test_bug() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a bug';
    END $$;
    CREATE TRIGGER test_bug BEFORE UPDATE ON public.child_lease_media FOR EACH ROW
        WHEN (NEW.status = 'completed') EXECUTE FUNCTION genflow.test_bug();
SQL
open_gate("$user.long");
ok wait_for(sub { 3 <= (() = $httpd->log_text =~ /a bug/g) }), 'three runs end with an error';
is scalar(grep { status_of($user, $_, 'child-lease')->{status} eq 'processing' } @long), 3, '... their generations live';
sql('DROP FUNCTION genflow.test_bug() CASCADE');
is_deeply [map { ended($user, $_, 'child-lease')->{status} } @long], [('completed') x 3],
    '... the leases expire though the child lives, and they complete';
is submissions("[$user]"), 3, '... sent once each';
credits_are $user, 6, 0, '... and charged once each';

# ---- without jobs ----

ok wait_for(sub { !row_of($child) }), 'a child without jobs has no row';

# ---- killed ----

my $id = later($user, { type => 'child-lease', prompt => "{{poll=1 poll-gate=$user.killed}} killed [$user]" });
ok wait_for(sub { sql1("SELECT led FROM genflow.work WHERE job_id = :'id' AND phase = 'working'", id => $id) }), 'a run is led';
my ($dead, $was) = (leader_of($id), owner_of($id));
kill KILL => $dead;
ok wait_for(sub { (owner_of($id) // $was) ne $was }), 'its child is killed: another one takes it';
open_gate("$user.killed");
is ended($user, $id, 'child-lease')->{status}, 'completed', '... and completes it';
is submissions("killed [$user]"), 1, '... sent once';
credits_are $user, 5, 0, '... and charged once';

# ---- graceful ----

$id = later($user, { type => 'child-lease', prompt => "{{poll=1 poll-gate=$user.stopped}} stopped [$user]" });
ok wait_for(sub { sql1("SELECT led FROM genflow.work WHERE job_id = :'id' AND phase = 'working'", id => $id) }), 'a run is led';
$was = owner_of($id);
kill USR1 => $httpd->pid;
ok wait_for(sub { (owner_of($id) // $was) ne $was }), 'its child ends gracefully: another one takes it';
is sql1("SELECT lost_leases FROM genflow.work WHERE job_id = :'id'", id => $id), 0, '... that was handed back';
open_gate("$user.stopped");
is ended($user, $id, 'child-lease')->{status}, 'completed', '... and completes it';
credits_are $user, 4, 0, '... for one charge';
is_deeply [broken_rules()], [], 'the books are sound';
talk_to undef;

sub owner_of {
    my ($job) = @_;
    return sql1("SELECT lease_owner FROM genflow.work WHERE job_id = :'id'", id => $job);
}

sub row_of {
    my ($owner) = @_;
    return sql1("SELECT count(*) FROM genflow.children WHERE owner = :'owner'", owner => $owner);
}

# Each update of a row makes a new one.
sub versions {
    return sql1("SELECT string_agg(w.xmin::text, ' ' ORDER BY w.job_id) FROM genflow.work w WHERE w.led $PRICE", user => $user);
}

finish;

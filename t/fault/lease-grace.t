#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL was away for longer than a lease. When it is back, the holders of leases have half a lease to
# renew them before anybody claims: what waits for its provider stays where it is.
use Genflow::Fault;
use Genflow::Test;

my $LEASE = 45;                                  # seconds; its holder renews it every third of it

expect_log 'GF0121';
ok configure(<<"END"), 'leases are long';
GenflowDispatchLease ${LEASE}s
<GenflowProvider stability>
    GenflowProviderDeadline 5m
</GenflowProvider>
END

my $user = account(20);
my @ids  = map { later($user, { prompt => "{{poll=1 poll-gate=$user}} $_ [$user]" }) } 1 .. 8;
ok wait_for(sub { 8 == grep { status_of($user, $_)->{stabilityJobId} } @ids }), 'generations wait for their provider';
my %leader = map { $_ => leader_of($_) } @ids;
my %leads  = map { $_ => 1 } values %leader;

wait_for { 8 == rows_of($user, 'genflow.work', 'led') };

# Their leases end while PostgreSQL is away, which each child that leads them has noticed. Until then no heartbeat renews
# them.
my $mark = log_mark();
sql(<<'SQL', user => $user);
    CREATE FUNCTION genflow.test_no_beat() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.expires := OLD.expires;
        RETURN NEW;
    END $$;
    CREATE TRIGGER test_no_beat BEFORE UPDATE ON genflow.children FOR EACH ROW
        WHEN (session_user = 'genflow_app') EXECUTE FUNCTION genflow.test_no_beat();
    UPDATE genflow.work SET leased_until = clock_timestamp() WHERE user_id = genflow.account_of(:'user');
    UPDATE genflow.children SET expires = clock_timestamp() + interval '1 second'
     WHERE owner IN (SELECT lease_owner FROM genflow.work WHERE user_id = genflow.account_of(:'user'));
SQL
ok pg('stop', 'immediate'), 'PostgreSQL stops';
my $over    = time + 2;
my $noticed = wait_for {
    my $log = log_since($mark);
    !grep { $log !~ /\[pid $_:[^\n]*GF0301: lost a database connection/ } keys %leads;     # a child without work asks for nothing
};
wait_for { time > $over };
ok $noticed, '... every child that leads one notices';
ok pg('start'), '... and PostgreSQL starts, when all leases are over';
my $late = rows_of($user, 'genflow.work', 'genflow.lease_end(work) < clock_timestamp()');
is $late, 8, '... as the rows say';
sql('DROP FUNCTION genflow.test_no_beat() CASCADE');
my $renewed = wait_for {
    !rows_of($user, 'genflow.work', 'genflow.lease_end(work) < clock_timestamp()');
};
ok $renewed, 'all leases are renewed';
is_deeply [grep { (leader_of($_) // 0) != $leader{$_} } @ids], [], '... by those who held them';
is sql1("SELECT max(epoch) FROM genflow.work WHERE user_id = genflow.account_of(:'user')", user => $user), 1, '... no host claimed meanwhile';
open_gate($user);
is_deeply [map { ended($user, $_)->{status} } @ids], [('completed') x 8], '... and all complete';
credits_are $user, 12, 0, '... for a charge each';
is submissions("[$user]"), 8, '... and a submission each';
ok configure(''), 'everything is as before';

finish;

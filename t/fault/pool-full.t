#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# All connections of a child's pool are in use: a request then waits for a bounded time, learns when
# to come back, and has made nothing; when connections are free again everything goes on.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;
use Time::HiRes qw(time);

my $POOL    = 8;
my $CALLERS = 24;
my $LONG    = 40;                                # seconds

my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . <<"END");
DBDParams "host=$ENV{GENFLOW_WORK} dbname=$ENV{PGDATABASE} user=genflow_app options='-c lock_timeout=2000'"
DBDKeep 4
DBDMax $POOL
ServerLimit 1
MaxRequestWorkers 25
GenflowDispatch Off
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to $httpd;
my $user = account(100);
is generate($user, {}, Prefer => 'respond-async')->{status}, 202, 'a generation is taken';

ok wait_for(sub { credits($user)->[1] == 0 }), '... and made by the other host, which is idle now';

# Every statement that looks at an account waits.
open my $lock, '|-', 'psql', '-Xqo', '/dev/null' or die "psql: $!\n";
$lock->autoflush(1);
print $lock "BEGIN; LOCK TABLE genflow.accounts;\n";
wait_for { sql1(q{SELECT 1 FROM pg_locks WHERE relation = 'genflow.accounts'::regclass
    AND mode = 'AccessExclusiveLock' AND granted}) };

my @answers = in_parallel($CALLERS, sub {
    my $begin = time;
    my $res   = generate($user, {}, Prefer => 'respond-async', 'Idempotency-Key' => "crowd-$_[0]");
    return [$res->{status}, $res->{headers}{'retry-after'}, data($res)->{code}, time - $begin];
}, $CALLERS);
my $PATIENCE = $ENV{GENFLOW_TEST_PATIENCE} || 1;
is_deeply [grep { $_->[0] != 503 || ($_->[1] // '') !~ /\A[1-9]\d?\z/ } @answers], [],
    "of $CALLERS requests at $POOL connections none gets one: each gets Retry-After";
is_deeply [grep { $_->[3] > $LONG * $PATIENCE } @answers], [], '... within a bounded time';
is scalar(grep { $_->[2] eq 'DATABASE_UNAVAILABLE' } @answers), $CALLERS, '... and why';
is scalar(@{ [$httpd->children] }), 1, '... by a child that lives';
close $lock;

is rows_of($user, 'public.neo_glitch_media'), 1, 'nothing was made for them';
my @again = in_parallel($CALLERS, sub {
    my ($i) = @_;
    return scalar wait_for {
        my $res = generate($user, {}, Prefer => 'respond-async', 'Idempotency-Key' => "crowd-$i");
        $res->{status} == 202 && data($res)->{id};
    };
}, 4);
is scalar(grep { $_ } @again), $CALLERS, 'when connections are free again, all are served';
is rows_of($user, 'public.neo_glitch_media'), 1 + $CALLERS, '... once each';
talk_to;
my $ended = wait_for { credits($user)->[1] == 0 };
ok $ended, '... and made by the other host';
credits_are $user, 100 - 1 - $CALLERS, 0, '... for a credit each';
like $httpd->alarms, qr/GF0121/, 'the log has a line for the operator';

finish;

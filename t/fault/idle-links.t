#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Connections to PostgreSQL that died while idle cost no request an error: the statement is
# repeated on a new connection, once.
use Genflow::Fault;
use Genflow::Test;

my $mark = log_mark();
my $user = account(1000);
for my $round (1 .. 3) {
    # All children have connections by then.
    my @warm = in_parallel(16, sub { generate($user, {}, Prefer => 'respond-async')->{status} }, 16);
    is_deeply [grep { $_ != 202 } @warm], [], "round $round: requests are taken";
    my $cut = sql1(q{SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
        WHERE usename = 'genflow_app' AND state = 'idle'});
    ok $cut, '... all idle connections are cut';
    my @answers = in_parallel(16, sub {
        my ($i) = @_;
        my $way = $i % 3;
        return $way == 0 ? generate($user, {}, Prefer => 'respond-async', 'Idempotency-Key' => "cut-$round-$i")->{status}
            : $way == 1  ? api(GET => '/api/generations', user => $user)->{status}
            :              api(POST => '/api/credits-reserve', user => $user,
                json => { request_id => "cut-$round-$i", cost => 1 })->{status};
    }, 16);
    is_deeply [grep { $_ != 200 && $_ != 202 } @answers], [], '... and no request sees that';
}
like log_since($mark), qr/GF0301/, 'connections were made anew';
my $jobs = sql1("SELECT count(*), count(DISTINCT job_id) FROM genflow.idempotency_keys WHERE user_id = genflow.account_of(:'user')",
    user => $user);
is $jobs, '66|66', 'each request made one generation';
my $ended = wait_for { !rows_of($user, 'genflow.work') };
ok $ended, '... and all of them end';
is rows_of($user, 'public.neo_glitch_media', "status = 'completed'"),
    66, '... with a picture';

finish;

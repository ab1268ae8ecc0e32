#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL restarts under load, fast and immediate: no child of httpd dies, every request is
# answered or gets Retry-After, and a client that repeats with the key has one generation per key in the
# end. While it is stopped, the answer is a quick 503; when it is back, no restart is needed.
use Genflow::Test;
use Time::HiRes qw(sleep time);

my $CLIENTS  = 8;
my @RESTARTS = qw(fast immediate fast immediate);
my $QUICK    = 9;                                # seconds; connecting may take 10

my $PATIENCE = $ENV{GENFLOW_TEST_PATIENCE} || 1;

expect_log 'GF0121';

# ---- restarts under load ----

my @pids   = sort(children());
my $user   = account(100_000);
my ($restarted, @clients) = in_parallel(1 + $CLIENTS, sub {
    my ($i) = @_;
    return $i == 0 ? restarts() : client($i);
}, 1 + $CLIENTS);

is_deeply $restarted, [map { "$_: up" } @RESTARTS], "PostgreSQL was restarted: @RESTARTS";
is_deeply [sort(children())], \@pids, 'no child of httpd died';
my %answers;
my @keys;
for my $client (@clients) {
    push @keys, @{ $client->{keys} };
    $answers{$_} += $client->{answers}{$_} for keys %{ $client->{answers} };
}
my @known = ('200', '202 with Retry-After', '409 with Retry-After', '503 with Retry-After');
is_deeply [grep { my $answer = $_; !grep { $_ eq $answer } @known } sort keys %answers], [],
    'every answer was 200, or 202, 409 or 503 with the time to come back';
cmp_ok $answers{'503 with Retry-After'} // 0, '>', 0, '... the restarts were noticed';
cmp_ok scalar @keys, '>=', $CLIENTS, '... and there was load';
my $jobs = sql1("SELECT count(DISTINCT job_id), count(*) FROM genflow.idempotency_keys"
    . " WHERE user_id = genflow.account_of(:'user')", user => $user);
is $jobs, @keys . '|' . @keys, 'each key has one generation';
my $ended = wait_for {
    !rows_of($user, 'genflow.work');
};
ok $ended, 'all of them end';
is rows_of($user, 'public.sketch_media', "status = 'completed'"), scalar @keys, '... with a picture';
credits_are $user, 100_000 - 2 * @keys, 0, '... and one charge';

# ---- stopped ----

my $picture = data(generate($user, { type => 'sketch' }))->{imageUrl} =~ s/\A\Q@{[base()]}\E//r;
ok pg('stop', 'fast'), 'PostgreSQL is stopped';
for my $try (1 .. 3) {
    my $begin = time;
    my $res   = generate($user, { type => 'sketch' });
    error_is $res, 503, 'DATABASE_UNAVAILABLE', "a request is refused, try $try";
    like $res->{headers}{'retry-after'}, qr/\A[1-9]\d?\z/, '... with the time to come back';
    cmp_ok time - $begin, '<', $QUICK * $PATIENCE, '... quickly';
}
my $health = api(GET => '/api/health');
is $health->{status}, 503, 'the health check says that this server cannot work';
is_deeply [data($health)->{database}, data($health)->{providers}{open}], ['unreachable', undef],
    '... why, and that the breakers are unknown';
is api(GET => $picture)->{status}, 200, 'stored pictures are served all the same';
ok pg('start'), 'PostgreSQL is started';
my $healed = wait_for { generate($user, { type => 'sketch' })->{status} == 200 };
ok $healed, 'generations go on by themselves';
my $content = wait_for { api(GET => '/api/health')->{status} == 200 };
ok $content, '... and the health check is content';
is_deeply [sort(children())], \@pids, '... in the same children';

# ---- the parts of the load ----

# Restarts with some load between, before and after; each lasts until a client has noticed it.
sub restarts {
    my @results;
    for my $mode (@RESTARTS) {
        has_load();
        my $down = pg('stop', $mode);
        unlink noticed();
        my $seen = wait_for { -e noticed() };
        push @results, "$mode: " . ($down && $seen && pg('start') ? 'up' : 'failed');
    }
    has_load();
    touch(over());
    return \@results;
}

# A generation begins and ends from here on.
sub has_load {
    unlink served();
    return wait_for { -e served() };
}

# A client that makes one generation after the other, and repeats each until it has it. It waits a
# second at most, so that it polls again while PostgreSQL is stopped.
sub client {
    my ($number) = @_;
    my (%answers, @keys);
    while (!-e over()) {
        my $key = "load-$number-" . @keys;
        push @keys, $key;
        while (1) {
            my $res = generate($user, { type => 'sketch' }, 'Idempotency-Key' => $key,
                Prefer => 'wait=1');
            my $after = $res->{headers}{'retry-after'};
            touch(noticed()) if $res->{status} == 503;
            touch(served())  if $res->{status} == 200;
            $answers{ $res->{status} . (defined $after ? ' with Retry-After' : '') }++;
            last if $res->{status} == 200 || !defined $after;
            sleep $after;
        }
    }
    return { answers => \%answers, keys => \@keys };
}

sub over    { return "$ENV{GENFLOW_WORK}/tmp/postgres-load-is-over" }
sub served  { return "$ENV{GENFLOW_WORK}/tmp/postgres-load-served" }
sub noticed { return "$ENV{GENFLOW_WORK}/tmp/postgres-load-noticed" }

sub touch {
    my ($path) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    return;
}

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation that begins at once has its intent from the statement that creates it. A child that
# dies or sleeps between that and the first byte leaves an attempt whose outcome is unknown: it is
# reconciled, never sent by guess, and charged for a picture alone.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Proxy;
use Genflow::Test;
use IO::Socket::INET ();

my $proxy  = Genflow::Proxy->postgres;
my $params = $proxy->params =~ s/(statement|lock)_timeout=\d+/$1_timeout=60000/gr;    # what the test holds up waits
my $site   = Genflow::Httpd::small_site() . $params . <<'END';
ServerLimit 2
MaxRequestWorkers 50
GenflowDispatchDrain 100ms
GenflowFetchAllow 127.0.0.1
<GenflowProvider replicate>
    GenflowProviderUrl "${GENFLOW_FAKE}/replicate/v1"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 100ms
    GenflowProviderListWait 1s
    GenflowProviderBackoff 50ms
    GenflowProviderBackoffMax 500ms
</GenflowProvider>
<GenflowType echo-replicate>
    GenflowTypeProviders replicate/black-forest-labs/flux-dev
    GenflowTypeCost 1
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
my $httpd = Genflow::Httpd->start($site);

my @CASES = (
    # type, status, submissions, credits afterwards
    ['neo-glitch',     'failed',    0, 10],    # nobody can say whether it was sent
    ['echo-replicate', 'completed', 1, 9],     # its provider's list says that it was not
);

expect_log 'GF0202';

for my $case (@CASES) {
    my ($type, $status, $sent, $credits) = @$case;

    # ---- killed ----

    my $user = account(10);
    talk_to $httpd;
    wait_for { api(GET => '/api/health')->{status} == 200 };
    $proxy->order('hang_answer', 'create');
    my $before = $proxy->events;
    my ($answer) = in_parallel(2, sub {
        return request($user, $type)->{status} if $_[0] == 0;
        wait_for { $proxy->events > $before };
        kill KILL => $httpd->children;
        return;
    });
    $proxy->cut;
    is $answer, 599, "$type: a child dies with its create committed, before the first byte";
    talk_to;
    my $id = job_of($user);
    is sql1("SELECT count(*) FROM genflow.attempts WHERE job_id = :'id'", id => $id), 1, '... its intent is recorded';
    my $end = ended($user, $id, $type);
    is $end->{status}, $status, "... another host reconciles it: $status" or diag join ' ', map { $_ // '-' } @$end{qw(errorCode errorMessage causeCode)};
    is submissions("[$user]"), $sent, "... after $sent submissions";
    credits_are $user, $credits, 0, '... and the credits say the same';

    # ---- asleep ----

    $user = account(10);
    talk_to $httpd;
    wait_for { api(GET => '/api/health')->{status} == 200 };
    my @asleep = $httpd->children;
    my $lock   = hold_up();
    in_parallel(2, sub {
        return request($user, $type)->{status} if $_[0] == 0;
        wait_for { is_held_up() };
        freeze($_) for @asleep;
        print $lock "COMMIT;\n";                            # the statement goes on, without its client
        talk_to;
        wait_for { job_of($user) && status_of($user, job_of($user), $type)->{finishedAt} };
        kill CONT => @asleep;
        return;
    });
    close $lock;
    talk_to;
    is_deeply [ended($user, job_of($user), $type)->{status}, submissions("[$user]")], [$status, $sent],
        "$type: a child sleeps before the first byte: $status, after $sent submissions";
    credits_are $user, $credits, 0, '... and the credits say the same';
    ok wait_for(sub { $httpd->log_text =~ /GF0420: job=\Q${\ job_of($user)}\E/ }), '... and it sends nothing when it wakes';
    is submissions("[$user]"), $sent, '... by then, too';
}

# ---- the child is about to end ----

# It lives as long as its last client, and its leases are longer than this test: nobody gets the
# generation unless the child gives it away while it lives.
$httpd->stop;
$httpd = Genflow::Httpd->start($site =~ s/GenflowDispatchLease \K2s/10m/r);

for my $type (map { $_->[0] } @CASES) {
    my $user = account(10);
    talk_to $httpd;
    wait_for { api(GET => '/api/health')->{status} == 200 };
    my ($old)  = $httpd->children;
    my $client = slow_client($httpd);
    my $drains = drains_over();
    my $lock   = hold_up();
    my ($answer) = in_parallel(2, sub {
        return request($user, $type)->{status} if $_[0] == 0;
        wait_for { is_held_up() };
        kill USR1 => $httpd->pid;
        wait_for { drains_over() > $drains };
        print $lock "COMMIT;\n";
        return;
    });
    close $lock;
    is $answer, 202, "$type: a child whose drain is over makes one more generation";
    is ended($user, job_of($user), $type)->{status}, 'completed', '... and gives it to another one';
    ok -e "/proc/$old", '... at once: it still has a client';
    is submissions("[$user]"), 1, '... which sends it, once';
    credits_are $user, 9, 0, '... for one charge';
    close $client;
    ok wait_for(sub { !-e "/proc/$old" }), '... and it ends with its last client';
}

# ---- the answer alone is lost: the statement is repeated, and returns the intent ----

my $user = account(10);
talk_to $httpd;
$proxy->order('lose_answer', 'create');
is request($user, 'neo-glitch')->{status}, 202, 'a child lives and has lost the answer of its create';
is ended($user, job_of($user))->{status}, 'completed', '... the generation is made';
is submissions("[$user]"), 1, '... by one submission';
credits_are $user, 9, 0, '... for one charge';
talk_to;
is_deeply [broken_rules()], [], 'the books are sound';

sub request {
    my ($user, $type) = @_;
    return generate($user, { type => $type, prompt => "{{poll=1}} [$user]" }, Prefer => 'respond-async');
}

sub job_of {
    my ($user) = @_;
    return sql1("SELECT job_id FROM genflow.idempotency_keys WHERE user_id = genflow.account_of(:'user')", user => $user);
}

# A client that has sent half of a request.
sub slow_client {
    my ($to) = @_;
    my ($where) = $to->base =~ m{//(.*)};
    my $client = IO::Socket::INET->new(PeerAddr => $where) or die "$where: $!\n";
    $client->syswrite("GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    $client->sysread(my $answer, 4096);                     # a child has accepted it
    $client->syswrite("GET /api/health HTTP/1.1\r\n");
    return $client;
}

sub drains_over { return scalar(() = $httpd->log_text =~ /GF0428/g) }

# A child that stands still would outlive this file.
END { kill CONT => $httpd->children if $httpd }

finish;

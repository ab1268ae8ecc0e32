#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Two servers share one database. One has GenflowDispatch Off: it takes requests and never talks to a
# provider; the other one works on them. Keys and credits hold over both.
use Genflow::Fault;
use Genflow::Test;
use IO::Socket::INET;

my $front = start_front();
ok $front, 'a second server starts, with GenflowDispatch Off';

my @CASES = (
    # type, script, status, credits, the test's name
    ['neo-glitch', '',           200, 9,  'a picture of a provider'],
    ['neo-glitch', 'poll=2',     200, 9,  'a picture that takes time'],
    ['neo-glitch', 'moderation', 500, 10, 'a refusal'],
    ['sketch',     '',           200, 8,  'a picture drawn by httpd'],
);
for my $case (@CASES) {
    my ($type, $script, $status, $credits, $name) = @$case;
    my $user = account(10);
    my $res  = ask($user, $type, $script, Prefer => 'wait=10');
    is $res->{status}, $status, "$name: the front end answers $status";
    credits_are $user, $credits, 0, '... and the credits are right';
    like sql1("SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM genflow.ledger"
        . " WHERE user_id = :'user' AND kind <> 'grant'", user => $user),
        $status == 200 ? qr/\Acapture hold\z/ : qr/\Ahold release\z/, '... in the one ledger';
}

my $user = account(10);
my $id   = data(ask($user, 'neo-glitch', 'poll=15', Prefer => 'respond-async'))->{id};
my $pid  = wait_for { leader_of($id) };
ok scalar(grep { $_ == $pid } children()), 'the lease belongs to a child of the first server';
is ended($user, $id)->{status}, 'completed', '... which completes it';

# The same key at both servers, at once: one generation.
$user = account(10);
my @answers = in_parallel(8, sub {
    my ($i) = @_;
    my @request = ($user, 'sketch', '', 'Idempotency-Key' => 'both', Prefer => 'wait=10');
    my $res = $i % 2 ? ask(@request) : generate($user, { type => 'sketch', prompt => body($user, '') },
        'Idempotency-Key' => 'both', Prefer => 'wait=10');
    return { status => $res->{status}, id => data($res)->{generationId} };
}, 8);
my %ids = map { $_->{id} => 1 } @answers;
is scalar keys %ids, 1, 'a key that comes to both servers at once makes one generation';
is_deeply [grep { $_ != 200 && $_ != 409 } map { $_->{status} } @answers], [],
    '... everybody gets it, or hears that it is running';
credits_are $user, 8, 0, '... for one charge';

# ---- the second server ----

# A request to the front end.
sub ask {
    my ($client, $type, $script, %headers) = @_;
    my $json = JSON::PP->new->utf8->canonical->encode(
        { prompt => body($client, $script), presetKey => 'base' });
    %headers = (%headers, 'X-User' => $client, 'Content-Type' => 'application/json');
    return HTTP::Tiny->new(timeout => 30)->post("$front/api/$type/generate",
        { headers => \%headers, content => $json });
}

sub body {
    my ($client, $script) = @_;
    return "{{$script}} [$client]";
}

# Starts it in the frame of the first, with its own port and pid file.
sub start_front {
    my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)->sockport;
    my $root = "$ENV{GENFLOW_WORK}/t";
    open my $conf, '>', "$root/conf/front.conf" or die "front.conf: $!\n";
    print $conf <<"END";
Include "$root/conf/test.conf"
PidFile "$root/logs/front.pid"
GenflowDispatch Off
END
    close $conf or die "front.conf: $!\n";
    local @ENV{qw(GENFLOW_CONF GENFLOW_PORT)} = ('front.conf', $port);
    system($ENV{HTTPD}, '-d', $root, '-f', "$root/conf/httpd.conf.in") == 0 or return;
    my $url = "http://127.0.0.1:$port";
    return wait_for { HTTP::Tiny->new->get("$url/api/health")->{status} == 200 && $url } 10;
}

sub front_pid {
    open my $file, '<', "$ENV{GENFLOW_WORK}/t/logs/front.pid" or return;
    return 0 + <$file>;
}

END {
    my $parent = front_pid();
    if ($parent) {
        kill TERM => $parent;
        wait_for { !-e "/proc/$parent" } 10;
    }
}

finish;

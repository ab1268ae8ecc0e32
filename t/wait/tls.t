#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Requests that wait over TLS are as those over plain HTTP: clients that do not read their streams hold no
# thread and lose their places, all others get every event, and a connection serves the next request after
# a wait, also one that was sent meanwhile.
use Genflow::Test;
use Genflow::Wait;
use POSIX ();
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use Time::HiRes qw(time);

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant {
    THREADS => 4,
    MANY    => 8,
    STALLED => 4,
    EVENTS  => 25,
    BYTES   => 60_000,              # of an event
    KEPT    => 250_000,             # that the system may keep for a client; unbounded it keeps megabytes
    TIMEOUT => 6,
    SOON    => 20,
};

my $module = "$ENV{GENFLOW_LIBEXEC}/mod_ssl.so";
my $key    = "$ENV{GENFLOW_WORK}/tls-key.pem";
my $made   = -e $module && 0 == system 'openssl req -x509 -newkey rsa:2048 -nodes -days 1'
    . " -subj /CN=localhost -keyout '$key' -out '$key.crt' >/dev/null 2>&1";
plan(skip_all => 'there is no mod_ssl, or no openssl') if !$made;

my $user  = account(50);
my $port  = Genflow::Site::free_port();
my $httpd = wait_site(THREADS, <<"END");
LoadModule ssl_module $module
SSLSessionCache none
Timeout @{[TIMEOUT]}
GenflowWatchUser 200
Listen 127.0.0.1:$port
<VirtualHost 127.0.0.1:$port>
    SSLEngine on
    SSLCertificateFile "$key.crt"
    SSLCertificateKeyFile "$key"
</VirtualHost>
END

# ---- streams ----

my $id      = waiting_generation($user);
my $path    = "/api/generation/$id/events";
my @others  = map { over_tls()->request($path, $user) } 1 .. MANY;
my @stalled = map { over_tls()->request($path, $user) } 1 .. STALLED;
ok all_wait(MANY + STALLED), MANY . ' clients read their streams over TLS, ' . STALLED . ' more do not';
my ($most, $slowest, %missed) = (0, 0);
for my $n (1 .. EVENTS) {
    change_generation($id, "begin $n", 'x' x BYTES, "end $n");
    $missed{$n} = grep { !$_->streams(qr/"end $n"/, SOON) } @others;
    my $begin = time;
    api(GET => '/api/health');
    $slowest = time - $begin if time - $begin > $slowest;
    my $unread = unread_bytes($port);
    $most = $unread if $unread > $most;
}
is_deeply \%missed, { map { $_ => 0 } 1 .. EVENTS }, 'every event reaches each of those who read';
cmp_ok $most, '>', 0, '... the others have not read all';
cmp_ok $most, '<', KEPT, '... and the system keeps little for them';
cmp_ok $slowest, '<', TIMEOUT / 2, '... other requests find a thread at once';
ok all_wait(MANY), 'who reads nothing loses the place';
cancel_generation($id);
is_deeply [grep { !$_->streams(qr/"status":"cancelled"/, SOON) } @others], [], '... and the others get the end';

# ---- parked requests ----

my $status = '/api/' . wait_type() . '/status';
my ($one, $next) = map { waiting_generation($user) } 1 .. 2;
my $client = over_tls()->request("$status?id=$one", $user, 60)->request("$status?id=$next", $user, 60);
my $gone   = over_tls()->request("$status?id=$one", $user, 60);
ok all_wait(2), 'two clients wait';
kill TERM => $gone->{pid};
ok all_wait(1), 'one that leaves gives its place back';
cancel_generation($one);
is $client->answer->{status}, 200, 'the other is answered';
is $client->json->{id}, $one, '... with its generation';
ok all_wait(1), '... and the request that it sent meanwhile waits';
cancel_generation($next);
is $client->answer->{status}, 200, '... and is answered, too';
is $client->json->{id}, $next, '... with its own';
ok all_wait(0), 'all places are free';

is $httpd->alarms, '', 'nothing is wrong in the log';
$httpd->stop;
talk_to();
finish;

# A connection over TLS: a process of openssl holds it and passes on what it reads as long as we read.
sub over_tls {
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!\n";
    defined(my $pid = fork) or die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<&', $theirs or POSIX::_exit(127);
        open STDOUT, '>&', $theirs or POSIX::_exit(127);
        open STDERR, '>', '/dev/null' or POSIX::_exit(127);
        exec qw(openssl s_client -quiet -connect), "127.0.0.1:$port" or POSIX::_exit(127);
    }
    close $theirs;
    return bless { socket => $ours, bytes => '', pid => $pid }, 'Genflow::Wait';
}

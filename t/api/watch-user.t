#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One user cannot take every place of those who wait: GenflowWatchUser bounds that user's streams and
# long polls. A place is free again soon after its client has gone, over HTTP/1.1 and HTTP/2.
use Genflow::Test;

use IO::Socket::INET ();
use Time::HiRes qw(time);

use Genflow::Httpd ();
use Genflow::Inject;

use constant { PLACES => 16, SOON => 12 };    # seconds: less than any sign of life; 1 s is the aim

my $PATIENCE = $ENV{GENFLOW_TEST_PATIENCE} || 1;
my ($user, $other) = (account(5), account(5));
plan(skip_all => 'with prefork a child serves one request') if $ENV{GENFLOW_MPM} eq 'prefork';

# ---- the bound ----

# A type that no server works on: its generations wait.
sql("SELECT genflow.create_type('watch-user')");
my $httpd = site('');
talk_to($httpd);
my ($mine, $theirs) = map { later($_, { type => 'watch-user' }) } $user, $other;
my @streams = map { stream($user, $mine) } 1 .. PLACES / 4;
is_deeply [map { $_->{status} } @streams], [(200) x (PLACES / 4)], 'a quarter of the places is one user\'s';
is stream($user, $mine)->{status}, 503, '... and no more';
my $begin = time;
is poll($user, $mine, 30)->{status}, 200, '... a long poll is answered at once';
cmp_ok time - $begin, '<', 25, '... without a wait';
my @others = map { stream($other, $theirs) } 1 .. 2;
is_deeply [map { $_->{status} } @others], [200, 200], 'another user finds places';

# ---- a client that goes ----

freed('a stream is closed', sub { close +(shift @streams)->{socket} });
my $waiting;
my $taken = wait_for { takes_place($user) };
ok $taken, 'a long poll takes a place';
freed('a long poll is closed', sub { close $waiting });
close $_->{socket} for @streams;
$httpd->stop;

# ---- HTTP/2 ----

SKIP: {
    my $module = "$ENV{GENFLOW_LIBEXEC}/mod_http2.so";
    skip 'there is no mod_http2, or no curl that speaks it', 3
        if !-e $module || `curl --version 2>&1` !~ /\bHTTP2\b/;
    $httpd = site("LoadModule http2_module $module\nProtocols h2c http/1.1\nGenflowWatchUser 1\n");
    talk_to($httpd);
    my $pid = open my $curl, '-|', 'curl', '-sN', '--http2-prior-knowledge', '-H', "X-User: $user",
        $httpd->base . "/api/generation/$mine/events" or die "curl: $!\n";
    my $line = <$curl>;
    like $line, qr/\Aretry:/, 'a stream over HTTP/2';
    is stream($user, $mine)->{status}, 503, '... takes a place';
    freed('its client is killed', sub { kill KILL => $pid });
    $httpd->stop;
}

talk_to();
sql("SELECT genflow.admin_cancel(:'id')", id => $_) for $mine, $theirs;

# ---- the directive ----

Genflow::Httpd::refused('no place at all', "GenflowWatchUser 0\n", 'must be 1 to 10000');
Genflow::Httpd::accepted('one', "GenflowWatchUser 1\n");
finish;

# One child that only takes requests.
sub site {
    my ($lines) = @_;
    my $small = Genflow::Httpd::small_site() =~ s{<GenflowType neo-glitch>}{<GenflowType watch-user>}r;
    return Genflow::Httpd->start(<<'END' . $small . "GenflowDispatch Off\n"
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
        . 'GenflowWatchMax ' . PLACES . "\n$lines");
}

# A place of the user is free soon after that.
sub freed {
    my ($what, $do) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $since = time;
    $do->();
    my $free = wait_for { has_place($user) };
    my $took = time - $since;
    note sprintf '%s: a place was free after %.2f s', $what, $took;
    return ok($free && $took < SOON * $PATIENCE, "$what: its place is free soon")
        || diag "after $took s";
}

sub takes_place {
    my ($who) = @_;
    inject('park.after', for => $who, delay => 0);
    $waiting = request($who, "/api/watch-user/status?id=$mine", Prefer => 'wait=60');
    reached('park.after', for => $who);
    withdraw('park.after', for => $who);
    return !has_place($who);
}

sub has_place {
    my ($who) = @_;
    my $stream = stream($who, $mine);
    close $stream->{socket};
    return $stream->{status} == 200;
}

# {status, socket} of a stream, which stays open.
sub stream {
    my ($who, $id) = @_;
    my $socket = request($who, "/api/generation/$id/events");
    my $line   = <$socket> // '';
    return { socket => $socket, status => ($line =~ m{\AHTTP/1.1 (\d+)})[0] // 0 };
}

sub request {
    my ($who, $path, @headers) = @_;
    my ($address) = $httpd->base =~ m{//(.+)};
    my $socket = IO::Socket::INET->new(PeerAddr => $address, Timeout => 10) or die "connect: $!\n";
    print $socket "GET $path HTTP/1.1\r\nHost: $address\r\nX-User: $who\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) {
        print $socket "$name: $value\r\n";
    }
    print $socket "\r\n";
    $socket->flush;
    return $socket;
}

sub poll {
    my ($who, $id, $seconds) = @_;
    return api(GET => "/api/watch-user/status?id=$id", user => $who,
        headers => { Prefer => "wait=$seconds" });
}

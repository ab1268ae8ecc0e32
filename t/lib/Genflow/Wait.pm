# SPDX-License-Identifier: Apache-2.0
#
# Clients that wait, each on a connection of its own that the test holds, and an httpd of one child
# for them. The generations are of a type that no process works on, so that they wait until the test
# cancels them.
#
#     my $httpd  = wait_site(4, "Timeout 4\n");                  # a child of 4 threads
#     my $id     = waiting_generation($user);
#     my $client = Genflow::Wait->get('/api/' . wait_type() . "/status?id=$id", $user, 30);
#     all_wait(1);                                               # it waits
#     cancel_generation($id);
#     is $client->answer->{status}, 200;
#     is $client->json->{status}, 'cancelled';

package Genflow::Wait;

use strict;
use warnings;

use parent 'Exporter';
use IO::Select ();
use IO::Socket::INET ();
use JSON::PP ();
use List::Util qw(max sum0);
use Socket qw(inet_aton pack_sockaddr_in SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(time);

use Genflow::Httpd ();
use Genflow::Test;

our @EXPORT = qw(wait_site wait_at wait_type waiting_generation change_generation cancel_generation all_wait
    waiting unread_bytes);

my ($type, $site, $idle);

# The type of this test's generations.
sub wait_type {
    return $type //= do {
        my ($name) = $0 =~ m{([\w-]+)\.t\z};
        sql("SELECT genflow.create_type(:'type')", type => "wait-$name");
        "wait-$name";
    };
}

# An httpd of one child with so many threads, or as these lines say (0), which only takes requests.
# The test talks to it.
sub wait_site {
    my ($threads, $lines) = @_;
    my $name  = wait_type();
    my $small = Genflow::Httpd::small_site() =~ s{<GenflowType neo-glitch>}{<GenflowType $name>}r;
    $site = Genflow::Httpd->start(($threads ? <<"END" : '') . <<'API' . $small . $lines);
ServerLimit 4
ThreadLimit $threads
ThreadsPerChild $threads
MaxRequestWorkers $threads
AsyncRequestWorkerFactor 1000
END
Include "${GENFLOW_WORK}/t/conf/api.conf"
API
    talk_to($site);
    wait_for { api(GET => '/api/health')->{status} == 200 };
    return wait_at($site);
}

# From here on clients wait at this httpd, which is started and idle.
sub wait_at {
    ($site) = @_;
    ($idle) = sort { $a <=> $b } epolls();
    return $site;
}

sub waiting_generation {
    my ($user) = @_;
    return later($user, { type => wait_type() });
}

# Its logs become these texts: another state, for which a stream has an event.
sub change_generation {
    my ($id, @logs) = @_;
    return sql("UPDATE genflow.work SET provider_logs = :'logs'::jsonb WHERE job_id = :'id'", id => $id,
        logs => JSON::PP::encode_json(\@logs));
}

sub cancel_generation {
    my ($id) = @_;
    return sql("SELECT genflow.admin_cancel(:'id')", id => $id);
}

# Are so many requests parked?
sub all_wait {
    my ($count) = @_;
    return wait_for { $count == waiting() };
}

# How many requests are parked.
sub waiting { return sum0 map { $_ - $idle } epolls() }

# The epoll descriptors of each child: the MPM's, and one of each parked request.
sub epolls {
    return map {
        my @links = map { readlink $_ // '' } glob "/proc/$_/fd/*";
        scalar grep { /eventpoll/ } @links;
    } $site->children;
}

# The most that the system holds for one client of the site, or of that port, that has not read it.
sub unread_bytes {
    my ($port) = @_;
    ($port) = $site->base =~ /:(\d+)\z/ if !$port;
    my $local = sprintf '0100007F:%04X', $port;
    open my $file, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!\n";
    return max 0, map { /\A\s*\d+: \Q$local\E \S+ 01 ([0-9A-F]+):/ ? hex $1 : () } <$file>;
}

# ---- a client ------------------------------------------------------------------------------------

# A connection on which this was requested.
sub get {
    my ($class, $path, $user, $seconds) = @_;
    return $class->connection->request($path, $user, $seconds);
}

# A connection with one request that has one more header.
sub get_with {
    my ($class, $path, $user, $header) = @_;
    my $self = $class->connection;
    $self->{socket}->syswrite("GET $path HTTP/1.1\r\nHost: x\r\nX-User: $user\r\n$header\r\n\r\n");
    return $self;
}

sub connection {
    my ($class) = @_;
    my ($address) = $site->base =~ m{//(.+)};
    my $socket = IO::Socket::INET->new(PeerAddr => $address) or die "connect: $!\n";
    return bless { socket => $socket, bytes => '' }, $class;
}

# As get(), for a client with little room for what it does not read.
sub get_slowly {
    my ($class, $path, $user, $seconds) = @_;
    return $class->connection_slowly->request($path, $user, $seconds);
}

sub connection_slowly {
    my ($class) = @_;
    my ($host, $port) = $site->base =~ m{//(.+):(\d+)};
    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";
    $socket->setsockopt(SOL_SOCKET, SO_RCVBUF, 2048) or die "setsockopt: $!\n";
    $socket->connect(pack_sockaddr_in($port, inet_aton($host))) or die "connect: $!\n";
    return bless { socket => $socket, bytes => '' }, $class;
}

# One more request on it, which prefers to wait for so long.
sub request {
    my ($self, $path, $user, $seconds) = @_;
    my $prefer = $seconds ? "Prefer: wait=$seconds\r\n" : '';
    $self->{socket}->syswrite("GET $path HTTP/1.1\r\nHost: x\r\nX-User: $user\r\n$prefer\r\n");
    return $self;
}

# A generation on it, which prefers to wait for so long.
sub make {
    my ($self, $type, $user, $input, $seconds) = @_;
    my $body = JSON::PP::encode_json($input);
    $self->{socket}->syswrite("POST /api/$type/generate HTTP/1.1\r\nHost: x\r\nX-User: $user\r\n"
        . "Prefer: wait=$seconds\r\nContent-Type: application/json\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body");
    return $self;
}

# Bytes that it has within that time?
sub has_answer {
    my ($self, $seconds) = @_;
    return length $self->{bytes} || IO::Select->new($self->{socket})->can_read($seconds // 0);
}

# The next answer: {status}. json() is its body.
sub answer {
    my ($self) = @_;
    my $end = time + HANG_LIMIT;
    while (time < $end) {
        if ($self->{bytes} =~ m{\AHTTP/1.1 (\d+)(.*?)\r\n\r\n}s) {
            my ($status, $head, $begin) = ($1, $2, $+[0]);
            my ($length) = $head =~ /^Content-Length: (\d+)\r?$/mi ? $1 : 0;
            if (length $self->{bytes} >= $begin + $length) {
                $self->{body} = substr $self->{bytes}, $begin, $length;
                substr $self->{bytes}, 0, $begin + $length, '';
                return { status => $status };
            }
        }
        $self->fetch($end - time) or last;
    }
    $self->{body} = '{}';
    return { status => 0 };
}

sub json {
    my ($self) = @_;
    my $document = JSON::PP::decode_json($self->{body});
    return $document->{data} // $document;
}

# Does it get this? Without a time: until it hangs.
sub reads {
    my ($self, $pattern, $seconds) = @_;
    my $end = time + ($seconds // HANG_LIMIT);
    1 while $self->{bytes} !~ $pattern && $self->fetch($end - time);
    return $self->{bytes} =~ $pattern;
}

# Does this stream get this within that time? What came up to then is forgotten.
sub streams {
    my ($self, $pattern, $seconds) = @_;
    my $end = time + ($seconds // HANG_LIMIT);
    $self->{stream} //= '';
    while (1) {
        $self->unwrap;
        last if $self->{stream} =~ $pattern || !$self->fetch($end - time);
    }
    return $self->{stream} =~ s/\A.*$pattern//s;
}

# The next block of this stream, without the empty line behind it; undef: none within that time.
sub next_block {
    my ($self, $seconds) = @_;
    my $end = time + ($seconds // HANG_LIMIT);
    $self->{stream} //= '';
    while (1) {
        $self->unwrap;
        return $1 if $self->{stream} =~ s/\A(.*?)\n\n//s;
        $self->fetch($end - time) or return;
    }
}

# Moves what came of the body, without its chunks, to {stream}; the head is in {head}.
sub unwrap {
    my ($self) = @_;
    $self->{stream} .= delete $self->{bytes} if $self->{plain};      # it has no head and no chunks
    $self->{bytes} //= '';
    $self->{head} //= $self->{bytes} =~ s/\A(.*?\r\n\r\n)//s ? $1 : return;
    while ($self->{bytes} =~ /\A(?:\r\n)?([0-9a-f]+)\r\n/i) {
        my ($head, $length) = ($+[0], hex $1);
        last if length $self->{bytes} < $head + $length;
        $self->{stream} .= substr $self->{bytes}, $head, $length;
        substr $self->{bytes}, 0, $head + $length, '';
    }
    return;
}

# What comes to the end of the connection.
sub rest {
    my ($self) = @_;
    my $end = time + HANG_LIMIT;
    1 while $self->fetch($end - time);
    return $self->{bytes};
}

sub fetch {
    my ($self, $seconds) = @_;
    return if $seconds <= 0 || !IO::Select->new($self->{socket})->can_read($seconds);
    return $self->{socket}->sysread($self->{bytes}, 65536, length $self->{bytes});
}

sub close { return close $_[0]{socket} }

# It sends no more, and may still read.
sub half_close { return shutdown $_[0]{socket}, 1 }

1;

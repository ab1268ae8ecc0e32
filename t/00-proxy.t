#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The proxy (Genflow::Proxy) forwards what has no other order, loses exactly the answers and
# requests that a test orders, and stays silent without closing. What t/fault/lost-answer.t concludes
# rests on this file. It speaks PostgreSQL's protocol itself.

use strict;
use warnings;

use IO::Select ();
use IO::Socket::UNIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Genflow::Proxy ();
use Genflow::Site ();

use constant { PATIENCE => 10, SILENCE => 0.3 };

$ENV{GENFLOW_WORK} or plan skip_all => 'runs in a site: t/run.pl';
my $site  = Genflow::Site->attach;
my $proxy = Genflow::Proxy->postgres;
my $table = "public.proxy_$$";
my $statements = 0;
local $SIG{PIPE} = 'IGNORE';
$site->sql("CREATE TABLE $table (word text)");

# ---- forwarding ----

my $pg = session();
is call($pg, 'write', "INSERT INTO $table VALUES ('forwarded') RETURNING 'written'"), 'written',
    'a statement and its answer are forwarded';
is $proxy->connections, 1, 'the proxy counts its connections';
is_deeply [$proxy->events], [], 'nothing was ordered, nothing happened';

# ---- one statement ----

$proxy->order('lose_answer', 'write');
is call($pg, 'other', q(SELECT 'untouched')), 'untouched', 'another statement is forwarded';
is call($pg, 'write', "INSERT INTO $table VALUES ('lost') RETURNING 'written'"), 'closed',
    'lose_answer: the client sees the connection closed';
is_deeply [words()], [qw(forwarded lost)], '... and the statement is committed';
$pg = session();
is call($pg, 'write', "INSERT INTO $table VALUES ('again') RETURNING 'written'"), 'written',
    '... once';
$proxy->order('lose_answer', 'write');
call($pg, 'write', 'SELECT 1 / (SELECT 0)');
$pg = session();
$proxy->order('hang_answer', 'wri.*');
is call($pg, 'write', "INSERT INTO $table VALUES ('silent') RETURNING 'written'",
    SILENCE), 'silent',
    'hang_answer: the client hears nothing';
happened('hang_answer write ok');
is_deeply [words()], [qw(forwarded lost again silent)], '... and the statement is committed';
$pg = session();
$proxy->order('lose_request', '.*');
is call($pg, 'write', "INSERT INTO $table VALUES ('never')"), 'closed',
    'lose_request: the connection is closed';
$pg = session();
$proxy->order('hang_request', 'write');
is call($pg, 'write', "INSERT INTO $table VALUES ('never')", SILENCE), 'silent',
    'hang_request: the client hears nothing';
is_deeply [words()], [qw(forwarded lost again silent)], '... and the server has seen neither';
is_deeply [$proxy->events], ['lose_answer write ok', 'lose_answer write error', 'hang_answer write ok',
    'lose_request write', 'hang_request write'], 'the proxy records what it did';

# ---- all connections ----

$pg = session();
$proxy->freeze;
is call($pg, 'write', "INSERT INTO $table VALUES ('late') RETURNING 'written'", SILENCE), 'silent',
    'freeze: no bytes pass';
$proxy->thaw;
is answer($pg), 'written', 'thaw: what came meanwhile is forwarded';
$proxy->cut;
is answer($pg), 'closed', 'cut: the connections are closed';
$proxy->refuse;
ok !eval { session() }, 'refuse: no connection is accepted';
$proxy->admit;
ok session(), 'admit: they are let in again';

# ---- a server on TCP ----

SKIP: {
    skip 'no fake provider here', 1 if !$ENV{GENFLOW_FAKE};
    require HTTP::Tiny;
    my $before = Genflow::Proxy->tcp($ENV{GENFLOW_FAKE});
    my $res    = HTTP::Tiny->new(timeout => PATIENCE)->get($before->url . '/_submissions?match=no-such');
    is $res->{content}, '[]', 'an HTTP server answers through a proxy';
}

$site->sql("DROP TABLE $table");
done_testing;

# Waits until the proxy has done that.
sub happened {
    my ($event) = @_;
    my $end = time + PATIENCE;
    sleep 0.05 while !(grep { $_ eq $event } $proxy->events) && time < $end;
    return;
}

sub words { return $site->sql("SELECT word FROM $table ORDER BY ctid") }

# A connection through the proxy that is ready for statements.
sub session {
    my $socket = IO::Socket::UNIX->new(Peer => $proxy->host . '/.s.PGSQL.5432') or die "connect: $!\n";
    my $begin  = pack 'N (Z*)*', 196_608, user => $ENV{PGUSER}, database => $ENV{PGDATABASE}, '';
    syswrite $socket, pack('N', 4 + length $begin) . $begin or die "write: $!\n";
    my $ready = answer($socket);
    die "no session: $ready\n" if $ready ne 'ready';
    return $socket;
}

sub call {
    my ($socket, $name, $text, $patience) = @_;
    my $prepared = "genflow_${name}_" . ++$statements;
    my $messages = join '',
        message(P => pack 'Z* Z* n', $prepared, $text, 0),
        message(B => pack 'Z* Z* n n n', '', $prepared, 0, 0, 0),
        message(E => pack 'Z* N', '', 0), message(S => '');
    syswrite $socket, $messages;
    return answer($socket, $patience);
}

sub message {
    my ($letter, $body) = @_;
    return pack 'a N a*', $letter, 4 + length $body, $body;
}

# The first field that the server answers, "error", or "ready" without any; "closed"; "silent".
sub answer {
    my ($socket, $patience) = @_;
    my ($came, $word) = ('', 'ready');
    while (IO::Select->new($socket)->can_read($patience // PATIENCE)) {
        sysread $socket, $came, 65_536, length $came or return 'closed';
        while (length $came >= 5) {
            my ($letter, $length) = unpack 'a N', $came;
            last if length $came < 1 + $length;
            my $body = substr substr($came, 0, 1 + $length, ''), 5;
            $word = unpack 'x2 N/a', $body if $letter eq 'D';
            $word = 'error' if $letter eq 'E';
            return $word if $letter eq 'Z';
        }
    }
    return 'silent';
}

# SPDX-License-Identifier: Apache-2.0
#
# A connection that fails: a process between httpd and PostgreSQL, or between httpd and any server
# that listens on TCP. It forwards bytes, and on order it loses an answer, loses a request, or stays
# silent without closing (half open).
#
#     my $proxy = Genflow::Proxy->postgres;               # to the site's PostgreSQL
#     my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . $proxy->params);
#     $proxy->order('lose_answer', 'start');              # the next call of that statement (db/sql.c)
#     ...
#     is_deeply [$proxy->events], ['lose_answer start ok'], 'the answer was lost';
#
#     my $proxy = Genflow::Proxy->tcp($ENV{GENFLOW_FAKE});
#     ... GenflowProviderUrl "@{[$proxy->url]}" ...
#     $proxy->freeze;
#
# ORDERS, for the next calls of one statement (PostgreSQL only). A pattern ".*" is any statement.
#   lose_answer   the statement is executed and committed; when the server says that it is ready
#                 again the connection is closed, and the client has seen nothing of the answer
#   hang_answer   the same, but the connection stays open and silent
#   lose_request  the statement is not forwarded, and the connection is closed
#   hang_request  the same, but the connection stays open and silent
#
# FOR ALL CONNECTIONS.
#   freeze, thaw  nothing is forwarded either way, nothing is closed; new connections are accepted
#                 and silent; thaw forwards what came meanwhile
#   cut           closes all connections hard (TCP: RST)
#   refuse, admit new connections are closed at once, or forwarded again
#
# The process ends with its parent, on stop, and when the object goes out of scope.

package Genflow::Proxy;

use strict;
use warnings;

use Errno ();
use File::Path qw(make_path remove_tree);
use IO::Select ();
use IO::Socket::INET ();
use IO::Socket::UNIX ();
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER SOMAXCONN);
use Time::HiRes qw(sleep time);

use constant {
    TICK       => 0.5,        # how often it looks whether its parent is there
    CHUNK      => 65_536,
};

my @ORDERS = qw(lose_answer hang_answer lose_request hang_request);
my $made   = 0;

# ---- the test's side -----------------------------------------------------------------------------

# Before the PostgreSQL that listens on a unix socket in $folder, of port 5432.
sub postgres {
    my ($class, $folder) = @_;
    my $socket = ($folder // $ENV{GENFLOW_WORK}) . '/.s.PGSQL.5432';
    my $self   = $class->prepare;
    my $listen = IO::Socket::UNIX->new(Local => "$self->{folder}/.s.PGSQL.5432", Listen => SOMAXCONN)
        or die "$self->{folder}: $!\n";
    return $self->begin($listen, 1, sub { IO::Socket::UNIX->new(Peer => $socket) });
}

# Before the server of an address such as http://127.0.0.1:1234.
sub tcp {
    my ($class, $url) = @_;
    my ($host, $port) = $url =~ m{\A(?:\w+://)?([^/:]+):(\d+)} or die "no host and port: $url\n";
    my $self   = $class->prepare;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => SOMAXCONN)
        or die "no free port: $!\n";
    $self->{url} = 'http://127.0.0.1:' . $listen->sockport;
    return $self->begin($listen, 0,
        sub { IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port) });
}

# The folder for libpq's host=, and directives that go behind an included database.conf.
sub host   { return $_[0]{folder} }
sub url    { return $_[0]{url} }
sub params {
    my ($self) = @_;
    return <<"END";
DBDParams "host=$self->{folder} dbname=$ENV{PGDATABASE} user=genflow_app application_name=mod_genflow \\
    connect_timeout=10 options='-c statement_timeout=5000 -c lock_timeout=5000'"
GenflowAdminDatabase "host=$self->{folder} dbname=$ENV{PGDATABASE} user=genflow_admin"
END
}

# order('lose_answer', 'start'), or of the next $times calls. A later order of a statement replaces
# an earlier one.
sub order {
    my ($self, $act, $statement, $times) = @_;
    grep { $_ eq $act } @ORDERS or die "no such order: $act\n";
    return $self->command('order', $act, $statement, $times // 1);
}

sub freeze { return $_[0]->command('freeze') }
sub thaw   { return $_[0]->command('thaw') }
sub cut    { return $_[0]->command('cut') }
sub refuse { return $_[0]->command('refuse') }
sub admit  { return $_[0]->command('admit') }

# What was done by order, oldest first: "lose_answer start ok", or "... error" where the server
# refused the statement.
sub events { return $_[0]->command('events') }

# How many connections are open.
sub connections { return ($_[0]->command('connections'))[0] }

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill TERM => $pid;
    waitpid $pid, 0;
    remove_tree($self->{folder});
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $@, $!);
    $self->stop if $self->{owner} == $$;
    return;
}

sub prepare {
    my ($class) = @_;
    my $folder = "$ENV{GENFLOW_WORK}/tmp/p$$-" . ++$made;
    make_path($folder);
    return bless { folder => $folder, owner => $$ }, $class;
}

sub begin {
    my ($self, $listen, $is_postgres, $connect) = @_;
    my $control = IO::Socket::UNIX->new(Local => "$self->{folder}/control", Listen => SOMAXCONN)
        or die "$self->{folder}: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        my %site = (listen => $listen, control => $control, connect => $connect,
            is_postgres => $is_postgres, parent => $self->{owner});
        my $ok = eval { serve(\%site); 1 };
        print STDERR $@ if !$ok;
        POSIX::_exit($ok ? 0 : 1);
    }
    $self->{pid} = $pid;
    return $self;
}

# One connection per question, so that workers of in_parallel may use it, too.
sub command {
    my ($self, @words) = @_;
    my $control = IO::Socket::UNIX->new(Peer => "$self->{folder}/control")
        or die "the proxy does not answer: $!\n";
    print $control join(' ', @words), "\n";
    local $/ = "\n";
    my @lines = <$control>;
    chomp @lines;
    die "the proxy did not answer: @words\n" if !@lines || pop @lines ne '.';
    return @lines;
}

# ---- the proxy's side ----------------------------------------------------------------------------

# A pair is {client, server, from_client, from_server, to_client, to_server, is_silent}: from_ what is
# not yet understood (PostgreSQL), to_ what is still to be written.
sub serve {
    my ($site) = @_;
    local $SIG{TERM} = 'DEFAULT';
    local $SIG{PIPE} = 'IGNORE';
    @$site{qw(pairs orders events)} = ({}, {}, []);
    while (getppid == $site->{parent}) {
        my $reading = IO::Select->new($site->{control}, $site->{listen});
        my $writing = IO::Select->new;
        for my $pair (pairs($site)) {
            next if $site->{frozen} || $pair->{is_silent};
            $reading->add($pair->{client}, $pair->{server});
            $writing->add($pair->{client}) if length $pair->{to_client};
            $writing->add($pair->{server}) if length $pair->{to_server};
        }
        my ($readable, $writable) = IO::Select->select($reading, $writing, undef, TICK);
        flush($site, $_) for @{ $writable // [] };
        for my $socket (@{ $readable // [] }) {
            if    ($socket == $site->{control}) { answer($site) }
            elsif ($socket == $site->{listen})  { admit_one($site) }
            else                                { forward($site, $socket) }
        }
    }
    return;
}

sub pairs {
    my ($site) = @_;
    my %seen;
    return grep { !$seen{$_}++ } values %{ $site->{pairs} };
}

sub admit_one {
    my ($site) = @_;
    my $client = $site->{listen}->accept or return;
    my $server = $site->{refusing} ? undef : $site->{connect}->();
    if (!$server) {
        close $client;
        return;
    }
    my $pair = { client => $client, server => $server, from_client => '', from_server => '',
        to_client => '', to_server => '', is_starting => 1 };
    for my $socket ($client, $server) {
        $socket->blocking(0);
        $site->{pairs}{ fileno $socket } = $pair;
    }
    return;
}

sub end_pair {
    my ($site, $pair) = @_;
    for my $socket (@$pair{qw(client server)}) {
        delete $site->{pairs}{ fileno $socket };
        setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'l!l!', 0, 0;
        close $socket;
    }
    return;
}

sub forward {
    my ($site, $socket) = @_;
    my $pair = $site->{pairs}{ fileno $socket // -1 } or return;       # ended in this very turn
    my $came = sysread $socket, my $bytes, CHUNK;
    if (!$came) {
        return if !defined $came && ($!{EAGAIN} || $!{EINTR});
        return end_pair($site, $pair);
    }
    my $is_client = $socket == $pair->{client};
    if (!$site->{is_postgres}) {
        $pair->{ $is_client ? 'to_server' : 'to_client' } .= $bytes;
    }
    elsif ($is_client) {
        $pair->{from_client} .= $bytes;
        client_said($site, $pair);
    }
    else {
        $pair->{from_server} .= $bytes;
        server_said($site, $pair);
    }
    return;
}

sub flush {
    my ($site, $socket) = @_;
    my $pair = $site->{pairs}{ fileno $socket // -1 } or return;
    my $what = $socket == $pair->{client} ? 'to_client' : 'to_server';
    my $went = syswrite $socket, $pair->{$what};
    if (defined $went) {
        substr $pair->{$what}, 0, $went, '';
    }
    elsif (!$!{EAGAIN} && !$!{EINTR}) {
        end_pair($site, $pair);
    }
    return;
}

# ---- what PostgreSQL's protocol says -------------------------------------------------------------

# Forwards whole messages of the client. The first ones have no letter before their length: requests
# for encryption, then the one that begins the session.
sub client_said {
    my ($site, $pair) = @_;
    while (1) {
        my $head = $pair->{is_starting} ? 0 : 1;
        return if length $pair->{from_client} < $head + 8 - 4 * $head;
        my $length = $head + unpack 'N', substr $pair->{from_client}, $head, 4;
        return if length $pair->{from_client} < $length;
        my $message = substr $pair->{from_client}, 0, $length, '';
        if ($pair->{is_starting}) {
            $pair->{is_starting} = unpack('x4 N', $message) >= 80_877_102;
        }
        elsif ($message =~ /\AB.{4}[^\0]*\0(?:genflow_)?([^\0]*?)(?:_\d+)?\0/s) {
            return if !take_order($site, $pair, $1);
        }
        $pair->{to_server} .= $message;
    }
    return;
}

# The statement is about to be executed: is there an order? False: it must not be forwarded.
sub take_order {
    my ($site, $pair, $statement) = @_;
    my ($pattern) = grep { $statement =~ /\A(?:$_)\z/ } sort keys %{ $site->{orders} } or return 1;
    my $order = $site->{orders}{$pattern};
    delete $site->{orders}{$pattern} if --$order->{times} <= 0;
    if ($order->{act} =~ /_answer\z/) {
        $pair->{losing} = { act => $order->{act}, statement => $statement, outcome => 'ok' };
        return 1;
    }
    push @{ $site->{events} }, "$order->{act} $statement";
    silence($site, $pair, $order->{act});
    return 0;
}

sub silence {
    my ($site, $pair, $act) = @_;
    return end_pair($site, $pair) if $act =~ /\Alose/;
    $pair->{is_silent} = 1;
    return;
}

# Forwards what the server says; of an answer that is to be lost, nothing up to ReadyForQuery.
sub server_said {
    my ($site, $pair) = @_;
    my $losing = $pair->{losing};
    if (!$losing) {
        $pair->{to_client} .= $pair->{from_server};
        $pair->{from_server} = '';
        return;
    }
    while (length $pair->{from_server} >= 5) {
        my ($letter, $length) = unpack 'a N', $pair->{from_server};
        return if length $pair->{from_server} < 1 + $length;
        substr $pair->{from_server}, 0, 1 + $length, '';
        $losing->{outcome} = 'error' if $letter eq 'E';
        if ($letter eq 'Z') {
            push @{ $site->{events} }, "$losing->{act} $losing->{statement} $losing->{outcome}";
            return silence($site, $pair, $losing->{act});
        }
    }
    return;
}

# ---- questions of the test -----------------------------------------------------------------------

my %ANSWERS = (
    order => sub {
        my ($site, $act, $statement, $times) = @_;
        $site->{orders}{$statement} = { act => $act, times => $times };
        return;
    },
    freeze => sub { $_[0]{frozen} = 1; return },
    thaw   => sub { $_[0]{frozen} = 0; return },
    cut    => sub { my ($site) = @_; end_pair($site, $_) for pairs($site); return },
    refuse => sub { $_[0]{refusing} = 1; return },
    admit  => sub { $_[0]{refusing} = 0; return },
    events => sub { return @{ $_[0]{events} } },
    connections => sub { return scalar pairs($_[0]) },
);

sub answer {
    my ($site) = @_;
    my $caller = $site->{control}->accept or return;
    local $/ = "\n";
    my ($word, @words) = split ' ', readline($caller) // '';
    my @lines = $word && $ANSWERS{$word} ? $ANSWERS{$word}->($site, @words) : ();
    print $caller map { "$_\n" } @lines, '.';
    close $caller;
    return;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# Clients of a front on connections of their own, which a test cuts as it likes.
#
#     my $client = Genflow::Front->post('/openai/v1/images/generations', $user, { prompt => ... });
#     $client->cut;                          # the connection is reset
#     is $client->answer->{status}, 200;     # or the whole response
#
# What the clients of each API send, by the name of the client (@Genflow::Front::SHAPES):
#
#     my $client = Genflow::Front->call('fal', $user, 'a cat');
#     my @pictures = Genflow::Front::pictures('fal', $client->answer);   # their addresses

package Genflow::Front;

use strict;
use warnings;

use IO::Select ();
use JSON::PP ();
use Socket qw(SOL_SOCKET SO_LINGER SO_RCVBUF inet_aton pack_sockaddr_in);
use Time::HiRes qw(time);

use Genflow::Test;

use constant SMALL_BUFFER => 4096;

my $JSON = JSON::PP->new->utf8->canonical;

# OpenAI's own client marks a repetition; others that speak to the same address do not.
our @SHAPES = qw(openai ai-sdk replicate fal);
my %SHAPE = (
    'openai'    => ['/openai/v1/images/generations', \&openai_body, sub { ('x-stainless-retry-count' => $_[1]) }],
    'ai-sdk'    => ['/openai/v1/images/generations', \&openai_body, sub { () }],
    'replicate' => ['/v1/models/owner/name/predictions', sub { { input => { prompt => $_[0] } } },
        sub { (Authorization => "Bearer $_[0]", Prefer => 'wait') }],
    'fal' => ['/fal/run/fal-ai/flux/dev', sub { { prompt => $_[0] } }, sub { (Authorization => "Key $_[0]") }],
);

sub openai_body { return { model => 'gpt-image-1', prompt => $_[0], response_format => 'url' } }

# The client's request for a picture, or its $tries-th repetition of that.
sub call {
    my ($class, $shape, $user, $prompt, $tries) = @_;
    my ($path, $body, $headers) = @{ $SHAPE{$shape} };
    return $class->post($path, $user, $body->($prompt), $headers->($user, $tries // 0));
}

# The addresses in the response to that.
sub pictures {
    my ($shape, $answer) = @_;
    return if !($answer->{status} && $answer->{status} =~ /\A2/);
    my $body = $JSON->decode($answer->{content});
    return @{ $body->{output} // [] } if $shape eq 'replicate';
    return map { $_->{url} } @{ $body->{ $shape eq 'fal' ? 'images' : 'data' } // [] };
}

# A request is on its way. The client's system takes few bytes before it reads.
sub post {
    my ($class, $path, $user, $body, %headers) = @_;
    my ($port) = base() =~ /:(\d+)\z/;
    my $text   = ref $body ? $JSON->encode($body) : $body;
    socket my $socket, Socket::AF_INET(), Socket::SOCK_STREAM(), 0 or die "socket: $!\n";
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack('l', SMALL_BUFFER) or die "SO_RCVBUF: $!\n";
    connect $socket, pack_sockaddr_in($port, inet_aton('127.0.0.1')) or die "connect: $!\n";
    %headers = ('Content-Type' => 'application/json', 'X-User' => $user, Host => "127.0.0.1:$port",
        Connection => 'close', 'Content-Length' => length $text, %headers);
    my $head = join '', "POST $path HTTP/1.1\r\n", map { "$_: $headers{$_}\r\n" } sort keys %headers;
    syswrite $socket, "$head\r\n$text" or die "write: $!\n";
    return bless { socket => $socket }, $class;
}

# The connection is reset; what was not read is lost.
sub cut {
    my ($self) = @_;
    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack('ll', 1, 0);
    close $self->{socket};
    return;
}

# Reads the first bytes of the response, so that it has begun.
sub begin {
    my ($self) = @_;
    IO::Select->new($self->{socket})->can_read(HANG_LIMIT) or return '';
    sysread $self->{socket}, my $text, 1000;
    return $self->{text} = $text;
}

# Has something come that was not read?
sub is_readable { return scalar IO::Select->new($_[0]{socket})->can_read(0) }

# {status, headers, content} of the whole response; its JSON is in data().
sub answer {
    my ($self) = @_;
    my ($end, $text) = (time + HANG_LIMIT, $self->{text} // '');
    my $ready = IO::Select->new($self->{socket});
    while ($ready->can_read($end > time ? $end - time : 0)) {
        sysread($self->{socket}, $text, 65536, length $text) or last;
    }
    my ($status, $head, $content) = $text =~ m{\AHTTP/1\.1 (\d+)[^\r]*\r\n(.*?)\r\n\r\n(.*)\z}s or return {};
    my %headers = map { my ($name, $value) = split /: /; lc $name => $value } split /\r\n/, $head;
    return { status => $status, headers => \%headers, content => $content };
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# The only remote store the tests talk to: Cloudinary below /cloudinary and S3 below /s3, in one
# process on the loopback address. It checks signatures by itself, from the published schemes, keeps
# bytes in memory and serves them by GET. The HTTP server is the fake provider's. Packages:
#   Genflow::FakeStore              what is kept, what is ordered, what happened
#   Genflow::FakeStore::Cloudinary  and
#   Genflow::FakeStore::S3          in files of their own
#
#     Genflow::FakeStore->run($port_file)
#
# The kernel chooses the port; it is written to that file. The server ends on TERM and with its
# parent. Its key is $STORE_KEY with the secret $STORE_SECRET.
#
# ORDERS. A test says what shall become of the uploads whose name contains a text:
#   POST /_orders {"match":TEXT, "act":WORD, "times":N, "status":CODE, "retry_after":S, "ms":MS}
# A later order of the same text replaces it; times (1 if it is not said) counts down, 0 is none.
#   fail    the answer is an error of that status; nothing is kept
#   cut     reset after the body; nothing is kept
#   lose    it is kept, then the connection is reset without an answer
#   half    it is kept, and half of the answer comes
#   slow    it is kept, and the answer comes that many milliseconds later
#   claim   the answer says that it was there before; nothing is kept
#   forge   Cloudinary: it is kept, but the answer is signed with another secret
#   page    200 with somebody else's HTML; nothing is kept
#   spoil   S3: another picture is kept: one byte of it differs
#   stay    removals are answered 503, and nothing is removed; uploads are as usual
#   hide    reads from S3 are answered 503; uploads are as usual
#
# QUESTIONS.
#   GET /_log?match=TEXT       what happened to names that contain TEXT, oldest first: number, act
#                              (upload, remove), name, became (kept, existed, refused, removed,
#                              missing, or the order's word), status, bytes, sha256, type
#   GET /_objects?match=TEXT   names that are kept and contain TEXT

package Genflow::FakeStore;

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();

use Genflow::FakeProvider ();

use constant SETTLE => 0.05;              # seconds for the client to read what came before a reset

my $JSON = JSON::PP->new->utf8->canonical;

sub run {
    my ($class, $port_file) = @_;
    my $server = Genflow::FakeProvider->new;
    my $self   = bless {
        server  => $server,
        objects => {},          # name => {bytes, type, ...}
        orders  => {},          # text => order
        log     => [],
    }, $class;
    $server->add_route(POST => qr{/_orders},  sub { $self->take_order(@_) });
    $server->add_route(GET  => qr{/_log},     sub { $self->answer_log(@_) });
    $server->add_route(GET  => qr{/_objects}, sub { $self->answer_objects(@_) });
    for my $name (qw(Cloudinary S3 Shelf)) {
        require "Genflow/FakeStore/$name.pm";
        "Genflow::FakeStore::$name"->new($server, $self);
    }
    $server->announce($port_file);
    $server->serve;
}

# ---- what is kept ----

sub object { return $_[0]{objects}{ $_[1] } }

sub names { return sort keys %{ $_[0]{objects} } }

sub keep {
    my ($self, $name, %object) = @_;
    return $self->{objects}{$name} = \%object;
}

sub remove { return delete $_[0]{objects}{ $_[1] } }

# ---- an upload ----

# Does with a sound upload what was ordered for its name. All of %does is called for an answer,
# [status, [headers], body]: keep stores it (and says whether it `existed`), fail gets a status and
# headers, claim and forge are as the orders of these names.
sub upload {
    my ($self, $request, $name, $bytes, %does) = @_;
    my $order  = $self->order_for($name) // { act => 'keep' };
    my $act    = $order->{act};
    my @wait   = defined $order->{retry_after} ? ('Retry-After' => $order->{retry_after}) : ();
    my $answer = $act eq 'fail'             ? $does{fail}->($order->{status}, @wait)
               : $act eq 'page'             ? [200, ['Content-Type' => 'text/html'], '<html></html>']
               : $act =~ /\A(?:claim|forge)\z/ ? $does{$act}->()
               : $act eq 'cut'              ? undef
               :                              $does{keep}->(\$act);
    $self->note($request, 'upload', $name, $act, $answer, $bytes);

    return $self->reset_soon($request) if $act eq 'cut' || $act eq 'lose';
    return $self->send_half($request, $answer) if $act eq 'half';
    my $later = $act eq 'slow' ? $order->{ms} / 1000 : 0;
    $self->{server}->later($later, sub { $self->{server}->answer($request, @$answer) });
}

sub reset_soon {
    my ($self, $request) = @_;
    $self->{server}->later(SETTLE,
                           sub { $self->{server}->reset_connection($request->{connection}) });
}

sub send_half {
    my ($self, $request, $answer) = @_;
    my ($status, $headers, $body) = @$answer;
    $self->{server}->answer_part($request, 200, $headers, $body || 'nothing', 3);
    $self->{server}->end_connection($request->{connection});
}

# ---- orders ----

sub take_order {
    my ($self, $request) = @_;
    my $order = $JSON->decode($request->{body});
    $order->{times} //= 1;
    $self->{orders}{ $order->{match} } = $order;
    $self->{server}->answer_json($request, 200, {});
}

sub order_for {
    my ($self, $name) = @_;
    for my $order (map { $self->{orders}{$_} } sort keys %{ $self->{orders} }) {
        next if $order->{times} <= 0 || index($name, $order->{match}) < 0;
        next if $order->{act} =~ /\A(?:stay|hide)\z/;
        $order->{times}--;
        return $order;
    }
    return;
}

# Was it ordered that this one stays, or is hidden? Then the request is answered.
sub stays { return refuses(@_, remove => 'stay') }
sub hides { return refuses(@_, read => 'hide') }

sub refuses {
    my ($self, $request, $name, $what, $act) = @_;
    my ($order) = grep { $_->{act} eq $act && $_->{times} > 0 && index($name, $_->{match}) >= 0 }
        values %{ $self->{orders} };
    return 0 if !$order;
    $order->{times}--;
    $self->note($request, $what => $name, $act, [503]);
    $self->{server}->answer($request, 503, [], '');
    return 1;
}

# ---- questions ----

# `bytes` are those of an upload.
sub note {
    my ($self, $request, $act, $name, $became, $answer, $bytes) = @_;
    push @{ $self->{log} }, {
        number => 1 + @{ $self->{log} },
        act    => $act,
        name   => $name,
        became => $became,
        status => $answer ? $answer->[0] : undef,
        type   => $request->{header}{'content-type'},
        defined $bytes ? (bytes => length $bytes, sha256 => sha256_hex($bytes)) : (),
    };
}

sub answer_log {
    my ($self, $request) = @_;
    my $match = Genflow::FakeProvider::query_value($request, 'match') // '';
    my @found = grep { index($_->{name}, $match) >= 0 } @{ $self->{log} };
    $self->{server}->answer_json($request, 200, \@found);
}

sub answer_objects {
    my ($self, $request) = @_;
    my $match = Genflow::FakeProvider::query_value($request, 'match') // '';
    my @found = grep { index($_, $match) >= 0 } sort keys %{ $self->{objects} };
    $self->{server}->answer_json($request, 200, \@found);
}

1;

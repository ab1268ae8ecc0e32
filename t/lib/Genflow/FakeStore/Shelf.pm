# SPDX-License-Identifier: Apache-2.0
#
# What the store `shelf` of t/sample speaks, below /shelf: PUT, DELETE and GET of objects, with the
# secret in a header.

package Genflow::FakeStore::Shelf;

use strict;
use warnings;

sub new {
    my ($class, $server, $shelf) = @_;
    my $self = bless { server => $server, shelf => $shelf }, $class;
    my $object = qr{/shelf/(.+)};
    $server->add_route(PUT    => $object, sub { $self->put(@_) });
    $server->add_route(DELETE => $object, sub { $self->remove(@_) });
    $server->add_route(GET    => $object, sub { $self->get(@_) });
    return $self;
}

sub put {
    my ($self, $request, $name) = @_;
    return $self->{server}->answer_json($request, 403, { message => 'no key' })
        if ($request->{header}{'x-key'} // '') ne $ENV{STORE_SECRET};
    my $port = $self->{server}->port;
    $self->{shelf}->upload($request, "shelf/$name", $request->{body},
        keep => sub {
            my ($became) = @_;
            $$became = 'kept';
            $self->{shelf}->keep("shelf/$name", bytes => $request->{body},
                                 type => $request->{header}{'content-type'});
            return [200, [ 'Content-Type' => 'application/json' ],
                    qq({"url":"http://127.0.0.1:$port/shelf/$name"})];
        },
        fail => sub { my ($status, @headers) = @_; [$status, [@headers], 'no'] });
}

sub remove {
    my ($self, $request, $name) = @_;
    my $found = $self->{shelf}->remove("shelf/$name");
    $self->{shelf}->note($request, remove => "shelf/$name", $found ? 'removed' : 'missing', [204]);
    $self->{server}->answer($request, 204, [], '');
}

sub get {
    my ($self, $request, $name) = @_;
    my $object = $self->{shelf}->object("shelf/$name");
    return $self->{server}->answer($request, 404, [], '') if !$object;
    $self->{server}->answer($request, 200, [ 'Content-Type' => $object->{type} ], $object->{bytes});
}

1;

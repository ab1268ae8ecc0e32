# SPDX-License-Identifier: Apache-2.0
#
# A client's server that receives the webhooks of ended generations, below /_receive of the fake
# provider. What it shall do stands in the address, so that tests share nothing:
# /_receive/WORDS/NAME, where WORDS are joined by commas:
#   ok                204, and no more words are needed
#   status=CODE       that answer
#   times=N           ... for the first N that come for this address; then 204
#   retry-after=S     this header beside it
#   delay=MS          204 so much later
#   hang              no answer
#   late              "200 OK" and no more of the answer
#   big               200 and a body of a megabyte
#   redirect          302 to /_receive/ok/NAME-moved
# GET /_received?match=TEXT returns what came to addresses that contain TEXT, oldest first: path,
# header, body.

package Genflow::FakeProvider::Receiver;

use strict;
use warnings;

sub new {
    my ($class, $server) = @_;
    my $self = bless { server => $server, came => [], seen => {} }, $class;
    $server->add_route(POST => qr{(/_receive/[\w.=,-]+/[\w.-]+)}, sub { $self->receive(@_) });
    $server->add_route(GET => qr{/_received}, sub { $self->answer_deliveries(@_) });
    return $self;
}

sub receive {
    my ($self, $request, $path) = @_;
    my (undef, undef, $words, $name) = split m{/}, $path;
    my %do = map { /\A([^=]+)(?:=(.*))?\z/ ? ($1 => $2 // 1) : () } split /,/, $words;
    push @{ $self->{came} }, { path => $path, header => $request->{header}, body => $request->{body} };

    %do = (ok => 1) if $do{times} && ++$self->{seen}{$path} > $do{times};
    my @wait = $do{'retry-after'} ? ('Retry-After' => $do{'retry-after'}) : ();
    my $server = $self->{server};
    return if $do{hang};
    return $server->later($do{delay} / 1000, sub { $server->answer($request, 204, [], '') }) if $do{delay};
    return $server->answer_part($request, 200, [], 'never said', 0) if $do{late};
    return $server->answer($request, 200, [], 'x' x 1_000_000) if $do{big};
    return $server->answer($request, 302, [Location => "/_receive/ok/$name-moved"], '') if $do{redirect};
    return $server->answer($request, $do{status} // 204, \@wait, '');
}

sub answer_deliveries {
    my ($self, $request) = @_;
    my $match = Genflow::FakeProvider::query_value($request, 'match') // '';
    my @found = grep { index($_->{path}, $match) >= 0 } @{ $self->{came} };
    $self->{server}->answer_json($request, 200, \@found);
}

1;

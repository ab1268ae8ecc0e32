# SPDX-License-Identifier: Apache-2.0
#
# AIML API below /aiml: pictures at once, in either of its two shapes, and the log of what was done.

package Genflow::FakeProvider::Aiml;

use strict;
use warnings;

use parent -norequire, 'Genflow::FakeProvider::Json';

use Genflow::FakeProvider::Json ();

sub prefix { return '/aiml' }

sub add_routes {
    my ($self) = @_;
    $self->{log} = [];
    $self->{server}->add_route(POST => qr{/aiml/v1/images/generations}, sub {
        my ($request) = @_;
        $self->submit($request, undef, accept => sub { $self->write_log($_[0]) },
                      answer => sub { $self->answer($_[0]) });
    });
    $self->{server}->add_route(GET => qr{/aiml/v2/logs}, sub { $self->answer_log($_[0]) });
}

sub error_body {
    my ($self, $status, $type) = @_;
    return { message => "the fake provider says $status", path => '/v1/images/generations',
             requestId => 'r1', statusCode => $status };
}

sub answer {
    my ($self, $job) = @_;
    my $script = $job->{script};
    my $nsfw   = $script->has('nsfw') ? JSON::PP::true() : JSON::PP::false();
    return $self->reply($job, 200, { data => undef }) if $script->has('empty');
    return $self->reply($job, 200, { data => [ { b64_json => $self->picture_b64($job) } ] })
        if $script->has('b64');
    my $picture = { url => $self->picture_url($job) };
    return $self->reply($job, 201, { data => [ { %$picture, b64_json => undef } ],
                                     meta => { usage => { credits_used => 52500 } } })
        if $script->has('data');
    $self->reply($job, 200, { images => [$picture], seed => $job->{seed},
                              has_nsfw_concepts => [$nsfw], prompt => $job->{prompt} });
}

sub write_log {
    my ($self, $job) = @_;
    my $failed = $job->{script}->has('failed') || $job->{script}->has('status');
    unshift @{ $self->{log} }, {
        status            => $failed ? 'failed' : 'succeeded',
        model             => $job->{model},
        inference_id      => $job->{id},
        client_request_id => $job->{request}{header}{'x-client-request-id'},
    };
}

sub answer_log {
    my ($self, $request) = @_;
    my $offset = Genflow::FakeProvider::query_value($request, 'offset') // 0;
    my @rows   = @{ $self->{log} };
    my @page   = grep { defined } @rows[ $offset .. $offset + 99 ];
    my $more   = @rows > $offset + 100 ? JSON::PP::true() : JSON::PP::false();
    $self->{server}->answer_json($request, 200,
        { data => \@page, pagination => { offset => $offset + 0, has_more => $more } });
}

1;

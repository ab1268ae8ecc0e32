# SPDX-License-Identifier: Apache-2.0
#
# fal's queue below /fal: a request is queued, its status asked for, then its result, which answers
# as the model did. The list of requests belongs to another host of theirs; here it is the same.

package Genflow::FakeProvider::Fal;

use strict;
use warnings;

use parent -norequire, 'Genflow::FakeProvider::Json';

use Genflow::FakeProvider::Json ();

sub prefix { return '/fal' }
sub scheme { return 'Key' }

sub add_routes {
    my ($self) = @_;
    my $server = $self->{server};
    my $app    = '[\w.-]+/[\w.-]+';
    $server->add_route(GET => qr{/fal/v1/models/requests/by-endpoint}, sub { $self->list(@_) });
    $server->add_route(GET => qr{/fal/$app/requests/(\w+)/status}, sub { $self->tell_status(@_) });
    $server->add_route(GET => qr{/fal/$app/requests/(\w+)}, sub { $self->tell_result(@_) });
    $server->add_route(PUT => qr{/fal/$app/requests/(\w+)/cancel}, sub { $self->cancel(@_) });
    $server->add_route(POST => qr{/fal/($app(?:/[\w./-]+)?)}, sub {
        my ($request, $model) = @_;
        $self->submit($request, $model, accept => sub { $self->start_run($_[0]) }, answer => sub {
            my ($job) = @_;
            $self->reply($job, 200, { request_id => $job->{id}, status => 'IN_QUEUE',
                                      queue_position => 0 });
        });
    });
}

sub error_body {
    my ($self, $status, $type) = @_;
    return { detail => [ { loc => ['body'], msg => 'the fake provider refuses', type => $type } ] }
        if $type;
    return { detail => "the fake provider says $status" };
}

sub tell_status {
    my ($self, $request, $id) = @_;
    my $job = $self->run_asked_for($request, $id) or return;
    return $self->{server}->answer_json($request, 200, { status => 'COMPLETED' })
        if $job->{over} ||= $self->is_over($job);
    $self->{server}->answer_json($request, 202,
        { status => 'IN_PROGRESS', logs => [ { message => 'drawing', level => 'INFO' } ] });
}

sub tell_result {
    my ($self, $request, $id) = @_;
    my $job    = $self->run_asked_for($request, $id) or return;
    my $script = $job->{script};
    my $server = $self->{server};
    return $server->answer_json($request, 400, { detail => 'Request is still in progress' })
        if !$job->{over};
    return $server->answer_json($request, $1, $self->error_body($1, $2))
        if ($script->value('failed') // '') =~ /\A(\d+),(\w+)\z/;
    return $server->answer_json($request, 200, { images => [] }) if $script->has('empty');
    my $nsfw    = $script->has('nsfw') ? JSON::PP::true() : JSON::PP::false();
    my $picture = { url => $self->picture_url($job), content_type => 'image/png' };
    return $server->answer_json($request, 200, { image => $picture }) if $script->has('single');
    $server->answer_json($request, 200,
        { images => [$picture], seed => $job->{seed}, has_nsfw_concepts => [$nsfw] });
}

sub cancel {
    my ($self, $request, $id) = @_;
    my $job = $self->run_asked_for($request, $id) or return;
    $job->{canceled} = 1;
    $self->{server}->answer_json($request, 202, { status => 'CANCELLATION_REQUESTED' });
}

sub list {
    my ($self, $request) = @_;
    my $since = Genflow::FakeProvider::query_value($request, 'start');
    my $model = Genflow::FakeProvider::query_value($request, 'endpoint_id');
    my @items = map { {
        request_id => $_->{id}, endpoint_id => $_->{model}, sent_at => $_->{time},
        status_code => 200, json_input => $_->{form},
    } } grep { $_->{model} eq $model } $self->runs_since($since);
    $self->{server}->answer_json($request, 200, { items => \@items, next_cursor => undef });
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# What the kind `sample` of t/sample speaks, below /sample: a run is polled at the address that the
# submission's answer names, and the key is in a header of its own.

package Genflow::FakeProvider::Sample;

use strict;
use warnings;

use parent -norequire, 'Genflow::FakeProvider::Json';

use Genflow::FakeProvider::Json ();

sub prefix { return '/sample' }

sub add_routes {
    my ($self) = @_;
    $self->{server}->add_route(POST => qr{/sample/v1/paint}, sub {
        my ($request) = @_;
        $self->submit($request, undef, accept => sub { $self->start_run($_[0]) },
                      answer => sub { $self->answer($_[0]) });
    });
    $self->{server}->add_route(GET => qr{/sample/v1/result}, sub { $self->answer_result($_[0]) });
}

sub knows_key {
    my ($self, $request) = @_;
    my $key = $request->{header}{'x-key'};
    return defined $key && $key !~ /\Awrong/ && !defined $request->{header}{authorization};
}

sub error_body { return { message => "the fake provider says $_[1]", sample_error => $_[1] + 0 } }

sub answer {
    my ($self, $job) = @_;
    my $port = $self->{server}->port;
    $self->reply($job, 200, { id => $job->{id},
        polling_url => "http://127.0.0.1:$port/sample/v1/result?id=$job->{id}&region=eu" });
}

sub answer_result {
    my ($self, $request) = @_;
    my $id  = Genflow::FakeProvider::query_value($request, 'id') // '';
    my $job = $self->requested_run($request, $id) or return;
    return $self->{server}->answer_json($request, 200, { status => 'Pending' }) if !$self->is_over($job);
    $self->{server}->answer_json($request, 200,
        { status => 'Ready', result => { sample => $self->picture_url($job) } });
}

1;

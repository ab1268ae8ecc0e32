# SPDX-License-Identifier: Apache-2.0
#
# OpenAI's images below /openai: base64 at once, or an address where the script says so.

package Genflow::FakeProvider::OpenAi;

use strict;
use warnings;

use parent -norequire, 'Genflow::FakeProvider::Json';

use Genflow::FakeProvider::Json ();

sub prefix { return '/openai' }

sub add_routes {
    my ($self) = @_;
    $self->{server}->add_route(POST => qr{/openai/v1/images/generations}, sub {
        my ($request) = @_;
        $self->submit($request, undef, answer => sub { $self->answer($_[0]) });
    });
}

sub error_body {
    my ($self, $status, $type) = @_;
    return { error => { message => "the fake provider says $status", param => undef,
                        type => 'image_generation_user_error', code => $type } };
}

sub answer {
    my ($self, $job) = @_;
    my $script = $job->{script};
    return $self->reply($job, 200, { created => time, data => [] }) if $script->has('empty');
    my $by_url  = $script->has('url') || $script->has('result') || $script->has('datauri');
    my $picture = $by_url ? { url => $self->picture_url($job) }
                          : { b64_json => $self->picture_b64($job) };
    $picture->{b64_json} = 'bm8gcGljdHVyZQ==' if $script->has('garbage');
    $self->reply($job, 200, { created => time, data => [$picture] });
}

1;

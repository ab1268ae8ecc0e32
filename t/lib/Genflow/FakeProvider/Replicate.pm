# SPDX-License-Identifier: Apache-2.0
#
# Replicate below /replicate: predictions are created, polled, listed and canceled, and their end
# goes to a webhook.

package Genflow::FakeProvider::Replicate;

use strict;
use warnings;

use parent -norequire, 'Genflow::FakeProvider::Json';

use Digest::SHA qw(hmac_sha256_base64);
use Genflow::FakeProvider::Json ();

# What it signs with. Sections have it as "whsec_" and this in base64 (t/run.pl).
use constant SECRET => '0123456789abcdef0123456789abcdef';

sub prefix { return '/replicate' }

sub add_routes {
    my ($self) = @_;
    my $server = $self->{server};
    my $create = sub {
        my ($request, $model) = @_;
        my $accept = sub {
            my ($job) = @_;
            $job->{time} = Genflow::FakeProvider::Json::now(offset_of($request));
            $self->start_run($job);
            $job->{over} = $job->{script}->has('at-once');
        };
        $self->submit($request, $model, accept => $accept,
                      answer => sub { $self->reply($_[0], 201, $self->prediction($_[0])) });
    };
    $server->add_route(POST => qr{/replicate/(?:behind/)?v1/models/([\w.-]+/[\w.-]+)/predictions}, $create);
    $server->add_route(POST => qr{/replicate/(?:behind/)?v1/predictions}, sub { $create->($_[0]) });
    $server->add_route(POST => qr{/replicate/(?:behind/)?v1/predictions/(\w+)/cancel},
                       sub { $self->cancel(@_) });
    $server->add_route(GET => qr{/replicate/(?:behind/)?v1/predictions}, sub { $self->list(@_) });
    $server->add_route(GET => qr{/replicate/(?:behind/)?v1/account}, sub { $self->answer_account(@_) });
    $server->add_route(GET => qr{/replicate/(?:behind/)?v1/predictions/(\w+)}, sub {
        my ($request, $id) = @_;
        my $job = $self->requested_run($request, $id) or return;
        $job->{over} ||= $self->is_over($job);
        $server->answer_json($request, 200, $self->prediction($job));
    });
}

sub error_body {
    my ($self, $status, $type) = @_;
    return { title => 'Refused', status => $status + 0, detail => "the fake provider says $status" };
}

sub prediction {
    my ($self, $job) = @_;
    my $script = $job->{script};
    my %report   = (
        id => $job->{id}, model => $job->{model}, version => 'hidden', input => $job->{form},
        logs => '', created_at => $job->{time}, status => 'starting',
        output => undef, error => undef, data_removed => JSON::PP::false(),
        urls => { map { $_ => "https://replicate.example/$_/$job->{id}" } qw(web get cancel) },
        $job->{canceled} ? (status => 'canceled') : (),
    );
    return \%report if !$job->{over};
    return { %report, status => 'aborted' } if $script->has('aborted');
    return { %report, status => 'failed', error => $script->value('failed') }
        if $script->has('failed');
    return { %report, status => 'failed', error => 'NSFW content detected' } if $script->has('nsfw');
    return { %report, status => 'succeeded', output => [] } if $script->has('empty');
    my $url = $self->picture_url($job);
    return { %report, status => 'succeeded', output => $script->has('plain') ? $url : [$url] };
}

sub cancel {
    my ($self, $request, $id) = @_;
    my $job = $self->run_to_cancel($request, $id) or return;
    $self->{server}->answer_json($request, 200, $self->prediction($job));
}

# ---- webhooks ----

sub hook_of {
    my ($self, $job, $document) = @_;
    my $filter = $document->{webhook_events_filter} // [];
    return "@$filter" eq 'completed' ? $document->{webhook} : undef;
}

sub report {
    my ($self, $job, $kind) = @_;
    return %{ $self->prediction({ %$job, over => $kind ne 'other' }) };
}

# The headers of a report: id (of the run), kind and time say which. A repeated one has the
# same id.
sub signature {
    my ($class, $body, %of) = @_;
    my $id     = "msg_$of{id}" . ($of{kind} eq 'end' ? '' : "_$of{kind}");
    my $secret = $of{kind} eq 'forged' ? 'somebody else' : SECRET;
    my $mac    = hmac_sha256_base64("$id.$of{time}.$body", $secret);
    $mac .= '=' while length($mac) % 4;
    return ('Webhook-Id' => $id, 'Webhook-Timestamp' => $of{time},
            'Webhook-Signature' => "v1,$mac");
}

# Below /replicate/behind its clock is 20 minutes behind.
sub offset_of { return $_[0]{path} =~ m{\A/replicate/behind/} ? -1200 : 0 }

sub list {
    my ($self, $request) = @_;
    my $since = Genflow::FakeProvider::query_value($request, 'created_after');
    $self->{server}->answer_json($request, 200, {
        previous => undef, next => undef,
        results  => [ map { $self->prediction($_) } $self->runs_since($since) ],
    }, Genflow::FakeProvider::Json::date(offset_of($request)));
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# fal's queue below /fal: a request is queued, its status polled, then its result read, which answers
# as the model did. The end goes to a webhook. The list of requests and the public keys belong to
# other hosts of theirs; here it is the same.

package Genflow::FakeProvider::Fal;

use strict;
use warnings;

use parent -norequire, 'Genflow::FakeProvider::Json';

use Digest::SHA qw(sha256_hex);
use File::Temp ();
use Genflow::FakeProvider::Json ();
use MIME::Base64 qw(encode_base64url);

# The keys of Ed25519 that reports and forged ones are signed with. Public are the first one's half
# and that of one which is not used any more.
use constant {
    KEY     => join('', map { chr } 0 .. 31),
    FORGER  => join('', map { chr } 1 .. 32),
    PUBLIC  => pack('H*', '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8'),
    RETIRED => pack('H*', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'),
    PKCS8   => pack('H*', '302e020100300506032b657004220420'),
};

sub prefix { return '/fal' }
sub scheme { return 'Key' }

sub add_routes {
    my ($self) = @_;
    my $server = $self->{server};
    my $app    = '[\w.-]+/[\w.-]+';
    $server->add_route(GET => qr{/fal/jwks\.json}, sub { $self->answer_keys(@_) });
    $server->add_route(GET => qr{/_keys}, sub {
        $server->answer($_[0], 200, ['Content-Type' => 'application/json'], $self->{key_requests} // 0);
    });
    $server->add_route(GET => qr{/fal/v1/models/requests/by-endpoint}, sub { $self->list(@_) });
    $server->add_route(GET => qr{/fal/$app/requests/(\w+)/status}, sub { $self->answer_status(@_) });
    $server->add_route(GET => qr{/fal/$app/requests/(\w+)}, sub { $self->answer_result(@_) });
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
    return { detail => "the fake provider says $status", $status >= 500 ? (error_type => 'internal_error') : () };
}

sub answer_status {
    my ($self, $request, $id) = @_;
    my $job = $self->requested_run($request, $id) or return;
    my $wait = ($job->{script}->value('poll-delay') || 0) / 1000;
    $self->{server}->later($wait, sub { $self->answer_status_now($request, $job) });
}

sub answer_status_now {
    my ($self, $request, $job) = @_;
    return $self->{server}->answer_json($request, 200, { status => 'COMPLETED' })
        if $job->{over} ||= $self->is_over($job);
    my $position = $job->{script}->value('position');
    return $self->{server}->answer_json($request, 202,
        { status => 'IN_QUEUE', queue_position => $position + 0 }) if defined $position;
    $self->{server}->answer_json($request, 202,
        { status => 'IN_PROGRESS', logs => [ { message => 'drawing', level => 'INFO' } ] });
}

sub answer_result {
    my ($self, $request, $id) = @_;
    my $job    = $self->requested_run($request, $id) or return;
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
    my $job = $self->run_to_cancel($request, $id) or return;
    $self->{server}->answer_json($request, 202, { status => 'CANCELLATION_REQUESTED' });
}

# ---- webhooks ----

sub hook_of {
    my ($self, $job) = @_;
    return Genflow::FakeProvider::query_value($job->{request}, 'fal_webhook');
}

sub report {
    my ($self, $job, $kind) = @_;
    return (
        request_id => $job->{id}, gateway_request_id => $job->{id}, payload => undef,
        $kind eq 'other' ? (status => 'ERROR', error => 'Invalid status code: 422')
                         : (status => 'OK', payload_error => 'it is too large'),
    );
}

# The headers of a report: id (of the run), kind and time say which.
sub signature {
    my ($class, $body, %of) = @_;
    my @signed = ($of{id}, 'u-1', $of{time});
    my $text   = join "\n", @signed, sha256_hex($body);
    return (
        'X-Fal-Webhook-Request-Id' => $signed[0],
        'X-Fal-Webhook-User-Id'    => $signed[1],
        'X-Fal-Webhook-Timestamp'  => $signed[2],
        'X-Fal-Webhook-Signature'  => signed($of{kind} eq 'forged' ? FORGER : KEY, $text),
    );
}

# Perl's own modules do not know Ed25519.
sub signed {
    my ($key, $text) = @_;
    my ($key_file, $text_file) = map { File::Temp->new } 1 .. 2;
    print $key_file PKCS8, $key;
    print $text_file $text;
    $_->flush for $key_file, $text_file;
    my @sign = qw(openssl pkeyutl -sign -rawin -keyform DER);
    open my $openssl, '-|', @sign, '-inkey', "$key_file", '-in', "$text_file"
        or die "openssl: $!\n";
    local $/ = undef;
    return unpack 'H*', <$openssl> // '';
}

sub answer_keys {
    my ($self, $request) = @_;
    $self->{key_requests}++;
    $self->{server}->answer_json($request, 200, { keys => [
        map { { kty => 'OKP', crv => 'Ed25519', use => 'sig', x => encode_base64url($_) } }
            RETIRED, PUBLIC ] });
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

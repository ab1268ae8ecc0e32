# SPDX-License-Identifier: Apache-2.0
#
# S3's PUT, DELETE and GET of objects below /s3, in path style. Requests but GET must be signed:
# this is AWS Signature Version 4 from its description, step by step. One region is at home here.

package Genflow::FakeStore::S3;

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use Time::Local qw(timegm);

use constant {
    REGION => 'eu-central-1',
    SKEW   => 15 * 60,                    # seconds that clocks may differ
};

sub new {
    my ($class, $server, $shelf) = @_;
    my $self = bless { server => $server, shelf => $shelf }, $class;
    my $object = qr{/s3/([\w.-]+/.+)};
    $server->add_route(PUT    => $object, sub { $self->put(@_) });
    $server->add_route(DELETE => $object, sub { $self->remove(@_) });
    $server->add_route(GET    => $object, sub { $self->get(@_) });
    return $self;
}

# ---- requests ----

sub put {
    my ($self, $request, $name) = @_;
    $self->admit($request, upload => $name) or return;
    $self->{shelf}->upload($request, "s3/$name", $request->{body},
        keep  => sub { $self->keep($request, "s3/$name", @_) },
        fail  => sub { my ($status, @headers) = @_; error($status, 'Ordered', @headers) },
        claim => sub { error(412, 'PreconditionFailed') },
        forge => sub { error(500, 'NothingToForge') },
    );
}

sub keep {
    my ($self, $request, $name, $became) = @_;
    my $header = $request->{header};
    my $taken  = $self->{shelf}->object($name) && ($header->{'if-none-match'} // '') eq '*';
    $$became = $taken ? 'existed' : 'kept' if $$became eq 'keep';
    return error(412, 'PreconditionFailed') if $taken;
    my $bytes = $request->{body};
    substr($bytes, length($bytes) / 2, 1) ^= "\x55" if $$became eq 'spoil';
    $self->{shelf}->keep($name, bytes => $bytes, type => $header->{'content-type'},
                         cache => $header->{'cache-control'} // '');
    return [200, [ ETag => '"' . md5_hex($request->{body}) . '"' ], ''];
}

sub remove {
    my ($self, $request, $name) = @_;
    $self->admit($request, remove => $name) or return;
    return if $self->{shelf}->stays($request, "s3/$name");
    my $found = $self->{shelf}->remove("s3/$name");
    $self->{shelf}->note($request, remove => "s3/$name", $found ? 'removed' : 'missing', [204]);
    $self->{server}->answer($request, 204, [], '');
}

sub get {
    my ($self, $request, $name) = @_;
    return if $self->{shelf}->hides($request, "s3/$name");
    my $object = $self->{shelf}->object("s3/$name");
    return $self->{server}->answer($request, @{ error(404, 'NoSuchKey') }) if !$object;
    $self->{server}->answer($request, 200,
        [ 'Content-Type' => $object->{type}, 'Cache-Control' => $object->{cache} ],
        $object->{bytes});
}

# True for a request that may go on; otherwise it has its answer.
sub admit {
    my ($self, $request, $act, $name) = @_;
    my ($status, $code) = problem($request, time);
    ($status, $code) = (404, 'NoSuchBucket') if !$status && $name =~ /\Ano-such/;
    return 1 if !$status;
    my $answer = error($status, $code);
    $self->{shelf}->note($request, $act, "s3/$name", 'refused', $answer, $request->{body});
    $self->{server}->answer($request, @$answer);
    return;
}

sub error {
    my ($status, $code, @headers) = @_;
    return [$status, [ 'Content-Type' => 'application/xml', @headers ],
        qq(<?xml version="1.0" encoding="UTF-8"?>\n)
        . "<Error><Code>$code</Code><Message>The fake store says $status</Message></Error>"];
}

# ---- AWS Signature Version 4 ----

# (status, code) of what is wrong with a request, or nothing.
sub problem {
    my ($request, $now) = @_;
    my $header = $request->{header};
    my $given  = authorization($header) or return (403, 'AccessDenied');
    return (403, 'InvalidAccessKeyId') if $given->{key} ne $ENV{STORE_KEY};
    return (400, 'AuthorizationHeaderMalformed')
        if $given->{region} ne REGION || $given->{service} ne 's3';

    my $date = $header->{'x-amz-date'} // '';
    my ($day, @time) = $date =~ /\A((\d{4})(\d\d)(\d\d))T(\d\d)(\d\d)(\d\d)Z\z/
        or return (403, 'AccessDenied');
    return (403, 'SignatureDoesNotMatch') if $day ne $given->{day};
    return (403, 'RequestTimeTooSkewed') if abs($now - seconds(@time)) > SKEW;

    my %signed = map { $_ => 1 } @{ $given->{headers} };
    my @needed = ('host', grep { /\Ax-amz-|\Acontent-type\z/ } keys %$header);
    return (403, 'AccessDenied') if grep { !$signed{$_} } @needed;
    return (400, 'MissingSecurityHeader') if !defined $header->{'x-amz-content-sha256'};
    return (403, 'SignatureDoesNotMatch') if grep { !defined $header->{$_} } keys %signed;
    return (403, 'SignatureDoesNotMatch')
        if $given->{signature} ne signature($request, $given, $ENV{STORE_SECRET});
    return (400, 'XAmzContentSHA256Mismatch')
        if $header->{'x-amz-content-sha256'} ne sha256_hex($request->{body});
    return;
}

sub seconds {
    my ($year, $month, $day, $hour, $minute, $second) = @_;
    return timegm($second, $minute, $hour, $day, $month - 1, $year);
}

sub authorization {
    my ($header) = @_;
    my %field;
    ($header->{authorization} // '') =~ m{\AAWS4-HMAC-SHA256[ ]+
        Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request,\s*
        SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})\z}x or return;
    @field{qw(key day region service headers signature)} = ($1, $2, $3, $4, [split /;/, $5], $6);
    return \%field;
}

sub signature {
    my ($request, $given, $secret) = @_;
    my $scope  = "$given->{day}/$given->{region}/$given->{service}/aws4_request";
    my $string = join "\n", 'AWS4-HMAC-SHA256', $request->{header}{'x-amz-date'}, $scope,
        sha256_hex(canonical_request($request, $given->{headers}));

    my $key = "AWS4$secret";
    $key = hmac_sha256($_, $key) for split m{/}, $scope;
    return hmac_sha256_hex($string, $key);
}

sub canonical_request {
    my ($request, $names) = @_;
    my $header  = $request->{header};
    my @headers = map { "$_:" . ($header->{$_} =~ s/\s+/ /gr) } sort @$names;
    my @query   = map { [map { encode(decode($_)) } (split(/=/, $_, 2), '')[0, 1]] }
        split /&/, $request->{query} // '';
    return join "\n",
        $request->{method},
        join('/', map { encode(decode($_)) } split m{/}, $request->{path}, -1),
        join('&', map { "$_->[0]=$_->[1]" } sort { $a->[0] cmp $b->[0] } @query),
        @headers, '',
        join(';', sort @$names),
        $header->{'x-amz-content-sha256'};
}

sub decode { return $_[0] =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger }
sub encode { return $_[0] =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger }

1;

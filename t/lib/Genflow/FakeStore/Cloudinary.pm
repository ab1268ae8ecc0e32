# SPDX-License-Identifier: Apache-2.0
#
# Cloudinary's image/upload and image/destroy below /cloudinary, for signed forms, and the removal of
# all pictures of a tag, by Basic authentication. A parameter that our module has no reason to send is
# an error: it would be a mistake of ours. One liberty: the address in `secure_url` is http, as all of
# the fake store.

package Genflow::FakeStore::Cloudinary;

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha1_hex);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

use constant FRESH => 3600;               # seconds that a timestamp is good for

my $JSON = JSON::PP->new->utf8->canonical;

my %EXPECTED = (
    upload  => { map { $_ => 1 } qw(file api_key signature timestamp public_id overwrite
                                 asset_folder upload_preset tags) },
    destroy => { map { $_ => 1 } qw(api_key signature timestamp public_id invalidate) },
);

sub new {
    my ($class, $server, $shelf) = @_;
    my $self = bless { server => $server, shelf => $shelf, version => time }, $class;
    my $cloud = qr{/cloudinary/v1_1/[\w-]+};
    $server->add_route(POST => qr{$cloud/image/upload},  sub { $self->upload(@_) });
    $server->add_route(POST => qr{$cloud/image/destroy}, sub { $self->destroy(@_) });
    $server->add_route(DELETE => qr{$cloud/resources/image/tags/([\w-]+)}, sub { $self->remove_tag(@_) });
    $server->add_route(GET  => qr{/cloudinary/[\w-]+/image/upload/(?:[\w,]+_[\w,]+/)?v\d+/([\w/.-]+)\.\w+},
                       sub { $self->send_picture(@_) });
    return $self;
}

# ---- requests ----

sub upload {
    my ($self, $request) = @_;
    my $named = $request->{body} =~ /name="file"; filename="[^"]+"/;
    my $form  = $self->form_of($request, 'upload') or return;
    return $self->refuse($request, upload => $form, 400, 'Missing required parameter - file')
        if !$named || !defined $form->{file};
    return $self->refuse($request, upload => $form, 400, 'Invalid image file')
        if !Genflow::FakeProvider::Picture::is_picture($form->{file});

    my $name = "cloudinary/$form->{public_id}";
    $self->{shelf}->upload($request, $name, $form->{file},
        keep  => sub { $self->keep($request, $form, @_) },
        fail  => sub { $self->error(@_) },
        claim => sub { $self->upload_answer($self->picture($request, $form), existing => 1) },
        forge => sub { $self->upload_answer($self->picture($request, $form), signature => 'f' x 40) },
    );
}

sub keep {
    my ($self, $request, $form, $became) = @_;
    my $name = "cloudinary/$form->{public_id}";
    my $old  = $self->{shelf}->object($name);
    if ($old && !($form->{overwrite} // 1)) {
        $$became = 'existed' if $$became eq 'keep';
        return $self->upload_answer($old, existing => 1);
    }
    $$became = 'kept' if $$became eq 'keep';
    return $self->upload_answer($self->{shelf}->keep($name, %{ $self->picture($request, $form) }));
}

sub destroy {
    my ($self, $request) = @_;
    my $form  = $self->form_of($request, 'destroy') or return;
    my $name  = "cloudinary/$form->{public_id}";
    return if $self->{shelf}->stays($request, $name);
    my $found = $self->{shelf}->remove($name);
    my $answer = json(200, { result => $found ? 'ok' : 'not found' });
    $self->{shelf}->note($request, remove => $name, $found ? 'removed' : 'missing', $answer);
    $self->{server}->answer($request, @$answer);
}

sub remove_tag {
    my ($self, $request, $tag) = @_;
    my $known = 'Basic ' . encode_base64("$ENV{STORE_KEY}:$ENV{STORE_SECRET}", '');
    return $self->{server}->answer($request, @{ json(401, { error => { message => 'unknown api_key' } }) })
        if ($request->{header}{authorization} // '') ne $known;
    my @names = grep { ($self->{shelf}->object($_)->{tags} // '') eq $tag } $self->{shelf}->names;
    for my $name (@names) {
        $self->{shelf}->remove($name);
        $self->{shelf}->note($request, remove => $name, 'removed', [200]);
    }
    my %deleted = map { s{\Acloudinary/}{}r => 'deleted' } @names;
    $self->{server}->answer($request, @{ json(200, { deleted => \%deleted, partial => JSON::PP::false() }) });
}

sub send_picture {
    my ($self, $request, $public_id) = @_;
    my $object = $self->{shelf}->object("cloudinary/$public_id");
    return $self->{server}->answer($request, 404, [], '') if !$object;
    my @folder = defined $object->{folder} ? ('X-Asset-Folder' => $object->{folder}) : ();
    $self->{server}->answer($request, 200, [ 'Content-Type' => $object->{type}, @folder ],
                            $object->{bytes});
}

# ---- forms ----

# The form if it is sound and genuine; otherwise the request has its answer.
sub form_of {
    my ($self, $request, $action) = @_;
    my $form = Genflow::FakeProvider::Stability::read_form($request) || {};
    my ($status, $why) = problem($form, $action, time);
    return $form if !$status;
    $self->refuse($request, $action, $form, $status, $why);
    return;
}

sub problem {
    my ($form, $action, $now) = @_;
    my @unknown = grep { !$EXPECTED{$action}{$_} } sort keys %$form;
    my $key     = $form->{api_key} // '';
    return (400, "Unexpected parameter $unknown[0]") if @unknown;
    return (400, 'Missing required parameter - public_id') if !length($form->{public_id} // '');
    return (400, 'Upload preset not found') if ($form->{upload_preset} // 'generated') ne 'generated';
    return (400, 'public_id is invalid') if $form->{public_id} !~ m{\A[\w.-]+(?:/[\w.-]+)*\z};
    return (401, "Unknown API key $key") if $key ne $ENV{STORE_KEY};
    return (400, 'Stale request') if abs($now - ($form->{timestamp} || 0)) > FRESH;

    my $signature = $form->{signature} // '';
    my $text      = string_to_sign($form);
    return if $signature eq sha1_hex($text . $ENV{STORE_SECRET});
    return (401, "Invalid Signature $signature. String to sign - '$text'.");
}

# Signature version 2.
sub string_to_sign {
    my ($form) = @_;
    my %unsigned = map { $_ => 1 } qw(file cloud_name resource_type api_key signature);
    my @names = grep { !$unsigned{$_} && length $form->{$_} } sort keys %$form;
    return join '&', map { my $pair = "$_=$form->{$_}"; $pair =~ s/&/%26/g; $pair } @names;
}

# ---- answers ----

sub json {
    my ($status, $value) = @_;
    return [$status, [ 'Content-Type' => 'application/json' ], $JSON->encode($value)];
}

sub error {
    my ($self, $status, @headers) = @_;
    my $answer = json($status, { error => { message => "the fake store says $status" } });
    push @{ $answer->[1] }, @headers;
    return $answer;
}

sub refuse {
    my ($self, $request, $action, $form, $status, $why) = @_;
    my $answer = json($status, { error => { message => $why } });
    my $name   = 'cloudinary/' . ($form->{public_id} // '');
    my $act    = $action eq 'destroy' ? 'remove' : $action;
    $self->{shelf}->note($request, $act, $name, 'refused', $answer, $form->{file});
    $self->{server}->answer($request, @$answer);
}

sub picture {
    my ($self, $request, $form) = @_;
    my ($cloud) = $request->{path} =~ m{/v1_1/([\w-]+)/};
    my ($width, $height) = Genflow::FakeProvider::Picture::size($form->{file});
    my $version = ++$self->{version};
    my $format  = $form->{file} =~ /\A\xff\xd8/ ? 'jpg' : $form->{file} =~ /\ARIFF/ ? 'webp' : 'png';
    return {
        bytes     => $form->{file},
        type      => $format eq 'jpg' ? 'image/jpeg' : "image/$format",
        width     => $width,
        height    => $height,
        format    => $format,
        version   => $version,
        public_id => $form->{public_id},
        address   => "/cloudinary/$cloud/image/upload/v$version/$form->{public_id}.$format",
        folder    => $form->{asset_folder},
        tags      => $form->{tags},
    };
}

# The answer to an upload; its own signature is of version 1.
sub upload_answer {
    my ($self, $picture, %more) = @_;
    my $signed = "public_id=$picture->{public_id}&version=$picture->{version}";
    my %answer = (
        asset_id  => md5_hex($picture->{address}),
        bytes     => length $picture->{bytes},
        etag      => md5_hex($picture->{bytes}),
        signature => sha1_hex($signed . $ENV{STORE_SECRET}),
        secure_url => 'http://127.0.0.1:' . $self->{server}->port . $picture->{address},
        map({ $_ => $picture->{$_} } qw(public_id version width height format)),
        tags => [grep { defined } $picture->{tags}],
        defined $picture->{folder} ? (asset_folder => $picture->{folder}) : (),
        %more,
    );
    $answer{existing} = JSON::PP::true() if $answer{existing};
    return json(200, \%answer);
}

1;

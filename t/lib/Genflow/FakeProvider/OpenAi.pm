# SPDX-License-Identifier: Apache-2.0
#
# OpenAI's images below /openai: base64 at once, or an address where the script says so. Edits take
# a form with one picture, or with a list of up to 16. A field that is not known is an error, because it would be a mistake of
# ours.

package Genflow::FakeProvider::OpenAi;

use strict;
use warnings;

use parent -norequire, 'Genflow::FakeProvider::Json';

use JSON::PP ();

use Genflow::FakeProvider::Json ();

my $JSON  = JSON::PP->new->utf8->canonical;
my %KNOWN = map { $_ => 1 }
    qw(model prompt size n quality background output_format response_format);

sub prefix { return '/openai' }

sub add_routes {
    my ($self) = @_;
    $self->{server}->add_route(POST => qr{/openai/v1/images/generations}, sub {
        my ($request) = @_;
        $self->submit($request, undef, answer => sub { $self->check($_[0]) });
    });
    $self->{server}->add_route(GET => qr{/openai/v1/models}, sub { $self->answer_account(@_) });
    $self->{server}->add_route(POST => qr{/openai/v1/images/edits}, sub { $self->edit(@_) });
}

# A form becomes a document, so that all that follows is the same; of its picture only facts are
# left.
sub edit {
    my ($self, $request) = @_;
    my $form    = Genflow::FakeProvider::Stability::read_form($request) // {};
    my $list     = delete $form->{'image[]'};
    my @pictures = $list ? @$list : (delete $form->{image} // '');
    my @types    = $list ? @{ $request->{files}{'image[]'} } : ($request->{files}{image} // '');
    my $sound    = !defined $form->{image} && @pictures <= 16
        && @pictures == grep({ Genflow::FakeProvider::Picture::is_picture($_) } @pictures)
        && @pictures == grep({ m{\Aimage/(?:png|jpeg|webp)\z} } @types);
    my %text  = map { $_ => Genflow::FakeProvider::Stability::as_text($form->{$_}) } keys %$form;
    my @facts = map { Genflow::FakeProvider::Stability::facts_of($_) } @pictures;
    $text{ $list ? 'image[]' : 'image' } = $list ? \@facts : $facts[0] if $sound;
    $request->{body} = $JSON->encode(\%text);
    $self->submit($request, undef, answer => sub {
        my ($job) = @_;
        return $self->refuse($job, 400, 'invalid_image') if !$sound;
        delete @{ $job->{form} }{qw(image image[])};
        $self->check($job);
    });
}

sub check {
    my ($self, $job) = @_;
    my ($form, $gpt) = ($job->{form}, $job->{model} =~ /gpt-image/);
    my ($unknown) = grep { !$KNOWN{$_} } sort keys %$form;
    return $self->refuse($job, 400, 'unknown_parameter') if defined $unknown;
    return $self->refuse($job, 400, 'missing_prompt')    if !length($form->{prompt} // '');
    return $self->refuse($job, 400, 'unknown_parameter') if $gpt && $form->{response_format};
    return $self->refuse($job, 400, 'invalid_size')
        if ($form->{size} // 'auto') !~ /\A(?:auto|\d+x\d+)\z/;
    $self->answer($job);
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

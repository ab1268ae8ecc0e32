#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A source picture, by address or in the body: `local` repaints it, the same each time; Stability
# and OpenAI get its very bytes, as each endpoint wants them; one that is of no use costs nothing.
use Genflow::Test;

use Digest::SHA qw(sha256_hex);
use HTTP::Tiny ();
use MIME::Base64 qw(encode_base64);

my $file    = HTTP::Tiny->new->get(address('picture'))->{content};
my $hash    = sha256_hex($file);
my $in_body = 'data:image/png;base64,' . encode_base64($file, '');
my $me      = $$;          # in_parallel has others
my %same    = (prompt => "a cat of $me", seed => 77);

# ---- repainted here ----

my $user  = account(30);
my $drawn = result_of(generate($user, { %same, type => 'sketch' }));
my %made  = map { $_->[0] => repainted(@$_[1, 2]) }
    ['by address'       => sourceUrl => address('picture')],
    ['by address again' => sourceUrl => address('picture')],
    ['behind a redirect' => sourceUrl => address('moved')],
    ['in the body'      => image => $in_body],
    ['by another'       => sourceUrl => address('picture', 8)];
my $first = $made{'by address'};
is "$first->{type} $first->{width} $first->{height}", 'image/png 64 64',
    'a repainted picture has the shape of its source';
isnt $first->{sha256}, $hash, 'it is not the source';
isnt $first->{sha256}, $drawn->{sha256}, 'it is not what the same words draw without one';
is $made{$_}{sha256}, $first->{sha256}, "the same source $_ is the same result"
    for 'by address again', 'behind a redirect', 'in the body';
isnt $made{'by another'}{sha256}, $first->{sha256}, 'another source is another result';

# ---- sent along ----

my @SENT = (    # type, parameters, path, fields beside prompt, seed and picture
    ['sd3-source', { strength => 0.35, aspect_ratio => '16:9' },
        '/v2beta/stable-image/generate/sd3',
        { mode => 'image-to-image', strength => '0.35', output_format => 'png' }],
    ['ultra-source', { strength => 0.5 }, '/v2beta/stable-image/generate/ultra',
        { strength => '0.5', output_format => 'png' }],
    ['structure-source', { control_strength => 0.9 }, '/v2beta/stable-image/control/structure',
        { control_strength => '0.9', output_format => 'png' }],
    ['style-source', { fidelity => 0.2, output_format => 'webp' },
        '/v2beta/stable-image/control/style', { fidelity => '0.2', output_format => 'webp' }],
    ['openai-source', { aspect_ratio => '16:9' }, '/openai/v1/images/edits',
        { model => 'gpt-image-1', size => '1536x1024' }],
);
my @got = in_parallel(2 * @SENT, sub {
    my ($type, $parameters) = @{ $SENT[$_[0] / 2] };
    my %source = $_[0] % 2 ? (image => $in_body) : (sourceUrl => address('picture'));
    my %input  = (type => $type, prompt => "sent $me-$_[0]-", seed => 77, %source);
    return generate($user, { %input, parameters => $parameters })->{status};
});
for my $i (0 .. $#got) {
    my ($type, undef, $path, $fields) = @{ $SENT[$i / 2] };
    my %wanted = (%$fields, prompt => "sent $me-$i-",
        image => { bytes => length $file, sha256 => $hash });
    $wanted{seed} = 77 if $type ne 'openai-source';
    is $got[$i], 200, "$type completes, its source " . ($i % 2 ? 'in the body' : 'by address');
    my @sent = sent("sent $me-$i-");
    is_deeply [map { [$_->{path}, $_->{fields}] } @sent], [[$path, \%wanted]],
        '... which was sent once, as it was';
}
is generate($user, { type => 'sd3-source', prompt => "plain $me" })->{status}, 200,
    'sd3 does without a source, too';
is +(sent("plain $me"))[0]{fields}{mode}, 'text-to-image', '... as the request says';

# ---- of no use ----

my @USELESS = map { my $kind = $_; map { [$kind, $_] } qw(sketch-source sd3-source openai-source) }
    qw(gone page cut big huge private);
my @users = map { account(10) } @USELESS;
my @ended = in_parallel(scalar @USELESS, sub {
    my ($kind, $type) = @{ $USELESS[$_[0]] };
    my %input = (type => $type, prompt => "useless [$users[$_[0]]]", sourceUrl => address($kind));
    my $body = data(generate($users[$_[0]], \%input, Prefer => 'wait=60'));
    return [@$body{qw(status errorCode)}];
}, 6);
for my $i (0 .. $#ended) {
    is_deeply $ended[$i], ['failed', 'INVALID_IMAGE_URL'],
        "a source that is $USELESS[$i][0] fails a $USELESS[$i][1]";
    credits_are $users[$i], 10, 0, '... and costs nothing';
    is scalar sent("[$users[$i]]"), 0, '... and nothing was sent';
}
my $poor   = account(10);
my $broken = 'data:image/png;base64,' . encode_base64(png(9, 9) =~ s/(?<=IDAT...)./\x55/sr, '');
error_is(generate($poor, { type => 'sketch-source', image => $broken }), 422,
    'INVALID_IMAGE_URL', 'a picture in the body that cannot be decoded is refused');
credits_are $poor, 10, 0, '... and costs nothing';

finish;

# Where the fake provider has a source picture of that kind.
sub address {
    my ($kind, $name) = @_;
    return "$ENV{GENFLOW_FAKE}/_source/$kind/" . ($name // 7);
}

sub repainted {
    my %source = @_;
    return result_of(generate($user, { %same, type => 'sketch-source', %source }));
}

# What a generation came to: type, width, height, sha256.
sub result_of {
    my ($res) = @_;
    my $reply = data($res);
    is $reply->{status}, 'completed', "$reply->{type} completes" or diag $res->{content};
    my $table = 'public.' . $reply->{type} =~ tr/-/_/r . '_media';
    my ($type, $width, $height, $sha256) = split /\|/, sql1(
        "SELECT result->>'type', result->>'width', result->>'height', result->>'sha256'"
        . " FROM $table WHERE id = :'id'", id => $reply->{id}) // '|||';
    return { type => $type, width => $width, height => $height, sha256 => $sha256 };
}

# What the fake provider got whose prompt contains the text.
sub sent {
    my ($text) = @_;
    my $match = $text =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger;
    return @{ data(HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_submissions?match=$match")) };
}

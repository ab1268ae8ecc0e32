# SPDX-License-Identifier: Apache-2.0
#
# The five types that ship, as a site finds them: what each costs, which presets it has, what a body
# for it needs.
#
#     for my $type (shipped()) {
#         my $res = generate_type($user, $type->{name}, { seed => 7 }, Prefer => 'wait=5');
#     }

package Genflow::Types;

use strict;
use warnings;

use MIME::Base64 qw(encode_base64);
use parent 'Exporter';

use Genflow::FakeProvider ();
use Genflow::Test;

our @EXPORT = qw(shipped presets_of body_for generate_type);

my @STYLES = qw(base visor tattoos scanlines);
my @SHIPPED = (
    { name => 'neo-glitch', cost => 1, keys => [@STYLES, map { "neo_tokyo_$_" } @STYLES] },
    { name => 'emotion-mask', cost => 2, source => 1, keys => [
        qw(happy sad angry surprised disgusted fearful neutral joy_sadness strength_vulnerability
            nostalgia_distance peace_fear emotion_mask_love emotion_mask_joy emotion_mask_sadness
            emotion_mask_conf_loneliness) ],
      parameters => { strength => 0.45, guidance_scale => 7.5, num_inference_steps => 30 } },
    { name => 'presets', cost => 2, window => 6 },
    { name => 'ghibli-reaction', cost => 2, source => 1,
      keys => [qw(ghibli_tears ghibli_shock ghibli_sparkle ghibli_reaction)],
      parameters => { strength => 0.35, guidance_scale => 9, num_inference_steps => 28 } },
    { name => 'custom-prompt', cost => 2, keys => [qw(custom custom_prompt)] },
);

sub shipped { return @SHIPPED }

# What GET presets lists; all => 1: not only those of this week.
sub presets_of {
    my ($user, $type, %option) = @_;
    my $all = $option{all} ? '&all=1' : '';
    return data(api(GET => "/api/presets?type=$type$all", user => $user))->{data};
}

# A body that the type takes: a preset that is on, a picture where one is required, and more.
sub body_for {
    my ($user, $name, $more) = @_;
    my ($type) = grep { $_->{name} eq $name } @SHIPPED;
    my %body = (prompt => "made for $user", presetKey => presets_of($user, $name)->{presets}[0]{key});
    $body{image} = picture() if $type->{source};
    return { %body, %{ $more // {} } };
}

# generate() with such a body.
sub generate_type {
    my ($user, $name, $more, %headers) = @_;
    return api(POST => "/api/$name/generate", user => $user, json => body_for($user, $name, $more),
        headers => \%headers);
}

# A PNG of 64 x 64 as data: URI.
sub picture {
    my $png = Genflow::FakeProvider::Picture::of_seed(7);
    return 'data:image/png;base64,' . encode_base64($png, '');
}

1;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every preset key that an older front end sends is one, is on in every week, and has words and a
# strength of its own. Our own keys are still there.
use Genflow::Test;

my %KEYS = (
    'presets' => [qw(
        cinematic_glow bright_airy vivid_pop vintage_film_35mm tropical_boost urban_grit mono_drama dreamy_pastels
        golden_hour_magic high_fashion_editorial moody_forest desert_glow retro_polaroid crystal_clear ocean_breeze
        festival_vibes noir_classic sun_kissed frost_light neon_nights cultural_glow soft_skin_portrait rainy_day_mood
        wildlife_focus street_story
        cinematic portrait landscape street vintage black_white artistic fashion documentary minimalist dramatic soft
        bold elegant dynamic serene mysterious vibrant subtle powerful delicate intense tranquil striking timeless)],
    'neo-glitch' => [map { ($_, "neo_tokyo_$_") } qw(base visor tattoos scanlines)],
    'emotion-mask' => [qw(happy sad angry surprised disgusted fearful neutral joy_sadness strength_vulnerability
        nostalgia_distance peace_fear emotion_mask_love emotion_mask_joy emotion_mask_sadness
        emotion_mask_conf_loneliness)],
    'ghibli-reaction' => [qw(ghibli_reaction ghibli_tears ghibli_shock ghibli_sparkle)],
    'custom-prompt' => [qw(custom custom_prompt)],
);
my %STRENGTH = (cinematic_glow => 0.45, mono_drama => 0.6, bright_airy => 0.35, street_story => 0.55, timeless => 0.8);

my $user = account(10);
for my $type (sort keys %KEYS) {
    my %row = map { my ($key, $strength, $prompt) = split /\|/, $_, 3; ($key => [$strength, $prompt]) }
        sql("SELECT key, strength, prompt FROM genflow.presets_config WHERE type = :'type'", type => $type);
    my %words;
    for my $key (@{ $KEYS{$type} }) {
        my $res = api(POST => "/api/$type/generate?dryRun=1", user => $user, json => { presetKey => $key,
            prompt => 'the words of the user', $type =~ /mask|ghibli/ ? (sourceUrl => 'https://a.example/1.png') : () });
        is $res->{status}, 200, "$type takes $key" or diag $res->{content};
        next if $type eq 'custom-prompt';
        my $words = data($res)->{prompt};
        like $words, qr/\A\Q$row{$key}[1]\E.+the words of the user\z/, '... with its words';
        push @{ $words{$words} }, $key;
        ok $row{$key}[0] > 0 && $row{$key}[0] <= 0.8, '... and a strength';
    }
    my @same = grep { @$_ > 1 && $type ne 'neo-glitch' } values %words;
    is_deeply \@same, [], "no two keys of $type have the same words";
}
for my $key (sort keys %STRENGTH) {
    is sql1("SELECT strength::real FROM genflow.presets_config WHERE type = 'presets' AND key = :'key'", key => $key),
        $STRENGTH{$key}, "the strength of $key is as ever";
}
is sql1("SELECT count(*) FROM genflow.presets_config WHERE type = 'presets' AND rotation_index IS NOT NULL"), 25,
    'our own 25 are in the weekly rotation';
credits_are $user, 10, 0, 'a dry run costs nothing';

finish;

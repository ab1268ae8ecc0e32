#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Each of the five shipped types: every preset key that it has, every range refused, and one picture
# that shows in its own table, at its own price, under an id and an address of its own.
use Genflow::Test;
use Genflow::Types;

my @RANGES = (    # member, what it may not be
    ['strength',            -0.01, 1.01, '0.5'],
    ['guidance_scale',      0.9, 20.1],
    ['num_inference_steps', 0, 101],
    ['cfg_scale',           0, 10.5],
    ['control_strength',    -1, 2],
    ['fidelity',            -1, 2],
    ['seed',                -1, 4294967295],
);
my $user = account(100);

for my $type (shipped()) {
    my $name  = $type->{name};
    my @rows  = @{ presets_of($user, $name, all => 1)->{presets} };
    my @keys  = map { $_->{key} } @rows;
    my %on    = map { $_->{key} => $_->{available} } @rows;
    my $table = 'public.' . $name =~ tr/-/_/r . '_media';

    # ---- what it takes ----

    is_deeply \@keys, $type->{keys}, "$name has its presets" if $type->{keys};
    for my $row (@rows) {
        my $res = dry($name, { presetKey => $row->{key} });
        error_is($res, 422, 'PRESET_NOT_AVAILABLE', "$name/$row->{key} is off"), next
            if !$on{ $row->{key} };
        is $res->{status}, 200, "$name takes $row->{key}" or diag $res->{content};
        is data($res)->{prompt}, join(', ', grep { $_ ne '' } $row->{prompt}, "made for $user"),
            '... which says what it says before the user';
    }
    error_is(dry($name, { presetKey => 'nobody' }), 422, 'INVALID_PRESET', "$name knows its keys");

    for my $range (@RANGES) {
        my ($member, @wrong) = @$range;
        for my $value (@wrong) {
            my $res = dry($name, { parameters => { $member => $value } });
            error_is($res, 422, 'VALIDATION_FAILED', "$name refuses $member $value");
            is_deeply [map { $_->{field} } @{ data($res)->{validationErrors} }], [$member],
                '... by its name';
        }
    }
    error_is(dry($name, { prompt => 'x' x 1001 }), 422, 'PROMPT_TOO_LONG', "$name has a longest prompt");

    # ---- a picture ----

    my $before = credits($user)->[0];
    my $res    = generate_type($user, $name);
    my $job    = data($res);
    is $res->{status}, 200, "$name makes a picture" or diag $res->{content};
    is "$job->{type} $job->{status}", "$name completed", '... of its own';
    is $before - credits($user)->[0], $type->{cost}, "... for $type->{cost}";
    is "$job->{estimatedCost} $job->{tokensUsed}", "$type->{cost} $type->{cost}", '... as it says';
    is sql1("SELECT status, preset, prompt FROM $table WHERE id = :'id'", id => $job->{id}),
        "completed|$job->{preset}|$job->{prompt}", '... with a row in its table';
    is sql1("SELECT name FROM genflow.types WHERE no = genflow.id_type(:'id')", id => $job->{id}),
        $name, '... under an id that has the type';
    like $job->{imageUrl}, qr{/generated/\Q$name\E/}, '... stored in its folder';
    like log_since(0), qr/GF0405: job=\Q$job->{id}\E type=\Q$name\E /, '... and logged with its type';
    my %given = map { $_ => $job->{parameters}{$_} } keys %{ $type->{parameters} };
    is_deeply \%given, $type->{parameters} // {}, '... with the parameters of the preset';

    my $underscored = $name =~ tr/-/_/r;
    is data(api(GET => "/api/$underscored/status?id=$job->{id}", user => $user))->{id}, $job->{id},
        "$underscored is another spelling of it";
}

# ---- whose words are needed ----

for my $type (grep { $_->{name} ne 'custom-prompt' } shipped()) {
    my $res = dry($type->{name}, { prompt => undef });
    is $res->{status}, 200, "$type->{name} needs no prompt" or diag $res->{content};
    is_deeply data(dry($type->{name}, { presetKey => undef }))->{missingFields}, ['presetKey'],
        '... but a preset';
}
my $short = dry('custom-prompt', { prompt => 'nine char' });
error_is($short, 422, 'INVALID_PROMPT', 'custom-prompt needs ten characters');
is data($short)->{minLength}, 10, '... and says so';
is_deeply data(dry('custom-prompt', { prompt => undef }))->{missingFields}, ['prompt'],
    '... even with a preset';
my $own = dry('custom-prompt', { prompt => 'ten chars!', presetKey => undef });
is data($own)->{prompt}, 'ten chars!', '... and no preset';

my $worded = { style => 'minimal', quality => 'high', aspectRatio => '16:9' };
my $made   = data(generate_type($user, 'custom-prompt', $worded));
like $made->{prompt}, qr/\Amade for \Q$user\E, minimalist .*, intricate detail, .*16:9/,
    'style, quality and aspect ratio join the prompt that is answered';
is $made->{parameters}{aspect_ratio}, '16:9', '... and the ratio is a parameter, too';
is sql1("SELECT prompt FROM public.custom_prompt_media WHERE id = :'id'", id => $made->{id}),
    $made->{prompt}, '... and stored';

finish;

# What would be, without doing it.
sub dry {
    my ($name, $more) = @_;
    return api(POST => "/api/$name/generate?dryRun=1", user => $user,
        json => body_for($user, $name, $more));
}

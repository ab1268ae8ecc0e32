#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# GET presets lists the presets and which of them are available this week; one that is not is
# refused with what to take instead and when it comes back; what an administrator edits shows.
use Genflow::Test;
use Genflow::Types;

my $user = account(20);
my $NULL = undef;
my @MEMBERS = sort qw(id type key label description category prompt negativePrompt strength
    rotationIndex week isActive available availableAt);

# ---- this week's, and all ----

is api(GET => '/api/presets')->{status}, 401, 'who is not signed in sees none';
is api(POST => '/api/presets', user => $user, json => {})->{status}, 405, 'there is nothing to post';

my $weekly = data(api(GET => '/api/presets', user => $user))->{data};
my $all    = data(api(GET => '/api/presets?all=1', user => $user))->{data};
is scalar(grep { $_->{week} } @{ $weekly->{presets} }), 6, 'six presets are on this week';
is scalar(grep { $_->{week} } @{ $all->{presets} }), 25, 'of 25';
is scalar(grep { !$_->{week} } @{ $_->{presets} }), 50, '... and 50 are always on' for $weekly, $all;
for my $list ($weekly, $all) {
    is_deeply $list->{rotationInfo}, { totalPresetsInSystem => 25, presetsPerWeek => 6 },
        'the response has the rotation';
    is $list->{totalAvailable}, 56, 'and how many are on';
    is $list->{currentWeek}, sql1(<<'END'), 'and in which week of the cycle we are';
        SELECT ((now() AT TIME ZONE 'UTC')::date - DATE '1970-01-05') / 7 % 5 + 1
END
}
is_deeply [sort keys %{ $all->{presets}[0] }], \@MEMBERS, 'a preset has all its members';
is_deeply [map { $_->{rotationIndex} } @{ $all->{presets} }], [0 .. 24, (undef) x 50], 'they have their order';
is_deeply [map { $_->{key} } grep { $_->{available} } @{ $all->{presets} }],
    [map { $_->{key} } @{ $weekly->{presets} }], 'the weekly ones are those that are on';
is scalar(grep { $_->{week} && ($_->{strength} < 0.35 || $_->{strength} > 0.6) } @{ $all->{presets} }), 0,
    'strengths are moderate';

my @glitch = @{ presets_of($user, 'neo_glitch')->{presets} };
is scalar @glitch, 8, 'another type has its own, in either spelling';
is_deeply $glitch[1], {
    id => $glitch[1]{id}, type => 'neo-glitch', key => 'visor', label => 'Visor',
    description => $glitch[1]{description}, category => 'neo tokyo', prompt => $glitch[1]{prompt},
    negativePrompt => $NULL, strength => 0.35, rotationIndex => $NULL, week => $NULL,
    isActive => JSON::PP::true(), available => JSON::PP::true(), availableAt => $NULL,
}, 'which are always on';
is_deeply presets_of($user, 'sketch'), {
    presets => [], currentWeek => 1, totalAvailable => 0,
    rotationInfo => { totalPresetsInSystem => 0, presetsPerWeek => 0 },
}, 'a type may have none';
error_is(api(GET => '/api/presets?type=nothing', user => $user), 422, 'VALIDATION_FAILED',
    'of no type there are none');

# ---- one that is off ----

my ($off) = grep { !$_->{available} } @{ $all->{presets} };
my $res  = generate_type($user, 'presets', { presetKey => $off->{key} });
my $reply = data($res);
error_is($res, 422, 'PRESET_NOT_AVAILABLE', 'one that is off is refused');
is $reply->{received}, $off->{key}, '... by its name';
is_deeply $reply->{available}, [map { $_->{key} } @{ $weekly->{presets} }], '... with those that are on';
is scalar(grep { $_ eq $reply->{suggestion} } @{ $reply->{available} }), 1, '... one of them suggested';
is $reply->{availableAt}, $off->{availableAt}, '... and the day when it is on again';
is sql1("SELECT is_on FROM genflow.presets('presets', 6, :'at') WHERE key = :'key'",
    at => $reply->{availableAt}, key => $off->{key}), 't', '... as it will be';
is sql1("SELECT extract(isodow FROM :'at'::timestamptz AT TIME ZONE 'UTC')",
    at => $reply->{availableAt}), 1, '... a Monday';
is_deeply [map { $_->{field} } @{ $reply->{validationErrors} }], ['presetKey'], '... naming the field';
credits_are $user, 20, 0, '... for nothing';

# ---- an administrator edits ----

# Rows of a type that only this test uses.
sql(<<'END');
DELETE FROM genflow.presets_config WHERE type = 'tinted';
INSERT INTO genflow.presets_config (type, key, label, category, prompt, negative_prompt, strength, parameters)
VALUES ('tinted', 'soft', 'Soft', 'tones', 'soft tones', 'noise', 0.2, '{"cfg_scale": 4}'),
       ('tinted', 'hard', 'Hard', 'tones', 'hard tones', NULL, 0.8, '{}');
END
presets_known;
is listed(), 'soft hard', 'a new preset shows after a few seconds';
my $made = data(generate($user, { type => 'tinted', presetKey => 'soft', prompt => 'a cat' }));
is $made->{prompt}, 'soft tones, a cat', '... and is used';
is_deeply $made->{parameters}, { strength => 0.2, cfg_scale => 4, negative_prompt => 'noise' },
    '... with all its parameters';
my $own = { cfg_scale => 6, negative_prompt => 'dogs' };
$made = data(generate($user, { type => 'tinted', presetKey => 'soft', parameters => $own }));
is_deeply $made->{parameters}, { strength => 0.2, %$own }, '... which give way to the client\'s';

sql("UPDATE genflow.presets_config SET is_active = false WHERE type = 'tinted' AND key = 'soft'");
presets_known;
is listed(), 'hard', 'one that is made inactive goes';
is_deeply presets_of($user, 'tinted', all => 1)->{presets}[0]{key}, 'hard', '... from all lists';
my $gone = data(generate($user, { type => 'tinted', presetKey => 'soft' }));
is_deeply [@{$gone}{qw(code suggestion availableAt)}], ['PRESET_NOT_AVAILABLE', 'hard', $NULL],
    '... and is refused with another of its category, and without a day';

sql("DELETE FROM genflow.presets_config WHERE type = 'tinted'");
presets_known;
is listed(), '', 'a type without rows has none again';
is generate($user, { type => 'tinted', prompt => 'a cat' })->{status}, 200, '... and needs none';

finish;

# The keys that are listed.
sub listed { return join ' ', map { $_->{key} } @{ presets_of($user, 'tinted')->{presets} } }

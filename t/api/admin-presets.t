#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# An administrator sees all presets, adds, edits and deletes them; every bad field is named, and
# nothing is changed then; what was edited is what the next generations get.
use Genflow::Admin;
use Genflow::Test;
use Genflow::Types;

my ($NULL, $TRUE, $FALSE) = (undef, JSON::PP::true(), JSON::PP::false());
my $user = account(2);
my $TYPE = 'custom-prompt';
my $key  = "test-$$";
my $at   = "/presets/$key?type=$TYPE";

# ---- see ----

my $all = data(admin(GET => '/presets'))->{presets};
my %types = map { $_->{type} => 1 } @$all;
ok scalar(keys %types) >= 5, 'the presets of all types are there';
my $weekly = data(admin(GET => '/presets?type=presets'))->{presets};
is_deeply [map { $_->{rotationIndex} } @$weekly], [0 .. 24, (undef) x 50], '... or those of one, in order';
my $one = data(admin(GET => '/presets/film_noir'))->{preset};
is_deeply $one, (grep { $_->{key} eq 'film_noir' } @$weekly)[0], '... or one';
is data(admin(GET => '/presets/visor?type=neo_glitch'))->{preset}{strength}, 0.35,
    '... of another type';
error_is(admin(GET => $at), 404, 'NOT_FOUND', 'one that is not there is not there');
fields_are(admin(GET => '/presets?type=nothing'), 'type', 'nor is a type');

# ---- add ----

my %new = (type => $TYPE, key => $key, label => 'Test', category => 'tests', prompt => 'soft light');
my $made = admin(POST => '/presets', json => \%new);
is $made->{status}, 201, 'a preset is added';
my %preset = %{ data($made)->{preset} };
my @times = delete @preset{qw(createdAt updatedAt)};
like $_, qr/\A[\d-]{10}T[\d:.]{12}Z\z/, '... with its times' for @times;
is_deeply \%preset, { %new, id => $preset{id}, description => '', negativePrompt => $NULL,
    strength => $NULL, parameters => {}, rotationIndex => $NULL, week => $NULL, isActive => $TRUE },
    '... with all that it has';
fields_are(admin(POST => '/presets', json => \%new), 'key', '... once');
presets_known;
is would_make()->{prompt}, 'soft light, a cat in the rain',
    'after a few seconds it may be requested';

# ---- edit ----

my @EDITS = (    # body, what is changed by it
    [{ label => 'Other', description => 'a tone', strength => 0.25 }],
    [{ parameters => { guidance_scale => 4.5 }, negativePrompt => 'noise', week => 53 }],
    [{ prompt => '', rotationIndex => 0, category => 'others', isActive => $FALSE }],
    [{ strength => $NULL, negativePrompt => $NULL, rotationIndex => $NULL, week => $NULL }],
    [{ label => $NULL, prompt => $NULL, parameters => $NULL, isActive => $NULL }, {}],
    [{}],
    [{ prompt => 'hard light', isActive => $TRUE }],
);
for my $edit (@EDITS) {
    my ($body, $changed) = @$edit;
    %preset = (%preset, %{ $changed // $body });
    my %now = %{ data(admin(PUT => $at, json => $body))->{preset} };
    delete @now{qw(createdAt updatedAt)};
    is_deeply \%now, \%preset, 'an edit changes what it names: '
        . JSON::PP->new->canonical->encode($body);
}
presets_known;
is would_make()->{prompt}, 'hard light, a cat in the rain',
    'and that is what generations get';
is_deeply data(generate($user, { type => $TYPE, presetKey => $key }))->{parameters},
    { guidance_scale => 4.5 }, '... with its parameters';

# ---- what is no preset ----

my @BAD = (    # fields of a new one, which are wrong
    [{ label => '' , category => '', prompt => 7 }, 'category label prompt'],
    [{ label => 'x' x 101, category => 'x' x 51, prompt => 'x' x 2001 }, 'category label prompt'],
    [{ description => 'x' x 501, negativePrompt => 'x' x 1001 }, 'description negativePrompt'],
    [{ strength => 1.1 }, 'strength'], [{ strength => '0.5' }, 'strength'],
    [{ parameters => [] }, 'parameters'], [{ parameters => { x => "\0" } }, 'parameters'],
    [{ parameters => { x => 'x' x 2000 } }, 'parameters'],
    [{ parameters => { map { ("k$_" => 1) } 1 .. 250 } }, 'parameters'],
    [{ rotationIndex => -1, week => 0, isActive => 1 }, 'isActive rotationIndex week'],
    [{ rotationIndex => 0.5, week => 54 }, 'rotationIndex week'],
);
my $before = data(admin(GET => $at));
for my $bad (@BAD) {
    my ($body, $fields) = @$bad;
    fields_are(admin(PUT => $at, json => $body), $fields, 'an edit without sense is refused');
    fields_are(admin(POST => '/presets', json => { %new, key => "$key-bad", %$body }), $fields,
        '... and so is such a preset');
}
fields_are(admin(POST => '/presets', json => {}), 'category key label prompt type',
    'what is missing is named');
fields_are(admin(POST => '/presets', json => { %new, type => 'nothing', key => 'a b' }), 'key type',
    'and so are a type and a key that cannot be');
is_deeply data(admin(GET => $at)), $before, 'nothing was changed';
error_is(admin(GET => "/presets/$key-bad?type=$TYPE"), 404, 'NOT_FOUND', 'nothing was added');

# ---- delete ----

is data(admin(DELETE => $at))->{deleted}, $TRUE, 'a preset is deleted';
error_is(admin($_->[0] => $at, json => {}), 404, 'NOT_FOUND', "$_->[0] finds it no more")
    for ['GET'], ['PUT'], ['DELETE'];
presets_known;
is would_make()->{code}, 'INVALID_PRESET',
    'and after a few seconds it is refused';

finish;

# What a dry run with the preset answers.
sub would_make {
    return data(api(POST => "/api/$TYPE/generate?dryRun=1", user => $user,
        json => { prompt => 'a cat in the rain', presetKey => $key }));
}

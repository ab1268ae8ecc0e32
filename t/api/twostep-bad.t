#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Bodies that the two-step calls cannot take are refused with 400 and all bad fields at once, in the
# one shape of errors. Nothing is held for them.
use Genflow::Test;
use Genflow::TwoStep;

my $user = account(10);

# ---- fields ----

my $URL = 'https://pictures.example/a.png';
my @FIELDS = (    # field, values that it cannot have
    [productImages => 'x', {}, [], 7, [$URL, 7], ['x'], ["$URL\0"], ['http://a.example/a.png'], [undef],
        [([$URL]) x 6], ['https://' . 'a' x 2048]],
    [modelImages   => 'x', [($URL) x 4], [[]]],
    [model         => 7, '', 'a b', 'x' x 101],
    [style         => 'baroque', 7],
    [quality       => 'best', ''],
    [aspectRatio   => '16:10', 1.5],
    [customPrompt  => 7, ['a'], 'x' x 501, "a\0b"],
    [type          => 'nothing', 7],
    [parameters    => [], 'x', { x => 1e300 }],
    [maxRetries    => -1, 4, '0'],
    [priority      => 'urgent', 1],
    [n             => 0, 11, 2, '1'],
    [runId         => 'a b', ''],
    [templateId    => 7, 'mine', '01a1fdae-8e2e-7f96-89ab-0100b36ac767'],
    [seed          => -1, 2_147_483_648, '7'],
    [presetKey     => 'no', 7],
);
for my $row (@FIELDS) {
    my ($field, @values) = @$row;
    for my $value (@values) {
        my $shown = JSON::PP->new->allow_nonref->encode($value);
        is_deeply refusal(create($user, { $field => $value })),
            { status => 400, code => 'VALIDATION_ERROR', fields => [$field] },
            "$field cannot be " . substr $shown, 0, 60;
    }
}
my %RANGES = (
    guidance_scale      => [0.9, 20.1, '7'],
    num_inference_steps => [19,  101],
    strength            => [0.09, 1.01],
    seed                => [-1, 2_147_483_648],
);
for my $name (sort keys %RANGES) {
    is_deeply refusal(create($user, { parameters => { $name => $_ } })),
        { status => 400, code => 'VALIDATION_ERROR', fields => [$name] }, "$name cannot be $_"
        for @{ $RANGES{$name} };
}
for my $prompt ('x' x 500, "\x{6771}" x 500) {
    my $long = create($user, { customPrompt => $prompt }, query => '?dryRun=1');
    is $long->{status}, 200, '500 characters are taken, whatever they are';
}

# ---- all at once ----

my @ALL = qw(productImages modelImages style customPrompt type strength maxRetries runId);
my $all = create($user, {
    (map { $_ => 'x y' } qw(productImages modelImages style type runId)),
    customPrompt => 7, parameters => { strength => 0 }, maxRetries => -1,
});
is_deeply [sort @{ refusal($all)->{fields} }], [sort @ALL], 'all bad fields are named at once';
my $empty = api(POST => '/api/generation/create', user => $user, json => {});
is_deeply data($empty)->{missingFields}, ['productImages'], 'and so is what is missing';
is_deeply refusal(one_step($user, {})), { status => 400, code => 'VALIDATION_ERROR',
    fields => ['productImages'] }, 'a generate call without a generation needs it, too';
error_is(one_step($user, { type => 'neo-glitch', presetKey => 'no' }), 422, 'INVALID_PRESET',
    'of a body for one type the fields are those of the type');

credits_are $user, 10, 0, 'all that held nothing';
finish;

# Status, code and fields of a refusal.
sub refusal {
    my ($res) = @_;
    my $reply = data($res);
    my %seen;
    my @fields = grep { !$seen{$_}++ } map { $_->{field} } @{ $reply->{validationErrors} // [] };
    return { status => $res->{status}, code => $reply->{code}, fields => \@fields };
}

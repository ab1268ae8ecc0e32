#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Bodies that the two-step calls cannot take are refused with 400 and all bad fields at once; only
# its owner starts a generation, and only one that is there. Nothing is held, nothing is started.
use Genflow::Test;
use Genflow::TwoStep;

use Genflow::Httpd ();

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
is_deeply [sort @{ data($empty)->{missingFields} }], [qw(productImages type)],
    'and so are those that are missing';
is_deeply refusal(one_step($user, {})), { status => 400, code => 'VALIDATION_ERROR',
    fields => [qw(type productImages)] }, 'a generate call without a generation needs them, too';
error_is(one_step($user, { type => 'neo-glitch', presetKey => 'no' }), 422, 'INVALID_PRESET',
    'of a body for one type the fields are those of the type');

# ---- what is not there, not of this user, not a call ----

my $NO_ID = '01a1fdae-8e2e-7f96-89ab-0100b36ac767';
my $mine  = made($user, {});
my $thief = account(5);
my @STARTS = (    # user, generationId, status, code
    [$user,  7,       400, 'VALIDATION_ERROR'],
    [$user,  ['x'],   400, 'VALIDATION_ERROR'],
    [$user,  'x',     404, 'GENERATION_NOT_FOUND'],
    [$user,  $NO_ID,  404, 'GENERATION_NOT_FOUND'],
    [$user,  $NO_ID =~ s/0100/FF00/r, 404, 'GENERATION_NOT_FOUND'],
    [$thief, $mine,   403, 'UNAUTHORIZED'],
    [undef,  $mine,   401, 'AUTHENTICATION_REQUIRED'],
);
for my $row (@STARTS) {
    my ($who, $id, $status, $code) = @$row;
    my $shown = ref $id ? 'a list' : $id;
    for my $query ('', '?dryRun=1') {
        error_is(start($who, $id, query => $query), $status, $code, "a start of $shown is $code");
    }
}
is status_of($user, $mine)->{status}, 'pending', 'nobody else has started it';
for my $path (qw(generation/create generate)) {
    my $res = api(GET => "/api/$path", user => $user);
    error_is($res, 405, 'METHOD_NOT_ALLOWED', "$path is not read");
    like $res->{headers}{allow}, qr/\bPOST\b/, 'it tells what it takes';
    error_is(api(POST => "/api/$path", user => $user, json => []), 400, 'VALIDATION_ERROR',
        "$path takes an object");
    error_is(api(POST => "/api/$path", json => {}), 401, 'AUTHENTICATION_REQUIRED',
        'of somebody who is known');
}
my $poor = account(0);
error_is(create($poor, {}), 402, 'INSUFFICIENT_CREDITS', 'who has no credits makes nothing');
is sql1(<<'SQL', user => $user, poor => $poor), 1, 'all that left no row but one';
    SELECT count(*) FROM public.neo_glitch_media WHERE user_id IN (:'user', :'poor')
SQL
credits_are $user, 10, 1, 'and holds nothing but its credit';

# ---- the type of the site ----

my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/site.conf"
GenflowPendingLifetime 1s
<GenflowType sketch>
    GenflowTypeProviders local
    GenflowTypeTwoStep On
    GenflowTypePriorityMax high
</GenflowType>
<Location "/api">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
</Location>
END
talk_to($httpd);
my $usual = create($user, { type => undef, priority => 'high', productImages => [$URL] });
is data($usual)->{data}{type}, 'sketch', 'without a type it is that of GenflowTypeTwoStep';
my $id = data($usual)->{data}{generationId};
is sql1("SELECT priority FROM genflow.work WHERE job_id = :'id'", id => $id), 1,
    'it is as urgent as may be asked for here';
my $over = wait_for { status_of($user, $id, 'sketch')->{status} eq 'cancelled' };
ok $over, 'and waits as long as GenflowPendingLifetime says';
is_deeply refusal(create($user, { priority => 'high', productImages => [$URL] }))->{fields},
    ['priority'], 'where the type says nothing more than normal is refused';
talk_to();

finish;

# Status, code and fields of a refusal.
sub refusal {
    my ($res) = @_;
    my $told = data($res);
    my %seen;
    my @fields = grep { !$seen{$_}++ } map { $_->{field} } @{ $told->{validationErrors} // [] };
    return { status => $res->{status}, code => $told->{code}, fields => \@fields };
}

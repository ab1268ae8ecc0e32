#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A body with fields that the type cannot take is refused with the documented status and code, and
# all bad fields are named at once, in the one shape of errors. Nothing is held for it, no row is
# made. What is just within bounds is taken, and stays small.
use Genflow::Test;

my $user = account(10);

# ---- fields that cannot be taken ----

my @STYLES = qw(base visor tattoos scanlines);
my @VALID  = (@STYLES, map { "neo_tokyo_$_" } @STYLES);
my @FIELDS = (    # what, field, its JSON, code, what the answer says in addition
    ['a prompt that is a number',   'prompt', '1',         'VALIDATION_FAILED'],
    ['a prompt that is a list',     'prompt', '["a cat"]', 'VALIDATION_FAILED'],
    ['a NUL in the prompt',         'prompt', '"a\u0000b"', 'VALIDATION_FAILED'],
    ['1001 characters',             'prompt', text(1001),  'PROMPT_TOO_LONG', maxLength => 1000],
    ['a preset that is a number',   'presetKey', '5',      'VALIDATION_FAILED'],
    ['an unknown preset',           'presetKey', '"no"',   'INVALID_PRESET',
                                    received => 'no', valid => \@VALID],
    ['a run id that is a number',   'runId', '7',          'VALIDATION_FAILED'],
    ['an empty run id',             'runId', '""',         'VALIDATION_FAILED'],
    (map { ["the style $_",         'style', $_,           'VALIDATION_FAILED'] } qw("baroque" 7)),
    (map { ["the quality $_",       'quality', $_,         'VALIDATION_FAILED'] } qw("best" "")),
    (map { ["the ratio $_",         'aspectRatio', $_,     'VALIDATION_FAILED'] } qw("16:10" 1.5)),
    ['spaces in the run id',        'runId', '"a b"',      'VALIDATION_FAILED'],
    ['201 characters',              'runId', text(201),    'VALIDATION_FAILED'],
    (map { ["$_ as seed",           'seed', $_,            'VALIDATION_FAILED'] }
        qw(-1 1.5 1e3 4294967295 9223372036854775808 18446744073709551616 "7" true []),
        '1' . '0' x 30, '-1' . '0' x 30),
    (map { ["$_ as strength",       'strength', $_,        'VALIDATION_FAILED'] }
        qw(-0.1 1.01 "0.5" true 1e400)),
    (map { ["$_ as guidance_scale", 'guidance_scale', $_,  'VALIDATION_FAILED'] } qw(0.9 20.1)),
    (map { ["$_ as maxRetries",     'maxRetries', $_,      'VALIDATION_FAILED'] } qw(-1 4 0.5)),
    ['a long aspect_ratio',         'aspect_ratio', text(9), 'VALIDATION_FAILED'],
    ['parameters that are a list',  'parameters', '[]',    'VALIDATION_FAILED'],
    ['parameters that are a text',  'parameters', '"{}"',  'VALIDATION_FAILED'],
    ['parameters of 9000 bytes',    'parameters', '{"x":' . text(9000) . '}', 'VALIDATION_FAILED'],
    ['a NUL in a parameter',        'parameters', '{"x":"\u0000"}', 'VALIDATION_FAILED'],
    ['no double as parameter',      'parameters', '{"x":[1e400]}',  'VALIDATION_FAILED'],
);
for my $case (@FIELDS) {
    my ($what, $field, $json, $code, %more) = @$case;
    my $res = post(body_with($field => $json));
    error_is($res, 422, $code, "$what is refused") or next;
    is_deeply named($res), [$field], "and it is $field that is named";
    my $reply = data($res);
    is_deeply { map { $_ => $reply->{$_} } keys %more }, \%more, 'with what helps' if %more;
}
error_is(post(body_with(parameters => '{"strength":2}')), 422, 'VALIDATION_FAILED',
    'a parameter out of its range is refused');

my %SOURCE = (
    sourceUrl => 'https://a.example/a.png',
    image     => 'data:image/png;base64,AAAA',
    sourceAssetId => '01a1fdae-8e2e-7f96-89ab-0100b36ac767',
);
for my $field (sort keys %SOURCE) {
    my $res = generate($user, { type => 'sketch', $field => $SOURCE{$field} });
    error_is($res, 422, 'INVALID_IMAGE_URL', "$field is refused where no picture is taken");
    is_deeply named($res), [$field], "and it is $field that is named";
}

# ---- all at once ----

my $empty = post('{}');
error_is($empty, 422, 'VALIDATION_FAILED', 'an empty object is refused');
is_deeply data($empty)->{missingFields}, [qw(presetKey)],
    'and what is missing is named: a preset suffices here, without a prompt';

my $all = post(body_with(prompt => '1', presetKey => '"no"', runId => '""', seed => '-1',
    strength => '7', parameters => '[]', sourceUrl => '"x"', style => '0', quality => '0',
    aspectRatio => '0'));
error_is($all, 422, 'VALIDATION_FAILED', 'many bad fields make one error');
is_deeply [sort @{ named($all) }],
    [sort qw(prompt presetKey runId seed strength parameters sourceUrl style quality aspectRatio)],
    'that names them all';
is_deeply [sort keys %{ data($all) }],
    [sort qw(success ok error code message validationErrors missingFields requestId)],
    'in the shape of all errors';
like data($all)->{requestId}, qr/\A[\w@-]+\z/, 'with a request id';
my $id = data($all)->{requestId};
like log_since(0), qr/GF0112: request=\Q$id\E /, 'that the log has, too';

credits_are $user, 10, 0, 'all that cost nothing';
is rows_of($user, 'public.neo_glitch_media'), 0, 'and left no row';

# ---- what is just within bounds ----

my $edge = post(body_with(prompt => text(1000, "\xc3\xa9"), runId => text(200), strength => '1',
    seed => '4294967294', guidance_scale => '20', maxRetries => '0', parameters => '{"x":[[]]}'));
is $edge->{status}, 200, 'what is just within its bounds is taken; characters count, not bytes';

# A database writes 1e-9999 and 0e-9999 as ten thousand digits.
my $tiny = post(body_with(parameters => '{"x":1e-9999,"y":0e-9999}'));
cmp_ok length $tiny->{content}, '<', 5000, 'a few bytes of parameters do not make a large answer';

finish;

# A body of a JSON text for each member.
sub body_with {
    my %member = (prompt => '"a cat"', presetKey => '"base"', @_);
    return '{' . join(',', map { qq("$_":$member{$_}) } sort keys %member) . '}';
}

sub text {
    my ($length, $character) = @_;
    return '"' . ($character // 'x') x $length . '"';
}

sub post {
    my ($body) = @_;
    my %headers = ('Content-Type' => 'application/json; charset=utf-8');
    return api(POST => '/api/neo-glitch/generate', user => $user, body => $body,
        headers => \%headers);
}

# The fields that an error names.
sub named {
    my ($res) = @_;
    return [map { $_->{field} } @{ data($res)->{validationErrors} // [] }];
}

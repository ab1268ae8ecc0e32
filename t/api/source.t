#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation may bring a source picture: by address, by the id of an uploaded one, or in the body.
# What cannot be taken is refused with its field named; then nothing is held, and nothing is stored.
use Genflow::Test;

use MIME::Base64 qw(encode_base64);

my ($user, $other) = (account(20), account());

my $mine   = data(upload($user, png(3, 2)))->{id};
my $theirs = data(upload($other, png(3, 2)))->{id};
my $old    = data(upload($user, png(4, 2)))->{id};
sql("UPDATE genflow.assets SET expires_at = now() WHERE id = :'id'", id => $old);
my $never = $mine =~ s/\A.{8}/00000000/r;
my $stored  = stored();

# ---- refused ----

my ($BAD, $GONE) = ('INVALID_IMAGE_URL', 'VALIDATION_FAILED');
my @REFUSED = (    # what, body, the fields that are named, status, code
    ['an address over http',  { sourceUrl => 'http://a.example/a.png' }, 'sourceUrl', 422, $BAD],
    ['an old spelling of it', { image_url => 'http://a.example/a.png' }, 'sourceUrl', 422, $BAD],
    ['one with a password',   { sourceUrl => 'https://a:b@a.example/' }, 'sourceUrl', 422, $BAD],
    ['what is no address',    { sourceUrl => '' },                       'sourceUrl', 422, $BAD],
    ['a number',              { sourceUrl => 7 },                        'sourceUrl', 422, $BAD],
    ['what is no id',         { sourceAssetId => 'x' },              'sourceAssetId', 422, $BAD],
    ['an unknown id',         { sourceAssetId => $never },           'sourceAssetId', 422, $BAD],
    ['one that is over',      { sourceAssetId => $old },             'sourceAssetId', 422, $BAD],
    ['what is no data URI',   { image => 'https://a.example/a.png' },        'image', 422, $BAD],
    ['bad base64',            { image => 'data:image/png;base64,A' },        'image', 422, $BAD],
    ['what is no picture',    { image => uri('<svg/>' x 9) },                'image', 422, $BAD],
    ['a picture that is cut', { image => uri(substr png(5, 5), 0, -1) },     'image', 422, $BAD],
    ['one of 10^8 pixels',    { image => uri(png(10_000, 10_000)) },         'image', 422, $BAD],
    ['two at once',           { image => uri(png(5, 5)), sourceUrl => 'https://a.example/' },
                                                                   'image sourceUrl', 422, $GONE],
    ['all that is wrong',     { image => 'x', prompt => 7, seed => -1 },
                                                                 'image prompt seed', 422, $GONE],
    ['a good one beside a bad field', { image => uri(png(5, 5)), seed => -1 }, 'seed', 422, $GONE],
    ['none where one is needed', { type => 'mirror' },                   'sourceUrl', 422, $GONE],
    ['one where none is taken', { type => 'echo-aiml', image => uri(png(5, 5)) },
                                                                             'image', 422, $BAD],
);
for my $case (@REFUSED) {
    my ($what, $body, $fields, $status, $code) = @$case;
    my $res = lens($body);
    error_is($res, $status, $code, "$what is refused with $status");
    is join(' ', sort map { $_->{field} } @{ data($res)->{validationErrors} // [] }), $fields,
        'and the fields are named';
}
error_is(lens({ sourceAssetId => $theirs }), 403, 'UNAUTHORIZED', 'another\'s picture is refused');
my $missing = lens({ type => 'mirror' });
is_deeply data($missing)->{missingFields}, ['sourceUrl'], 'what is missing is named as missing';
error_is(lens({ image => uri(png(5, 5)) }, 'Idempotency-Key' => 'a b'), 422, $GONE,
    'so is a picture under a key that cannot be taken');

is_deeply [generations(), stored()], [0, $stored], 'nothing was started, and nothing stored';
credits_are $user, 20, 0, 'nothing was held';

# ---- a price costs nothing ----

is dry({ image => uri(png(6, 6)) })->{status}, 200, 'a picture in the body has its price';
is dry({ sourceAssetId => $mine })->{status}, 200, 'so has an uploaded one';
error_is(dry({ sourceAssetId => $old }), 422, $BAD, 'which has to be there');
is_deeply [generations(), stored()], [0, $stored], 'nothing was started, and nothing stored';

# ---- taken ----

my $site = base() . '/api/assets/';
my @TAKEN = (    # what, body, sourceUrl of the answer
    ['none',                     {},                                     undef],
    ['an https address',         { sourceUrl => 'https://a.example/a' }, 'https://a.example/a'],
    ['an old spelling of it',    { imageUrl  => 'https://a.example/b' }, 'https://a.example/b'],
    ['an address that the site allows', { sourceUrl => base() . '/a' },  base() . '/a'],
    ['an uploaded picture',      { sourceAssetId => uc $mine },          "$site$mine"],
    ['one where it is needed',   { sourceAssetId => $mine, type => 'mirror' }, "$site$mine"],
    ['one in the body that is stored already', { image => uri(png(3, 2)) }, "$site$mine"],
);
for my $case (@TAKEN) {
    my ($what, $body, $shown) = @$case;
    my $res = lens($body, Prefer => 'respond-async');
    is $res->{status}, 202, "$what is taken";
    my $reply = data($res);
    is $reply->{sourceUrl}, $shown, 'and shown';
    is status_of($user, $reply->{id}, $body->{type} // 'lens')->{sourceUrl}, $shown,
        'as in its status';
    like row($reply), qr{\A(?:asset:\Q$mine\E|https?://.*)\z}, 'the row has its name' if $shown;
}
my @key   = ('Idempotency-Key' => "a key of $user" =~ tr/ /-/r, Prefer => 'wait=60');
my $new   = { image => uri(png(7, 7)), prompt => 'a cat from the body' };
my $made  = data(lens($new, @key));
my $asset = api(GET => $made->{sourceUrl} =~ s{\A\Q${\ base() }\E}{}r, user => $user);
is $made->{status}, 'completed', 'a generation with a picture in its body completes';
ok $asset->{content} eq png(7, 7), 'and the picture becomes an uploaded one';
is data(lens($new, @key))->{id}, $made->{id}, 'the same call again is the same generation';
is stored(), $stored + 1, 'and the same picture';

finish;

# A generation of the type lens, which may have a source picture.
sub lens {
    my ($body, %headers) = @_;
    my %input = (type => 'lens', %$body);
    $input{presetKey} = undef if $input{type} ne 'neo-glitch';
    return generate($user, \%input, %headers);
}

sub dry {
    my ($body) = @_;
    return api(POST => '/api/lens/generate?dryRun=1', user => $user,
        json => { prompt => 'a cat', %$body });
}

sub uri { return 'data:image/png;base64,' . encode_base64($_[0], '') }

# How many pictures the user keeps, and how many generations there are of the user.
sub stored {
    return rows_of($user, 'genflow.assets');
}

sub generations {
    return rows_of($user, 'genflow.ledger', "kind = 'hold'");
}

# What the generation's row says of its source picture.
sub row {
    my ($generation) = @_;
    return sql1("SELECT source_url FROM public.$generation->{type}_media WHERE id = :'id'",
        id => $generation->{id});
}

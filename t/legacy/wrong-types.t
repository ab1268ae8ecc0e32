#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Bodies of older front ends with values of every kind in the place of each member, and bodies that are
# no objects: each is taken or refused, none is an error of the server, and none costs anything.
use Genflow::Test;

use HTTP::Tiny ();
use JSON::PP ();

my $OLD  = '/.netlify/functions';
my $JSON = JSON::PP->new->utf8->canonical;
my $user = account(30);
my $made = data(api(POST => "$OLD/neo-glitch-generate", user => $user,
    json => { prompt => 'a cat', presetKey => 'base', runId => "wrong-$$" }));
is $made->{status}, 'completed', 'a picture is there' or diag $JSON->encode($made);
my $asset = data(upload($user, png(64, 64)))->{id};
my ($balance, $held) = @{ credits($user) };
my $http = HTTP::Tiny->new(timeout => 60, keep_alive => 0);

# Values as JSON. Numbers beyond all bounds, texts with a NUL, texts and lists of some size, some depth.
my @VALUES = (
    qw(null true 0 -1 1.5 1e400 99999999999999999999 "" [] {} [null] {"a":{}}),
    '"\u0000"', '"\u007f\\\\\""', qq("\xc3\xa9"), '"' . 'x' x 300 . '"', '"' . 'x' x 20_000 . '"', '[' . join(',', (0) x 2000) . ']',
    '[' x 30 . ']' x 30,
);
my @BODIES = ('', ' ', '{', '[]', '[1]', 'null', '7', '"x"', 'true', '{}', "\xff", '{"a":1,"a":2}', "{\"\xff\":1}",
    '[' x 10_000 . ']' x 10_000, '{"a":' x 10_000 . '1' . '}' x 10_000, '{"a":[' . join(',', (0) x 200_000) . ']}');

my %save = (finalUrl => $made->{imageUrl}, media_type => 'image', preset_key => 'x', prompt => 'y', tags => ['z'],
    meta => { a => 1 }, visibility => 'private', isPublic => JSON::PP::false(), allowRemix => JSON::PP::false());
my @CALLS = (    # what is called, a sound body, and by whom if not by that user
    ["$OLD/neo-glitch-generate?dryRun=1", { prompt => 'a cat', presetKey => 'base', runId => "new-$$", userId => 'x',
        sourceUrl => "/api/assets/$asset", sourceAssetId => $asset, sourceAssetIds => [$asset], image => 'x',
        generationMeta => {}, strength => 0.4, seed => 7, parameters => {}, model => 'sd3', style => 'realistic',
        quality => 'auto', aspectRatio => '1:1', n => 1, priority => 'normal', maxRetries => 1, webhookUrl => 'x',
        templateId => 'x' }],
    ["$OLD/neo-glitch-generate", { jobId => 'x', runId => 'x', stabilityJobId => 'x', cloudinaryUrl => 'x' }],
    ["$OLD/presets-status", { jobId => 'x', runId => 'x', stabilityJobId => 'x', aimlJobId => 'x', falJobId => 'x',
        id => 'x', userId => 'x' }],
    ["$OLD/neo-glitch-status", { jobId => 'x', runId => 'x', stability_job_id => 'x' }],
    ["$OLD/credits-reserve", { cost => 1, amount => 1, action => 'image.gen', intent => 'x', request_id => "r-$$",
        requestId => "r-$$", userId => 'x' }, account(0)],
    ["$OLD/credits-finalize", { request_id => "r-$$", requestId => "r-$$", disposition => 'refund',
        success => JSON::PP::true() }],
    ["$OLD/getUserMedia", { limit => 1, offset => 0, type => 'preset', userId => 'x' }],
    ["$OLD/delete-media", { mediaId => 'x', id => 'x', userId => 'x' }],
    ["$OLD/togglePublish", { assetId => $made->{id}, publish => JSON::PP::false(), allowRemix => JSON::PP::false() }],
    ["$OLD/save-media", {%save}],
    ["$OLD/save-media", { variations => [{%save}], runId => 'x' }],
    ["$OLD/save-neo-glitch", { cloudinaryUrl => $made->{imageUrl}, presetKey => 'x', sourceUrl => 'x', stabilityJobId => 'x' }],
    ["$OLD/user-settings", { settings => { share_to_feed => JSON::PP::false() }, media_upload_agreed => JSON::PP::true() }],
    ["$OLD/generation-create?dryRun=1", { productImages => ["/api/assets/$asset"], modelImages => [],
        customPrompt => 'a beach', style => 'realistic', quality => 'auto', aspectRatio => '1:1', model => 'gpt-image-1',
        parameters => { strength => 0.8 }, type => 'openai-source', runId => "two-$$" }],
    ["$OLD/generate", { generationId => 'x', userId => 'x' }],
    ['/mood/api/image/generate?dryRun=1', { mood => 'calm', duration => 90, motifTags => ['sea'],
        stylePreset => 'abstract-oil', seed => 7, valence => 0.5, arousal => 0, focus => 'x', confidence => 1 }],
);
for my $call (@CALLS) {
    my ($path, $sound, $who) = @$call;
    my @wrong;
    my $try = sub {
        my ($what, $body) = @_;
        my $res = $http->post(base() . $path, { content => $body,
            headers => { 'Content-Type' => 'application/json', 'X-User' => $who // $user } });
        my $reply = data($res);
        push @wrong, "$res->{status} of $what: " . substr $res->{content}, 0, 200
            if $res->{status} !~ /\A(?:2|4)\d\d\z/ || ref $reply ne 'HASH';
    };
    for my $member (sort keys %$sound) {
        for my $value (@VALUES) {
            my %rest = map { $_ => $JSON->allow_nonref->encode($sound->{$_}) } grep { $_ ne $member } keys %$sound;
            # beside the others, and some alone
            $try->("$member " . substr($value, 0, 60), "{" . join(",",
                (map { qq("$_":$rest{$_}) } sort keys %rest), qq("$member":$value)) . "}");
            $try->("$member alone " . $value, qq({"$member":$value})) if $value =~ /\A(?:null|0|""|\[\]|\{\}|"\\u0000")\z/;
        }
    }
    $try->('a body ' . substr($_, 0, 40), $_) for @BODIES;
    is join("\n", @wrong), '', "$path: values of every kind are taken or refused";
}
credits_are $user, $balance, $held, 'none of them cost anything, or holds anything';

# ---- more than a row takes ----

my %mine = (finalUrl => $made->{imageUrl});
my @tags = map { sprintf '%03d', $_ } 1 .. 100;
for my $case ([64, "\xc3\xa9"], [64, 'x'], [20, 'x']) {
    my ($length, $letter) = @$case;
    my $json = $JSON->encode({ %mine, tags => [map { $_ . '~' x ($length - 3) } @tags] }) =~ s/~/$letter/gr;
    my $res  = api(POST => "$OLD/save-media", user => $user, body => $json, headers => { 'Content-Type' => 'application/json' });
    like $res->{status}, qr/\A(?:200|422)\z/, "a hundred tags of $length letters are taken or refused" or diag $res->{content};
}
my @saved = map { api(POST => "$OLD/save-media", user => $user, json => { %mine, meta => { "note$_" => 'x' x 8000 } }) } 1 .. 10;
is $saved[0]{status}, 200, 'a picture takes notes';
like $_->{status}, qr/\A(?:200|422)\z/, '... which together have a bound' for @saved;
error_is($saved[-1], 422, 'VALIDATION_FAILED', '... and beyond it are refused');
is_deeply [map { $_->{field} } @{ data($saved[-1])->{validationErrors} }], ['meta'], '... by name';
my $long = 'u' x 256;
for my $call ([GET => 'getQuota'], [GET => 'user-settings'], [POST => 'user-settings', { share_to_feed => JSON::PP::true() }],
    [POST => 'neo-glitch-generate', { prompt => 'a cat', presetKey => 'base' }], [POST => 'credits-reserve', {}]) {
    my ($method, $name, $json) = @$call;
    is api($method => "$OLD/$name", user => $long, $json ? (json => $json) : ())->{status}, 401,
        "a name of 256 letters is no user at $name";
}

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A request with several pictures: each is fetched once, checked, and all go to the model in their order.
# An entry of the chain that takes fewer is skipped; if none takes them, nothing is held or fetched.
use Genflow::Test;
use Genflow::TwoStep;

use Digest::SHA qw(sha256_hex);
use HTTP::Tiny ();
use MIME::Base64 qw(encode_base64);

my $user = account(100);
my $own  = "pictures$$";
my @URLS = map { "$ENV{GENFLOW_FAKE}/_source/picture/${own}x$_" } 1 .. 8;
my @HASH = map { sha256_hex(HTTP::Tiny->new->get($_)->{content}) } @URLS;
is scalar(keys %{ { map { $_ => 1 } @HASH } }), 8, 'there are eight different pictures';

# ---- five, then eight ----

for my $of ([5, 0], [5, 3], [1, 2]) {
    my ($products, $models) = @$of;
    my $tag  = "$products and $models of $user";
    my $name = "$products pictures of products and $models of people";
    my $before = fetched();
    my %body = (type => 'openai-source', customPrompt => $tag, productImages => [@URLS[0 .. $products - 1]],
        $models ? (modelImages => [@URLS[5 .. 4 + $models]]) : (), style => 'artistic', aspectRatio => '3:2');
    my $res  = create($user, \%body);
    my $made = data($res)->{data};
    is $res->{status}, 201, "$name are taken" or diag $res->{content};
    is_deeply [@{ $made->{parameters} }{qw(productImages modelImages style customPrompt)}],
        [@body{qw(productImages modelImages style customPrompt)}], '... and shown, with style and customPrompt';
    is $made->{sourceUrl}, $URLS[0], '... and sourceUrl is the first';
    is fetched(), $before, '... and nothing is fetched before the start';
    is data(start($user, $made->{generationId}))->{data}{status}, 'completed', '... and they become a picture';
    is fetched() - $before, $products + $models, '... each is fetched once';
    my ($sent, @more) = sent($tag);
    is scalar @more, 0, '... one submission';
    is_deeply [map { $_->{sha256} } @{ $sent->{fields}{'image[]'} }],
        [@HASH[0 .. $products - 1], $models ? @HASH[5 .. 4 + $models] : ()],
        '... the model gets all of them, in their order';
    is $sent->{fields}{size}, '1536x1024', '... in the size of the aspect ratio';
    my $generation = status_of($user, $made->{generationId}, 'openai-source');
    is_deeply $generation->{parameters}{productImages}, $body{productImages}, '... and the generation shows them later, too';
}
credits_are $user, 97, 0, 'each for one charge';

# ---- in the body ----

my @files = map { HTTP::Tiny->new->get($_)->{content} } @URLS[0, 1];
my @uris  = map { 'data:image/png;base64,' . encode_base64($_, '') } @files;
my $mixed = data(one_step($user, { type => 'openai-source', customPrompt => "mixed of $user",
    productImages => [$uris[1], $URLS[2], $uris[0]], modelImages => [$URLS[3]] }))->{data};
is $mixed->{status}, 'completed', 'pictures in the body and addresses mix';
is_deeply [map { $_->{sha256} } @{ (sent("mixed of $user"))[0]{fields}{'image[]'} }], [@HASH[1, 2, 0, 3]],
    '... and keep their order';
my $shown = $mixed->{parameters}{productImages};
is $shown->[1], $URLS[2], '... the address is shown as it came';
like $shown->[$_], qr{\A/api/assets/[0-9a-f-]{36}\z}, '... and a picture in the body as an uploaded one' for 0, 2;
is api(GET => $shown->[0], user => $user)->{content}, $files[1], '... which can be had';
my ($stored) = sql("SELECT length(source_url) < 300 AND parameters::text NOT LIKE '%base64%'"
    . " FROM public.openai_source_media WHERE id = :'id'", id => $mixed->{id});
is $stored, 't', '... and nothing large is in the row';
my $bad = create($user, { type => 'openai-source', productImages => [$uris[0], 'data:image/png;base64,AAAA'] });
error_is($bad, 400, 'VALIDATION_ERROR', 'a picture in the body that is none is refused');
like data($bad)->{validationErrors}[0]{message}, qr/\Anumber 2 /, '... by its number';

# ---- uploaded ----

my @assets = map { data(upload($user, $_)) } @files;
my $uploaded = data(one_step($user, { type => 'openai-source', customPrompt => "uploaded of $user",
    productImages => [$assets[1]{url}, $URLS[4]], modelImages => ["/api/assets/$assets[0]{id}"] }))->{data};
is $uploaded->{status}, 'completed', 'uploaded pictures mix with them, by their addresses here';
is_deeply [map { $_->{sha256} } @{ (sent("uploaded of $user"))[0]{fields}{'image[]'} }], [@HASH[1, 4, 0]],
    '... and keep their order';
my $ids = data(api(POST => '/api/openai-source/generate', user => $user, json => { prompt => "by ids of $user",
    sourceAssetIds => [$assets[1]{id}, $assets[0]{url}, uc $assets[1]{id}] }));
is $ids->{status}, 'completed', 'a request of one step has several uploaded pictures by sourceAssetIds'
    or diag JSON::PP->new->encode($ids);
is_deeply [map { $_->{sha256} } @{ (sent("by ids of $user"))[0]{fields}{'image[]'} }], [@HASH[1, 0, 1]],
    '... and the model gets all, in their order';
error_is(api(POST => '/api/neo-glitch/generate', user => $user, json => { prompt => 'a cat', presetKey => 'base',
    sourceAssetIds => [map { $_->{id} } @assets] }), 422, 'VALIDATION_FAILED', '... two are too many for models that take one');
error_is(api(POST => '/api/openai-source/generate', user => account(9), json => { prompt => 'theirs',
    sourceAssetIds => [map { $_->{id} } @assets] }), 403, 'UNAUTHORIZED', "... another's are another's");
my $theirs = create(account(9), { type => 'openai-source', productImages => [$URLS[0], $assets[0]{url}] });
error_is($theirs, 403, 'UNAUTHORIZED', '... for their owner alone');

# ---- a list of addresses, and an entry that takes one ----

for my $count (1, 3) {
    my $tag = "gallery $count of $user";
    my @at  = map { "$ENV{GENFLOW_FAKE}/_source/picture/${own}y$_?prompt=" . ($tag =~ s/ /+/gr) } 1 .. $count;
    my $got = data(one_step($user, { type => 'gallery', customPrompt => $tag, productImages => \@at }))->{data};
    is $got->{model}, $count == 1 ? 'fal-ai/ghiblify' : 'fal-ai/nano-banana/edit',
        "the first entry that takes $count is used";
    my ($sent) = sent($tag);
    is_deeply $sent->{fields}{ $count == 1 ? 'image_url' : 'image_urls' }, $count == 1 ? $at[0] : \@at,
        '... and gets ' . ($count == 1 ? 'it' : 'all in their order');
}

# ---- too many ----

my $poor = account(10);
my $was  = fetched();
for my $case (
    ['neo-glitch', { productImages => [@URLS[0, 1]] }, 'productImages', 'two pictures for models that take one'],
    ['neo-glitch', { productImages => [$URLS[0]], modelImages => [$URLS[1]] }, 'modelImages', 'one of each'],
    ['relay', { productImages => [$URLS[0]] }, 'productImages', 'a picture for a type that takes none'],
    ['openai-source', { productImages => [@URLS[0 .. 5]] }, 'productImages', 'six pictures of products'],
) {
    my ($type, $body, $field, $what) = @$case;
    my $res = create($poor, { type => $type, customPrompt => "too many of $poor", %$body });
    error_is($res, 400, 'VALIDATION_ERROR', "$what are refused");
    is data($res)->{validationErrors}[0]{field}, $field, "... naming $field";
}
credits_are $poor, 10, 0, 'nothing is held for them';
is fetched(), $was, '... and nothing fetched';
is rows_of($poor, 'genflow.ledger', "kind = 'hold'"), 0, '... or ever was held';

# ---- larger together than GenflowAssetMaxTotal ----

my @heavy = map { png(900 + $_, 8, 6_000_000) } 1, 2;
my @stored = map { data(upload($poor, $_)) } @heavy;
is_deeply [grep { !$_->{url} } @stored], [], 'two large pictures are uploaded';
for my $case (
    ['uploaded ones', [map { $_->{url} } @stored], []],
    ['an uploaded one and one in the body', [$stored[0]{url}], ['data:image/png;base64,' . encode_base64($heavy[1], '')]],
) {
    my ($what, $products, $models) = @$case;
    my %body = (type => 'openai-source', customPrompt => "too large of $poor", productImages => $products, modelImages => $models);
    for my $res (create($poor, \%body), api(POST => '/api/generate?dryRun=1', user => $poor, json => \%body)) {
        error_is($res, 422, 'INVALID_IMAGE_URL', "$what that have more bytes together than GenflowAssetMaxTotal are refused");
        like data($res)->{validationErrors}[0]{message}, qr/11534336 bytes together/, '... which says how many may be';
    }
}
error_is(api(POST => '/api/openai-source/generate', user => $poor, json => { prompt => "too large of $poor",
    sourceAssetIds => [map { $_->{id} } @stored] }), 422, 'INVALID_IMAGE_URL', '... also by their ids');
is rows_of($poor, 'genflow.ledger', "kind = 'hold'"), 0, '... and nothing is held';

# ---- one of them is of no use ----

for my $case ([[gone => 2], 'is gone'], [[private => 2], 'is at a private address'], [[heavy => 1, heavy => 2],
    'makes them larger together than GenflowAssetMaxTotal']) {
    my ($kinds, $what) = @$case;
    my @at;
    for (my $i = 0; $i < @$kinds; $i += 2) {
        push @at, "$ENV{GENFLOW_FAKE}/_source/$kinds->[$i]/${own}z$kinds->[$i + 1]";
    }
    my $id = data(create($poor, { type => 'openai-source', customPrompt => "useless of $poor",
        productImages => [$URLS[0], @at] }))->{data}{generationId};
    start($poor, $id, Prefer => 'respond-async');
    is ended($poor, $id, 'openai-source')->{errorCode}, 'INVALID_IMAGE_URL', "if one of them $what, the generation fails";
    credits_are $poor, 10, 0, '... and costs nothing';
    is submissions("useless of $poor"), 0, '... and nothing was sent';
}

finish;

# How many pictures of this test were fetched.
sub fetched { return HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_fetches?match=${own}x")->{content} }

sub sent {
    my ($text) = @_;
    my $match = $text =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger;
    return @{ data(HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_submissions?match=$match")) };
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# POST /openai/v1/images/generations: another API's request becomes ours, and our generation that
# API's response. Charging, holding and waiting stay where they are.
use Genflow::Test;

use HTTP::Tiny ();
use JSON::PP ();
use MIME::Base64 qw(decode_base64);

my $user = account(40);

sub images {
    my ($body, %more) = @_;
    return api(POST => '/openai/v1/images/generations', user => $user, json => $body, %more);
}

# ---- one picture ----

my $res  = images({ model => 'gpt-image-1', prompt => "a fox of $user" });
my $body = data($res);
is $res->{status}, 200, 'a request is answered when the picture is there' or diag $res->{content};
is length($res->{content}), $res->{headers}{'content-length'}, 'as long as it says';
ok $res->{headers}{'x-request-id'}, 'with the id of the request';
my $png = decode_base64($body->{data}[0]{b64_json} // '');
like $png, qr/\A\x89PNG\r\n\x1a\n.*IEND....\z/s, 'the picture is there in base64, whole';
is_deeply [sort keys %$body],
    [qw(background created data output_format quality size usage)], 'beside its facts';
is $body->{size}, join('x', unpack 'x16NN', $png), 'the size is that of the picture';
is $body->{output_format}, 'png', 'and the format';
credits_are $user, 39, 0, 'it costs one credit';
is submissions("a fox of $user"), 1, 'and was drawn once';

# ---- several, as addresses ----

$res  = images({ model => 'gpt-image-1', prompt => "two foxes of $user", n => 2, response_format => 'url' });
$body = data($res);
is_deeply [$res->{status}, scalar @{ $body->{data} }], [200, 2], 'n makes several';
like $_->{url}, qr{\Ahttp://}, 'each has an absolute address' for @{ $body->{data} };
like(HTTP::Tiny->new->get($body->{data}[0]{url})->{content}, qr/\A\x89PNG/, 'where the picture is');
credits_are $user, 37, 0, 'each is charged';

# ---- a stream ----

sub events {
    my ($text) = @_;
    return map { [/^event: (.*)$/m, eval { JSON::PP::decode_json((/^data: (.*)$/m)[0]) }] } grep { /^event/m } split /\n\n/, $text;
}

$res = images({ model => 'gpt-image-1', prompt => "three of $user {{delay=300}}", n => 3, stream => JSON::PP::true(),
    partial_images => 2 });
my @events = events($res->{content});
is_deeply [$res->{status}, $res->{headers}{'content-type'}], [200, 'text/event-stream'], 'stream is answered by events';
is_deeply [map { $_->[0] } @events], [('image_generation.completed') x 3], 'one for each picture';
is_deeply [map { $_->[1]{type} } @events], [('image_generation.completed') x 3], 'with its type';
like decode_base64($_->[1]{b64_json}), qr/\A\x89PNG.*IEND....\z/s, 'and its picture, whole' for @events;
is $events[0][1]{size}, $body->{size}, 'and its facts';
credits_are $user, 34, 0, 'each is charged';
$res = images({ model => 'gpt-image-1', prompt => "none of $user {{filter}}", stream => JSON::PP::true() });
@events = events($res->{content});
is_deeply [$events[0][0], $events[0][1]{type}, $events[0][1]{error}{code}], ['error', 'error', 'moderation_blocked'],
    'without a picture there is an error';
credits_are $user, 34, 0, 'and no charge';

# ---- edits ----

sub form {
    my @parts = @_;
    my $body = join '', map {
        my ($name, $value, $file) = @$_;
        "--b0undary\r\nContent-Disposition: form-data; name=\"$name\""
            . ($file ? "; filename=\"$file\"\r\nContent-Type: application/octet-stream" : '') . "\r\n\r\n$value\r\n";
    } @parts;
    return api(POST => '/openai/v1/images/edits', user => $user, body => "$body--b0undary--\r\n",
        headers => { 'Content-Type' => 'multipart/form-data; boundary=b0undary' });
}

my @words = (['model', 'edit-1'], ['prompt', "an edit of $user"]);
$res = form(@words, ['image', png(8, 6), 'a.png'], ['n', 1], ['size', '1536x1024']);
is_deeply [$res->{status}, scalar @{ data($res)->{data} }], [200, 1], 'a form with a picture is an edit' or diag $res->{content};
$res = form(@words, ['image[]', png(8, 6), 'a.png']);
is $res->{status}, 200, 'so is one with a list of one';
$res = api(POST => '/openai/v1/images/edits', user => $user, json => { model => 'edit-1', prompt => "an edit of $user",
    images => [{ image_url => 'data:image/png;base64,' . MIME::Base64::encode_base64(png(8, 6), '') }] });
is $res->{status}, 200, 'and JSON with a data: URI' or diag $res->{content};
my ($balance, $held) = @{ credits($user) };

# ---- what is refused, before anything is held ----

my $made = sub { rows_of($user, 'genflow.idempotency_keys') };
my $before = $made->();
my $good = { model => 'gpt-image-1', prompt => 'a cat' };
for my $case (
    [{ n => 11 }, 'n', 'invalid_value'], [{ n => 0 }, 'n', 'invalid_value'], [{ n => '2' }, 'n', 'invalid_value'],
    [{ prompt => undef }, 'prompt', 'missing_required_parameter'], [{ prompt => 5 }, 'prompt', 'invalid_value'],
    [{ prompt => 'x' x 1001 }, 'prompt', 'invalid_value'],
    [{ size => 'big' }, 'size', 'invalid_value'], [{ size => '0x5' }, 'size', 'invalid_value'],
    [{ background => 'transparent' }, 'background', 'unsupported_value'],
    [{ output_format => 'webp' }, 'output_format', 'unsupported_value'],
    [{ output_format => 'gif' }, 'output_format', 'invalid_value'],
    [{ output_compression => 50 }, 'output_compression', 'unsupported_value'],
    [{ response_format => 'hex' }, 'response_format', 'invalid_value'],
    [{ partial_images => 4 }, 'partial_images', 'invalid_value'], [{ stream => 'yes' }, 'stream', 'invalid_value'],
    [{ colour => 'red' }, 'colour', 'invalid_value'], [{ image => 'x' }, 'image', 'invalid_value'],
    [{ model => 7 }, 'model', 'invalid_value'],
) {
    my ($more, $param, $code) = @$case;
    $res = images({ %$good, %$more });
    is_deeply [$res->{status}, @{ data($res)->{error} }{qw(type param code)}], [400, 'invalid_request_error', $param, $code],
        "$param " . ($more->{$param} // 'absent') =~ s/(?<=.{20}).*//r . ' is refused' or diag $res->{content};
}
is_deeply [map { $_->{status} } images({ %$good, quality => 'ultra' }), images({ %$good, quality => 'hd', style => 'vivid',
    user => 'u', moderation => 'low', size => 'auto', background => 'auto', output_format => 'png' })], [200, 200],
    'hints are no reason';
$before += 2;
for my $case (
    ['a mask', [@words, ['image', png(8, 6), 'a.png'], ['mask', png(8, 6), 'm.png']], 'mask', 'unsupported_value'],
    ['two pictures where one is taken', [@words, (['image[]', png(8, 6), 'a.png']) x 2], 'image', 'unsupported_value'],
    ['no picture', [@words], 'image', 'missing_required_parameter'],
    ['a picture that is none', [@words, ['image', 'GIF89a', 'a.gif']], 'image', 'invalid_image'],
    ['a picture for a type that takes none', [['model', 'local-1'], ['prompt', 'x'], ['image', png(8, 6), 'a']], 'image',
        'unsupported_value'],
) {
    my ($what, $parts, $param, $code) = @$case;
    $res = form(@$parts);
    is_deeply [$res->{status}, @{ data($res)->{error} }{qw(param code)}], [400, $param, $code], "$what is refused"
        or diag $res->{content};
}
for my $case (['no JSON', '{', 'application/json', 400], ['a list', '[]', 'application/json', 400],
    ['another type', '{}', 'text/plain', 400], ['11 MB', '"' . 'x' x 11_534_336 . '"', 'application/json', 413],
    ['a cut form', "--b0undary\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nx", 'multipart/form-data; boundary=b0undary', 400]) {
    my ($what, $text, $type, $status) = @$case;
    my $path = $type =~ /multipart/ ? 'edits' : 'generations';
    $res = api(POST => "/openai/v1/images/$path", user => $user, body => $text, headers => { 'Content-Type' => $type });
    is_deeply [$res->{status}, data($res)->{error}{type}, $res->{headers}{'x-should-retry'}],
        [$status, 'invalid_request_error', 'false'], "$what is refused" or diag $res->{content};
}
is $made->(), $before, 'nothing was made for any of these';

# ---- failures ----

for my $case (['filter', 400, 'moderation_blocked'], ['status=400', 500, 'api_error']) {
    my ($words, $status, $code) = @$case;
    $res = images({ %$good, prompt => "a failure of $user {{$words}}" });
    is_deeply [$res->{status}, data($res)->{error}{code}, $res->{headers}{'x-should-retry'}], [$status, $code, 'false'],
        "$words: $status, not to be repeated" or diag $res->{content};
}
credits_are $user, $balance - 2, 0, 'no failure is charged';
$res = images({ %$good, prompt => "mixed of $user {{status=400 times=1}}", n => 3 });
is_deeply [$res->{status}, scalar @{ data($res)->{data} }], [200, 2], 'of three the two that succeed are sent';
credits_are $user, $balance - 4, 0, '... and charged';
my $poor = account(0);
$res = api(POST => '/openai/v1/images/generations', user => $poor, json => $good);
is_deeply [$res->{status}, @{ data($res)->{error} }{qw(type code)}, $res->{headers}{'x-should-retry'}],
    [402, 'insufficient_quota', 'insufficient_quota', 'false'], 'without credits it is 402';
expect_log('GF0203');
# ---- errors ----

$res = images({ model => 'nobody', prompt => 'x' });
is_deeply [$res->{status}, data($res)->{error}{code}, data($res)->{error}{param}],
    [404, 'model_not_found', 'model'], 'a name that GenflowModel does not list is no model';
is $res->{headers}{'x-should-retry'}, 'false', 'a repetition would not help';
is_deeply [broken_rules()], [], 'the ledger is sound';
finish;

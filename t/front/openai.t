#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# POST /openai/v1/images/generations: another API's request becomes ours, and our generation that
# API's response. Charging, holding and waiting stay where they are.
use Genflow::Test;

use HTTP::Tiny ();
use MIME::Base64 qw(decode_base64);

my $user = account(20);

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
credits_are $user, 19, 0, 'it costs one credit';
is submissions("a fox of $user"), 1, 'and was drawn once';

# ---- several, as addresses ----

$res  = images({ model => 'gpt-image-1', prompt => "two foxes of $user", n => 2, response_format => 'url' });
$body = data($res);
is_deeply [$res->{status}, scalar @{ $body->{data} }], [200, 2], 'n makes several';
like $_->{url}, qr{\Ahttp://}, 'each has an absolute address' for @{ $body->{data} };
like(HTTP::Tiny->new->get($body->{data}[0]{url})->{content}, qr/\A\x89PNG/, 'where the picture is');
credits_are $user, 17, 0, 'each is charged';

# ---- errors ----

$res = images({ model => 'nobody', prompt => 'x' });
is_deeply [$res->{status}, data($res)->{error}{code}, data($res)->{error}{param}],
    [404, 'model_not_found', 'model'], 'a name that GenflowModel does not list is no model';
is $res->{headers}{'x-should-retry'}, 'false', 'a repetition would not help';
finish;

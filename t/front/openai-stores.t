#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Clients of OpenAI's API get a picture in base64 wherever it is stored: the AI SDK reads nothing else.
use Genflow::Shelf;
use Genflow::Test;

use MIME::Base64 qw(decode_base64);

my $MODEL = <<'END';
<Location "/openai/v1">
    SetHandler genflow-openai
    GenflowUser "%{HTTP:X-User}"
    GenflowModel dall-e-2 TYPE
</Location>
END

sub images {
    my ($user, $shelf, %more) = @_;
    talk_to($shelf->httpd);
    return api(POST => '/openai/v1/images/generations', user => $user,
        json => { model => 'dall-e-2', prompt => "a fox of [$user]", %more });
}

sub start {
    my ($kind, $type) = @_;
    return Genflow::Shelf->start(kind => $kind, type => $type, chain => 'stability/sd3',
        lines => $MODEL =~ s/TYPE/$type/r);
}

# Files of the spool that a response left behind.
sub copies { return glob "$ENV{GENFLOW_WORK}/store/.spool/*.copy" }

for my $kind (qw(s3 cloudinary)) {
    my $shelf = start($kind, "front-$kind");
    my $user  = account(10);
    my $res   = images($user, $shelf);
    is $res->{status}, 200, "$kind: the request is answered when the picture is there"
        or diag $res->{content};
    like decode_base64(data($res)->{data}[0]{b64_json} // ''), qr/\A\x89PNG\r\n\x1a\n.*IEND....\z/s,
        '... in base64, whole';
    is length $res->{content}, $res->{headers}{'content-length'}, '... as long as it says';
    $res = images($user, $shelf, response_format => 'url');
    like data($res)->{data}[0]{url}, qr{\A\Q$ENV{GENFLOW_STORE}\E/$kind/}, '... and as its address';
    $res = images($user, $shelf, stream => JSON::PP::true(), n => 2);
    my @pictures = $res->{content} =~ /"b64_json":"([^"]+)"/g;
    is scalar @pictures, 2, '... and in a stream';
    like decode_base64($_), qr/\A\x89PNG.*IEND....\z/s, '... whole' for @pictures;
    credits_are $user, 6, 0, '... each for one credit';
    is_deeply [copies()], [], '... and no copy is left';
}

# ---- a store that does not return what it stored ----

my $shelf = start('s3', 'front-hidden');
my $user  = account(10);
$shelf->order(act => 'hide', times => 1);
my $res = images($user, $shelf);
is $res->{status}, 503, 'a picture that the store does not return now is answered with 503';
is $res->{headers}{'x-should-retry'}, 'true', '... which may be retried';
is data($res)->{error}{code}, 'picture_unreachable', '... and says why';
credits_are $user, 9, 0, '... and is charged, as it is stored';
$res = images($user, $shelf);
like decode_base64(data($res)->{data}[0]{b64_json} // ''), qr/\A\x89PNG.*IEND....\z/s,
    'the repetition gets the picture';
credits_are $user, 9, 0, '... which was charged once';
$shelf->order(act => 'hide', times => 1);
$res = images($user, $shelf, stream => JSON::PP::true());
like $res->{content}, qr/^event: error$/m, 'a stream ends with an error';
$res = images($user, $shelf, stream => JSON::PP::true());
like $res->{content}, qr/"b64_json":"[^"]{100}/, '... and its repetition has the picture';
credits_are $user, 8, 0, '... which was charged once';
is submissions("[$user]"), 2, '... and submitted once each';
like $shelf->httpd->log_text, qr/GF0776: .*HTTP 503 for http/, 'the operator reads which address it was';
finish;

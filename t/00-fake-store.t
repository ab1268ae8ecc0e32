#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The fake store distinguishes a genuine signature from any other, by the examples that AWS and Cloudinary
# publish. What the tests of stores conclude rests on this file.

use strict;
use warnings;

use Digest::SHA qw(sha1_hex sha256_hex);
use File::Temp qw(tempdir);
use FindBin;
use HTTP::Tiny;
use JSON::PP;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use Genflow::FakeStore;
use Genflow::FakeStore::Cloudinary;
use Genflow::FakeStore::S3;

my $EMPTY = sha256_hex('');

# ---- AWS: "Signature Calculations for the Authorization Header", bucket examplebucket ----

my $AWS_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
my %AWS_GIVEN  = (day => '20130524', region => 'us-east-1', service => 's3');
my @AWS_CASES  = (
    # method, path, query, further headers, signature
    ['GET', '/test.txt', '', { range => 'bytes=0-9' },
        'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'],
    ['PUT', '/test$file.text', '', {
        date                   => 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class'  => 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256' => sha256_hex('Welcome to Amazon S3.'),
    }, '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd'],
    ['GET', '/', 'lifecycle', {},
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    ['GET', '/', 'max-keys=2&prefix=J', {},
        '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
);
for my $case (@AWS_CASES) {
    my ($method, $path, $query, $more, $signature) = @$case;
    my %header = (
        host                   => 'examplebucket.s3.amazonaws.com',
        'x-amz-content-sha256' => $EMPTY,
        'x-amz-date'           => '20130524T000000Z',
        %$more,
    );
    my %request = (method => $method, path => $path, query => $query, header => \%header);
    is Genflow::FakeStore::S3::signature(\%request, { %AWS_GIVEN, headers => [keys %header] },
        $AWS_SECRET), $signature, "AWS's example: $method $path?$query";
}

# ---- Cloudinary ----

my @CLOUDINARY_CASES = (
    [{ public_id => 'genflow/job-1', timestamp => 1700000000, api_key => 'k', file => 'x' },
        '0965d6c62629b2b4acd3384d17d03200ba683dec'],
    [{ context => 'a=b&c|d=e', folder => 'genflow', overwrite => 0, public_id => 'job-1',
        timestamp => 1700000000 }, 'a2eab41fc81bc0cd4710baea54af1b3e61bae1ff'],
);
for my $case (@CLOUDINARY_CASES) {
    my ($form, $signature) = @$case;
    is sha1_hex(Genflow::FakeStore::Cloudinary::string_to_sign($form) . 'abcd'), $signature,
        "Cloudinary's example: " . join ' ', sort keys %$form;
}

# ---- over HTTP ----

@ENV{qw(STORE_KEY STORE_SECRET)} = ('KEY', 'se/cret');
my $folder = tempdir(CLEANUP => 1);
my $pid    = fork // die "fork: $!\n";
Genflow::FakeStore->run("$folder/port") if !$pid;
my $end = time + 10;
sleep 0.02 while !-s "$folder/port" && time < $end;
my $port = do { open my $file, '<', "$folder/port" or die "no port: $!\n"; <$file> + 0 };
my $http = HTTP::Tiny->new(timeout => 60, keep_alive => 0);
my $site = "127.0.0.1:$port";

is s3(PUT => 'pictures/a/b.png', body => 'bytes'), 200, 'a signed object is stored';
is $http->get("http://$site/s3/pictures/a/b.png")->{content}, 'bytes', '... and served';
is s3(PUT => 'pictures/a/b.png', body => 'other', 'if-none-match' => '*'), 412,
    '... not replaced if that is not wanted';
is s3(PUT => 'pictures/a/b.png', body => 'newer'), 200, '... and replaced otherwise';
my @REFUSED = (
    ['another secret',          403, secret => 'wrong'],
    ['another key',             403, key => 'OTHER'],
    ['another region',          400, region => 'us-east-1'],
    ['a wrong clock',           403, now => time - 3600],
    ['a header left unsigned',  403, unsigned => 'x-amz-meta-more'],
    ['a header that is not sent', 403, unsent => 'expect'],
    ['the hash of other bytes', 400, 'x-amz-content-sha256' => $EMPTY],
    ['a bucket that is not there', 404, object => 'no-such/a.png'],
);
for my $case (@REFUSED) {
    my ($name, $status, %how) = @$case;
    is s3(PUT => $how{object} // 'pictures/c.png', body => 'bytes', %how), $status,
        "$name is refused";
}
is $http->get("http://$site/s3/pictures/c.png")->{status}, 404, '... and nothing is stored';
is s3(DELETE => 'pictures/a/b.png'), 204, 'an object is removed';
is $http->get("http://$site/s3/pictures/a/b.png")->{status}, 404, '... and is gone';

$http->post("http://$site/_orders", {
    content => encode_json({ match => 'ordered', act => 'fail', status => 503, times => 1 }),
});
is s3(PUT => 'pictures/ordered.png', body => 'x'), 503, 'what is ordered happens';
is s3(PUT => 'pictures/ordered.png', body => 'x'), 200, '... so often as it is ordered';
my $log = decode_json($http->get("http://$site/_log?match=ordered")->{content});
is_deeply [map { "$_->{act} $_->{became}" } @$log], ['upload fail', 'upload kept'],
    '... and is on record';

kill TERM => $pid;
waitpid $pid, 0;
done_testing;

# The status of an S3 request, signed as %how says.
sub s3 {
    my ($method, $object, %how) = @_;
    my $now  = delete $how{now} // time;
    my $body = delete $how{body} // '';
    my ($key, $secret, $region) = map { delete $how{$_} } qw(key secret region);
    my ($unsigned, $unsent) = map { delete $how{$_} } qw(unsigned unsent);
    delete $how{object};
    my %header = (
        'content-type'         => 'image/png',
        'x-amz-content-sha256' => sha256_hex($body),
        'x-amz-date'           => strftime('%Y%m%dT%H%M%SZ', gmtime $now),
        %how,
        $unsent ? ($unsent => '') : (),
    );
    my %given = (
        day     => substr($header{'x-amz-date'}, 0, 8),
        region  => $region // 'eu-central-1',
        service => 's3',
        headers => [sort 'host', keys %header],
    );
    my %request = (method => $method, path => "/s3/$object", header => { %header, host => $site });
    my $signature = Genflow::FakeStore::S3::signature(\%request, \%given, $secret // 'se/cret');
    delete $header{$unsent} if $unsent;
    $header{$unsigned} = 'x' if $unsigned;
    $header{authorization} = sprintf
        'AWS4-HMAC-SHA256 Credential=%s/%s/%s/s3/aws4_request, SignedHeaders=%s, Signature=%s',
        $key // 'KEY', @given{qw(day region)}, join(';', @{ $given{headers} }), $signature;
    return $http->request($method, "http://$site/s3/$object",
        { headers => \%header, content => $body })->{status};
}

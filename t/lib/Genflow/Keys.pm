# SPDX-License-Identifier: Apache-2.0
#
# API keys in tests, beside what Genflow::Test has.
#
#     my $key = new_key($user);                        # the answer of POST keys, as a hash
#     my $key = new_key($user, scopes => ['read']);
#     my $res = api(GET => '/keyed/getQuota', headers => bearer($key));

package Genflow::Keys;

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(encode_base64);
use parent 'Exporter';

use Genflow::Test;

our @EXPORT = qw(new_key bearer basic five_ways misspelled stranger invalid_key_is);

# A key of that user, made at /api/keys of the site (where a header names the user).
sub new_key {
    my ($user, %fields) = @_;
    my $res  = api(POST => '/api/keys', user => $user, json => { name => 'of a test', %fields });
    my $made = data($res);
    die "no key but $res->{status}: $res->{content}\n" if $res->{status} != 201;
    return $made;
}

sub text_of { return ref $_[0] ? $_[0]{key} : $_[0] }

sub bearer {
    my ($key) = @_;
    return { Authorization => 'Bearer ' . text_of($key) };
}

sub basic {
    my ($name, $password) = @_;
    return { Authorization => 'Basic ' . encode_base64(text_of($name) . ':' . text_of($password), '') };
}

# [what, headers] for each of the ways in which programs send a key.
sub five_ways {
    my ($key) = @_;
    my $text = text_of($key);
    return (
        ['Bearer', { Authorization => "Bearer $text" }],
        ['Key', { Authorization => "Key $text" }],
        ['Token', { Authorization => "Token $text" }],
        ['api-key', { 'api-key' => $text }],
        ['Basic', basic($text, '')],
    );
}

# With one character of its secret exchanged: the checksum is wrong.
sub misspelled {
    my $text = text_of($_[0]);
    substr($text, 20, 1) =~ tr/a-zA-Z0-9/b-zaB-ZA1-90/;
    return $text;
}

# A well-formed key that nobody made: of this id, else of a random one.
sub stranger {
    my ($id) = @_;
    my $text = 'gf_' . ($id // letters(12)) . '_' . letters(32);
    return $text . checksum($text);
}

sub letters {
    my ($count) = @_;
    return join '', map { ('0' .. '9', 'A' .. 'Z', 'a' .. 'z')[rand 62] } 1 .. $count;
}

# Written anew from the description: the CRC-32 of all before it, in base 62.
sub checksum {
    my ($text) = @_;
    my $crc    = Compress::Zlib::crc32($text);
    my $digits = '';
    for (1 .. 6) {
        $digits = ('0' .. '9', 'A' .. 'Z', 'a' .. 'z')[$crc % 62] . $digits;
        $crc = int $crc / 62;
    }
    return $digits;
}

# The answer is 401 in our format, with the challenge that RFC 6750 has for a token that is not valid.
sub invalid_key_is {
    my ($res, $code, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    error_is($res, 401, $code, $sentence);
    return like $res->{headers}{'www-authenticate'},
        qr/\ABearer realm="[^"]*", error="invalid_token", error_description="[^"]+"\z/, '... says the challenge';
}

1;

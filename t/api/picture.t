#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A finished picture opens at its imageUrl, cacheable for a day, whole or in part; its type is what
# its bytes are. Nothing else can be had from the store's folder. What httpd draws itself is the
# same picture for the same request, byte for byte.
use Genflow::Test;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use Genflow::Httpd qw(small_site);

my $SIGNATURE = "\x89PNG\r\n\x1a\n";

my $user = account(20);
my $made = data(generate($user));
my $path = path_of($made);

# ---- a picture over HTTP ----

my $picture = api(GET => $path);
my %header  = %{ $picture->{headers} };
my $bytes   = $picture->{content};
my $etag    = $header{etag};
is $picture->{status}, 200, 'a finished picture opens at its imageUrl, for every client that has it';
is length $bytes, $made->{result}{bytes}, 'it has as many bytes as was said';
is substr($bytes, 0, 8), $SIGNATURE, 'it is a PNG';
is $header{'content-type'}, 'image/png', 'and called one';
is $header{'cache-control'}, 'public, max-age=86400, must-revalidate', 'it may be kept for GenflowStoreCacheTime';
is $header{'x-content-type-options'}, 'nosniff', 'browsers take it for nothing else';
is $header{'accept-ranges'}, 'bytes', 'it may be had in parts';

my $end   = substr $bytes, -4;
my $since = $header{'last-modified'};
my @REQUESTS = (    # what, method, headers, status, content
    ['a picture that it has',     GET  => { 'If-None-Match'     => $etag },      304, ''],
    ['one not newer than its own', GET => { 'If-Modified-Since' => $since },     304, ''],
    ['another version',           GET  => { 'If-None-Match'     => '"other"' },  200, $bytes],
    ['the first bytes',           GET  => { Range => 'bytes=0-7' },              206, $SIGNATURE],
    ['the last bytes',            GET  => { Range => 'bytes=-4' },               206, $end],
    ['bytes behind the end',      GET  => { Range => 'bytes=99999999-' },        416, undef],
    ['the head alone',            HEAD => {},                                    200, ''],
);
for my $request (@REQUESTS) {
    my ($what, $method, $headers, $status, $content) = @$request;
    my $res = api($method => $path, headers => $headers);
    is $res->{status}, $status, "a client that requests $what gets $status";
    is $res->{content} // '', $content, 'and just that' if defined $content;
}
my $head = api(HEAD => $path)->{headers};
is $head->{'content-length'}, length $bytes, 'the head has the length';

# ---- nothing else ----

for my $method (qw(POST PUT DELETE)) {
    my $res = api($method => $path);
    is $res->{status}, 405, "$method of a picture is refused";
    like $res->{headers}{allow} // '', qr/\bGET\b/, 'and Allow says what is not';
}

# Files that are there, but are no pictures of a generation.
my @NAMES = qw(
    top.png neo-glitch/here.png neo-glitch/xx/.hidden.png neo-glitch/xx/page.html neo-glitch/xx/none
    neo-glitch/xx/two.dots.png neo-glitch/xx/UPPER.png neo-glitch/xx/yy/deep.png .other/xx/1.png
);
for my $name (@NAMES) {
    put_file("$ENV{GENFLOW_WORK}/store/$name");
    is api(GET => "/generated/$name")->{status}, 404, "$name in the store's folder cannot be had";
}
my @ASTRAY = (
    '/generated', '/generated/', $path =~ s{[^/]+\z}{}r, "$path/", "$path%00", "$path%2f",
    '/generated/neo-glitch/../../t/conf/users', '/generated/neo-glitch/%2e%2e/%2e%2e/t/conf/users',
);
is api(GET => $_)->{status}, 404, "there is nothing at $_" for @ASTRAY;

# ---- what it is, and what it is of ----

my $sniffed = data(generate($user, { parameters => { output_format => 'jpeg' } }));
like $sniffed->{imageUrl}, qr/\.png\z/, 'a PNG that was sent for a JPEG is stored as a PNG';
is $sniffed->{result}{type}, 'image/png', 'and reported so';

my %cat = (type => 'sketch', prompt => 'a drawn cat', seed => 11);
my ($drawn, $again, $other_seed, $other_prompt) =
    map { picture_of({ %cat, %$_ }) } {}, {}, { seed => 12 }, { prompt => 'a drawn dog' };
is substr($drawn, 0, 8), $SIGNATURE, 'the local provider draws a PNG';
ok $drawn eq $again,        'drawn again from the same request it is the same, byte for byte';
ok $drawn ne $other_seed,   'another seed makes another picture';
ok $drawn ne $other_prompt, 'so does another prompt';

# ---- elsewhere ----

my $httpd = Genflow::Httpd->start(small_site() . <<'END');
GenflowDispatch Off
<Location "/">
    GenflowBase /where/clients/reach/the/whole/application/programming/interface
</Location>
<Location "/pictures">
    SetHandler genflow-result
</Location>
END
talk_to($httpd);
my ($name) = $path =~ m{([^/]+/[^/]+/[^/]+)\z};
is api(GET => "/pictures/$name")->{content}, $bytes, 'pictures are below their <Location>, wherever the API is';
is api(GET => $_)->{status}, 404, "nothing is at $_" for '/pictures', '/pictures/', '/pictures/no/no';
talk_to();
is $httpd->alarms, '', '... and nothing is wrong';

finish;

sub path_of {
    my ($generation) = @_;
    return $generation->{imageUrl} =~ s{\Ahttps?://[^/]+}{}r;
}

sub put_file {
    my ($path) = @_;
    make_path(dirname($path));
    open my $file, '>', $path or die "$path: $!\n";
    print $file "$SIGNATURE and so on";
    close $file or die "$path: $!\n";
    return;
}

sub picture_of {
    my ($input) = @_;
    return api(GET => path_of(data(generate($user, $input))))->{content};
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A user brings source pictures as the body or in a form; each is stored once. What is no picture, too
# large or too much is refused, and not stored.
use Genflow::Test;

my $LIMIT = 11 * 1024 * 1024;
my $ROOM  = 65536;                # what a form may have around its picture
my $STORED  = 20 * $LIMIT / 65536;  # small pictures that a user may store
my ($TYPE, $URL, $FORM) = ('UNSUPPORTED_MEDIA_TYPE', 'INVALID_IMAGE_URL', 'multipart/form-data');

my $user = account();

# ---- brought ----

my $png  = png(3, 2);
my $res  = put($png);
my $made = data($res);
is $res->{status}, 201, 'a picture that is the body is stored';
my %WANTED = (success => JSON::PP::true(), ok => JSON::PP::true(), width => 3, height => 2,
    bytes => length $png, type => 'image/png', url => base() . "/api/assets/$made->{id}");
is_deeply { map { $_ => $made->{$_} } keys %WANTED }, \%WANTED, 'and described, with its address';
is $res->{headers}{location}, $made->{url}, 'also as Location';
is sql1("SELECT genflow.iso(expires_at) || ' ' || (expires_at - created_at) FROM genflow.assets"
    . " WHERE id = :'id'", id => $made->{id}), "$made->{expiresAt} 1 day", 'for a day';

# A pixel each.
my $jpeg = "\xff\xd8\xff\xdb\0\x43\0" . "\xff" x 64 . "\xff\xc2\0\x0b\x08\0\1\0\1\1\1\x11\0"
    . "\xff\xc4\0\x14\x10\1" . "\0" x 16 . "\xff\xda\0\x08\1\1\0\1\x3f\x10\xff\xd9";
my $webp = pack 'a4 V a8 V H*', 'RIFF', 26, 'WEBPVP8L', 13, '2f0000001007101111' . '8888fe0700';
my @BROUGHT = (    # what, answer, a member and its value
    ['the same again',                put($png),                        id   => $made->{id}],
    ['the same in a form',            form(file($png)),                 id   => $made->{id}],
    ['the same behind another field', form(field(a => 'b'), file($png)), id  => $made->{id}],
    ['a JPEG',                        put($jpeg, 'image/jpeg'),         type => 'image/jpeg'],
    ['a WebP',                        put($webp, 'image/webp ; q=1'),    type => 'image/webp'],
    ['one with bytes behind it',      put("${png}what a phone writes"),  id   => $made->{id}],
    ['a JPEG with bytes behind it',   put("$jpeg\xff\xd8more\xff\xd9"), bytes => length $jpeg],
    ['a PNG that is called a JPEG',   put(png(4, 4), 'Image/JPG'),      type => 'image/png'],
);
for my $case (@BROUGHT) {
    my ($what, $got, $name, $value) = @$case;
    is $got->{status}, 201, "$what is stored";
    is data($got)->{$name}, $value, "as $value";
}
is stored($user), 4, 'each picture once';
isnt data(upload(account(), $png))->{id}, $made->{id}, 'another user has one of his own';

my $large = data(put(png(1, 1, $LIMIT)));
is $large->{bytes}, $LIMIT, 'one of just the limit is stored, though it is more than GenflowBodyMax';
is data(form(file(png(1, 1, $LIMIT))))->{id}, $large->{id}, 'in a form, too';

# ---- refused ----

error_is(upload('', $png), 401, 'AUTHENTICATION_REQUIRED', 'a picture without a user is refused');
my @pieces = (('x' x 65536) x ($LIMIT / 65536), 'x', '');
my @REFUSED = (    # what, answer, status, code
    ['a type that is not taken', put($png, 'image/gif'),             415, $TYPE],
    ['JSON',                     put('{}', 'application/json'),      415, $TYPE],
    ['another multipart',        put('--b--', 'multipart/mixed; boundary=b'), 415, $TYPE],
    ['what has no type',         put($png, ''),                      415, $TYPE],
    ['nothing',                  put(''),                            422, $URL],
    ['what is no picture',       put('<svg/>' x 9),                  422, $URL],
    ['a GIF',                    put('GIF89a' . "\1\0\1\0" x 9),     422, $URL],
    ['a picture that is cut',    put(substr $png, 0, -1),            422, $URL],
    ['one with a byte changed',  put($png =~ s/(?<=IDAT...)./\x55/sr),    422, $URL],
    ['a JPEG without pixels',    put("\xff\xd8\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0\xff\xd9"), 422, $URL],
    ['a WebP with a byte changed', put($webp =~ s/\x2f\0\0\0\x10/\x2f\0\0\0\xff/sr), 422, $URL],
    ['one of 16 million pixels and some', put(png(4097, 4096)),    422, $URL],
    ['one of 10^8 pixels',       put(png(10_000, 10_000)),           422, $URL],
    ['no picture in a form',     form(file('x')),                    422, $URL],
    ['a form without file',      form(field(picture => $png)),       422, 'VALIDATION_FAILED'],
    ['a form with two files',    form((file($png)) x 2),             400, 'VALIDATION_ERROR'],
    ['a form that is cut',       put("--b\r\n", "$FORM; boundary=b"), 400, 'VALIDATION_ERROR'],
    ['a form without boundary',  put($png, $FORM),                   400, 'VALIDATION_ERROR'],
    ['a byte too much',          put(png(1, 1, $LIMIT + 1)),         413, 'PAYLOAD_TOO_LARGE'],
    ['a byte too much in chunks', put(sub { shift @pieces }),        413, 'PAYLOAD_TOO_LARGE'],
    ['a byte too much in a form', form(file(png(1, 1, $LIMIT + 1))), 413, 'PAYLOAD_TOO_LARGE'],
    ['a form far too large',     form(file('x' x ($LIMIT + $ROOM))), 413, 'PAYLOAD_TOO_LARGE'],
);
for my $case (@REFUSED) {
    my ($what, $got, $status, $code) = @$case;
    error_is($got, $status, $code, "$what is refused with $status");
    is_deeply [map { $_->{field} } @{ data($got)->{validationErrors} }], ['file'],
        'and it is file that is named' if $status == 422;
    cmp_ok data($got)->{limit}, '>=', $LIMIT, 'and the response has the limit' if $status == 413;
}
is stored($user), 5, 'none of them is stored';

# ---- many at once, and too many ----

my $crowd = account();
my @same  = in_parallel(12, sub { data(upload($crowd, png(9, 9)))->{id} });
is_deeply \@same, [($same[0]) x 12], 'one picture brought many times at once is one';
sql(<<'SQL', user => $crowd, n => $STORED - 5);
    INSERT INTO genflow.assets (id, user_id, type, width, height, bytes, created_at, expires_at)
    SELECT genflow.new_id(0), genflow.account_make(:'user'), 'image/png', 1, 1, int4send(i), now(), now() + interval '1h'
      FROM generate_series(1, :n) AS i
SQL
my %count;
$count{$_}++ for in_parallel(12, sub { upload($crowd, png(10 + $_[0], 1))->{status} });
is_deeply \%count, { 201 => 4, 429 => 8 }, 'of many at once just those are stored that the user may store';
error_is(upload($crowd, png(99, 1)), 429, 'QUOTA_EXCEEDED', 'then no more');
is upload($crowd, png(9, 9))->{status}, 201, 'but one that is stored already';
is api(DELETE => "/api/assets/$same[0]", user => $crowd)->{status}, 200, 'one goes';
is upload($crowd, png(99, 1))->{status}, 201, 'and another comes in its place';

finish;

sub put { return upload($user, @_) }

# A form of these parts.
sub form {
    my $body = join '', map { "--b--b\r\n$_\r\n" } @_;
    return put("$body--b--b--\r\n", qq($FORM ; boundary="b--b"));
}

sub field {
    my ($name, $content) = @_;
    return qq(Content-Disposition: form-data; name="$name"\r\n\r\n$content);
}

sub file {
    my ($content) = @_;
    return qq(Content-Disposition: form-data; name="file"; filename="a \\"b\\".png"\r\n)
        . "Content-Type: image/png\r\n\r\n$content";
}

# How many pictures of that user are stored.
sub stored {
    my ($who) = @_;
    return rows_of($who, 'genflow.assets');
}

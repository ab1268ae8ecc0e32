#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# fal's storage: an upload's address is valid once and for 15 minutes, without a key, for the user who
# asked for it. The picture's own address is known before it comes, and is its owner's alone.
use Genflow::Test;

use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(decode_base64 encode_base64);

use Genflow::Httpd qw(small_site);

my ($user, $other) = (account(10), account(10));
my $INITIATE = '/fal/rest/storage/upload/initiate?storage_type=fal-cdn-v3';
my $png = png(32, 24);

# ---- once ----

my $begun = announce($user);
my ($put, $file) = @$begun{qw(upload_url file_url)};
like $put, qr{\A\Q${\ base()}\E/fal/upload/[0-9a-f-]{36}\?}, 'an upload has an address of ours' or BAIL_OUT($put);
is $file, base() . '/api/assets/' . ($put =~ m{/upload/([^?]+)})[0], 'and so has its picture';
refused(fetch(GET => $file, user => $user), 404, undef, 'before it comes there is no picture');
is_deeply [answer(fal(POST => '/fal/run/fal-ai/flux/dev/image-to-image', json => { prompt => 'x', image_url => $file }))],
    [422, 'body.image_url'], '... and no source picture';

refused(fetch(PUT => $put, 'no picture'), 422, 'body.file', 'what is no picture is refused');
refused(fetch(PUT => $put, 'x' x (11 * 1024 * 1024 + 1)), 413, 'payload_too_large', 'what is too large is refused');
refused(fetch(PUT => $put, substr $png, 0, 60), 422, 'body.file', 'half a picture is refused');
my $res = fetch(PUT => $put, $png);
is_deeply [$res->{status}, data($res)], [200, {}], 'a picture is taken, without a key';
refused(fetch(PUT => $put, $png), 403, 'forbidden', 'a second upload to the address is refused');
refused(fetch(PUT => $put, png(3, 3)), 403, 'forbidden', '... of another picture, too');
is fetch(GET => $file, user => $user)->{content}, $png, 'its owner reads it';
is fetch(GET => $file, user => $other)->{status}, 403, 'another user does not';
is_deeply [answer(as($other, POST => '/fal/run/fal-ai/flux/dev/image-to-image', json => { prompt => 'x', image_url => $file }))],
    [404, 'not_found'], '... nor makes a picture of it';
$res = fal(POST => '/fal/run/fal-ai/flux/dev/image-to-image', json => { prompt => 'x', image_url => $file });
is $res->{status}, 200, 'it is a source picture' or diag $res->{content};
is sql1("SELECT count(*) FROM sketch_source_media m JOIN genflow.assets a ON m.source_url = 'asset:' || a.id"
    . " WHERE m.user_id = genflow.account_of(:'user') AND a.user_id = genflow.account_of(:'user')", user => $user), 1, '... which is not fetched';

my $again = announce($user);
is fetch(PUT => $again->{upload_url}, $png)->{status}, 200, 'the same picture may be uploaded again';
is fetch(GET => $again->{file_url}, user => $user)->{content}, $png, '... and has its second address, too';
is rows_of($user, 'genflow.assets'), 1, '... but is stored once';

my $race = announce($user);
my @raced = sort { $a <=> $b } in_parallel(8, sub { fetch(PUT => $race->{upload_url}, png(5, 1 + shift))->{status} });
is_deeply \@raced, [200, (403) x 7], 'of eight uploads at the same time one is taken';

# ---- forged, late ----

my ($id, %query) = parts(announce($user)->{upload_url});
my $end = $query{expires};
cmp_ok abs($end - time - 900), '<', 30, 'an address is valid for 15 minutes';
is signature($id, $user, $end), $query{signature}, 'its signature is made of the site\'s secret';
my %FORGED = (
    'of another user'           => [$id, $other, $end, $query{signature}],
    'of another upload'         => [$id =~ tr/0-9a-f/1-9a-f0/r, $user, $end, $query{signature}],
    'that is valid longer'      => [$id, $user, $end + 1, $query{signature}],
    'without a signature'       => [$id, $user, $end, ''],
    'with another signature'    => [$id, $user, $end, 'A' x 43 . '='],
    'signed by a user\'s secret' => [$id, $user, $end, signature($id, $user, $end, user_secret($user))],
    'that was valid until now'  => [$id, $user, time, signature($id, $user, time)],
    'of an id that is none'     => ['x', $user, $end, signature('x', $user, $end)],
);
refused(fetch(PUT => address(@{ $FORGED{$_} }), $png), 403, 'forbidden', "an address $_ is refused") for sort keys %FORGED;
refused(fetch(PUT => base() . "/fal/upload/$id", $png), 403, 'forbidden', 'an address without a query is refused');
refused(fetch(PUT => address($id, $user, $end, $query{signature}) . '&more=1', $png), 200, undef, 'more in the query does not count');

# ---- announced ----

refused(fal(POST => $INITIATE, json => { content_type => 'text/plain' }), 422, 'body.content_type', 'a text is refused');
is fal(POST => $INITIATE, json => { file_name => 'x' })->{status}, 200, 'a type need not be named';
refused(api(POST => $INITIATE, json => {}), 401, 'unauthorized', 'a stranger has no uploads');
$res = fal(POST => '/fal/rest/storage/upload/initiate-multipart', json => { content_type => 'image/png' });
refused($res, 413, 'payload_too_large', 'an upload in parts is refused');
like data($res)->{detail}, qr/90 MB.* at most 11534336 bytes/, '... with the reason and the bound';

# ---- where httpd requires a password ----

my $closed = Genflow::Httpd->start(small_site() . <<'END');
<Location "/fal">
    SetHandler genflow-fal
    GenflowUser "%{HTTP:X-User}"
    GenflowModel fal-ai/x neo-glitch
</Location>
END
talk_to($closed);
$res = api(POST => $INITIATE, user => $user, json => {});
talk_to();
refused($res, 403, 'forbidden', 'without GenflowWebhookSecret there are no uploads');
like $closed->alarms, qr/GF0787.*GenflowWebhookSecret/, '... and the log says why';
$closed->stop;

my $locked = Genflow::Httpd->start(small_site() . <<'END');
GenflowWebhookSecret env:WEBHOOK_SECRET
<Location "/fal">
    SetHandler genflow-fal
    AuthType Basic
    AuthName genflow
    AuthBasicProvider file
    AuthUserFile "${GENFLOW_WORK}/t/conf/users"
    Require valid-user
</Location>
END
is fetch(PUT => address(new_id(), $user, $end, '', $locked->base), $png)->{status}, 403, 'a forged address is none there';
my $fresh = new_id();
is fetch(PUT => address($fresh, $user, $end, signature($fresh, $user, $end), $locked->base), $png)->{status}, 200,
    'an address needs no password where every other does';
# ---- deleted ----

is api(DELETE => "/api/assets/$id", user => $other)->{status}, 403, "another user's upload is not deleted";
is api(DELETE => "/api/assets/$id", user => $user)->{status}, 200, 'an upload is deleted by the id that its address has';
is api(GET => "/api/assets/$id", user => $user)->{status}, 404, '... and is gone';
is api(DELETE => "/api/assets/$id", user => $user)->{status}, 404, '... also for a second time';

finish;

# ---- what the tests are made of ----

sub as {
    my ($who, $method, $path, %more) = @_;
    return api($method => $path, %more, headers => { Authorization => "Key $who" });
}

sub fal { return as($user, @_) }

sub announce {
    my ($who) = @_;
    return data(as($who, POST => $INITIATE, json => { content_type => 'image/png', file_name => 'cat.png' }));
}

# As the client: no headers but the type. Or as a user of the native API.
sub fetch {
    my ($method, $url, @more) = @_;
    my %option = $method eq 'PUT' ? (content => $more[0], headers => { 'Content-Type' => 'image/png' })
        : (headers => { 'X-User' => { @more }->{user} });
    return HTTP::Tiny->new(timeout => 90)->request($method, $url, \%option);
}

sub answer {
    my ($got) = @_;
    my $body   = data($got) // {};
    my $detail = $body->{detail};
    return ($got->{status}, ref $detail ? join '.', @{ $detail->[0]{loc} } : $body->{error_type});
}

sub refused {
    my ($got, $status, $where, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply([answer($got)], [$status, $where], $sentence) || diag "the answer was: $got->{content}";
}

sub parts {
    my ($url) = @_;
    my ($name, $text) = $url =~ m{/upload/([^?]+)\?(.*)};
    return ($name, map { s/\+/ /gr =~ s/%(..)/chr hex $1/ger } map { split /=/, $_, 2 } split /&/, $text);
}

sub address {
    my ($name, $who, $until, $signature, $site) = @_;
    my $text = $signature =~ s/([^A-Za-z0-9])/sprintf '%%%02x', ord $1/ger;
    return ($site // base()) . "/fal/upload/$name?user=$who&expires=$until&signature=$text";
}

sub new_id { return sql1('SELECT gen_random_uuid()') }

sub derived {
    my ($text) = @_;
    return hmac_sha256($text, decode_base64($ENV{WEBHOOK_SECRET} =~ s/\Awhsec_//r));
}

sub user_secret { return derived("mod_genflow webhook secret of $_[0]") }

sub signature {
    my ($name, $who, $until, $secret) = @_;
    return encode_base64(hmac_sha256("$name.$until.$who", $secret // derived('mod_genflow secret of uploads of genflow-fal')), '');
}

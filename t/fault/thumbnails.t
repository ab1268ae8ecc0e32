#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A stored picture has a thumbnail: made after its generation was settled, or by the first request for
# it, once for all requests, and removed with it. A picture that cannot be decoded has none. Nothing of
# that changes what becomes of a generation.
use Genflow::Fault;
use Genflow::Test;

use Compress::Zlib qw(compress crc32);
use Genflow::Httpd qw(refused accepted);
use Genflow::Site ();

# The other tests compare generations before and after their thumbnails would be made.
configure(<<'END');
GenflowStoreThumbnail On
<Location "/.netlify/functions">
    GenflowPath sketch-status sketch/status
</Location>
END
my $user = account(100);

# ---- after the settle ----

my ($job, $picture) = picture('first');
my $small = $job->{thumbnailUrl};
is $small, $job->{imageUrl} =~ s/\.png\z/-384.webp/r, 'a completed generation shows the address of a thumbnail';
ok wait_for { -s thumbnail_of($picture) }, '... which is made, though no client requests it';
my $color = wait_for { status_of($user, $job->{id}, 'sketch')->{color} };
like $color, qr/\A#[0-9a-f]{6}\z/, '... and the mean colour of the picture is noted';
my $res = api(GET => path_of($small));
is $res->{status}, 200, '... it is served';
is $res->{headers}{'content-type'}, 'image/webp', '... as WebP';
is $res->{headers}{'cache-control'}, 'public, max-age=86400, must-revalidate', '... and cached as the picture is';
is $res->{headers}{'x-content-type-options'}, 'nosniff', '... and is nothing else';
is webp_size($res->{content}), '384x384', '... of 384 pixels';
cmp_ok length $res->{content}, '<', 40_000, '... and small';
is api(GET => path_of($small), headers => { 'If-None-Match' => $res->{headers}{etag} })->{status}, 304,
    '... and is not sent again';
is api(HEAD => path_of($small))->{status}, 200, '... HEAD has it, too';
is api(POST => path_of($small))->{status}, 405, '... and nobody can change it';
my ($listed) = grep { $_->{id} eq $job->{id} }
    @{ data(api(GET => '/api/generations?limit=5', user => $user))->{items} };
is_deeply [@$listed{qw(thumbnailUrl color)}], [$small, $color], 'history shows both';
my $seen = data(api(GET => "/api/job/$job->{id}", user => $user));
is_deeply [@{ $seen->{result} // {} }{qw(thumbnailUrl color)}], [$small, $color], '... and so does a job';
is $listed->{result}{color}, $color, '... the colour is one of the facts of the picture';
expect_log 'GF0203';
my $failed = ended($user, later($user, { prompt => '{{status=400}}' }));
is_deeply [map { exists $failed->{$_} ? $failed->{$_} // 'null' : 'absent' } qw(thumbnailUrl color)], [qw(null null)],
    'a generation without a picture has neither';
my $old = data(api(GET => "/.netlify/functions/sketch-status?jobId=$job->{id}", user => $user));
is_deeply [$old->{imageUrl}, grep { /thumbnail|color/i } keys %$old], [$job->{imageUrl}], 'the older names answer as before';

# ---- the first request ----

unlink thumbnail_of($picture) or die $!;
my $mark = log_mark;
my @got  = in_parallel(20, sub {
    my $one = api(GET => path_of($small));
    return join ' ', @{ $one->{headers} }{qw(content-type cache-control)}, $one->{status}, $one->{content} eq Genflow::Site::read_text($picture);
}, 20);
is grep({ !m{\Aimage/webp public, max-age=86400, must-revalidate 200 \z|\Aimage/png no-store 200 1\z} } @got), 0,
    '20 clients at once get the thumbnail of an older picture, or the picture for now' or diag join "\n", @got;
cmp_ok scalar(grep { /webp/ } @got), '>', 0, '... some the thumbnail';
is made_since($mark, $job->{id}), 1, '... it is made once';
is api(GET => path_of($small))->{headers}{'content-type'}, 'image/webp', '... and is there from then on';
is join(' ', spooled($job->{id})), '', '... nothing of it stays in the spool';

# what a process left in the spool that died over it
unlink thumbnail_of($picture) or die $!;
Genflow::Site::write_text("$ENV{GENFLOW_WORK}/store/.spool/" . (thumbnail_of($picture) =~ s{.*/}{}r), 'half');
is api(GET => path_of($small))->{headers}{'content-type'}, 'image/webp', 'a half thumbnail of a process that died hinders none';
is join(' ', spooled($job->{id})), '', '... and goes';

is api(GET => path_of($small) =~ s/-[0-9a-f]{32}-/-@{['0' x 32]}-/r)->{status}, 404, 'there is none of a picture that is not there';
is api(GET => path_of($small) =~ s/webp\z/png/r)->{status}, 404, '... nor in another format';
ok !-e thumbnail_of($picture) =~ s/-[0-9a-f]{32}-/-@{['0' x 32]}-/r, '... and no file comes of asking';

# ---- deleting ----

is api(DELETE => "/api/generation/$job->{id}", user => $user)->{status}, 200, 'a generation is deleted';
ok wait_for { !left($job->{id}) }, '... its picture goes, and the thumbnail with it' or diag left($job->{id});
is api(GET => path_of($small))->{status}, 404, '... for good: a request makes none';
($job, $picture) = picture('alone');
wait_for { -s thumbnail_of($picture) };
unlink $picture or die $!;
api(DELETE => "/api/generation/$job->{id}", user => $user);
ok wait_for { !left($job->{id}) }, 'a thumbnail without its picture goes, too';
($job, $picture) = picture('deleted at once');
api(DELETE => "/api/generation/$job->{id}", user => $user);
my $quiet = wait_for { !left($job->{id}) && !spooled($job->{id}) };
ok $quiet, 'one that is being made while its generation is deleted goes as well' or diag left($job->{id});

# ---- pictures that have none ----

my $frame = webp_chunk($res->{content});
my @NONE  = (
    # name, bytes, the test's name
    ['huge',     white_png(60_000, 60_000, ''),             'a picture that claims 3.6 thousand million pixels'],
    ['large',    white_png(4001, 4000),                     'one of more than 16 million pixels'],
    ['bomb',     white_png(4000, 3999, pack 'x10000'),      'one whose pixels are not there'],
    ['cut',      substr(white_png(768, 768), 0, 90),        'one that is cut'],
    ['animated', animated($frame),                    'an animated WebP'],
    ['gif',      "GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;", 'a GIF'],
    ['text',     '<svg xmlns="http://www.w3.org/2000/svg"/>', 'an SVG'],
);
for my $row (@NONE) {
    my ($name, $bytes, $says) = @$row;
    ($job, $picture) = picture($name, $bytes);
    $mark = log_mark;
    my @status = map { $_->{status} } map { api(GET => path_of($job->{thumbnailUrl})) } 1 .. 3;
    is "@status", '404 404 404', "$says has no thumbnail";
    is scalar(() = log_since($mark) =~ /GF0791/g), 1, '... which the log says once';
    my $now = status_of($user, $job->{id}, 'sketch');
    is_deeply [@$now{qw(status thumbnailUrl color)}], ['completed', undef, undef], '... and the generation, which stays completed';
    api(DELETE => "/api/generation/$job->{id}", user => $user);
    ok wait_for { !left($job->{id}) }, '... and nothing of it stays';
}
($job, $picture) = picture('limit', white_png(4000, 4000));
$res = api(GET => path_of($job->{thumbnailUrl}));
is webp_size($res->{content}), '384x384', 'one of 16 million pixels has one';
is status_of($user, $job->{id}, 'sketch')->{color}, '#ffffff', '... and a colour' or diag $res->{status};
($job, $picture) = picture('wide', white_png(900, 3));
is webp_size(api(GET => path_of($job->{thumbnailUrl}))->{content}), '384x1', 'a narrow one keeps its shape';
($job, $picture) = picture('tiny', white_png(9, 7));
is webp_size(api(GET => path_of($job->{thumbnailUrl}))->{content}), '9x7', 'a small one is not enlarged';

# ---- elsewhere in the configuration ----

my $CONF = <<'END';
Include "${GENFLOW_WORK}/t/conf/database.conf"
GenflowDispatch Off
GenflowStoreFolder "${GENFLOW_WORK}/store"
<GenflowProvider local>
</GenflowProvider>
<GenflowType sketch>
    GenflowTypeProviders local
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
<Location "/generated">
    <If "true">
        SetHandler genflow-result
    </If>
    Require all granted
</Location>
END
my $OTHER = <<'END';
<GenflowProvider stability>
    GenflowProviderUrl "${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
</GenflowProvider>
END
for my $case (['Off', "GenflowStoreThumbnail Off\n"], ['none', "GenflowStoreThumbnail none\n"], ['without mod_genflow_local', '', 'genflow_local']) {
    my ($name, $line, $without) = @$case;
    my $conf  = $without ? $CONF =~ s/<GenflowProvider local>.*?<\/GenflowProvider>/$OTHER/sr =~ s/Providers local/Providers stability\/sd3/r : $CONF;
    my $httpd = Genflow::Httpd->start($line . $conf, $without ? (without => $without) : ());
    ($job, $picture) = picture("with $name");
    wait_for { -s thumbnail_of($picture) };
    unlink thumbnail_of($picture);
    talk_to $httpd;
    is_deeply [@{ status_of($user, $job->{id}, 'sketch') }{qw(status thumbnailUrl color)}], ['completed', undef, undef],
        "$name: a generation shows no thumbnail";
    is api(GET => path_of($job->{thumbnailUrl}))->{status}, 404, '... and a request makes none';
    is api(GET => path_of($job->{imageUrl}))->{status}, 200, '... the picture is served';
    ok !-e thumbnail_of($picture), '... and has none';
    talk_to undef;
    is api(GET => path_of($small = $job->{thumbnailUrl}))->{status}, 200, '... until another server makes it';
    talk_to $httpd;
    is api(GET => path_of($small))->{status}, 200, '... what is there is served';
    api(DELETE => "/api/generation/$job->{id}", user => $user);
    ok wait_for { !left($job->{id}) }, '... and removed with its picture';
    talk_to undef;
}
my $httpd = Genflow::Httpd->start($CONF);
($job, $picture) = picture('below an <If>');
wait_for { -s thumbnail_of($picture) };
unlink thumbnail_of($picture);
talk_to $httpd;
is api(GET => path_of($job->{thumbnailUrl}))->{headers}{'content-type'}, 'image/webp', 'a handler below an <If> makes thumbnails, too';
talk_to undef;
accepted('On', "GenflowStoreThumbnail On\n");
refused('a transformation in the folder', "GenflowStoreThumbnail f_auto\n",
    'GenflowStoreThumbnail f_auto: must be On or Off');

# ---- a disk that takes none ----

($job, $picture) = picture('no room');
wait_for { -s thumbnail_of($picture) };
unlink thumbnail_of($picture);
my $spool = "$ENV{GENFLOW_WORK}/store/.spool/" . (thumbnail_of($picture) =~ s{.*/}{}r);
mkdir $spool or die "$spool: $!\n";
expect_log 'GF0792';
$res = api(GET => path_of($job->{thumbnailUrl}));
is "$res->{status} $res->{headers}{'content-type'} $res->{headers}{'cache-control'}", '200 image/png no-store',
    'a thumbnail that cannot be written: the picture stands in';
rmdir $spool or die "$spool: $!\n";
is api(GET => path_of($job->{thumbnailUrl}))->{headers}{'content-type'}, 'image/webp', '... until it can';

configure('');
finish;

# A completed generation and the file of its picture; with these bytes in place of the picture, and no
# thumbnail.
sub picture {
    my ($prompt, $bytes) = @_;
    my $made = data(generate($user, { type => 'sketch', prompt => $prompt }, Prefer => 'wait=60'));
    my $now  = status_of($user, $made->{id}, 'sketch');
    my $file = picture_file($made->{id}, 'sketch');
    return ($now, $file) if !defined $bytes;
    wait_for { -s thumbnail_of($file) && status_of($user, $made->{id}, 'sketch')->{color} };
    sql("UPDATE public.sketch_media SET result = result - 'color' - 'thumbnail' WHERE id = :'id'", id => $made->{id});
    unlink thumbnail_of($file), $file;
    Genflow::Site::write_text($file, $bytes);
    return ($now, $file);
}

sub thumbnail_of { return $_[0] =~ s/\.png\z/-384.webp/r }
sub path_of      { return $_[0] =~ s{\Ahttps?://[^/]+}{}r }

# What there is in the folder of a generation.
sub left { return join ' ', glob "$ENV{GENFLOW_WORK}/store/sketch/" . substr($_[0], -2) . "/$_[0]*" }

sub spooled { return glob "$ENV{GENFLOW_WORK}/store/.spool/$_[0]*" }

sub made_since {
    my ($from, $id) = @_;
    return scalar(() = log_since($from) =~ /GF0790: \N*\Q$id\E/g);
}

# ---- pictures ----

# A white PNG of one bit; or with these bytes as its pixels.
sub white_png {
    my ($width, $height, $pixels) = @_;
    $pixels //= ("\0" . "\xff" x int(($width + 7) / 8)) x $height;
    my $chunk = sub { my ($type, $data) = @_; return pack('N', length $data) . "$type$data" . pack('N', crc32("$type$data")) };
    return "\x89PNG\r\n\x1a\n" . $chunk->(IHDR => pack('NNCCCCC', $width, $height, 1, 0, 0, 0, 0))
        . $chunk->(IDAT => compress($pixels)) . $chunk->(IEND => '');
}

# The frame of a still WebP, as its chunk.
sub webp_chunk { return substr $_[0], 12 }

# Width x height of a still, lossy WebP.
sub webp_size {
    my ($bytes) = @_;
    return "no WebP: " . substr($bytes, 0, 12) if $bytes !~ /\ARIFF....WEBPVP8 ....(?:...)\x9d\x01\x2a(....)/s;
    return join 'x', map { $_ & 0x3fff } unpack 'vv', $1;
}

sub animated {
    my ($still) = @_;
    my $chunk = sub { my ($type, $data) = @_; return $type . pack('V', length $data) . $data . (length($data) % 2 ? "\0" : '') };
    my $three = sub { return substr pack('V', $_[0]), 0, 3 };
    my $one   = $chunk->(ANMF => $three->(0) x 2 . $three->(383) x 2 . $three->(100) . "\0" . $still);
    my $all   = 'WEBP' . $chunk->(VP8X => "\x02\0\0\0" . $three->(383) x 2) . $chunk->(ANIM => pack('Vv', 0, 0)) . $one . $one;
    return 'RIFF' . pack('V', length $all) . $all;
}

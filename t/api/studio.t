#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# SetHandler genflow-studio serves a fixed list of files, each with the headers that protect the page,
# through httpd's own handler: ETag, ranges, HEAD, mod_deflate. conf/genflow-studio.conf as it is shipped.
use Genflow::Test;

use Compress::Zlib ();
use Genflow::Httpd qw(small_site);
use Genflow::Site ();
use MIME::Base64 qw(encode_base64);

my $SHIPPED = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-studio.conf");
my $FOLDER  = "$ENV{GENFLOW_WORK}/studio";
my $POLICY  = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:%1\$s; "
    . "connect-src 'self'%1\$s; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    . "require-trusted-types-for 'script'";
my $DEFLATE = join '', map { qq(LoadModule ${_}_module "\${GENFLOW_LIBEXEC}/mod_$_.so"\n) } qw(filter deflate);

my $shipped = $SHIPPED =~ s{"/etc/apache2/users"}{"\${GENFLOW_WORK}/t/conf/users"}r;
my $httpd   = Genflow::Httpd->start(small_site() . $DEFLATE . site_folder() . $shipped);
my $alice   = { Authorization => 'Basic ' . encode_base64('alice:secret', '') };
my $page    = get('/studio/', $alice);

# ---- the files ----

is $page->{status}, 200, 'the page is at the address with a slash';
is $page->{content}, Genflow::Site::read_text("$FOLDER/index.html"), 'and it is index.html';
is $page->{headers}{'content-type'}, 'text/html; charset=utf-8', 'as HTML';
protected($page, 'the page');
is $page->{headers}{'cache-control'}, 'no-cache', 'a browser asks again each time';
my $tag = $page->{headers}{etag};
ok $tag, 'it has an ETag';
is get('/studio/', $alice, 'If-None-Match' => $tag)->{status}, 304, 'and is not sent twice';

my %TYPE = ('index.html' => 'text/html; charset=utf-8', 'studio.js' => 'text/javascript; charset=utf-8',
    'en.json' => 'application/json');
for my $name (sort keys %TYPE) {
    my $res = get("/studio/$name", $alice);
    is "$res->{status} $res->{headers}{'content-type'}", "200 $TYPE{$name}", "$name has its type";
    protected($res, $name);
}
my $part = get('/studio/index.html', $alice, Range => 'bytes=2-8');
is "$part->{status} $part->{content}", '206 doctype', 'a range is served';
my $head = client('HEAD', '/studio/index.html', $alice);
is_deeply [$head->{status}, $head->{headers}{'content-length'}, $head->{content} // ''],
    [200, -s "$FOLDER/index.html", ''], 'HEAD has the length and no body';

my $packed = get('/studio/studio.js', $alice, 'Accept-Encoding' => 'gzip');
is $packed->{headers}{'content-encoding'}, 'gzip', 'mod_deflate packs a script';
is Compress::Zlib::memGunzip($packed->{content}), Genflow::Site::read_text("$FOLDER/studio.js"), 'which is whole';
is get('/studio/studio.js', $alice, 'Accept-Encoding' => 'gzip', 'If-None-Match' => $packed->{headers}{etag})->{status},
    304, 'and is not sent twice, either';

# ---- what is not there ----

is get("/studio/$_", $alice)->{status}, 404, "/studio/$_ is not found"
    for qw(nothing.js index.htm INDEX.HTML .htaccess index.html/ index.html/x
    config.json/x a/index.html %00);
my $lost = get('/studio/nothing.js', $alice);
protected($lost, 'a 404');
for my $method (qw(POST PUT DELETE OPTIONS PATCH PROPFIND)) {
    my $res = client($method, '/studio/', $alice);
    my @allowed = grep { $_ ne 'TRACE' } sort split /, ?/, $res->{headers}{allow} // '';
    is "$res->{status} @allowed", '405 GET HEAD', "$method: 405";
}
my $bare = get('/studio?a=%3Cb', $alice);
is "$bare->{status} $bare->{headers}{location}", '301 studio/?a=%3Cb', 'without the slash: a relative redirect';
my $stranger = get('/studio/', {});
is $stranger->{status}, 401, 'the sign-in of the section counts';
like $stranger->{headers}{'content-type'}, qr{^text/html}, 'and a person gets a page';
protected($stranger, 'a 401');

# ---- config.json ----

my $config = get('/studio/config.json', $alice);
is_deeply data($config), { base => '/api', languages => [languages()], title => undef, logo => undef, links => {} },
    'config.json has the defaults';
protected($config, 'config.json');
ok $config->{headers}{etag}, 'it has an ETag';
is get('/studio/config.json', $alice, 'If-None-Match' => $config->{headers}{etag})->{status}, 304, 'and 304';

# A file or link that comes later, or takes the place of one, is not served.
my $own = "$ENV{GENFLOW_WORK}/tmp/studio-$$";
mkdir $own or die "$own: $!\n";
Genflow::Site::write_text("$own/$_", "<p>$_") for qw(index.html gone.js odd_name.js secret.txt .hidden.js ja.json zh-hant.json api.json.js);
symlink "$ENV{GENFLOW_WORK}/admin-password", "$own/link.js" or die "symlink: $!\n";
mkdir "$own/folder.js" or die "mkdir: $!\n";
my $small = Genflow::Httpd->start(small_site() . <<"END");
LoadModule remoteip_module "\${GENFLOW_LIBEXEC}/mod_remoteip.so"
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.1
GenflowStudioFolder "$own/"
GenflowStoreKind cloudinary
GenflowStoreAccount demo
GenflowStoreKey env:STORE_KEY
GenflowStoreSecret env:STORE_SECRET
GenflowStorePublicUrl https://pictures.example:8443/path
<Location "/studio">
    SetHandler genflow-studio
    GenflowStudioApi /pictures/api
    GenflowStudioTitle "写真 <script>"
    GenflowStudioLogo /logo.svg
    GenflowStudioLink credits mailto:office\@example.com
    GenflowStudioLink help /help.html
    <If "-n req('X-Other')">
        GenflowStudioTitle other
    </If>
</Location>
<Location "/studio/inner">
    GenflowStudioLink help https://help.example/
    GenflowStudioLink terms /terms
</Location>
<LocationMatch "^/match">
    SetHandler genflow-studio
    GenflowBase /match
    GenflowStudioApi /
</LocationMatch>
<Location "/whole">
    SetHandler genflow-studio
</Location>
<Location "/whole/api">
    SetHandler genflow-api
</Location>
END
$httpd = $small;
Genflow::Site::write_text("$own/late.js", 'late');
unlink "$own/gone.js";
symlink "$own/index.html", "$own/gone.js" or die "symlink: $!\n";
is get("/studio/$_", {})->{status}, 404, "$_ has no address"
    for qw(late.js gone.js odd_name.js secret.txt .hidden.js link.js folder.js inner);
is get('/studio/api.json.js', {})->{content}, '<p>api.json.js', 'what was there has one';
my %links = (credits => 'mailto:office@example.com', help => '/help.html');
my %wanted = (base => '/pictures/api', languages => [qw(ja zh-hant)], title => '写真 <script>', logo => '/logo.svg',
    links => \%links);
is_deeply shown('/studio/config.json'), { %wanted, title => decoded($wanted{title}) }, 'config.json has what the section says';
is shown('/studio/config.json', 'X-Other' => 1)->{title}, 'other', 'and an <If> inside';
is_deeply shown('/studio/config.json', 'X-Forwarded-For' => '192.0.2.1', 'X-Forwarded-Prefix' => '/shop'),
    { %wanted, title => decoded($wanted{title}), base => '/shop/pictures/api', logo => '/shop/logo.svg',
    links => { %links, help => '/shop/help.html' } }, 'addresses have the prefix of a proxy';
is shown('/match/config.json')->{base}, '', 'a <LocationMatch> with GenflowBase has a page, and an API at the root';
is get('/match/', {})->{content}, '<p>index.html', 'at its address';
is get('/whole/', {})->{status}, 200, 'an API inside of it';
is get('/whole/api/health', {})->{status}, 200, 'answers itself';
is get('/whole/', {})->{headers}{'content-security-policy'},
    sprintf($POLICY, ' https://res.cloudinary.com https://pictures.example:8443'), 'pictures come from the store, too';

# ---- configtest ----

$httpd = undef;
my $MOUNT = qq(<VirtualHost *:1>\n<Location "/studio">\nSetHandler genflow-studio\n%s</Location>\n</VirtualHost>\n);
Genflow::Httpd::refused('a folder that is not there', qq(GenflowStudioFolder "$own/absent"\n) . sprintf($MOUNT, ''),
    "SetHandler genflow-studio: GenflowStudioFolder $own/absent: No such file or directory. Name the folder that make install");
Genflow::Httpd::refused('a folder without a page', qq(GenflowStudioFolder "$own/folder.js"\n) . sprintf($MOUNT, ''),
    "GenflowStudioFolder $own/folder.js: has no index.html");
for my $row (
    ['GenflowStudioApi', 'must be the path of genflow-api', 'api', '//api.example', '/api/', 'https://a.example/api', '/a"b'],
    ['GenflowStudioLogo', 'must be the path of a picture', 'logo.svg', '//a.example/logo.svg', '/logo.svg?a'],
    ['GenflowStudioTitle', 'must be 1 to 100 characters of UTF-8', 'x' x 101, "\xff", "a\tb"],
    ['GenflowStudioLink', 'the name must be of a-z', 'Help /help', 'a_b /help', 'a--b /help'],
    ['GenflowStudioLink', 'the address must be a path', 'help help', 'help javascript:alert(1)', 'help //a.example',
        'help https://user:password@a.example/', 'help data:text/html,x'],
) {
    my ($directive, $message, @values) = @$row;
    my $quote = $directive =~ /Link/ ? '' : q(");
    Genflow::Httpd::refused("$directive " . quotemeta, sprintf($MOUNT, $directive . q( ) . $quote . s/"/\\"/gr . "$quote\n"),
        $message) for @values;
}
Genflow::Httpd::refused("$_ in the server", "$_ /a /b\n", "$_ not allowed here")
    for qw(GenflowStudioApi GenflowStudioTitle GenflowStudioLogo GenflowStudioLink);
Genflow::Httpd::accepted('the longest title', qq(GenflowStudioFolder "$FOLDER"\n)
    . sprintf($MOUNT, qq(GenflowStudioTitle "@{[ '写' x 100 ]}"\nGenflowStudioApi /\n)));
Genflow::Httpd::accepted('the same without a page', qq(GenflowStudioFolder "$own/absent"\n));
unlink glob "$own/* $own/.hidden.js";
rmdir "$own/folder.js";
rmdir $own;
finish;

sub site_folder { return qq(GenflowStudioFolder "\${GENFLOW_WORK}/studio"\n) }

sub languages { return sort map { m{/([a-z]{2,3}(?:-[a-z]+)?)\.json\z} ? $1 : () } glob "$FOLDER/*.json" }

sub client {
    my ($method, $path, @headers) = @_;
    my %headers = map { ref ? %$_ : $_ } @headers;
    return HTTP::Tiny->new(max_redirect => 0)->request($method, $httpd->base . $path, { headers => \%headers });
}

sub get  { return client('GET', @_) }
sub shown { return data(get($_[0], { @_[1 .. $#_] })) }

sub protected {
    my ($res, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $headers = $res->{headers};
    is_deeply [@$headers{qw(content-security-policy referrer-policy cross-origin-opener-policy x-content-type-options)},
        ($headers->{'permissions-policy'} // '') =~ /camera=\(\)/ ? 1 : 0],
        [sprintf($POLICY, ''), qw(same-origin same-origin nosniff), 1], "$what has the headers of the page";
    return;
}

sub decoded {
    my ($text) = @_;
    utf8::decode($text);
    return $text;
}

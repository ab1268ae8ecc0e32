#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The addresses in answers are those under which clients find us: GenflowPublicUrl's scheme and host;
# without it what a proxy says that mod_remoteip trusts, and no other.
use Genflow::Test;

use Genflow::Httpd;
use Genflow::Site ();
use IO::Socket::INET ();

my $API = <<'END';
<Location "/api">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
</Location>
<Location "/generated">
    SetHandler genflow-result
</Location>
END
my $REMOTE = qq(LoadModule remoteip_module "\${GENFLOW_LIBEXEC}/mod_remoteip.so"\n);

# A host on a port of its own for each way to trust.
my %TRUST = (
    nobody   => '',
    others   => "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 192.0.2.1\n",
    internal => "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n",
    trusted  => "RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy 127.0.0.1\n",
    line     => "RemoteIPProxyProtocol On\n",
    both     => "RemoteIPProxyProtocol On\nRemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n"
        . "<IfModule http2_module>\nProtocols h2c http/1.1\n</IfModule>\n",
);
my %port = map { $_ => Genflow::Site::free_port() } sort keys %TRUST;
my $hosts = join '', map {
    "Listen 127.0.0.1:$port{$_}\n<VirtualHost 127.0.0.1:$port{$_}>\n$TRUST{$_}</VirtualHost>\n"
} sort keys %TRUST;
my $HTTP2  = -f "$ENV{GENFLOW_LIBEXEC}/mod_http2.so" && $ENV{GENFLOW_MPM} ne 'prefork';
my $LOAD   = $HTTP2 ? qq(LoadModule http2_module "\${GENFLOW_LIBEXEC}/mod_http2.so"\n) : '';
my $behind = Genflow::Httpd->start(Genflow::Httpd::small_site() . "$LOAD$REMOTE$API$hosts");
my $public = Genflow::Httpd->start(Genflow::Httpd::small_site()
    . "$REMOTE${API}RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n"
    . "GenflowPublicUrl https://pictures.example/other\n");

my $user = account(5);
my @PROXY = ('X-Forwarded-For' => '203.0.113.9', 'X-Forwarded-Proto' => 'https',
    'X-Forwarded-Host' => 'www.example', 'X-Forwarded-Prefix' => '/shop/');
my $SHOP  = 'https://www.example/shop';

# ---- who is believed ----

my @CASES = (    # what, where, headers, whose address it has
    ['no proxy',                      'nobody',   [], undef],
    ['headers that are not checked',    'nobody',   [@PROXY], undef],
    ['a proxy that is not trusted',   'others',   [@PROXY], undef],
    ['an internal proxy',             'internal', [@PROXY], $SHOP],
    ['a trusted proxy',               'trusted',  [@PROXY], $SHOP],
    ['headers without X-Forwarded-For', 'trusted', [@PROXY[2 .. 7]], undef],
    ['the last of several hosts',     'trusted',
        [@PROXY, 'X-Forwarded-Host' => 'forged.example, www.example'], $SHOP],
    ['a scheme that is none',         'trusted',
        [@PROXY, 'X-Forwarded-Proto' => 'javascript'], 'http://www.example/shop'],
    ['a host that is none',           'trusted',
        [@PROXY, 'X-Forwarded-Host' => 'x/"y'], "https://127.0.0.1:$port{trusted}/shop"],
    ['a prefix that names a host',    'trusted',
        [@PROXY, 'X-Forwarded-Prefix' => '//evil.example'], 'https://www.example'],
);
for my $case (@CASES) {
    my ($what, $where, $headers, $site) = @$case;
    $site //= "http://127.0.0.1:$port{$where}";
    my $made = brought("http://127.0.0.1:$port{$where}", @$headers);
    like $made->{url}, qr{\A\Q$site\E/api/assets/}, "$what: addresses begin with $site";
}
like brought($public->base)->{url}, qr{\Ahttps://pictures\.example/api/assets/},
    'GenflowPublicUrl gives scheme and host, the mount the path';
like brought($public->base, @PROXY)->{url}, qr{\Ahttps://pictures\.example/api/assets/},
    '... whatever a proxy says';

# A PROXY line says who the client is; the headers are then the client's own.
my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port{line}) or die "$!\n";
my $png    = png(3, 2, 100);
print $socket "PROXY TCP4 203.0.113.9 127.0.0.1 4711 80\r\nPOST /api/assets HTTP/1.0\r\n",
    "X-User: $user\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: forged.example\r\n",
    "Host: 127.0.0.1:$port{line}\r\n",
    "Content-Type: image/png\r\nContent-Length: ", length $png, "\r\n\r\n$png";
my $answer = join '', <$socket>;
like $answer, qr{"url":"http://127\.0\.0\.1:}, 'a PROXY line makes no header trustworthy'
    or diag $answer;

SKIP: {
    skip 'needs mod_http2 and a threaded MPM', 2 if !$HTTP2;
    my $file = "$ENV{GENFLOW_WORK}/tmp/proxy-$$.png";
    open my $out, '>', $file or die "$file: $!\n";
    print {$out} $png;
    close $out or die "$file: $!\n";
    my @said = (qw(-sS --haproxy-protocol --http2-prior-knowledge), '-w', ' HTTP/%{http_version}',
        map({ ('-H', $_) } "X-User: $user", 'X-Forwarded-For: 203.0.113.9', 'X-Forwarded-Proto: https',
            'X-Forwarded-Host: forged.example', 'Content-Type: image/png'),
        '--data-binary', "\@$file", "http://127.0.0.1:$port{both}/api/assets");
    open my $curl, '-|', 'curl', @said or die "curl: $!\n";
    my $says = join '', <$curl>;
    close $curl;
    like $says, qr{ HTTP/2\z}, 'HTTP/2 goes behind a PROXY line';
    like $says, qr{"url":"http://127\.0\.0\.1:}, '... which makes no header trustworthy there either'
        or diag $says;
}

# ---- all addresses of a generation, through a real proxy ----

my $front = Genflow::Httpd->start(<<"END");
LoadModule proxy_module      "\${GENFLOW_LIBEXEC}/mod_proxy.so"
LoadModule proxy_http_module "\${GENFLOW_LIBEXEC}/mod_proxy_http.so"
LoadModule headers_module    "\${GENFLOW_LIBEXEC}/mod_headers.so"
RequestHeader set X-Forwarded-Proto http
<Location "/shop">
    RequestHeader set X-Forwarded-Prefix /shop
    ProxyPass "http://127.0.0.1:$port{internal}"
</Location>
<Location "/api">
    ProxyPass "http://127.0.0.1:$port{internal}/api"
</Location>
<Location "/generated">
    ProxyPass "http://127.0.0.1:$port{internal}/generated"
</Location>
END
for my $prefix ('', '/shop') {
    my $base = $front->base . $prefix;
    my $res  = order($base, Prefer => 'respond-async');
    my $made = data($res);
    is $res->{status}, 202, "a generation begins through a proxy at '$prefix'";
    like $made->{$_}, qr{\A\Q$prefix\E/api/}, "$_ has the prefix" for qw(pollUrl eventsUrl);
    is $res->{headers}{location} =~ s{\A\Q@{[$front->base]}\E}{}r, $made->{pollUrl}, 'Location is it';
    my $end = data(Genflow::Test::client()->get($front->base . $made->{pollUrl},
        { headers => { 'X-User' => $user, Prefer => 'wait=60' } }));
    is $end->{status}, 'completed', 'it leads to the generation';
    like $end->{imageUrl}, qr{\A\Q$base\E/generated/}, 'whose picture is behind the proxy';
    is Genflow::Test::client()->get($end->{imageUrl})->{status}, 200, 'and there';
}
is $_->alarms, '', 'nothing is wrong about it' for $behind, $public;

finish();

# What POST assets answers.
sub brought {
    my ($base, @headers) = @_;
    my %header = (@headers, 'X-User' => $user, 'Content-Type' => 'image/png');
    my $res = Genflow::Test::client()->post("$base/api/assets",
        { headers => \%header, content => png(3, 2, 100) });
    return data($res) // die "$res->{status} $res->{content}\n";
}

sub order {
    my ($base, @headers) = @_;
    my %header = (@headers, 'X-User' => $user, 'Content-Type' => 'application/json');
    return Genflow::Test::client()->post("$base/api/neo-glitch/generate", { headers => \%header,
        content => '{"prompt":"a cat","presetKey":"base"}' });
}

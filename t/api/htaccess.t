#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Who may write an .htaccess cannot open the API in a folder, where he would say who its users are:
# whatever gives the handler there, nothing is served, and the log has the reason. A <Location> serves,
# also where a folder of its name has an .htaccess.
use Genflow::Admin qw(signed_in);
use Genflow::Test;

use File::Path qw(make_path);
use Genflow::Httpd qw(small_site);

my $folder = "$ENV{GENFLOW_WORK}/htaccess-$$";
my $sign   = qq(AuthType Basic\nAuthName theirs\nAuthUserFile "$ENV{GENFLOW_WORK}/t/conf/users"\nRequire valid-user\n);
my %FILES  = (    # folder, its .htaccess
    'set'      => "SetHandler genflow-api\n$sign",
    'typed'    => "AddHandler neo-glitch-generate .json\n$sign",
    'files'    => "<Files \"*\">\nSetHandler neo-glitch-status\n</Files>\n$sign",
    'if'       => "<If \"true\">\nSetHandler genflow-api\n</If>\n$sign",
    'below'    => "SetHandler genflow-result\n",
    'api'      => "Header set X-Theirs yes\n",
    'named'    => "$sign",
    'user'     => "GenflowUser alice\n",
    'base'     => "GenflowBase /\n",
    'path'     => "GenflowPath a getQuota\n",
    'legacy'   => "GenflowLegacyNames On\n",
    'cors'     => "GenflowCorsOrigin *\n",
    'cost'     => "GenflowTypeCost 0\n",
);
for my $name (keys %FILES) {
    make_path "$folder/$name/deep";
    put("$folder/$name/.htaccess", $FILES{$name});
    put("$folder/$name/generate.json", '{}');
}
my $user = account(5);

my $httpd = Genflow::Httpd->start(small_site() . <<"END");
GenflowDispatch Off
LoadModule headers_module "\${GENFLOW_LIBEXEC}/mod_headers.so"
LoadModule rewrite_module "\${GENFLOW_LIBEXEC}/mod_rewrite.so"
RewriteEngine On
RewriteRule ^/rewritten/(.*) /api/\$1 [PT]
DocumentRoot "$folder"
<Directory "$folder">
    AllowOverride All
    Require all granted
</Directory>
<Directory "$folder/named">
    SetHandler genflow-api
</Directory>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($httpd);

my @REQUESTS = (    # method, path, and how its handler came there
    [GET  => '/set/getQuota',           'SetHandler'],
    [POST => '/set/neo-glitch/generate', 'SetHandler'],
    [POST => '/typed/generate.json',    'AddHandler'],
    [GET  => '/files/generate.json?id=x', '<Files>'],
    [GET  => '/if/getQuota',            '<If>'],
    [GET  => '/below/deep/x.png',       'SetHandler of a folder above'],
    [GET  => '/rewritten/getQuota',     'a <Location> behind a RewriteRule, below a folder of that name'],
    [GET  => '/named/getQuota',         'a <Directory> with an authentication of its own'],
);
for my $request (@REQUESTS) {
    my ($method, $path, $how) = @$request;
    my %body = $method eq 'POST' ? (json => { prompt => 'a cat' }) : ();
    error_is(api($method => $path, headers => signed_in('alice'), %body), 404, 'NOT_FOUND',
        "nothing is served by $how");
}
my @lines = $httpd->log_text =~ /GF0183: .* is not served below (\S+),/g;
is scalar @lines, scalar @REQUESTS, 'each is logged once';
is scalar(grep { index($_, $folder) } @lines), 0, '... with its folder';
my $quota = api(GET => '/api/getQuota', user => $user);
is $quota->{status}, 200, 'a <Location> serves';
is $quota->{headers}{'x-theirs'}, undef, '... and no folder of its name has a say';
credits_are $user, 5, 0, 'no user was charged';

for my $name (qw(user base path legacy cors cost)) {
    is api(GET => "/$name/generate.json")->{status}, 500, "no directive of ours is taken from there: $name";
}
like $httpd->log_text, qr/\Q$folder\/user\E\/\.htaccess: GenflowUser not allowed here/, '... and the log says so';

talk_to();
is scalar(grep { !/GF0183/ } split /\n/, $httpd->alarms), 0, 'there was nothing else to complain about';
finish;

sub put {
    my ($name, $text) = @_;
    open my $file, '>', $name or die "$name: $!\n";
    print {$file} $text or die "$name: $!\n";
    close $file or die "$name: $!\n";
    return;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# `httpd -t` reports, with file and line, what does not fit around the module: the database, the folder
# of pictures, names and addresses that lead nowhere. README's block passes it in Debian's tree.
use Genflow::Test;

use Genflow::Httpd qw(configtest);
use Genflow::Site ();

my $DATABASE = qq(Include "\${GENFLOW_WORK}/t/conf/database.conf"\n);
my $STORE    = qq(GenflowStoreFolder "\${GENFLOW_WORK}/store"\n);
my $LOCAL    = "<GenflowProvider local>\n</GenflowProvider>\n";
my $TYPE     = "$LOCAL<GenflowType sketch>\nGenflowTypeProviders local\n</GenflowType>\n";
my $RESULT   = "<Location /generated>\nSetHandler genflow-result\n</Location>\n";
my $SITE     = $DATABASE . $STORE . $TYPE . $RESULT;
my $LINE     = qr{/conf-\d+-\d+:\d+: };

# ---- what stops it ----

my $closed = "$ENV{GENFLOW_WORK}/tmp/closed-$$";
mkdir $closed, 0500 or die "$closed: $!\n";
my $HOST  = "<VirtualHost *:%d>\n%s</VirtualHost>\n";
my $REALM = "GenflowRealm shop\n";
my $NEO   = "<GenflowType neo>\nGenflowTypeProviders local\n%s</GenflowType>\n";
my $OLD   = "<GenflowStoreOld>\n%s</GenflowStoreOld>\n";
my $S3    = join '', map { "GenflowStore$_\n" } 'Kind s3', 'Account a', 'Region eu-central-1', 'Key env:STORE_KEY', 'Secret env:STORE_SECRET';
my @WRONG = (    # what, configuration, message
    ['a realm of the main server', "$SITE$REALM", qr{GenflowRealm shop belongs into a <VirtualHost>}],
    (map { ["the realm $_", $SITE . sprintf($HOST, 1, "GenflowRealm $_\n"), qr{GenflowRealm $_: must be a name of a-z} ] }
        'Shop', 'a--b', 'a_b', 'x' x 33),
    ['a type of a virtual host without a realm', $SITE . sprintf($HOST, 1, sprintf $NEO, ''),
        qr{${LINE}<GenflowType in a <VirtualHost> needs GenflowRealm NAME there}],
    ['a store of a virtual host without a realm', $SITE . sprintf($HOST, 1, "GenflowStoreUrl /x\n"),
        qr{${LINE}GenflowStoreUrl in a <VirtualHost> needs GenflowRealm}],
    ['an old folder', $SITE . sprintf($OLD, "GenflowStoreKind folder\n"), qr{<GenflowStoreOld>: GenflowStoreKind folder: pictures in .* without this}],
    ['an old store without a kind', $SITE . sprintf($OLD, ''), qr{<GenflowStoreOld>: GenflowStoreKind folder: }],
    ['an old store of an unknown kind', $SITE . sprintf($OLD, "GenflowStoreKind tape\n"), qr{<GenflowStoreOld>: GenflowStoreKind tape: must be one of}],
    ['an old store without keys', $SITE . sprintf($OLD, "GenflowStoreKind s3\nGenflowStoreAccount a\n"),
        qr{<GenflowStoreOld>: GenflowStoreKind s3: GenflowStoreKey is missing}],
    ['an old store that is the current one', $SITE . $S3 . sprintf($OLD, $S3), qr{<GenflowStoreOld>: it is the current store: https://s3\.}],
    ['an old store at another address of the current one', $SITE . $S3 . sprintf($OLD, "${S3}GenflowStorePublicUrl https://cdn.test\n"),
        qr{<GenflowStoreOld>: it is the current store: https://cdn\.test/}],
    ['a name of the old store', $SITE . sprintf($OLD, '') =~ s/Old>/Old s3>/r, qr{<GenflowStoreOld> takes no name}],
    (map { ["$_ of the old store", $SITE . sprintf($OLD, "$_ 1\n"), qr{$_: does not belong inside <GenflowStoreOld>}] }
        qw(GenflowStoreFolder GenflowTypeCost GenflowStoreStrict KeepAlive)),
    ['two prices of one realm', $SITE . join('', map { sprintf $HOST, $_, $REALM . sprintf $NEO, "GenflowTypeCost $_\n" } 1, 2),
        qr{GenflowRealm shop: the virtual hosts at \S+:\d+ and \S+:\d+ are one site, but have different}],
    ['a long name in the database', $SITE . sprintf($HOST, 1, $REALM
        . sprintf($NEO, '') =~ s/neo/'n' x 36/er), qr{<GenflowType n+>: its name in the database, shop-n+, is longer than 40}],
    ['the name of another type', $SITE . sprintf($NEO, '') =~ s/neo/shop-neo/r . sprintf($HOST, 1, $REALM . sprintf $NEO, ''),
        qr{<GenflowType neo>: its name in the database, shop-neo, is that of another type}],
    ['the name of another provider', $SITE . "<GenflowProvider shop-p>\nGenflowProviderKind local\n</GenflowProvider>\n"
        . sprintf($HOST, 1, "$REALM<GenflowProvider p>\nGenflowProviderKind local\n</GenflowProvider>\n"),
        qr{<GenflowProvider p>: its name in the database, shop-p, is that of another provider}],
    ['a database of a virtual host', $SITE . sprintf($HOST, 1, "${REALM}DBDParams dbname=x\n"),
        qr{${LINE}DBDParams in a <VirtualHost> with GenflowRealm: all virtual hosts use the main}],
    ['a mistake in a virtual host', $SITE . sprintf($HOST, 1, $REALM . sprintf $NEO, "GenflowTypePromptMin 9\nGenflowTypePromptMax 8\n"),
        qr{${LINE}<VirtualHost> with GenflowRealm shop: <GenflowType neo>: GenflowTypePromptMin is larger}],
    ['a folder of a virtual host', $SITE . sprintf($HOST, 1, $REALM . sprintf($NEO, '') . "GenflowStoreFolder $closed\n"),
        qr{${LINE}GenflowStoreFolder \S+: the present user cannot write to $closed\b}],
    ['no database', $STORE . $TYPE . $RESULT, qr{${LINE}<GenflowType> needs a database, but DBDParams is missing}],
    ['a pool for less than the writers', "${SITE}DBDMax 4\n", qr{${LINE}DBDMax 4: must be at least 5}],
    ['more writers than the pool has', "${SITE}DBDMax 16\nGenflowDispatchWriters 16\n",
        qr{${LINE}DBDMax 16: must be at least 17}],
    ['a relative folder', "$DATABASE${TYPE}GenflowStoreFolder store\n",
        qr{${LINE}GenflowStoreFolder: must be an absolute path}],
    ['a folder of somebody else', "$DATABASE${TYPE}GenflowStoreFolder $closed\n",
        qr{${LINE}GenflowStoreFolder \S+: the present user cannot write to $closed\b.*run httpd -t as root}],
    ['a folder within one', "$DATABASE${TYPE}GenflowStoreFolder $closed/a/b\n",
        qr{${LINE}GenflowStoreFolder \S+: the present user cannot write to $closed\b.*run httpd -t as root}],
    ['a database of another virtual host alone', $STORE . $TYPE . $RESULT
        . "<VirtualHost *:2>\nDBDParams dbname=x\n</VirtualHost>\n", qr{${LINE}<GenflowType> needs a database}],
    ['a name for nothing', "$SITE<Location /old>\nGenflowPath quota getQota\n</Location>\n",
        qr{${LINE}GenflowPath quota getQota: the API has no such path}],
);
for my $case (@WRONG) {
    my ($what, $text, $message) = @$case;
    my ($passes, $says) = configtest($text);
    ok !$passes && $says =~ $message, "$what stops it" or diag $says;
}

# ---- what it warns of ----

my $ADMIN = "<Location /admin>\nSetHandler genflow-admin\nAuthType Basic\nAuthName x\n%s</Location>\n";
my $API   = qq(LoadModule authz_host_module "\${GENFLOW_LIBEXEC}/mod_authz_host.so"\n)
    . "<Location /api>\nSetHandler genflow-api\nRequire valid-user\n</Location>\n";
my $CLOUD = "GenflowStoreKind cloudinary\nGenflowStoreAccount a\nGenflowStoreKey env:STORE_KEY\n"
    . "GenflowStoreSecret env:STORE_SECRET\n";
my @WARNED = (    # what, configuration, warning
    ['nothing', $SITE, undef],
    ['a writer and a request', "${SITE}DBDMax 2\nGenflowDispatchWriters 1\n", undef],
    ['a site of its own', $SITE . sprintf($HOST, 1, $REALM . sprintf $NEO, ''), undef],
    ['a site on two ports', $SITE . join('', map { sprintf $HOST, $_, $REALM . sprintf $NEO, '' } 1, 2), undef],
    ['types of virtual hosts alone', "$DATABASE$STORE$RESULT<GenflowProvider local>\n</GenflowProvider>\n"
        . sprintf($HOST, 1, $REALM . sprintf $NEO, ''), undef],
    ['a small pool of another virtual host', "${SITE}<VirtualHost *:2>\nDBDMax 1\n</VirtualHost>\n", undef],
    ['names of every kind', $SITE . "<Location /old>\nGenflowPath a sketch/generate\n"
        . "GenflowPath b generation/create\nGenflowPath c none-yet/status\n</Location>\n", undef],
    ['pictures that nothing serves', $DATABASE . $STORE . $TYPE,
        qr{GenflowStoreUrl /generated: nothing serves the pictures there}],
    ['pictures elsewhere', "${SITE}GenflowStoreUrl /pictures\n",
        qr{${LINE}GenflowStoreUrl /pictures: nothing serves}],
    ['pictures of another server', $DATABASE . $STORE . $TYPE . "GenflowStoreUrl https://i.example\n", undef],
    ['a deadline behind the lifetime',
        $SITE . "<GenflowType sketch>\nGenflowTypeLifetime 1m\n</GenflowType>\n",
        qr{${LINE}<GenflowType sketch>: GenflowTypeLifetime is shorter}],
    ['a cost of a model that no type has', $SITE . "<GenflowProvider local>\nGenflowProviderCost 1 absent\n</GenflowProvider>\n",
        qr{${LINE}<GenflowProvider local>: GenflowProviderCost of absent: no GenflowTypeProviders has local/absent; see its spelling}],
    ['a cost of a model', $SITE . "<GenflowProvider local>\nGenflowProviderCost 1 glitch\n</GenflowProvider>\n"
        . "<GenflowType sketch>\nGenflowTypeProviders local/glitch\n</GenflowType>\n", undef],
    ['reports without TLS', "${SITE}GenflowPublicUrl http://www.example/api\n",
        qr{${LINE}GenflowPublicUrl http://www.example/api: without TLS}],
    ['reports on the loopback', "${SITE}GenflowPublicUrl http://127.0.0.1/api\n", undef],
    ['names with a random part', "$SITE${CLOUD}GenflowStorePublicId run\n", undef],
    ['names without one', "$SITE${CLOUD}GenflowStorePublicId bare\n",
        qr{${LINE}GenflowStorePublicId bare: a client knows the name of its picture beforehand}],
    ['the same where names are others', "${SITE}GenflowStorePublicId bare\n", undef],
    ['every user an administrator', $SITE . sprintf($ADMIN, "Require valid-user\n"),
        qr{${LINE}Require valid-user at genflow-admin makes every user an administrator}],
    ['the same inside of another', $SITE
        . sprintf($ADMIN, "<RequireAny>\nRequire user a\nRequire valid-user\n</RequireAny>\n"),
        qr{${LINE}Require valid-user at genflow-admin}],
    ['a user for health', "$SITE$API<Location /api/health>\nRequire user monitor\n</Location>\n",
        qr{${LINE}Require user has no effect on /api/health, which needs no user}],
    ['a user for hooks', "$SITE$API<Location /api/hook/fal>\n<RequireAll>\nRequire ip 127.0.0.1\n"
        . "Require valid-user\n</RequireAll>\n</Location>\n", qr{${LINE}Require valid-user has no effect on /api/hook/fal}],
    ['an address for health', "$SITE$API<Location /api/health>\nRequire ip 127.0.0.1\n</Location>\n", undef],
    ['a user for the API', "$SITE$API<Location /api/healthy>\nRequire valid-user\n</Location>\n", undef],
    ['named administrators', $SITE . sprintf($ADMIN, "Require user admin\n"), undef],
);
for my $case (@WARNED) {
    my ($what, $text, $warning) = @$case;
    my ($passes, $says) = configtest($text);
    my @warnings = $says =~ /GF0700: (.*)/g;
    ok $passes, "$what passes" or diag $says;
    if ($warning) {
        like join("\n", @warnings), $warning, '... with a warning';
    }
    else {
        is_deeply \@warnings, [], '... without a warning';
    }
}

# ---- README's block in Debian's tree ----

my $readme  = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/README.md");
my ($block) = $readme =~ /^Configure httpd(?:.+\n)+\n((?:    .*\n|\n)+)/m;
ok $block, 'README has a block for httpd';
$block =~ s/^    //gm;
my $tree = debian_tree();

# What an operator has at other places: folders, and the module before it is installed.
my %place = (
    '/usr/lib/apache2/modules/mod_genflow.so'                => "$ENV{GENFLOW_WORK}/modules/mod_genflow.so",
    '/usr/lib/apache2/modules/mod_genflow_local.so'          => "$ENV{GENFLOW_WORK}/modules/mod_genflow_local.so",
    '/usr/local/share/mod_genflow'                           => $ENV{GENFLOW_WORK},
    '/var/lib/genflow'                                       => "$ENV{GENFLOW_WORK}/store",
    '/etc/apache2/users'                                     => "$ENV{GENFLOW_WORK}/t/conf/users",
    'host=/run/postgresql dbname=genflow'                    =>
        "host=$ENV{GENFLOW_WORK} dbname=$ENV{PGDATABASE} user=genflow_app",
);
for my $printed (sort { length $b <=> length $a } keys %place) {
    ok index($block, $printed) >= 0, "README's block has $printed";
    $block =~ s/\Q$printed\E/$place{$printed}/g;
}
my $local = '';
if ($readme =~ /^(    <GenflowType neo-glitch>\n(?:    .*\n)+)/m) {
    $local = $1 =~ s/^    //gmr;
}
Genflow::Site::write_text("$tree/conf-enabled/genflow.conf", $block . $local);
my $says = `'$ENV{HTTPD}' -t -d '$tree' -f '$tree/apache2.conf' 2>&1`;
is $?, 0, 'httpd -t passes it' or diag $says;
unlike $says, qr/GF0700/, '... without a warning' or diag $says;

grant('alice', 5);
my $port = Genflow::Site::free_port();
Genflow::Site::write_text("$tree/ports.conf", "Listen 127.0.0.1:$port\n");
system($ENV{HTTPD}, '-d', $tree, '-f', "$tree/apache2.conf", '-k', 'start');
wait_for { -s "$tree/run/apache2.pid" };
END {
    my ($pid) = Genflow::Site::read_text("$tree/run/apache2.pid") =~ /(\d+)/ if $tree;
    kill TERM => $pid if $pid;
}
my $client = Genflow::Test::client();
my $res = $client->post("http://127.0.0.1:$port/api/neo-glitch/generate", {
    headers => { 'Content-Type' => 'application/json', Authorization => 'Basic YWxpY2U6c2VjcmV0' },
    content => '{"prompt":"a lighthouse","presetKey":"visor"}' });
my $made = data($res) // {};
is $made->{status}, 'completed', "README's site makes a picture" or diag $res->{content};
is $client->get($made->{imageUrl} // '')->{status}, 200, '... and serves it';
is $client->get("http://127.0.0.1:$port/api/health")->{status}, 200, 'health needs no user there';

finish();

# /etc/apache2 as Debian lays it out: modules of other packages are enabled one by one, and stand
# where apxs says; "modules/" does not exist.
sub debian_tree {
    my $top = "$ENV{GENFLOW_WORK}/tmp/apache2-$$";
    mkdir $_ for $top, map { "$top/$_" } qw(mods-enabled conf-enabled sites-enabled run log www);
    my @modules = qw(mpm_event authn_core authn_file authz_core authz_user auth_basic alias mime dir
        reqtimeout dbd);
    Genflow::Site::write_text("$top/mods-enabled/$_.load",
        "LoadModule ${_}_module $ENV{GENFLOW_LIBEXEC}/mod_$_.so\n") for @modules;
    Genflow::Site::write_text("$top/mods-enabled/mime.conf", "TypesConfig $ENV{GENFLOW_WORK}/t/conf/types\n");
    Genflow::Site::write_text("$top/ports.conf", "Listen 127.0.0.1:1\n");
    Genflow::Site::write_text("$top/sites-enabled/000-default.conf",
        "<VirtualHost *:*>\nDocumentRoot $top/www\nErrorLog $top/log/error.log\n</VirtualHost>\n");
    Genflow::Site::write_text("$top/apache2.conf", <<"END");
ServerName 127.0.0.1
DefaultRuntimeDir $top/run
PidFile $top/run/apache2.pid
ErrorLog $top/log/error.log
IncludeOptional mods-enabled/*.load
IncludeOptional mods-enabled/*.conf
Include ports.conf
<Directory />
    AllowOverride None
    Require all denied
</Directory>
IncludeOptional conf-enabled/*.conf
IncludeOptional sites-enabled/*.conf
END
    return $top;
}

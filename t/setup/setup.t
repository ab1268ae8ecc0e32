#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# genflow-setup makes a site in which a picture is made, says all that is wrong with its options at once, changes nothing in a dry
# run or in a second run, takes nothing that other users can replace, and removes what it made. It works beside a private
# PostgreSQL and an httpd of this test, in which small programs stand for Debian's a2enmod and a2dismod.

use strict;
use warnings;

use File::Temp qw(tempdir);
use HTTP::Tiny ();
use JSON::PP qw(decode_json encode_json);
use MIME::Base64 qw(encode_base64);
use Test::More;

use Genflow::Site ();

my $WORK   = $ENV{GENFLOW_WORK};
my $folder = tempdir(DIR => "$WORK/tmp", CLEANUP => 1);
my $me     = getpwuid $>;
my $port   = Genflow::Site::free_port();
my $name   = "setup_$$";
my ($etc, $apache, $store) = map { "$folder/$_" } qw(etc apache store);
my @place = ('--etc', $etc, '--apache', $apache, '--store', $store, '--httpd', "$folder/bin/httpd", '--httpd-user', $me,
    '--connect', "host=$WORK user=genflow", '--database', $name, '--role', "${name}_r", '--admin-role', "${name}_a",
    '--address', "http://127.0.0.1:$port/pictures");
my $http = HTTP::Tiny->new(timeout => 30);

plan skip_all => 'genflow-setup refuses root for httpd' if $> == 0;
make_host();

# ---- bad values ----

my ($code, $says) = setup('--database', 'Big Name', '--role', "${name}_a", '--credits', '-3', '--user', 'a:b', '--store', 'pictures',
    '--sign-in', 'magic', '--address', 'ftp://x', '--httpd-user', 'nobody-here', '--password-file', "$folder/none", '--no-such', '--drop-tables');
is $code, 2, 'bad values are wrong usage';
for my $field (qw(database credits user store sign-in address httpd-user password-file drop-tables)) {
    like $says, qr/^  --\Q$field\E /m, "... and the message names --$field";
}
like $says, qr/^  unknown option: no-such$/m, '... and the unknown option';
like $says, qr/^  --role and --admin-role are both/m, '... and what does not belong together';
is scalar(() = $says =~ /please correct these/g), 1, '... all in one message' or diag $says;
is_deeply [setup('--credits', 'many')], [2, "genflow-setup: --credits many: must be a whole number from 1 on\n"
        . "genflow-setup --help lists all options.\n"], 'one bad value is one line';
($code, $says) = setup('--sign-in', 'openid');
like $says, qr/--openid-provider is missing.*--openid-client is missing.*--openid-secret is missing/s, 'openid names what it needs';
my @openid = ('--sign-in', 'openid', '--openid-provider', 'https://id.example/.well-known/openid-configuration', '--openid-client', 'pictures');
spew("$folder/client", "s3cret of the client\n", 0600);
($code, $says) = setup('--dry-run', @openid, '--openid-secret', "$folder/client");
like $says, qr/^Define GENFLOW_OPENID_SECRET "\(the secret\)"$/m, 'the settings have the secret of the client' or diag $says;
unlike $says, qr/s3cret/, '... which a dry run does not show';
spew("$folder/client", qq(a "quoted" one\n), 0600);
like +(setup('--dry-run', @openid, '--openid-secret', "$folder/client"))[1], qr/the secret has a character/, 'a secret that httpd cannot read is refused';
($code, $says) = setup('--connect', "host=$folder user=genflow");
is $code, 1, 'no PostgreSQL is a failure';
like $says, qr/PostgreSQL does not answer: start it .* --connect/, '... that says what to do';

($code, $says) = setup('--connect', "host=$WORK user=genflow password=opensesame");
is $code, 2, 'a password in --connect is wrong usage';
like $says, qr/--connect has a password, which every user .* passfile=FILE .*PGPASSFILE/, '... and the message says where it goes';
unlike $says, qr/opensesame/, '... without it';

# ---- dry run ----

($code, $says) = setup('--dry-run');
is $code, 0, 'a dry run succeeds on a new host' or diag $says;
like $says, qr/$_/, "... it prints $_" for 'CREATE DATABASE', 'sql/apply --connect', 'a2enmod -q genflow', "install -m 600 /dev/stdin $etc/setup.conf",
    'GENFLOW_API "/pictures/api"', 'httpd -t', 'Nothing was changed';
is sql('postgres', "SELECT count(*) FROM pg_database WHERE datname = '$name'"), 0, '... and makes no database';
is sql('postgres', "SELECT count(*) FROM pg_roles WHERE rolname LIKE '$name%'"), 0, '... no role';
ok !-e $_, "... no $_" for $etc, $store, "$apache/mods-enabled/genflow.load";

($code, $says) = setup('--dry-run', '--sign-in', 'form', '--address', 'https://www.example.com/pictures');
like $says, qr/^Define GENFLOW_COOKIE "path=\/;httponly;samesite=lax;secure"$/m, 'with https the cookie of the form is secure';

# ---- places that others can replace ----

mkdir "$folder/open";
chmod 0777, "$folder/open";
($code, $says) = setup('--etc', "$folder/open/etc");
is $code, 1, 'settings in a folder that others may write are refused';
like $says, qr{\Q$folder\E/open can be written by others.*chmod go-w}, '... and the message says what to do';
ok !-e "$folder/open/etc", '... nothing is written there';
mkdir "$folder/real";
symlink "$folder/real", "$folder/link";
($code, $says) = setup('--store', "$folder/link");
like $says, qr/link is not a folder/, 'a link is no folder of pictures';
is sql('postgres', "DROP DATABASE IF EXISTS $name") . undo_roles(), '', 'a new start';

# ---- the site ----

spew("$apache/amounts.conf", "<IfModule genflow_module>\n    GenflowCreditInitial 12\n</IfModule>\n", 0644);
($code, $says) = setup();
is $code, 0, 'genflow-setup succeeds' or diag $says;
like $says, qr/^  do    amounts of credits, as the directives state them \(initial=12\)$/m, '... it sets the amounts of the configuration';
unlike $says, qr/GF070[23]/, '... so that httpd has nothing to say';
sql($name, "SELECT genflow.allowance('carol')");
is sql($name, "SELECT balance FROM genflow.quota('carol')"), 12, '... and a new user has them';
like $says, qr{^    curl --netrc-file \Q$etc\E/first-user.netrc }m, '... it prints how to make a picture';
like $says, qr{http://127.0.0.1:$port/pictures/studio/}, '... and where the page is';
my ($password) = slurp("$etc/first-user.netrc") =~ /^machine 127\.0\.0\.1 login admin password (\S+)$/;
ok length($password // '') >= 16, '... with a password of its own';
unlike $says, qr/\Q$password\E/, '... which it does not print';
my ($status, $answer) = call(POST => 'neo-glitch/generate', { prompt => 'a lighthouse', presetKey => 'visor' });
is $status, 200, 'a picture is made' or diag slurp("$folder/error.log");
is $answer->{provider}, 'local', '... by the server itself';
is $http->get($answer->{imageUrl})->{headers}{'content-type'}, 'image/png', '... and served';
is((call(GET => 'getQuota'))[1]{currentBalance}, 99, '... for one of the 100 credits');
is $http->get("http://127.0.0.1:$port/pictures/api/getQuota")->{status}, 401, 'without the password nobody enters';
is((call(GET => '../genflow-admin/stats'))[0], 200, 'the first account administers');
is((call(GET => '../studio/'))[0], 200, '... and sees the page');
my %mode = map { s{.*/}{}r => sprintf '%o', (stat)[2] & 07777 } glob "$etc/*";
is_deeply \%mode, { 'setup.conf' => 600, 'admin.password' => 600, 'requests.password' => 600, 'first-user.netrc' => 600, users => 640, modules => 600 },
    'only root, and httpd where it has to, can read the files';
is sql('postgres', "SELECT count(*) FROM pg_authid WHERE rolname LIKE '$name%' AND rolpassword LIKE 'SCRAM-SHA-256\$%'"), 2,
    'PostgreSQL has only what verifies the passwords';
is login("${name}_a", slurp("$etc/admin.password")), 't', '... which fits';
unlike slurp("$WORK/postgres.log"), qr/\Q$_\E/, 'no password is in its log' for map { slurp("$etc/$_") =~ /(\S+)\s*\z/ } qw(admin.password requests.password);

# ---- again ----

my $before = state();
($code, $says) = setup();
is $code, 0, 'a second run succeeds';
like $says, qr/^Everything was right already\.$/m, '... and found everything right' or diag $says;
unlike $says, qr/^  do /m, '... it did nothing';
is state(), $before, '... no file, function or role is another one';

chmod 0644, "$etc/admin.password";
sql('postgres', "ALTER ROLE ${name}_a PASSWORD 'another'");
($code, $says) = setup();
is_deeply [$says =~ /^  do    (.*)$/mg], ["password of the role ${name}_a ($etc/admin.password)", "the role ${name}_a takes that password", 'reload httpd'],
    'what became wrong is repaired, and nothing else' or diag $says;
is login("${name}_a", slurp("$etc/admin.password")), 't', '... the password fits again';

spew("$folder/password", "secret of bob\n", 0600);
($code, $says) = setup('--user', 'bob', '--credits', 7, '--password-file', "$folder/password");
is $code, 0, 'a second account is made';
unlike $says, qr/secret of bob/, '... without its password in the output';
is((call(GET => 'getQuota', undef, 'bob:secret of bob'))[1]{currentBalance}, 7, '... with its credits');
is((call(GET => '../genflow-admin/stats', undef, 'bob:secret of bob'))[0], 401, '... it does not administer');
is((call(GET => 'getQuota'))[1]{currentBalance}, 99, '... and the first one is as it was');

unlink "$apache/amounts.conf";
($code, $says) = setup();
like $says, qr/^  do    amounts of credits, as the directives state them \(none\)$/m, 'without the directive there are none' or diag $says;

# ---- another sign-in ----

($code, $says) = setup('--sign-in', 'form');
is $code, 0, 'the sign-in becomes a form' or diag $says;
like $http->get("http://127.0.0.1:$port/genflow-login.html")->{content}, qr/httpd_password/, '... which is served';
my $signed = $http->post_form("http://127.0.0.1:$port/genflow-login", { httpd_username => 'admin', httpd_password => $password });
like $signed->{headers}{location} // '', qr{/pictures/studio/\z}, '... and leads to the page' or diag slurp("$folder/error.log");
my ($cookie) = ($signed->{headers}{'set-cookie'} // '') =~ /\A([^;]+)/;
is $http->get("http://127.0.0.1:$port/pictures/api/getQuota", { headers => { Cookie => $cookie // '', Accept => 'application/json' } })->{status}, 200,
    '... with a cookie that signs in';
is $http->get("http://127.0.0.1:$port/pictures/api/getQuota", { headers => { Accept => 'application/json' } })->{status}, 401, '... without it programs get 401';

# ---- a configuration that httpd refuses ----

my @modules = enabled();
spew("$apache/uses.conf", "<Location /own>\n    SessionCookieName own\n</Location>\n", 0644);
($code, $says) = setup('--remove');
is $code, 1, 'a site is not removed while httpd would not start without its modules';
like $says, qr{uses\.conf:.*SessionCookieName.*Nothing was removed}s, '... with httpd\'s words' or diag $says;
is_deeply [enabled()], \@modules, '... all modules are enabled';
is $http->get("http://127.0.0.1:$port/pictures/api/getQuota", { headers => { Accept => "application/json" } })->{status}, 401, "... and the site is there";
unlink "$apache/uses.conf";

is setup('--remove'), 0, 'the site is removed, its data stays';
spew("$apache/broken.conf", "NoSuchDirective\n", 0644);
($code, $says) = setup();
is $code, 1, 'a configuration that httpd refuses is a failure';
like $says, qr/NoSuchDirective.*disabled again.*genflow/s, '... with httpd\'s words, and what it disabled again';
ok !-e "$apache/mods-enabled/genflow.load", '... so that httpd starts as before';
unlink "$apache/broken.conf";
spew("$apache/other.conf", "DBDParams \"dbname=other\"\n", 0644);
($code, $says) = setup();
like $says, qr/other\.conf: this site uses mod_dbd for another database/, 'a second DBDParams is named';
unlink "$apache/other.conf";

# ---- without a2enmod ----

mkdir $_ for map { "$folder/$_" } qw(fedora fedora/conf.d fedora/conf.modules.d);
symlink "$WORK/modules", "$folder/modules";
spew("$folder/fedora.conf", join('', map({ slurp($_) } glob "$apache/mods-available/[a-fh-z]*.load"), "IncludeOptional fedora/conf.modules.d/*.conf\n",
    slurp("$folder/httpd.conf") =~ s/^IncludeOptional.*\n//gmr, "IncludeOptional fedora/conf.d/*.conf\n"), 0644);
spew("$folder/bin/fedora", qq(#!/bin/sh\nexec "$ENV{HTTPD}" -d "$folder" -f "$folder/fedora.conf" "\$@"\n), 0755);
my @fedora = ('--apache', "$folder/fedora", '--httpd', "$folder/bin/fedora", '--no-reload');
spew("$folder/fedora/conf.d/broken.conf", "NoSuchDirective\n", 0644);
($code, $says) = setup(@fedora);
is $code, 1, 'without a2enmod a refused configuration is a failure, too';
like $says, qr/NoSuchDirective.*disabled again.*10-genflow\.conf/s, '... with httpd\'s words' or diag $says;
is_deeply [map { s{.*/}{}r } glob "$folder/fedora/*/*"], ['broken.conf'], '... and is taken back';
unlink "$folder/fedora/conf.d/broken.conf";
($code, $says) = setup(@fedora);
is $code, 0, '... without that line the site is enabled' or diag $says;
is_deeply [map { s{.*/}{}r } glob "$folder/fedora/*/*"], ['genflow.conf', '10-genflow.conf'], '... by two files';
is setup('--remove', @fedora), 0, '... which --remove deletes';
is_deeply [glob "$folder/fedora/*/*"], [], '... both';

# ---- remove, and keep or drop ----

($code, $says) = setup();
is $code, 0, 'another genflow-setup goes on with the data that stayed' or diag $says;
is((call(GET => 'getQuota'))[1]{currentBalance}, 99, '... with the same credits') or diag slurp("$folder/error.log");
($code, $says) = setup('--remove', '--dry-run', '--drop-database', '--drop-pictures');
is $code, 0, 'a dry run of --remove succeeds';
like $says, qr/$_/, "... it prints $_" for qq(DROP DATABASE "$name"), qq(DROP ROLE "${name}_r"), 'a2dismod', 'rm -rf';
is((call(GET => 'getQuota'))[0], 200, '... and the site works on');

($code, $says) = setup('--remove');
is $code, 0, '--remove succeeds' or diag $says;
like $says, qr/^Kept: the database $name and its data/m, '... it says that the data stays';
like $says, qr/^Kept: the pictures in \Q$store\E/m, '... and the pictures';
is sql('postgres', "SELECT count(*) FROM pg_roles WHERE rolname LIKE '$name%'"), 0, '... the roles are gone';
is sql($name, q{SELECT count(*) FROM pg_proc p, aclexplode(p.proacl) a
                 WHERE p.pronamespace = 'genflow'::regnamespace AND a.grantee::regrole::text LIKE 'genflow\_%ion'}), 0, '... and the grants';
is sql($name, 'SELECT count(*) FROM neo_glitch_media'), 1, '... the data is there';
is sql('postgres', q(SELECT count(*) FROM pg_roles WHERE rolname = 'genflow_module')), 1, '... and the group that other databases use';
is_deeply [map { s{.*/}{}r } glob "$apache/mods-enabled/*.load"], [], '... the modules that it enabled are disabled';
is_deeply [map { s{.*/}{}r } glob "$etc/*"], ['users'], '... of the settings only the users are there';

is setup('--remove', '--drop-tables', '--drop-pictures'), 0, '--drop-tables succeeds';
is sql($name, q(SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('genflow', 'public'))), 0,
    '... no table is left, of pictures or others';
ok !-e $store, '... and no picture';
sql('postgres', "COMMENT ON DATABASE $name IS NULL");
($code, $says) = setup('--remove', '--drop-database');
is $code, 1, 'a database that somebody else made is not dropped';
like $says, qr/was not made by genflow-setup.*dropdb/, '... and the message says what to do';
sql('postgres', "COMMENT ON DATABASE $name IS 'Made by genflow-setup.'");
is setup('--remove', '--drop-database'), 0, '--drop-database succeeds';
is sql('postgres', "SELECT count(*) FROM pg_database WHERE datname = '$name'"), 0, '... and the database is gone';
($code, $says) = setup('--remove');
is $code, 0, 'removing what is not there is no failure' or diag $says;

done_testing;

# ---- the host ----

# httpd with a2enmod, as Debian has it, in a folder.
sub make_host {
    mkdir $_ for "$folder/bin", $apache, "$apache/mods-available", "$apache/mods-enabled";
    spew("$folder/bin/httpd", qq(#!/bin/sh\nexec "$ENV{HTTPD}" -d "$folder" -f "$folder/httpd.conf" "\$@"\n), 0755);
    spew("$folder/bin/a2enmod", <<"END", 0755);
#!/bin/sh
for name in "\$\@"; do
    case \$name in -*) continue ;; esac
    for file in "$apache/mods-available/\$name.load" "$apache/mods-available/\$name.conf"; do
        [ ! -e "\$file" ] || ln -sf "\$file" "$apache/mods-enabled/" || exit 1
    done
done
END
    spew("$folder/bin/a2dismod", <<"END", 0755);
#!/bin/sh
for name in "\$\@"; do
    case \$name in -*) continue ;; esac
    rm -f "$apache/mods-enabled/\$name.load" "$apache/mods-enabled/\$name.conf"
done
END
    for my $module (qw(authn_core authz_core authz_user reqtimeout dbd auth_basic authn_file request session session_cookie session_crypto auth_form alias)) {
        spew("$apache/mods-available/$module.load", qq(LoadModule ${module}_module "$ENV{GENFLOW_LIBEXEC}/mod_$module.so"\n), 0644);
    }
    for my $file (qw(genflow.load genflow_local.load genflow.conf)) {
        spew("$apache/mods-available/$file", slurp("$WORK/conf/site/$file") =~ s{/usr/lib/apache2/modules}{$WORK/modules}r, 0644);
    }
    spew("$folder/httpd.conf", <<"END", 0644);
LoadModule mpm_$ENV{GENFLOW_MPM}_module "$ENV{GENFLOW_LIBEXEC}/mod_mpm_$ENV{GENFLOW_MPM}.so"
Listen 127.0.0.1:$port
ServerName 127.0.0.1
PidFile "$folder/pid"
ErrorLog "$folder/error.log"
StartServers 1
Define GENFLOW_ETC "$etc"
IncludeOptional "$apache/mods-enabled/*.load"
IncludeOptional "$apache/mods-enabled/*.conf"
IncludeOptional "$apache/*.conf"
END
    return;
}

END {
    local $?;
    if (-e "$folder/pid") {
        my $pid = slurp("$folder/pid") + 0;
        kill TERM => $pid if $pid;
        select undef, undef, undef, 0.1 while $pid && kill(0 => $pid) && -e "$folder/pid";
    }
    if (-d "$folder/bin") {
        sql('postgres', "DROP DATABASE IF EXISTS $name WITH (FORCE)");
        undo_roles();
    }
}

sub undo_roles { return join '', map { sql('postgres', "DROP ROLE IF EXISTS ${name}_$_") } qw(r a) }

# (exit code, what it says) of genflow-setup; the code alone as a scalar.
sub setup {
    my @arguments = @_;
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<',  '/dev/null' or exit 127;
        open STDERR, '>&', \*STDOUT    or exit 127;
        local $ENV{PATH} = "$folder/bin:$ENV{PATH}";
        exec $^X, "$WORK/support/genflow-setup", @place, @arguments or exit 127;
    }
    local $/ = undef;
    my $text = <$out> // '';
    close $out;
    return wantarray ? ($? >> 8, $text) : $? >> 8;
}

# (status, JSON) of a call to the API.
sub call {
    my ($method, $path, $body, $who) = @_;
    my $url = "http://127.0.0.1:$port/pictures/api/$path";
    $url =~ s{/api/\.\./}{/};
    my %option = (headers => { Authorization => 'Basic ' . encode_base64($who // "admin:$password", '') });
    if ($body) {
        $option{headers}{'Content-Type'} = 'application/json';
        $option{content} = encode_json($body);
    }
    my $res = $http->request($method, $url, \%option);
    return ($res->{status}, eval { decode_json($res->{content}) });
}

sub sql {
    my ($database, $text) = @_;
    my $pid = open(my $out, '-|', 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', $text) // die "psql: $!\n";
    local $/ = undef;
    my $answer = <$out> // '';
    close $out;
    $answer =~ s{\n\z}{};
    return $answer;
}

sub enabled { return sort map { s{.*/}{}r } glob "$apache/mods-enabled/*.load" }

sub login {
    my ($role, $secret) = @_;
    chomp $secret;
    local $ENV{PGPASSWORD} = $secret;
    local $ENV{PGUSER}     = $role;
    return sql($name, 'SELECT true');
}

# What a second run may not touch.
sub state {
    my @files = map { join ' ', $_, (stat)[1, 2, 4, 7, 9] } glob "$etc/* $apache/*/*";
    return join "\n", @files, sql($name, <<"END");
SELECT md5(string_agg(xmin::text, ',' ORDER BY oid)) FROM pg_proc;
SELECT md5(string_agg(xmin::text, ',' ORDER BY oid)) FROM pg_class;
SELECT string_agg(xmin::text, ',' ORDER BY oid) FROM pg_authid WHERE rolname LIKE '$name%';
SELECT count(*) FROM genflow.ledger;
END
}

sub slurp { return Genflow::Site::read_text($_[0]) }

sub spew {
    my ($path, $text, $mode) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    print {$file} $text;
    close $file or die "$path: $!\n";
    chmod $mode, $path;
    return;
}

# SPDX-License-Identifier: Apache-2.0
#
# The page in a headless Chromium: an httpd with a database of its own, the shipped recipe of the page, people who
# sign in by Basic, the fake provider and drawings of local. The checks of t/studio/<name>.mjs (on
# t/studio/browser.mjs) are the tests of the calling file. Without Chromium, node or their packages the file is
# skipped.
#
#     use Genflow::Test;
#     use Genflow::Studio;
#     my $site = studio_site(users => { rich => 20, poor => 0 });
#     browse('first', $site);
#     finish;

package Genflow::Studio;

use strict;
use warnings;

use Digest::SHA qw(sha1_base64);
use Genflow::Database;
use Genflow::Httpd;
use Genflow::Site ();
use Genflow::Tap;
use Genflow::Test;
use JSON::PP qw(encode_json);
use parent -norequire, 'Exporter';

our @EXPORT = qw(studio_site signin_recipe browse set_password);

my $PASSWORD  = 'secret';
my $PASSWORDS = "$ENV{GENFLOW_WORK}/tmp/passwords-$$";
my $kept;      # the site, until finish() has looked at its database
my $BROWSER  = (grep { -x } map { ("$_/chromium", "$_/chromium-browser") } split /:/, $ENV{PATH})[0];

# Starts the httpd. Options: users (name in the checks => credits), conf (more lines), modules (lines before all others),
# sign_in (lines of the sections in place of Basic), admin (name in the checks of who has /admin), alarms (pattern of lines that its log may have),
# prepare (called with the database, before httpd works in it). Returns {httpd, database, users (name in the checks =>
# user), passwords (file)}.
sub studio_site {
    my (%option) = @_;
    plan skip_all => 'no browser, or its driver is not installed: support/check --studio'
        if !$BROWSER || !-d 't/studio/node_modules/' || system('node --version >/dev/null 2>&1') != 0;
    my $database = Genflow::Database->new;
    $ENV{PGDATABASE} = $database->name;
    my %user = map { $_ => account($option{users}{$_}) } sort keys %{ $option{users} };
    my $self = $kept = { alarms => $option{alarms}, database => $database, users => \%user, passwords => $PASSWORDS };
    set_password($self, $_, $PASSWORD) for keys %user;
    $option{prepare}->() if $option{prepare};
    $self->{httpd} = Genflow::Httpd->start(conf($self, \%option));
    talk_to($self->{httpd});
    return $self;
}

# From now on that person has this password; undef: none, the person is not known any more.
sub set_password {
    my ($self, $name, $password) = @_;
    $self->{password}{$name} = $password;
    my @known = grep { defined $self->{password}{$_} } sort keys %{ $self->{password} };
    Genflow::Site::write_text("$self->{passwords}.new",
        join '', map { "$self->{users}{$_}:{SHA}" . sha1_base64($self->{password}{$_}) . "=\n" } @known);
    rename "$self->{passwords}.new", $self->{passwords} or die "$self->{passwords}: $!\n";
    return;
}

# conf/genflow-signin.conf as it is shipped, of a 'form' or of 'openid', with the tests' files and that secret: (the lines
# of the sections that it guards, its other lines).
sub signin_recipe {
    my ($kind, $secret) = @_;
    my $key = "$ENV{GENFLOW_WORK}/tmp/session-key-$$";
    Genflow::Site::write_text($key, "$secret\n");
    my %recipe;
    @recipe{qw(form openid)} = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-signin.conf")
        =~ m{<IfDefine !?\w+>\n(.*?)</IfDefine>}gs;
    my $lines = $recipe{$kind};
    $lines =~ s{"/etc/apache2/users"}{"$PASSWORDS"}g;
    $lines =~ s{(?<=SessionCryptoPassphraseFile )"/etc/apache2/session.key"}{"$key"}g;
    $lines =~ s{"exec:/bin/cat /etc/apache2/\S+"}{"exec:/bin/cat $key"}g;
    $lines =~ s{(?<=OIDCClientSecret) +"[^"]+"}{ "$secret"};
    $lines =~ s{<Location "/api">\s+SetHandler genflow-api\n(.*?)</Location>\n}{}s or die "the recipe guards no API\n";
    return ($1, $lines);
}

sub conf {
    my ($self, $option) = @_;
    my $sign_in = $option->{sign_in} // <<"END";
AuthType Basic
AuthName "pictures"
AuthBasicProvider file
AuthUserFile "$self->{passwords}"
Require valid-user
END
    my $recipe = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-studio.conf");
    $recipe =~ s{    AuthType Basic\n.*?Require valid-user\n}{$sign_in}s or die "the recipe has no sign-in\n";
    my $more    = join "\n", grep { defined } $option->{conf}, administration($self, $option->{admin});
    my $modules = $option->{modules} // '';
    return <<"END";
$modules
LoadModule filter_module "\${GENFLOW_LIBEXEC}/mod_filter.so"
LoadModule deflate_module "\${GENFLOW_LIBEXEC}/mod_deflate.so"
Include "\${GENFLOW_WORK}/t/conf/database.conf"
<IfModule mpm_event_module>
    AsyncRequestWorkerFactor 100
</IfModule>
<IfModule !mpm_prefork_module>
    StartServers 2
    ServerLimit 2
    MaxRequestWorkers 50
</IfModule>
GenflowStoreFolder "\${GENFLOW_WORK}/store"
GenflowDispatchLease 5s
GenflowDispatchPoll 100ms
GenflowFetchAllow 127.0.0.1
Include "\${GENFLOW_WORK}/conf/genflow-types.conf"
<GenflowProvider stability>
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderPoll 100ms
    GenflowProviderBackoff 50ms
    GenflowProviderBackoffMax 100ms
    GenflowProviderBreakerOpen 0s
</GenflowProvider>
<GenflowProvider replicate>
    GenflowProviderUrl "\${GENFLOW_FAKE}/replicate/v1"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 100ms
    GenflowProviderBackoff 50ms
    GenflowProviderBackoffMax 100ms
    GenflowProviderBreakerOpen 0s
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeProviders stability/sd3
    GenflowTypeFallback local/glitch
</GenflowType>
<GenflowType emotion-mask>
    GenflowTypeProviders local/mask
</GenflowType>
<GenflowType presets>
    GenflowTypeProviders local/film
</GenflowType>
<GenflowType ghibli-reaction>
    GenflowTypeProviders local/ghibli
</GenflowType>
<GenflowType custom-prompt>
    GenflowTypeProviders replicate/black-forest-labs/flux-dev
    GenflowTypeFallback local/film
</GenflowType>
<Location "/api">
    SetHandler genflow-api
    $sign_in
</Location>
<Location "/generated">
    SetHandler genflow-result
    Require all granted
</Location>
<Location "/server-status">
    SetHandler server-status
    Require all granted
</Location>
GenflowStudioFolder "\${GENFLOW_WORK}/studio"
$recipe
$more
END
}

# Administration, open to that person; others who are signed in are told so, and not asked again.
sub administration {
    my ($self, $name) = @_;
    return $name ? <<"END" : undef;
<Location "/admin">
    SetHandler genflow-admin
    AuthType Basic
    AuthName "administration"
    AuthUserFile "$self->{passwords}"
    AuthzSendForbiddenOnFailure On
    Require user $self->{users}{$name}
</Location>
END
}

# Runs the checks of t/studio/<name>.mjs. What follows the site are variables of their environment.
sub browse {
    my ($name, $site, %more) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    local %ENV = (%ENV, %more,
        GENFLOW_BROWSER => $BROWSER,
        GENFLOW_SITE    => $site->{httpd}->base,
        GENFLOW_USERS   => encode_json($site->{users}),
        GENFLOW_KEYS    => '{}',
        GENFLOW_PASSWORDS => $site->{passwords},
    );
    my $checks = run_tap($name, 'node', "t/studio/$name.mjs");
    is_deeply [broken_rules()], [], 'the ledger is sound';
    my $expected = $site->{alarms} // qr/\bGF020[35]:/;      # the fake provider fails on order
    my @alarms = grep { !/$expected/ } split /\n/, $site->{httpd}->alarms;
    is join("\n", @alarms), '', 'the log has no warning';
    return $checks;
}

1;

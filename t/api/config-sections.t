#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Sections, chains, keys and expressions that cannot work stop `httpd -t`, and the message names
# what is wrong: nothing waits for the start or for a request. A secret that stands in the
# configuration is refused, and never repeated.
use Genflow::Test;

use Genflow::Httpd qw(accepted configtest refused);
use Genflow::Site ();

# Where a directive stands.
my %AROUND = (
    provider => "<GenflowProvider local>\n%s\n</GenflowProvider>\n",
    type     => "<GenflowType sketch>\n%s\n</GenflowType>\n",
);

my $STORE = "Include \"\${GENFLOW_WORK}/t/conf/database.conf\"\nGenflowStoreFolder \"\${GENFLOW_WORK}/store\"\n";
my $LOCAL = "<GenflowProvider local>\n</GenflowProvider>\n";

# Two files for keys.
my %file = map { $_ => "$ENV{GENFLOW_WORK}/tmp/$_-key-$$" } qw(sound empty);
Genflow::Site::write_text($file{sound}, "a-key\n");
Genflow::Site::write_text($file{empty}, "\n");

# ---- what does not pass ----

my $stability = "<GenflowProvider p>\nGenflowProviderKind stability\n%s\n</GenflowProvider>\n"
    . "<GenflowType t>\nGenflowTypeProviders p/sd3\n</GenflowType>\n";
my $url  = 'GenflowProviderUrl https://a.example';
my $name = 'needs one name of a-z, 0-9 and single hyphens, at most 40 long';
my @WRONG = (    # what, configuration, what the message says
    (map { ["the type '$_'", "<GenflowType $_>\n</GenflowType>\n", $name] }
        'Neo', 'neo_glitch', 'neo--glitch', 'neo-', '1neo', 'a b', '', 'x' x 41),
    ['the provider Big', "<GenflowProvider Big>\n</GenflowProvider>\n", $name],
    ['an open bracket',  "<GenflowType neo\n</GenflowType>\n", "missing closing '>'"],
    ['65 types', join('', map { "<GenflowType t$_>\nGenflowTypeProviders local\n</GenflowType>\n" }
        1 .. 64), 'there may be at most 64 types'],
    ['an unknown kind', sprintf($AROUND{provider}, 'GenflowProviderKind magic'),
        'GenflowProviderKind magic: must be one of ' . join(', ', kinds(), 'local')],
    ['a provider of no kind', "<GenflowProvider p>\n</GenflowProvider>\n",
        'GenflowProviderKind (missing): must be one of'],
    ['an unknown provider', sprintf($AROUND{type}, 'GenflowTypeProviders local gone/x'),
        'names `gone/x`, but there is no <GenflowProvider gone>'],
    ['no chain', "<GenflowType t>\n</GenflowType>\n",
        '<GenflowType t>: GenflowTypeProviders is missing'],
    ['an empty chain', sprintf($AROUND{type}, 'GenflowTypeProviders'),
        'GenflowTypeProviders: needs at least one'],
    (map { ["a chain of $_ links", sprintf($AROUND{type}, 'GenflowTypeProviders' . ' local' x $_),
        'GenflowTypeProviders names more than 32 providers'] } 33, 2000),
    ['a provider without url', sprintf($stability, 'GenflowProviderKey env:PATH'),
        '<GenflowProvider p>, which <GenflowType t> uses: GenflowProviderUrl is missing'],
    ['a provider without url and key', sprintf($stability, ''),
        '<GenflowProvider p>, which <GenflowType t> uses: GenflowProviderUrl is missing'],
    ['a key file that is not there', sprintf($stability, "$url\nGenflowProviderKey file:/gone"),
        'GenflowProviderKey: cannot read the file /gone'],
    ['a key file without a key', sprintf($stability, "$url\nGenflowProviderKey file:$file{empty}"),
        "GenflowProviderKey: the first line of $file{empty} is empty"],
    ['a minimum above the maximum', sprintf($AROUND{type},
        "GenflowTypePromptMin 20\nGenflowTypePromptMax 10"),
        'GenflowTypePromptMin is larger than GenflowTypePromptMax'],
    ['two types for the two-step calls', sprintf($AROUND{type}, 'GenflowTypeTwoStep On')
        . "<GenflowType t>\nGenflowTypeProviders local\nGenflowTypeTwoStep On\n</GenflowType>\n",
        'GenflowTypeTwoStep On stands in <GenflowType sketch> and <GenflowType t>: one at most'],
    (map { ["$_->[0] elsewhere", "@$_\n", "$_->[0] belongs inside <"] }
        ['GenflowProviderKey', 'env:PATH'], ['GenflowTypeProviders', 'local'],
        ['GenflowTypePresetWindow', '6'], ['GenflowProviderKind', 'local']),
    ['a broken expression', location('GenflowUser "%{HTTP:X-User"'), 'GenflowUser %{HTTP:X-User:'],
    (map { ["the base $_", location("GenflowBase $_"), "GenflowBase $_: must be a path"] }
        qw(api /api/)),
    ['a user outside of a location', "GenflowUser x\n", 'GenflowUser not allowed'],
    (map { ["fetching from $_", "GenflowFetchAllow $_\n",
            "GenflowFetchAllow $_: must be an address or a network"] }
        'any', 'example.org', '10.0.0.0/33', '300.1.1.1'),
    (map { ["sources from $_", "GenflowSourceAllow $_\n",
            "GenflowSourceAllow $_: must be an address or a network"] }
        'any', 'example.org', '10.0.0.0/33'),
    ['a fetch in a location', location('GenflowFetchAllow 127.0.0.1'),
        'GenflowFetchAllow not allowed'],
    ['a number in a location', location('GenflowBodyMax 1m'), 'GenflowBodyMax not allowed'],
);
refused(@$_) for @WRONG;

my @alone = configtest("<GenflowType local>
GenflowTypeProviders local
</GenflowType>
"
    . "<GenflowProvider local>
</GenflowProvider>
");
ok !$alone[0] && $alone[1] =~ /GenflowStoreFolder is missing/, 'no store folder is refused'
    or diag $alone[1];

my ($taken, $says) = configtest(sprintf $stability, "$url\nGenflowProviderKey sk-confidential");
ok !$taken, 'a secret as key is refused';
like $says, qr/GenflowProviderKey: must be env:NAME or file:PATH/, 'and the message says where to put it';
unlike $says, qr/confidential/, 'and not repeated';

# ---- what passes ----

accepted('no more than is needed', '');
accepted('a section opened twice', sprintf($AROUND{type}, 'GenflowTypeCost 5') x 2);
accepted('one type for the two-step calls', sprintf($AROUND{type}, 'GenflowTypeTwoStep On'));
accepted('a key of the environment', sprintf $stability, "$url\nGenflowProviderKey env:PATH");
accepted('a key of a file', sprintf $stability, "$url\nGenflowProviderKey file:$file{sound}");
accepted('an unused provider without key', "<GenflowProvider stability>\n</GenflowProvider>\n");
accepted('a user and a base', location(qq(GenflowUser "%{HTTP:X-User}"\nGenflowBase /v1)));
accepted('a location in a virtual host', in_host(location('GenflowUser "%{REMOTE_USER}"')));
is((configtest(''))[0], 1, 'a module that is loaded and not used needs nothing');

# ---- keys that a site does not have ----

my $keyless = sprintf $stability, "$url\nGenflowProviderKey env:UNSET_OF_TEST";
my $left    = 'p: GenflowProviderKey is missing: env:STABILITY_API_KEY or file:/path';
warns($keyless, "<GenflowType t> is closed: it answers PROVIDER_UNAVAILABLE. Set the key, or name"
    . " others in GenflowTypeProviders. $left");
warns("$keyless<GenflowType t>\nGenflowTypeProviders p/a p/b local\n</GenflowType>\n",
    "<GenflowType t> goes without some of its providers. Set the key, or name others in"
        . " GenflowTypeProviders. $left");
warns("GenflowDispatch Off\n$keyless");
my ($shipped, $printed) = configtest($STORE . 'Include "${GENFLOW_WORK}/conf/genflow-types.conf"');
ok $shipped, 'the shipped types need no key' or diag $printed;
is scalar(() = $printed =~ /GF0005: <GenflowType [\w-]+> /g), 5, 'each of them has a warning, once'
    or diag $printed;

finish;

# The table that the code takes them from.
sub kinds { return Genflow::Site::read_text('mod_genflow/provider/kinds.h') =~ /^ +(?:FIRST|NEXT)\((\w+)/mg }

sub location { return "<Location /a>\nSetHandler genflow-api\n$_[0]\n</Location>\n" }
sub in_host  { return "<VirtualHost *:1>\n$_[0]\n</VirtualHost>\n" }

# The configuration passes, with these warnings.
sub warns {
    my ($text, @should) = @_;
    my ($passes, $output) = configtest($STORE . $LOCAL . $text);
    my @warnings = $output =~ /GF0005: (.*)/g;
    ok $passes, 'it passes' or diag $output;
    is_deeply \@warnings, \@should, @should ? '... and says what to do' : '... without a word';
    return;
}

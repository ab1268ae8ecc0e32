#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Two virtual hosts are two customers of one hoster: each has types, prices, providers, a store and
# limits of its own, and the main server's types. They share the database and the background.
use Genflow::Admin;
use Genflow::Httpd ();
use Genflow::Site ();
use Genflow::Test;

my %port   = map { $_ => Genflow::Site::free_port() } qw(a b tls);
my %folder = map { $_ => "$ENV{GENFLOW_WORK}/tmp/hosts-$$-$_" } qw(main a b);
sql("SELECT genflow.create_type(:'type')", type => $_) for qw(hosts-main vh-a-neo vh-b-neo vh-b-draw);

sql(q(SELECT genflow.admin_amounts('realm=vh-a initial=20')));

my $LOCATIONS = <<'END';
Include "${GENFLOW_WORK}/t/conf/api.conf"
Include "${GENFLOW_WORK}/t/conf/admin.conf"
<Location "/old">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
    GenflowLegacyNames On
</Location>
<Location "/named">
    SetHandler genflow-api
    GenflowUser "vh-bMARK%{HTTP:X-User}"
</Location>
<Location "/keyed">
    SetHandler genflow-api
    AuthType GenflowKey
    AuthName keys
    Require valid-user
</Location>
END
$LOCATIONS =~ s/MARK/\x1f/;
my $REMOTE = "GenflowProviderKind stability\nGenflowProviderUrl \"\${GENFLOW_FAKE}\"\n"
    . "GenflowProviderKey env:STABILITY_API_KEY\n";
my $A = <<"END";
GenflowRealm vh-a
GenflowStoreFolder $folder{a}
GenflowCreditInitial 20
GenflowLimitConcurrent 9
<GenflowProvider remote>
    $REMOTE
</GenflowProvider>
<GenflowType neo>
    GenflowTypeProviders remote/sd3
    GenflowTypeCost 1
</GenflowType>
END
my $B = <<"END";
GenflowRealm vh-b
GenflowStoreFolder $folder{b}
GenflowStoreUrl /pictures
GenflowFeedOpen On
GenflowLimitConcurrent 7
<GenflowProvider remote>
    $REMOTE
    GenflowProviderBudget 1/day
</GenflowProvider>
<GenflowType neo>
    GenflowTypeProviders remote/sd3 local
    GenflowTypeCost 5
</GenflowType>
<GenflowType draw>
    GenflowTypeProviders local
    GenflowTypeCost 2
</GenflowType>
<Location "/pictures">
    SetHandler genflow-result
</Location>
END
my $httpd = Genflow::Httpd->start(<<"END");
Include "\${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
GenflowStoreFolder $folder{main}
GenflowStoreThumbnail On
GenflowDispatchPoll 100ms
GenflowBodyUnknown refuse
$LOCATIONS
<Location "/generated">
    SetHandler genflow-result
</Location>
<GenflowProvider local>
</GenflowProvider>
<GenflowType hosts-main>
    GenflowTypeProviders local
    GenflowTypeCost 3
</GenflowType>
Listen 127.0.0.1:$port{a}
<VirtualHost 127.0.0.1:$port{a}>
$A</VirtualHost>
Listen 127.0.0.1:$port{b}
<VirtualHost 127.0.0.1:$port{b}>
$B</VirtualHost>
Listen 127.0.0.1:$port{tls}
<VirtualHost 127.0.0.1:$port{tls}>
$B</VirtualHost>
END

# Requests go to that host from here on.
sub on {
    my ($host) = @_;
    return talk_to($port{$host} ? bless { base => "http://127.0.0.1:$port{$host}", owner => 0 }, 'Genflow::Httpd' : $httpd);
}

sub types_of {
    on($_[0]);
    return join ' ', sort map { "$_->{name}:$_->{cost}" } @{ data(api(GET => '/api/types', user => 'someone'))->{types} };
}

# ---- types and prices ----

is types_of('main'), 'hosts-main:3', 'the main server offers its own types';
is types_of('a'),    'hosts-main:3 neo:1', 'a virtual host offers its own and those of the main server';
is types_of('b'),    'draw:2 hosts-main:3 neo:5', '... each its own, at its own price';
is types_of('tls'),  'draw:2 hosts-main:3 neo:5', '... and two virtual hosts of one realm the same';

# ---- a picture of each ----

my $user = account(0);
sql("SELECT genflow.grant_credits(:'user', 100, 'for a test', NULL)", user => $_) for identities();
my %made;
for my $host (qw(a b)) {
    on($host);
    my $res = generate($user, { type => 'neo', presetKey => undef, prompt => "neo of $host [$user]" });
    is $res->{status}, 200, "a generation of $host completes" or diag $res->{content};
    my $made = $made{$host} = data($res);
    is $made->{type}, 'neo', '... under the name of its site';
    is $made->{provider}, 'remote', '... its provider, too';
    my $folder = $host eq 'a' ? '/generated' : '/pictures';
    like $made->{imageUrl}, qr{$folder/vh-$host-neo/}, '... at the address of its store';
    ok -f picture_of($host), '... in its folder';
    is api(GET => path_of($host))->{status}, 200, '... from which it is served';
}
is submissions("neo of a [$user]"), 1, 'each used the key of its own provider';
on('b');
my $second = data(generate($user, { type => 'neo', prompt => "second of b [$user]" }));
is $second->{provider}, 'local', 'a budget that is spent is that of its site';
on('a');
is data(generate($user, { type => 'neo', prompt => "second of a [$user]" }))->{provider}, 'remote', '... and of no other';
like $httpd->log_text, qr/GF0405: job=$made{a}{id} type=vh-a-neo .*provider=vh-a-remote/,
    'the log has the names of the database';

for my $case (['b', 'a'], ['a', 'b'], ['main', 'a'], ['main', 'b']) {
    my ($here, $there) = @$case;
    on($here);
    is api(GET => path_of($there) =~ s{/pictures/}{/generated/}r)->{status}, 404,
        "a picture of $there is not served by $here";
    error_is api(GET => "/api/generation/$made{$there}{id}", user => $user), 404, 'GENERATION_NOT_FOUND', '... nor is its generation';
}
on('tls');
is api(GET => path_of('b'))->{status}, 200, 'another virtual host of the realm serves it';

# ---- types of the main server ----

for my $host (qw(main a b)) {
    on($host);
    my $made = data(generate($user, { type => 'hosts-main', prompt => "main type at $host" }));
    like $made->{imageUrl}, qr{/generated/hosts-main/}, "at $host a type of the main server uses its store";
    is api(GET => $made->{imageUrl} =~ s{\Ahttp://[^/]+}{}r)->{status}, 200, '... which this host serves';
    ok wait_for { glob "$folder{main}/hosts-main/*/$made->{id}*-384.webp" }, '... with its thumbnail';
}
ok wait_for { glob "$folder{a}/vh-a-neo/*/$made{a}{id}*-384.webp" }, 'a thumbnail is in the folder of its site';

# ---- names ----

on('b');
error_is api(POST => '/api/vh-b-neo/generate', user => $user, json => { prompt => 'x' }), 404, 'NOT_FOUND',
    'the name in the database is no name of a type here';
my $res = api(POST => '/api/generation/create', user => $user, json => { type => 'cube', prompt => 'x' });
like $res->{content}, qr/neo, draw, hosts-main/, 'an unknown type is answered with the names of the site';
is data(api(GET => '/api/me', user => $user))->{limits}{concurrent}{limit}, 7, 'limits are those of the site';
on('a');
is data(api(GET => '/api/me', user => $user))->{limits}{concurrent}{limit}, 9, '... and of the other one';

# ---- users ----

my %balance = map { $_ => balance_at($_) } qw(main a b);
is $balance{main}, 97, 'a user of the main server pays its price';
is $balance{a}, 95, '... the user of the same name at another site its own';
is $balance{b}, 87, '... each from an account of its own';
my %seen = map { on($_); $_ => join ' ', sort map { $_->{id} } @{ data(api(GET => '/api/generations', user => $user))->{items} } } qw(main a b tls);
like $seen{a}, qr/$made{a}{id}/, 'the history has what was made here';
unlike $seen{a}, qr/$made{b}{id}/, '... and nothing of another site';
is $seen{tls}, $seen{b}, '... two hosts of a realm have one history';
is scalar(split ' ', $seen{main}), 1, '... and the main server its own';

my $key_of_a = (on('a'), new_key_of($user))[-1];
is by_key('a', $key_of_a, '/api/me')->{status}, 200, 'a key signs in at its site';
is by_key($_, $key_of_a, '/api/me')->{status}, 401, "... and is unknown at $_" for qw(b main);
is data(by_key('a', $key_of_a, '/api/getQuota'))->{userId}, $user, '... whose answers have the name alone';
on('b');
is_deeply data(api(GET => '/api/keys', user => $user))->{items}, [], '... nor is it among the keys of another site';

my %repeated = map { on($_); $_ => data(generate($user, { type => 'hosts-main', prompt => "once [$user]" }, 'Idempotency-Key' => "k-$$"))->{id} } qw(a b);
isnt $repeated{a}, $repeated{b}, 'an Idempotency-Key is of one site';
on('a');
my $template = data(api(POST => '/api/templates', user => $user, json => { name => 'mine', type => 'neo', config => {} }));
is $template->{type}, 'neo', 'a template has the name of its type here';
my $asset = data(upload($user, png(3, 2)));
on('b');
is_deeply data(api(GET => '/api/templates', user => $user))->{items}, [], '... and is of one site';
cmp_ok api(GET => $asset->{url} =~ s{\Ahttp://[^/]+}{}r, user => $user)->{status}, '>=', 403, 'an uploaded picture is of one site';
my $reserved = data(api(POST => '/api/credits-reserve', user => $user, json => { action => 'x', creditsRequired => 4, requestId => "r-$$" }));
is balance_at('a'), $balance{a} - 3, 'a reservation of one site takes nothing at another' or diag explain $reserved;
for my $host (qw(main b)) {
    on($host);
    is api(GET => '/named/me', user => $user)->{status}, 401, "at $host nobody has a name with control characters";
}

# ---- the feed ----

sql("UPDATE vh_${_}_neo_media SET visibility = 'public' WHERE id = :'id'", id => $made{$_}{id}) for qw(a b);
on('b');
my $feed = data(api(GET => '/old/getPublicFeed')) || {};
like JSON::PP::encode_json($feed), qr/$made{b}{id}/, 'the feed has public pictures of this site';
unlike JSON::PP::encode_json($feed), qr/$made{a}{id}/, '... and none of another';

# ---- administration ----

for my $host (qw(main a b)) {
    on($host);
    my $jobs = JSON::PP::encode_json(data(admin(GET => '/jobs?limit=100')));
    my %other = map { $_ => 1 } grep { $_ ne $host } qw(a b);
    unlike $jobs, qr/$made{$_}{id}/, "administration of $host shows no generation of $_" for sort keys %other;
    my $shown = admin(GET => "/users/$user");
    is data($shown)->{user}{balance}, balance_row($host), '... and its own account of the user' or diag $shown->{content};
    is grep({ $_->{userId} eq $user } @{ data(admin(GET => '/users?limit=100'))->{users} }), 1, '... which its list has once'
        if $host ne 'main';
}
on('a');
is admin(DELETE => "/jobs/$made{b}{id}")->{status}, 404, 'it cancels nothing of another site';
is admin(GET => '/stats')->{status}, 404, 'what is of the whole httpd is not in a realm';
my $granted = admin(POST => '/credits', json => { userId => $user, amount => 7, reason => 'gift', reference => "gift-$$" });
is data($granted)->{userId}, $user, 'credits are granted to the user of this site';
is balance_at('b'), balance_row('b') - reserved_row('b'), '... and to no other';

# The record of administrators: each realm reads its own entries.
my %reason = map { $_ => "for the record of $_ $$" } qw(main a b);
for my $host (sort keys %reason) {
    on($host);
    my %credit = (userId => $user, amount => 1, reference => "record-$$", reason => $reason{$host});
    is admin(POST => '/credits', json => \%credit)->{status}, 200, "an administrator of $host gives a credit";
}
for my $host (sort keys %reason) {
    on($host);
    for my $query ('', "&user=$user", '&action=credit&admin=admin') {
        my %shown = map { ($_->{reason} // '') => 1 } @{ data(admin(GET => "/audit?limit=100$query"))->{entries} };
        is_deeply [grep { $shown{ $reason{$_} } } sort keys %reason], [$host], "audit?limit=100$query of $host has what was done there alone";
    }
    is admin(GET => "/audit?user=vh-b%1F$user")->{status}, 422, '... and finds no user of another realm';
}

# A name with the mark between realm and name is nobody's.
for my $host (qw(main b)) {
    on($host);
    my $named = "vh-a\x1f$user";
    my %before = map { $_ => balance_row($_) } qw(main a b);
    is admin(GET => "/users/vh-a%1F$user")->{status}, 404, "administration of $host finds no user of another realm";
    is admin(GET => "/users/vh-a%1F$user/$_")->{status}, 404, "... nor the $_" for qw(ledger holds);
    is admin(PUT => "/users/vh-a%1F$user", json => { blocked => JSON::PP::true() })->{status}, 404, '... nor blocks one';
    is admin(DELETE => "/users/vh-a%1F$user", json => { reason => 'mine' })->{status}, 404, '... nor erases one';
    is admin(GET => "/jobs?user=vh-a%1F$user")->{status}, 422, '... nor lists their generations';
    is admin(DELETE => "/jobs?user=vh-a%1F$user")->{status}, 422, '... nor clears them';
    is admin(GET => "/keys?user=vh-a%1F$user")->{status}, 422, '... nor their keys';
    is admin(POST => '/keys', json => { user => $named, name => 'x' })->{status}, 422, '... nor makes one';
    is admin(POST => '/credits', json => { userId => $named, amount => 5, reason => 'x', reference => "x-$host-$$" })->{status},
        422, '... nor gives credits';
    is join(' ', map { balance_row($_) } qw(main a b)), join(' ', map { $before{$_} } qw(main a b)), '... and nobody has more';
    my $first = admin(POST => '/credits', json => { userId => $user, amount => 5, reason => 'x', reference => 'genflow:first:1' });
    is $first->{status}, 422, '... nor takes the reference of first credits';
    $granted = admin(POST => '/credits', json => { userId => $user, amount => 7, reason => 'gift', reference => "gift-$$" });
    is $granted->{status}, 200, '... but the reference of another realm' or diag $granted->{content};
    is data($granted)->{reference}, "gift-$$", '... as it was sent';
    is data(admin(GET => "/users/$user/ledger"))->{items}[0]{reference}, "gift-$$", '... and is in the ledger';
    is data(admin(POST => '/credits', json => { userId => $user, amount => 7, reason => 'gift', reference => "gift-$$" }))->{applied},
        JSON::PP::false(), '... where it counts once';
}
sql("INSERT INTO genflow.breakers (provider, model, failures, reason, opened_at, open_until) VALUES (:'name', '', 5, 'test',"
    . " now(), now() + interval '1 hour')", name => "vh-b-other-$$");
for my $host (qw(main a)) {
    on($host);
    unlike api(GET => '/api/health')->{content}, qr/vh-b-/, "health of $host names no provider of another site";
}
sql("DELETE FROM genflow.breakers WHERE provider = :'name'", name => "vh-b-other-$$");

# ---- one background ----

# ---- administration ----

for my $path (qw(now money stats ledger/check)) {
    my $asked = sub { on($_[0]); return api(GET => "/admin/$path", headers => signed_in('admin'))->{status} };
    is join(' ', map { $asked->($_) } qw(main a b)), '200 404 404', "admin/$path is the main server's";
}

on('a');
my $id = later($user, { type => 'neo', prompt => "{{gate=hosts-$$}} over a restart [$user]" });
kill USR1 => $httpd->pid;
ok wait_for { $httpd->log_text =~ /(?:resuming normal operations.*){2}/s }, 'httpd is restarted gracefully';
open_gate("hosts-$$");
is +(ended($user, $id, 'neo') || {})->{status}, 'completed', '... and generations of virtual hosts go on';
is join("\n", grep { !/GF0872|GF0720/ } split /\n/, $httpd->alarms), '', 'nothing else was logged that an operator must see';

finish;

# ---- help ----

# The user's identities: of the main server and of both sites.
sub identities { return ($user, map { "$_\x1f$user" } qw(vh-a vh-b)) }

# What the user can spend there.
sub balance_at {
    my ($host) = @_;
    on($host);
    return data(api(GET => '/api/getQuota', user => $user))->{balance} // balance_row($host) - reserved_row($host);
}

sub row_of {
    my ($host, $column) = @_;
    my $realm = $host eq 'main' ? '' : "vh-$host";
    return sql1("SELECT $column FROM genflow.accounts WHERE realm = :'realm' AND name = :'name'", realm => $realm, name => $user);
}

sub balance_row  { return row_of($_[0], 'balance') }
sub reserved_row { return row_of($_[0], 'held') }

sub new_key_of { return data(api(POST => '/api/keys', user => $_[0], json => { name => 'mine' }))->{key} }

# Through the <Location> that takes keys.
sub by_key {
    my ($host, $key, $path) = @_;
    on($host);
    return api(GET => $path =~ s{\A/api}{/keyed}r, headers => { Authorization => "Bearer $key" });
}

sub path_of { return $made{ $_[0] }{imageUrl} =~ s{\Ahttp://[^/]+}{}r }

sub picture_of {
    my ($host) = @_;
    return (grep { !/-384/ } glob "$folder{$host}/vh-$host-neo/*/$made{$host}{id}*")[0] // '';
}

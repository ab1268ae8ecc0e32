#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What a client learns beside an answer: the id of its request on every one, which is the one of errors and
# of the log; and what is left of rate limits. A dry run takes nothing of the user's rate: it has its own,
# ten times as large, and no other call gets at that.
use Genflow::Test;

use Genflow::Httpd qw(small_site);

my $httpd = Genflow::Httpd->start(small_site() . <<'END');
Include "${GENFLOW_WORK}/t/conf/api.conf"
LoadModule remoteip_module "${GENFLOW_LIBEXEC}/mod_remoteip.so"
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
GenflowLimitRate 2/1h
GenflowLimitAddressRate 60/1m 5
GenflowCorsOrigin https://studio.example
<Location "/admin">
    SetHandler genflow-admin
    GenflowUser "%{HTTP:X-User}"
    Require all granted
</Location>
<Location "/pictures">
    SetHandler genflow-result
</Location>
<Location "/lenient">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
    GenflowBodyUnknown ignore
</Location>
<Location "/openai">
    SetHandler genflow-openai
    GenflowUser "%{HTTP:X-User}"
</Location>
<Location "/fal">
    SetHandler genflow-fal
    GenflowUser "%{HTTP:X-User}"
    GenflowModel studio/picture neo-glitch preset=base
</Location>
<Location "/closed">
    SetHandler genflow-api
    Require all denied
</Location>
<Location "/signed">
    SetHandler genflow-api
    AuthType Basic
    AuthName x
    AuthUserFile "${GENFLOW_WORK}/t/conf/users"
    Require valid-user
</Location>
END
talk_to($httpd);
my $GENERATE = '/api/neo-glitch/generate';
my $body     = { prompt => 'a cat', presetKey => 'base' };
my @users    = map { account(20) } 0 .. 3;

# ---- the id of the request ----

my $made = api(POST => $GENERATE, user => $users[0], json => $body, headers => { 'X-Client' => '192.0.2.1', Prefer => 'wait=60' });
is $made->{status}, 200, 'a picture is made' or diag $made->{content};
my ($picture) = (data($made)->{imageUrl} // '') =~ m{/generated(/.*)};
my $tag = api(GET => '/api/getQuota', user => $users[0]) && api(GET => '/api/me', user => $users[0])->{headers}{etag};
my @CALLS = (    # what, method, path, status, options
    ['an answer',           GET    => '/api/getQuota', 200, user => $users[0]],
    ['a HEAD request',      HEAD   => '/api/getQuota', 200, user => $users[0]],
    ['304',                 GET    => '/api/me', 304, user => $users[0], headers => { 'If-None-Match' => $tag }],
    ['a generation',        POST   => $GENERATE, 202, user => $users[1], json => $body, headers => { Prefer => 'respond-async' }],
    ['a stream',            GET    => '/api/events', 200, user => $users[0], headers => { Accept => 'text/event-stream' }],
    ['no user',             GET    => '/api/getQuota', 401],
    ['no password',         GET    => '/signed/getQuota', 401],
    ['nothing',             GET    => '/api/nowhere', 404, user => $users[0]],
    ['a wrong method',      DELETE => '/api/getQuota', 405, user => $users[0]],
    ['no JSON',             POST   => $GENERATE, 400, user => $users[2], body => '{', headers => { 'Content-Type' => 'application/json' }],
    ['what is denied',      GET    => '/closed/getQuota', 403, user => $users[0]],
    ['health',              GET    => '/api/health', 200],
    ['administration',      GET    => '/admin/stats', 403, user => $users[0]],
    ['a picture',           GET    => "/pictures$picture", 200],
    ['a known picture',     GET    => "/pictures$picture", 304, headers => { 'If-None-Match' => '*' }],
    ['no picture',          GET    => '/pictures/x', 404],
    ['a preflight',         OPTIONS => '/api/getQuota', 204, headers => { Origin => 'https://studio.example',
        'Access-Control-Request-Method' => 'GET' }],
);
my %ids;
for my $call (@CALLS) {
    my ($what, $method, $path, $status, %option) = @$call;
    next if $what eq 'a stream' || ($what =~ /picture/ && !$picture);
    $option{headers}{'X-Request-Id'} = 'forged';
    my $res = api($method => $path, %option);
    my $id  = $res->{headers}{'x-request-id'};
    is $res->{status}, $status, "$what gets $status";
    like $id, qr/\A[\w@-]{16,}\z/, '... with its id' or diag explain $res->{headers};
    $ids{$id // ''}++;
    next if $status < 400 || $res->{headers}{'content-type'} ne 'application/json';
    is data($res)->{requestId}, $id, '... the one of the error';
    like $httpd->log_text, qr/request=\Q$id\E/, '... and of the log';
}
is_deeply [grep { $ids{$_} > 1 } keys %ids], [], 'each request has an id of its own';
my $models = api(GET => '/openai/models', user => $users[0]);
like $models->{headers}{'x-request-id'}, qr/\A[\w@-]{16,}\z/, 'a front of OpenAI has it once';
my $fal = api(GET => '/fal/nowhere', user => $users[0]);
ok $fal->{headers}{'x-fal-request-id'}, 'a front has its own name for it';
ok !exists $fal->{headers}{'x-request-id'}, '... and no other';
my $page = api(GET => '/api/health', headers => { Origin => 'https://studio.example' });
like $page->{headers}{'access-control-expose-headers'}, qr/RateLimit, RateLimit-Policy.*x-request-id/, 'a page may read them';

# ---- what is left ----

sub available {
    my ($balance, $held) = @{ credits($_[0]) };
    return $balance - $held;
}
sub left {
    my ($res) = @_;
    my ($policy, $left) = map { $_ // '' } @{ $res->{headers} }{qw(ratelimit-policy ratelimit)};
    $left =~ s/t=(\d+)/$1 > 0 && $1 <= 3600 ? 't=s' : "t=$1"/ge;
    return "$policy | $left";
}
sub ask {
    my ($user, $query, %option) = @_;
    return api(POST => "$GENERATE$query", user => $user, json => $body, %option,
        headers => { 'X-Client' => '192.0.2.7', Prefer => 'respond-async', %{ $option{headers} // {} } });
}
my $asks = $users[3];
my $first = ask($asks, '');
is left($first), '"default";q=2;w=3600, "address";q=5;w=5 | "default";r=1;t=s, "address";r=4;t=s', 'an answer says what is left';
is left(ask($asks, '', json => {})), '"default";q=2;w=3600, "address";q=5;w=5 | "default";r=0;t=s, "address";r=3;t=s',
    '... and so does a refusal of the body';
my $refused = ask($asks, '');
error_is($refused, 429, 'RATE_LIMIT', 'with none left there is no more');
my ($reset) = $refused->{headers}{ratelimit} =~ /"default";r=0;t=(\d+)/;
cmp_ok abs($reset - $refused->{headers}{'retry-after'}), '<=', 1, '... until the next one is there, as Retry-After says';
is left(api(GET => '/api/getQuota', user => $asks)), ' | ', 'what is not limited says nothing';

# ---- dry runs ----

is available($asks), 19, 'one generation is held or paid';
my @dry = map { ask($asks, '?dryRun=1', headers => { 'X-Client' => "192.0.2.2$_" })->{status} } 0 .. 19;
is_deeply \@dry, [(200) x 20], 'who has no request left may ask for the price twenty times';
my $dear = ask($asks, '?dryRun=1');
error_is($dear, 429, 'RATE_LIMIT', '... and no more');
is left($dear) =~ s/ \|.*//r, '"default";q=20;w=3600, "address";q=50;w=5', '... as the answer says';
my $other = account(20);
is ask($other, "?dryRun=$_", headers => { 'X-Client' => '192.0.2.8' })->{status}, 200, 'a dry run' for 1 .. 9;
my $bought = ask($other, '', headers => { 'X-Client' => '192.0.2.8' });
is left($bought),
    '"default";q=2;w=3600, "address";q=5;w=5 | "default";r=1;t=s, "address";r=4;t=s', '... took nothing from user or address';
is ask($other, '?dryRun=0', headers => { 'X-Client' => '192.0.2.8' })->{status}, 202, 'dryRun=0 is a request';
for my $query ('', '?dryRun=0', '?dryRun=1&dryRun=0') {
    is ask($other, $query, headers => { 'X-Client' => '192.0.2.8' })->{status}, 429, "'$query' takes what a request takes";
}
my $id = data($bought)->{id};
# It may still ask for prices, so that only the bucket of requests refuses.
for my $call ((map { [$_, "/lenient/generation/$id/$_?dryRun=1"] } qw(retry fallback)), ['an upload', '/lenient/assets?dryRun=1', body => png(3, 2)]) {
    my ($what, $path, @body) = @$call;
    error_is(api(POST => $path, user => $other, @body, headers => { 'X-Client' => '192.0.2.9', @body ? ('Content-Type' => 'image/png') : () }),
        429, 'RATE_LIMIT', "what says dryRun takes what it takes: $what");
}
is ask($other, '?dryRun=1', headers => { 'X-Client' => '192.0.2.9' })->{status}, 200, '... while there are dry runs left';
is available($asks), 19, 'nothing was held for all that';

wait_for { !sql1("SELECT 1 FROM genflow.work JOIN genflow.accounts USING (user_id) WHERE name LIKE 'rate-left-%' LIMIT 1") };
is join("\n", grep { !/GF0170/ } split /\n/, $httpd->alarms), '', 'nothing but administration was refused loudly';
talk_to();
finish;

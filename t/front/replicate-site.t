#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Replicate's front where httpd authenticates, where rates are limited, where nothing may wait, and
# where the site has no secret, or one that all know: errors keep that API's shape, streams are opened by their signature
# alone, and a create without a place to wait is answered at once.
use Genflow::Test;

use MIME::Base64 qw(encode_base64);

use Genflow::Httpd qw(small_site);

my $TYPE  = 'front-site';
my $user  = account(20);
my $FRONT = <<"END";
<Location "/v1">
    SetHandler genflow-replicate
    %s
    GenflowModel owner/name $TYPE
</Location>
END
my $AUTH = <<'END';
AuthType Basic
    AuthName "genflow"
    AuthUserFile "${GENFLOW_WORK}/t/conf/users"
    Require valid-user
END
my $SITE   = small_site($TYPE);
my $HEADER = 'GenflowUser "%{HTTP:X-User}"';
my $SECRET = "GenflowPublicUrl http://127.0.0.1:1/api\nGenflowFetchAllow 127.0.0.1\n"
    . "GenflowWebhookSecret env:WEBHOOK_SECRET\n";
my %CREATE = (json => { input => { prompt => 'a cat', seed => 1 } });

# ---- httpd's own authentication ----

grant('alice', 2);
my $httpd = Genflow::Httpd->start($SITE . $SECRET . sprintf $FRONT, $AUTH);
talk_to($httpd);
for my $who (undef, 'alice:guessed', 'mallory:x') {
    my $res = api(GET => '/v1/predictions', headers => basic($who));
    problem_is($res, 401, ($who // 'nobody') . ' is refused in the shape of the front');
    like $res->{headers}{'www-authenticate'}, qr/\ABasic realm="genflow"/, '... with the challenge of httpd';
    ok $res->{headers}{'x-request-id'}, '... and the id of the request';
}
my $made = data(api(POST => '/v1/models/owner/name/predictions', %CREATE,
    headers => { %{ basic('alice:secret') }, Prefer => 'wait=60' }));
is $made->{status}, 'succeeded', 'its user gets a picture';
my ($stream) = $made->{urls}{stream} =~ m{//[^/]+(/.*)};
my $events = api(GET => $stream);
is_deeply [$events->{status}, $events->{headers}{'content-type'}], [200, 'text/event-stream'],
    'the events of the prediction need no key';
like $events->{content}, qr/^event: output\nid: 1\ndata: \Q$made->{output}[0]\E\n\nevent: done\nid: 2\ndata: \{\}\n\n\z/m,
    '... and have the picture and the end';
is api(HEAD => $stream)->{status}, 200, 'HEAD needs none either';
problem_is(api(GET => $stream =~ s/signature=.*//r), 401, 'without a signature they are refused');
problem_is(api(GET => $stream =~ s/expires=\d+/'expires=' . (time - 1)/er), 401, 'past their time, too');
$httpd->stop;

# ---- rates ----

$httpd = Genflow::Httpd->start($SITE . "GenflowLimitRate 1/60m 1\nGenflowLimitAddressRate 2/60m 2\n" . sprintf $FRONT, $HEADER);
talk_to($httpd);
is create($user)->{status}, 201, 'the first create of an hour is served';
my $refused = create($user);
problem_is($refused, 429, 'the second one is refused in the shape of the front');
ok $refused->{headers}{'retry-after'} > 0, '... and says until when';
is api(GET => '/v1/predictions', user => $user)->{status}, 200, 'looking costs nothing';
is_deeply [map { create($user)->{status} } 1 .. 5], [(429) x 5], 'the client repeats it five times at once';
is create(account(2))->{status}, 201, '... which costs other users of its address nothing';
problem_is(create(account(2)), 429, 'the rate of the address counts what was served');

# ---- no secret ----

my $without = data(api(GET => '/v1/predictions', user => $user))->{results}[0];
ok !exists $without->{urls}{stream}, 'a site without a secret has no streams';
problem_is(api(GET => '/v1/webhooks/default/secret', user => $user), 404, '... and no secret of a user');
problem_is(api(GET => "/v1/stream/$without->{id}?user=$user&expires=9999999999&signature=x"), 401,
    '... and opens none');
$httpd->stop;

# ---- nothing may wait; one secret for all ----

$httpd = Genflow::Httpd->start($SITE . $SECRET . "GenflowWatchMode off\n" . sprintf $FRONT, $HEADER);
talk_to($httpd);
my $created = create($user, Prefer => 'wait');
is_deeply [$created->{status}, data($created)->{status}], [201, 'starting'],
    'without a place to wait a create is answered at once, as starting';
ok wait_for { data(api(GET => '/v1/predictions/' . data($created)->{id}, user => $user))->{status} eq 'succeeded' },
    '... and the prediction goes on';
problem_is(api(GET => data($created)->{urls}{stream} =~ s{.*?//[^/]+}{}r), 503, 'a stream needs a place');
$httpd->stop;

# ---- a secret that all receivers know ----

my $address = data($created)->{urls}{stream} =~ s{.*?//[^/]+}{}r;
$httpd = Genflow::Httpd->start($SITE . $SECRET . "GenflowWebhookShared On\n" . sprintf $FRONT, $HEADER);
talk_to($httpd);
my $shown = data(api(GET => '/v1/predictions', user => $user))->{results}[0];
ok !exists $shown->{urls}{stream}, 'with a secret that receivers share there are no streams';
problem_is(api(GET => $address), 401, '... and one that it signed is refused: anybody could have signed it');
problem_is(api(GET => '/v1/webhooks/default/secret', user => $user), 404, "... and it is the site's to give");
$httpd->stop;

# ---- ... until the site has a secret of its own ----

$httpd = Genflow::Httpd->start($SITE . $SECRET =~ s/env:WEBHOOK_SECRET/env:PEERS_HOOK_SECRET/r . "GenflowWebhookSecretOld env:WEBHOOK_SECRET\n"
    . sprintf $FRONT, $HEADER);
talk_to($httpd);
problem_is(api(GET => $address), 401, 'a stream that the secret before this one signed is refused: receivers may know that secret');
my $present = data(api(GET => '/v1/predictions', user => $user))->{results}[0];
is api(GET => $present->{urls}{stream} =~ s{.*?//[^/]+}{}r)->{status}, 200, '... and the present one signs';
$httpd->stop;
talk_to();
is_deeply [broken_rules()], [], 'the books are sound';
finish;

sub create {
    my ($who, %headers) = @_;
    return api(POST => '/v1/models/owner/name/predictions', user => $who, %CREATE, headers => \%headers);
}

sub problem_is {
    my ($res, $status, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($type) = ($res->{headers}{'content-type'} // '') =~ /\A([^;]+)/;
    return is_deeply([$res->{status}, $type, (data($res) // {})->{status}],
        [$status, 'application/problem+json', $status], $sentence) || diag "the answer was: $res->{content}";
}

sub basic {
    my ($secret) = @_;
    return defined $secret ? { Authorization => 'Basic ' . encode_base64($secret, '') } : {};
}

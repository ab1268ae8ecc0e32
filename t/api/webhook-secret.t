#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Each user's webhooks are signed with a secret of that user's own, which GET webhook-secret gives and
# which signs for no other user. While the site changes its secret, they carry two signatures. A site
# whose receivers know its one secret keeps it with GenflowWebhookShared.
use Genflow::Test;
use Genflow::Webhooks;

use Genflow::Httpd qw(refused accepted small_site);

my ($user, $other) = (account(9), account(9));
my $SITE = $ENV{WEBHOOK_SECRET};
my $NEXT = $ENV{PEERS_HOOK_SECRET};      # some other secret

# ---- one of each user's own ----

my $mine = data(api(GET => '/api/webhook-secret', user => $user));
is $mine->{secret}, secret_of($user), 'a user gets the own secret';
is $mine->{previousSecret}, undef, '... which is not being changed';
is data(api(GET => '/api/webhook-secret', user => $user))->{secret}, $mine->{secret}, '... always the same';
my $theirs = data(api(GET => '/api/webhook-secret', user => $other))->{secret};
isnt $theirs, $mine->{secret}, 'another user gets another one';
isnt $mine->{secret}, $SITE, "and no user gets the site's";
error_is(api(GET => '/api/webhook-secret'), 401, 'AUTHENTICATION_REQUIRED', 'a request without a user gets none');
is api(GET => '/api/webhook-secret', user => $user)->{headers}{'cache-control'}, 'no-store',
    'no cache keeps it';

my ($delivery) = deliveries(one($user, 'own'), 1);
is $delivery->{header}{'webhook-signature'}, signature_of($delivery, $mine->{secret}),
    'a webhook is signed with the secret of its user';
isnt $delivery->{header}{'webhook-signature'}, signature_of($delivery, $_), '... and with no other'
    for $theirs, $SITE;

# ---- while it is being changed; shared ----

my $PUBLIC = "GenflowPublicUrl http://127.0.0.1:1/api\nGenflowWebhookAllow http://127.0.0.1\n"
    . "GenflowFetchAllow 127.0.0.1\nGenflowSourceAllow 127.0.0.1\n";
my $CHANGE = $PUBLIC . "GenflowWebhookSecret env:PEERS_HOOK_SECRET\n"
    . "GenflowWebhookSecretOld env:WEBHOOK_SECRET\n";
my $changing = site($CHANGE);
talk_to($changing);
is_deeply [@{ data(api(GET => '/api/webhook-secret', user => $user)) }{qw(secret previousSecret)}],
    [secret_of($user, $NEXT), $mine->{secret}], 'the response has both secrets while they change';
($delivery) = deliveries(one($user, 'changing', 'webhook-secret'), 1);
is $delivery->{header}{'webhook-signature'}, join(' ', map { signature_of($delivery, secret_of($user, $_)) }
    $NEXT, $SITE), '... and a webhook carries both signatures';
$changing->stop;

my $shared = site($CHANGE . "GenflowWebhookShared On\n");
talk_to($shared);
error_is(api(GET => '/api/webhook-secret', user => $user), 404, 'NOT_FOUND',
    'where all share one secret no user gets it here');
($delivery) = deliveries(one($user, 'shared', 'webhook-secret'), 1);
is $delivery->{header}{'webhook-signature'}, join(' ', map { signature_of($delivery, $_) } $NEXT, $SITE),
    '... and webhooks are signed with it, before and after the change';
$shared->stop;

my $without = site('');
talk_to($without);
error_is(api(GET => '/api/webhook-secret', user => $user), 404, 'NOT_FOUND',
    'a site that sends no webhooks has no secret');
$without->stop;

# ---- the directives ----

refused('an old secret that is none',
    $PUBLIC . "GenflowWebhookSecret env:WEBHOOK_SECRET\nGenflowWebhookSecretOld env:STORE_SECRET\n",
    'GenflowWebhookSecretOld names no secret');
refused('GenflowWebhookShared maybe', "GenflowWebhookShared maybe\n", 'must be On or Off');
accepted('all of it', $CHANGE . "GenflowWebhookShared Off\n");
talk_to();
finish;

# Creates a generation; returns its webhook's address.
sub one {
    my ($who, $name, $type) = @_;
    my $hook = hook('ok', "$who-$name");
    later($who, { webhookUrl => $hook, $type ? (type => $type) : () });
    return $hook;
}

# A site that alone works on its type.
sub site {
    my ($lines) = @_;
    return Genflow::Httpd->start(small_site('webhook-secret')
        . 'Include "${GENFLOW_WORK}/t/conf/api.conf"' . "\n$lines");
}

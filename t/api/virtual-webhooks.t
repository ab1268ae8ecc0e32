#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A webhook is that of the site whose user requested the picture: by its hosts, its secret and its
# address, also where the type is the main server's.
use Genflow::Httpd ();
use Genflow::Site ();
use Genflow::Test;
use Genflow::Webhooks;
use MIME::Base64 qw(encode_base64);

my @HOSTS  = qw(a b);
my %port   = map { $_ => Genflow::Site::free_port() } @HOSTS;
my %secret = map { $_ => 'whsec_' . encode_base64("secret of the site $_, 32 bytes .", '') } @HOSTS;
my %file   = map { $_ => "$ENV{GENFLOW_WORK}/tmp/webhook-$$-$_" } @HOSTS;
Genflow::Site::write_text($file{$_}, "$secret{$_}\n") for @HOSTS;
sql("SELECT genflow.create_type('webhooks-main')");

my $sites = join '', map { <<"END" } @HOSTS;
Listen 127.0.0.1:$port{$_}
<VirtualHost 127.0.0.1:$port{$_}>
    GenflowRealm webhooks-$_
    GenflowWebhookAllow http://127.0.0.1
    GenflowWebhookSecret file:$file{$_}
    GenflowSourceAllow 127.0.0.1
    GenflowPublicUrl http://$_.example/api
</VirtualHost>
END
my $httpd = Genflow::Httpd->start(<<"END");
Include "\${GENFLOW_WORK}/t/conf/database.conf"
Include "\${GENFLOW_WORK}/t/conf/api.conf"
StartServers 1
GenflowStoreFolder "\${GENFLOW_WORK}/store"
GenflowDispatchPoll 100ms
<Location "/generated">
    SetHandler genflow-result
</Location>
<GenflowProvider local>
</GenflowProvider>
<GenflowType webhooks-main>
    GenflowTypeProviders local
</GenflowType>
$sites
END

my $user = account(0);
for my $host (@HOSTS) {
    my $identity = "webhooks-$host\x1f$user";
    sql("SELECT genflow.grant_credits(:'user', 10, 'for a test', NULL)", user => $identity);
    talk_to(bless { base => "http://127.0.0.1:$port{$host}", owner => 0 }, 'Genflow::Httpd');
    my $hook = hook('ok', "$user-$host");
    my $res  = generate($user, { type => 'webhooks-main', prompt => "for $host [$user]", webhookUrl => $hook });
    is $res->{status}, 200, "a user of $host requests a webhook for a type of the main server" or diag $res->{content};
    my ($came) = deliveries($hook, 1);
    ok $came, '... it is delivered' or next;
    my $given = data(api(GET => '/api/webhook-secret', user => $user))->{secret};
    is $given, secret_of($identity, $secret{$host}), '... its secret is made of that of the site';
    is $came->{header}{'webhook-signature'}, signature_of($came, $given), '... and signs it';
    like $came->{body}, qr{"http://$host\.example/}, '... and its addresses are those of the site';
}
talk_to($httpd);
is_deeply data(api(GET => '/api/me', user => $user))->{features}{webhooks}, JSON::PP::false(), 'the main server sends none';
is $httpd->alarms =~ s/^.*GF0872.*\n?//mgr, '', 'the log has no warning';
finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Children that die while they deliver a webhook, a database that goes away meanwhile, and a generation
# that cannot be read delay the delivery and lose nothing: it comes by the same id. Of two hosts one
# delivers it. Each is charged once.
use Genflow::Fault;
use Genflow::Httpd qw(small_site);
use Genflow::Test;
use Genflow::Webhooks;

expect_log 'GF0121';

ok configure("GenflowWebhookTimeout 4s\n"), 'webhooks may take their time';
my $user = account(50);

# ---- killed ----

my $hook = hook('hang,times=1', "$user-killed");
my $id   = later($user, { webhookUrl => $hook });
is scalar(deliveries($hook, 1)), 1, 'a webhook is being delivered';
my @killed = children();
kill KILL => @killed;
ok wait_for { my %old = map { $_ => 1 } @killed; (grep { !$old{$_} } children()) >= 2 }, 'the child that delivers it is killed';
my @came = deliveries($hook, 2);
is scalar(@came), 2, '... it is delivered again';
is_deeply [map { $_->{header}{'webhook-id'} } @came], [$id, $id], '... by the same id';
is $_->{header}{'webhook-signature'}, signature_of($_), '... signed' for @came;
ok wait_for { !pending($id) }, '... and then no more';
is scalar(deliveries($hook, 2)), 2, '... in two attempts, not one more';
credits_are $user, 49, 0, '... for one charge';

# ---- the database is away ----

ok configure("GenflowWebhookTimeout 30s\n"), 'a delivery has more time than the outage takes';
my $slow = hook('delay=1500', "$user-away");
$id = later($user, { webhookUrl => $slow });
is scalar(deliveries($slow, 1)), 1, 'a webhook is being delivered';
ok pg('stop', 'fast'), 'the database stops';
ok pg('start'), '... and is back';
my $noted = wait_for { !pending($id) };
ok $noted, '... the delivery is noted then';
is scalar(deliveries($slow, 1)), 1, '... and delivered once';

# ---- two hosts ----

sql("SELECT genflow.create_type('webhook-broken')");
my $second = Genflow::Httpd->start(small_site() . <<'END');
GenflowWebhookAllow http://127.0.0.1
GenflowWebhookSecret env:WEBHOOK_SECRET
GenflowSourceAllow 127.0.0.1
GenflowPublicUrl "http://127.0.0.1:${GENFLOW_PORT}/api"
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType webhook-broken>
    GenflowTypeProviders local
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
my $many = hook('ok', "$user-many");
my %ids  = map { (later($user, { webhookUrl => $many }), 1) } 1 .. 20;
my @all  = deliveries($many, 20);
ok wait_for { !grep { pending($_) } keys %ids }, 'two hosts deliver all webhooks';
my %count;
$count{ $_->{header}{'webhook-id'} }++ for deliveries($many, 20);
is_deeply \%count, \%ids, '... each once';
credits_are $user, 50 - 2 - 20, 0, '... each for its price';

# ---- a generation that cannot be read ----

talk_to($second);
my $broken = hook('status=500,times=1', "$user-broken");
$id = later($user, { webhookUrl => $broken, type => 'webhook-broken' });
deliveries($broken, 1);
sql('ALTER FUNCTION genflow.webhook_broken_get RENAME TO webhook_broken_away');
make_due($id, 1);
my $later = wait_for { sql1(<<'SQL', id => $id) };
    SELECT 1 FROM genflow.deliveries WHERE job_id = :'id' AND tries = 2 AND due_at > now() + interval '4 min'
SQL
ok $later, 'a generation that cannot be read is delivered later';
like $second->alarms, qr/GF0122: job=$id /, '... and an operator hears of it';
sql('ALTER FUNCTION genflow.webhook_broken_away RENAME TO webhook_broken_get');
make_due($id, 2);
@came = deliveries($broken, 2);
is $came[1]{header}{'webhook-id'}, $id, '... when it can be read again';
talk_to();
$second->stop;

ok configure(''), 'the configuration is as it was';
finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# GenflowFetchAllow is for results alone: an address of the same network that a user gives, of a
# source picture or of a webhook, is refused unless GenflowSourceAllow names it, too.
use Genflow::Httpd ();
use Genflow::Test;

my $SITE = <<'END';
LogLevel info genflow:debug
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowDispatchPoll 100ms
GenflowPublicUrl "http://127.0.0.1:${GENFLOW_PORT}/api"
GenflowWebhookAllow http://127.0.0.1
GenflowWebhookSecret env:WEBHOOK_SECRET
<GenflowProvider fal>
    GenflowProviderUrl "${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 100ms
</GenflowProvider>
<GenflowType narrow-lens>
    GenflowTypeProviders fal/fal-ai/realistic-vision/image-to-image fal/fal-ai/fast-sdxl
    GenflowTypeCost 1
    GenflowTypeSource optional
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END

my $user    = account(20);
sql("SELECT genflow.create_type('narrow-lens')");
my $picture = "$ENV{GENFLOW_FAKE}/_source/picture/7";
my $site    = Genflow::Httpd->start("${SITE}GenflowFetchAllow 127.0.0.1\n");
talk_to($site);
my $res = generate($user, { type => 'narrow-lens', presetKey => undef }, Prefer => 'wait=60');
is data($res)->{status}, 'completed', 'with GenflowFetchAllow a result is fetched' or diag $res->{content};
$res = generate($user, { type => 'narrow-lens', presetKey => undef, sourceUrl => $picture });
error_is($res, 422, 'INVALID_IMAGE_URL', 'a source picture of the same address is refused');
my $id = later($user, { type => 'narrow-lens', presetKey => undef, prompt => "told $user",
    webhookUrl => 'http://127.0.0.1:1/hook' });
ended($user, $id, 'narrow-lens');
ok wait_for { $site->log_text =~ /GF0431: job=$id .*is not public/ },
    'and so is a webhook' or diag $site->log_text =~ /(.*GF0431.*)/;
sql("DELETE FROM genflow.deliveries WHERE job_id = :'id'", id => $id);
talk_to(undef);
$site->stop;

$site = Genflow::Httpd->start("${SITE}GenflowFetchAllow 127.0.0.1\nGenflowSourceAllow 127.0.0.1\n");
talk_to($site);
$res = generate($user, { type => 'narrow-lens', presetKey => undef, sourceUrl => $picture },
    Prefer => 'wait=60');
is data($res)->{status}, 'completed', 'with GenflowSourceAllow it is taken' or diag $res->{content};
talk_to(undef);
$site->stop;

finish;

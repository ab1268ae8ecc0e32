#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What a server does that sets nothing but addresses and keys: where pictures go, how long it waits
# between attempts, what an answer without a picture means, how long records stay. t/00-docs.t compares
# the same values with conf/genflow.conf.
use Genflow::Test;

use Genflow::Database ();
use Genflow::Httpd ();
use Genflow::Shelf ();

# What its janitor is called with is recorded, in a database that no other server has.
my $db = Genflow::Database->new;
$ENV{PGDATABASE} = $db->name;
sql(<<'SQL');
    CREATE TABLE genflow.test_janitor (p_part text, p_jobs interval, p_keys interval, p_media interval);
    CREATE OR REPLACE FUNCTION genflow.janitor(p_part text, p_limit integer, p_jobs interval,
        p_keys interval, p_media interval DEFAULT NULL)
    RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO genflow.test_janitor VALUES (p_part, p_jobs, p_keys, p_media);
        RETURN 0;
    END $$;
SQL
my $store = "$ENV{GENFLOW_WORK}/tmp/defaults-$$";
my $httpd = Genflow::Httpd->start(<<'END' . "GenflowStoreFolder $store\n");
Include "${GENFLOW_WORK}/t/conf/database.conf"
Include "${GENFLOW_WORK}/t/conf/api.conf"
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
GenflowJanitorInterval 1s
GenflowStoreKind cloudinary
GenflowStoreApi "${GENFLOW_STORE}/cloudinary"
GenflowStoreAccount pictures
GenflowStoreKey env:STORE_KEY
GenflowStoreSecret env:STORE_SECRET
<GenflowProvider local>
</GenflowProvider>
<GenflowProvider stability>
    GenflowProviderUrl "${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderBreakerOpen 0s
</GenflowProvider>
<GenflowProvider slow>
    GenflowProviderKind stability
    GenflowProviderUrl "${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderBackoff 40s
</GenflowProvider>
<GenflowProvider fal>
    GenflowProviderUrl "${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeProviders stability/sd3 local
</GenflowType>
<GenflowType emotion-mask>
    GenflowTypeProviders stability/sd3 local
    GenflowTypeEmptyFails On
</GenflowType>
<GenflowType presets>
    GenflowTypeProviders slow/sd3
</GenflowType>
<GenflowType ghibli-reaction>
    GenflowTypeProviders fal/fal-ai/fast-sdxl
</GenflowType>
END
talk_to($httpd);

# ---- waits between attempts ----

# They go on while the rest is tested.
my $user   = account(100);
my @failing = map { later($user, { prompt => "{{status=503 times=3}} again $_ [$user]" }) } 1 .. 8;
my $capped = later($user, { type => 'presets', presetKey => 'golden_hour', prompt => "{{status=503}} capped [$user]" });
my $queued = later($user, { type => 'ghibli-reaction', presetKey => 'ghibli_tears', prompt => "{{poll-gate=queued-$$ position=4}} queued [$user]" });

# ---- a picture, its price and its place ----

my $job = data(generate($user, {}, Prefer => 'wait=60'));
is $job->{status}, 'completed', 'a generation completes';
is $job->{tokensUsed}, 2, '... for 2 credits';
is $job->{maxRetries}, 3, '... with 3 retries';
like join(' ', Genflow::Shelf->objects($job->{id})),
    qr{\Acloudinary/stefna/generated/neo_glitch_$job->{id}-[0-9a-f]{32}\z},
    '... and its picture is below stefna/generated, under a name that cannot be guessed';
my $age = sql1("SELECT round(extract(epoch FROM deadline_at - created_at)) FROM genflow.work JOIN"
    . " public.ghibli_reaction_media m ON m.id = job_id WHERE job_id = :'id'", id => $queued);
is $age, 600, 'a generation lasts 10 minutes at most';

# ---- an answer without a picture ----

my $empty = ended($user, later($user, { prompt => '{{empty}} nothing' }));
is "$empty->{errorCode} $empty->{provider}", 'EMPTY_RESULT stability', 'an answer without a picture ends a generation';
my $next = data(generate($user, { type => 'emotion-mask', presetKey => 'happy', prompt => '{{empty}} nothing' }, Prefer => 'wait=60'));
is "$next->{status} $next->{provider}", 'completed local', '... and with GenflowTypeEmptyFails On the next provider draws';

# ---- what the provider says of its queue ----

my $waiting = wait_for {
    my $generation = status_of($user, $queued, 'ghibli-reaction');
    defined $generation->{queuePosition} && $generation;
};
is $waiting->{queuePosition}, 4, 'a generation shows its place in the queue of the provider';
open_gate("queued-$$");
is ended($user, $queued, 'ghibli-reaction')->{queuePosition}, undef, '... and none once it has ended';

# ---- records ----

wait_for { sql1("SELECT 1 FROM genflow.test_janitor WHERE p_part = 'attempts'") };
is_deeply [sql('SELECT DISTINCT p_jobs, p_keys, p_media FROM genflow.test_janitor')], ['01:00:00|72:00:00|'],
    'records of jobs stay for 1 h, idempotency keys for 72 h, generations for good';

# ---- the waits ----

is ended($user, $_)->{status}, 'completed', 'what fails 3 times completes' for @failing;
my %waits;
my $log = $httpd->log_text;
for my $id (@failing) {
    my @waits = $log =~ /GF0415: job=\Q$id\E .*?retry queued in (\d+) ms/g;
    is scalar @waits, 3, '... after 3 waits';
    push @{ $waits{$_} }, $waits[$_] for 0 .. $#waits;
}
for my $try (0 .. 2) {
    my $least = 2000 * 2**$try;
    my @waits = sort { $a <=> $b } @{ $waits{$try} };
    ok $waits[0] >= $least && $waits[-1] <= $least * 1.2,
        'wait ' . ($try + 1) . " is $least ms and at most a fifth more" or diag "@waits";
    cmp_ok $waits[-1] - $waits[0], '>', 0, '... not the same for all that failed at one time';
}
my ($wait) = $log =~ /GF0415: job=\Q$capped\E .*?retry queued in (\d+) ms/;
is $wait, 30_000, 'no wait is longer than 30 s';
api(POST => "/api/generation/$capped/cancel", user => $user);
is status_of($user, $capped, 'presets')->{status}, 'cancelled', '... and what waits can be cancelled';

finish;

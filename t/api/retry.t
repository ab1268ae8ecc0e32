#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What failed or was cancelled is made again: a new generation with the same input, its own hold and
# a fresh count of retries; by its type's chain, or, as a fallback, drawn here, also where the chain
# does not draw. Repeated or parallel calls make one.
use Genflow::Test;

expect_log qw(GF0203 GF0205);

my $user = account(40);

# ---- retry ----

my %INPUT = (
    type => 'neo-glitch', presetKey => 'visor', runId => "run-of-$user", maxRetries => 1,
    prompt => "{{status=503 times=2}} twice [$user]", parameters => { cfg_scale => 5 },
);
my $failed = later($user, { %INPUT });
my $old    = ended($user, $failed);
is "$old->{status} $old->{errorCode} $old->{retryCount}", 'failed MAX_RETRIES_EXCEEDED 1', 'one failed';
credits_are $user, 40, 0, 'and cost nothing';

my $res = api(POST => "/api/generation/$failed/retry", user => $user);
my $new = data($res);
is $res->{status}, 201, 'it is made again';
isnt $new->{id}, $failed, 'as a new generation';
is $res->{headers}{location}, "/api/neo-glitch/status?id=$new->{id}", 'which is at Location';
my $end = ended($user, $new->{id});
is "$end->{status} $end->{retryCount} $end->{maxRetries}", 'completed 0 1', 'it completes, with no retry';
is_deeply [@{$end}{qw(preset prompt sourceUrl parameters type)}],
    [@{$old}{qw(preset prompt sourceUrl parameters type)}], 'of the same input';
isnt $end->{seed}, $old->{seed}, 'but with a new seed';
is $end->{runId}, $new->{id}, 'and not under the old run id';
is status_of($user, $failed)->{status}, 'failed', 'the old one stays as it was';
is submissions("[$user]"), 3, 'the provider got one more submission';
credits_are $user, 39, 0, 'for one charge';
is_deeply [sql("SELECT kind FROM genflow.ledger WHERE ref = :'id' ORDER BY at", id => $new->{id})],
    [qw(hold capture)], 'on a hold of its own';

for my $where ({ seed => 11 }, { parameters => { seed => 11 } }) {
    my $first = later($user, { prompt => "{{filter}} seeded [$user]", %$where });
    ended($user, $first);
    my $reply = api(POST => "/api/generation/$first/retry", user => $user,
        headers => { Prefer => 'wait=60' });
    is $reply->{status}, 201, 'who prefers to wait gets the end';
    is data($reply)->{status} . data($reply)->{seed}, 'failed11', 'a seed that the client gave stays';
}
my $batch = data(generate($user, { prompt => "{{filter}} three [$user]", n => 3, seed => 21 }))->{batch};
for my $act (qw(retry fallback)) {
    my $reply = data(api(POST => "/api/generation/$batch->[2]{id}/$act", user => $user,
        headers => { Prefer => 'wait=60' }));
    is $reply->{seed}, 23, "a $act of the third of a batch has the seed of the third";
}
my $cancelled = later($user, { prompt => '{{poll-hang}} cancelled' });
api(POST => "/api/generation/$cancelled/cancel", user => $user);
my $fresh = data(api(POST => "/api/job/$cancelled/retry", user => $user));
is $fresh->{status}, 'running', 'a cancelled one can be retried, shown as a job';
api(POST => "/api/job/$fresh->{id}/cancel", user => $user);

# ---- its priority ----

my $low = later($user, { prompt => "{{status=400}} low [$user]", priority => 'low' });
ended($user, $low);
my $lower = data(api(POST => "/api/generation/$low/retry", user => $user))->{id};
is sql1("SELECT priority FROM public.neo_glitch_media WHERE id = :'id'", id => $lower), -1,
    'a retry has the priority of its original';
my $high = later($user, { prompt => "{{status=400}} high [$user]" });
ended($user, $high);
sql("UPDATE public.neo_glitch_media SET priority = 1 WHERE id = :'id'", id => $high);
my $bound = data(api(POST => "/api/generation/$high/retry", user => $user))->{id};
is sql1("SELECT priority FROM public.neo_glitch_media WHERE id = :'id'", id => $bound), 0,
    '... within what its type allows now';
ended($user, $_) for $lower, $bound;

# ---- once ----

my $again = api(POST => "/api/generation/$failed/retry", user => $user);
is $again->{status}, 200, 'a retry that is repeated makes nothing';
is data($again)->{id}, $new->{id}, 'but returns what the first one made';
is $again->{headers}{'idempotency-replayed'}, 'true', 'and says so';
my %key = ('Idempotency-Key' => "key-of-$user");
my @keyed = map { data(api(POST => "/api/generation/$failed/retry", user => $user, headers => \%key)) }
    1 .. 2;
isnt $keyed[0]{id}, $new->{id}, 'under a key of the client it makes another one';
is $keyed[1]{id}, $keyed[0]{id}, 'once';
error_is(api(POST => "/api/generation/$failed/fallback", user => $user, headers => \%key), 422,
    'IDEMPOTENCY_MISMATCH', 'the same key for another wish is refused');

my $racer  = account(10);
my $racing = later($racer, { prompt => "{{filter}} raced [$racer]" });
my @ids    = in_parallel(24, sub {          # also while it is being failed
    my $reply = wait_for {
        my $answer = api(POST => "/api/generation/$racing/retry", user => $racer);
        $answer->{status} != 400 && $answer;
    };
    return data($reply)->{id};
}, 12);
my %one = map { $_ => 1 } @ids;
is keys %one, 1, 'of 24 retries at once there is one new generation';
is rows_of($racer, 'genflow.ledger', "kind = 'hold'"), 2, 'and one new hold';
ended($racer, $ids[0]);
credits_are $racer, 10, 0, 'which was given back when that failed, too';

# ---- fallback ----

my @CASES = (    # type, prompt
    ['neo-glitch', '{{status=400}} a cat in the rain'],
    ['stray',      'a cat that never arrives'],
);
for my $case (@CASES) {
    my ($type, $prompt) = @$case;
    my $artist = account(10);
    my $lost   = later($artist, { type => $type, prompt => "$prompt [$artist]", maxRetries => 0 });
    is ended($artist, $lost, $type)->{status}, 'failed', "a generation of $type failed";
    my $sent   = submissions("[$artist]");
    my $drawn  = api(POST => "/api/generation/$lost/fallback", user => $artist,
        headers => { Prefer => 'wait=60' });
    my $reply   = data($drawn);
    is $drawn->{status}, 201, '... its user wishes it drawn here';
    is_deeply [@{$reply}{qw(status provider fallbackUsed type errorCode)}],
        ['completed', 'local', JSON::PP::true(), $type, undef], '... and it is';
    is submissions("[$artist]"), $sent, '... no other provider gets a request';
    ok -s picture_file($reply->{id}, $type), '... there is a picture';
    credits_are $artist, 10, 0, '... for nothing';
    is $reply->{estimatedCost}, 0, '... as the answer says';
    my $more = api(POST => "/api/generation/$lost/fallback", user => $artist);
    is data($more)->{id}, $reply->{id}, '... once';
    my %another = (headers => { 'Idempotency-Key' => "another-$artist" });
    $more = api(POST => "/api/generation/$lost/fallback", user => $artist, %another);
    is data($more)->{id}, $reply->{id}, '... also under another key';
    sql("DELETE FROM genflow.idempotency_keys WHERE user_id = genflow.account_of(:'user')", user => $artist);
    my @free = in_parallel(4, sub {
        return data(api(POST => "/api/generation/$lost/fallback", user => $artist))->{id};
    });
    is_deeply [grep { $_ ne $reply->{id} } @free], [], '... and when the keys are forgotten';
    isnt data(api(POST => "/api/generation/$lost/retry", user => $artist))->{id}, $reply->{id},
        '... a retry is another wish';
    wait_for { !sql1("SELECT 1 FROM genflow.work WHERE user_id = genflow.account_of(:'user')", user => $artist) };
}

# What was cancelled is drawn for the price of its type: else a picture would cost a cancel.
my $payer  = account(10);
my $hasty  = later($payer, { prompt => "{{poll-hang}} hasty of $payer" });
api(POST => "/api/generation/$hasty/cancel", user => $payer);
my $bought = api(POST => "/api/generation/$hasty/fallback", user => $payer,
    headers => { Prefer => 'wait=60' });
is $bought->{status}, 201, 'a cancelled generation is drawn here, too';
credits_are $payer, 9, 0, '... for its price';

# ---- a source picture that is gone ----

my $asset = data(upload($user, png(5, 5)))->{id};
my $based = later($user, { type => 'lens', sourceAssetId => $asset, prompt => '{{status=400}} based' });
ended($user, $based, 'lens');
is api(POST => "/api/generation/$based/retry", user => $user)->{status}, 201,
    'one with a source picture is made again';
api(DELETE => "/api/assets/$asset", user => $user);
error_is(api(POST => "/api/generation/$based/fallback", user => $user), 422, 'INVALID_IMAGE_URL',
    'but not without it');
wait_for { !sql1("SELECT 1 FROM genflow.work WHERE user_id = genflow.account_of(:'user')", user => $user) };

# ---- a server that does not draw ----

use Genflow::Httpd ();

my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/database.conf"
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowDispatch Off
<GenflowProvider stability>
    GenflowProviderUrl "${GENFLOW_FAKE}"
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeProviders stability/sd3
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($httpd);
my $rows = rows_of($racer, 'genflow.ledger');
my $none = api(POST => "/api/generation/$racing/fallback", user => $racer);
error_is($none, 503, 'PROVIDER_UNAVAILABLE', 'where nothing draws there is no fallback');
ok $none->{headers}{'retry-after'}, 'now';
is rows_of($racer, 'genflow.ledger'), $rows, 'and nothing was held';
like $httpd->alarms, qr/\A\N*GF0209:\N*\z/, 'the log has a line for the administrator';
talk_to();

finish;

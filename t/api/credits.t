#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Credits are held while a generation runs, taken at its success and given back at its failure, with
# the part of the day's quota. Too few credits, or a spent quota, refuse the call and report by how
# much. The quota endpoint returns all of it in numbers.
use Genflow::Test;

my $STATUS = '/api/neo-glitch/status';
my $JSON   = JSON::PP->new->canonical;

# ---- hold, capture, release ----

my $user = account(5);
my $slow = data(generate($user, { prompt => "a cat {{gate=$user}}" }, Prefer => 'respond-async'));
is $slow->{tokensUsed}, 0, 'a running generation has cost nothing yet';
credits_are $user, 5, 1, 'but its price is held';
open_gate($user);
my $done = data(api(GET => "$STATUS?id=$slow->{id}", user => $user,
    headers => { Prefer => 'wait=60' }));
is "$done->{status} $done->{tokensUsed}", 'completed 1', 'a completed one has cost its price';
credits_are $user, 4, 0, 'which is taken, and nothing is held';

my @FAILURES = (    # what the provider does, errorCode, causeCode, tag in the log
    ['{{status=400}}',     'API_ERROR',            undef,       'GF0203'],
    ['{{status=503}}',     'MAX_RETRIES_EXCEEDED', 'API_ERROR', 'GF0205'],
    ['{{empty}}',          'EMPTY_RESULT',         undef,       'GF0206'],
    ['{{moderation}}',     'CONTENT_FILTERED',     undef],
    ['{{cut-before}}',     'NETWORK_ERROR',        undef,       'GF0202'],
);
for my $failure (@FAILURES) {
    my ($script, $error, $cause, $tag) = @$failure;
    expect_log($tag) if $tag;
    my $res  = generate($user, { prompt => "a cat $script", maxRetries => 1 });
    my $reply = data($res);
    error_is($res, 500, 'GENERATION_FAILED', "$script fails the generation");
    is_deeply [@$reply{qw(status errorCode causeCode)}], ['failed', $error, $cause], 'and says why';
    ok $reply->{refunded}, 'and that it cost nothing';
    is status_of($user, $reply->{id})->{tokensUsed}, 0, 'as the status does';
    credits_are $user, 4, 0, 'and so it is';
}

# ---- too few ----

my $poor = account(1);
my @PRICES = (    # who, type, balance, price
    ['no account', account(0), 'neo-glitch', 0, 1],
    ['one credit', $poor,      'sketch',     1, 2],
);
for my $price (@PRICES) {
    my ($what, $who, $type, $balance, $cost) = @$price;
    my $res = generate($who, { type => $type });
    error_is($res, 402, 'INSUFFICIENT_CREDITS', "$what is not enough for a $type");
    my %reply = %{ data($res) };
    is $JSON->encode([@reply{qw(currentBalance requiredCredits shortfall)}]),
        $JSON->encode([$balance, $cost, $cost - $balance]), 'and the response has the shortfall';
}
generate($poor, { prompt => "a cat {{gate=$poor}}" }, Prefer => 'respond-async');
my $broke = generate($poor);
error_is($broke, 402, 'INSUFFICIENT_CREDITS', 'what is held cannot be spent again');
is data($broke)->{currentBalance}, 0, 'it does not count as balance';
open_gate($poor);

# ---- a dry run ----

my $tag = "dry of $user";
my $dry = api(POST => '/api/neo-glitch/generate?dryRun=1', user => $user,
    json => { prompt => $tag, presetKey => 'base' }, headers => { 'Idempotency-Key' => 'dry' });
is $dry->{status}, 200, 'a dry run is answered';
my %offer = %{ data($dry) };
is $JSON->encode([@offer{qw(estimatedCost currentBalance provider)}]), '[1,4,"stability"]',
    'with the price, the balance and the provider';
like $offer{prompt}, qr/\ANeo Tokyo night.*, \Q$tag\E\z/, 'and the prompt as it would be sent';
credits_are $user, 4, 0, 'it costs nothing';
is submissions($tag), 0, 'and reaches no provider';
is rows_of($user, 'genflow.idempotency_keys', "key = 'key:dry'"), 0, 'and uses up no key';
is api(POST => '/api/neo-glitch/generate?dryRun=1', user => account(0),
    json => { prompt => $tag, presetKey => 'base' })->{status}, 200, 'a user without credits may use a dry run';

# ---- the quota ----

my $limited = account(10);
sql("UPDATE genflow.accounts SET day_limit = 2, week_limit = 9 WHERE name = :'user'",
    user => $limited);
expect_log('GF0203');
generate($limited, { prompt => 'a cat {{status=400}}' });
is generate($limited)->{status}, 200, 'a failure gives its part of the day back';
is generate($limited)->{status}, 200, 'so that all of the day can be used';
my $spent = generate($limited);
error_is($spent, 429, 'QUOTA_EXCEEDED', 'when it is used, no more is taken');
my $wait = $spent->{headers}{'retry-after'};
ok $wait >= 1 && $wait <= 86_400, 'until midnight at the latest' or diag "Retry-After: $wait";
credits_are $limited, 8, 0, 'and nothing is held for it';

my $quota = api(GET => '/api/getQuota', user => $limited);
my %reply  = %{ data($quota) };
is delete $reply{userId}, $limited, 'the quota is that of the caller';
like delete $reply{timestamp}, qr/\A[\d-]{10}T[\d:.]{12}Z\z/, 'the quota is of an instant';
like delete $reply{dailyReset}, qr/\A[\d-]{10}T00:00:00\.000Z\z/, 'the day ends at midnight UTC';
is $JSON->encode(\%reply), '{"currentBalance":8,"dailyCredits":2,"daily_limit":2,"daily_used":2,'
    . '"held":0,"ok":true,"remaining":0,"remainingCredits":0,"success":true,"usedCredits":2,'
    . '"weekly_limit":9,"weekly_used":2}', 'it returns all in numbers, under old names too';
my %unlimited = %{ data(api(POST => '/api/getQuota', user => $user)) };
is $JSON->encode([@unlimited{qw(daily_limit weekly_limit remaining currentBalance)}]),
    '[null,null,4,4]', 'no limit is null, never a false 0';

my $ended = wait_for { credits($poor)->[1] == 0 };
ok $ended, 'what was running has ended';

finish;

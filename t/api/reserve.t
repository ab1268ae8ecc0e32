#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Credits are reserved under a run id, once however often the call is repeated, and the generation of
# that run id uses them instead of holding its own; what none uses is given back when its time is
# over. What cannot be reserved is refused, names what is wrong, and leaves nothing.
use Genflow::Test;

use Genflow::Httpd ();

my $PATH = '/api/credits-reserve';
my $JSON = JSON::PP->new->canonical;

# ---- reserved ----

my $user = account(10);
my $res  = reserve(request_id => 'run-1', cost => 3, action => 'upload');
my %reply = %{ data($res) };
is $res->{status}, 200, 'credits are reserved';
like delete $reply{expiresAt}, qr/\A[\d-]{10}T[\d:.]{12}Z\z/, 'until an instant';
is $JSON->encode(\%reply), '{"action":"upload","balance":7,"cost":3,"ok":true,"request_id":"run-1",'
    . '"success":true}', 'and the response has the free credits';
credits_are $user, 10, 3, 'they are held';
is sql1("SELECT expires_at - created_at FROM genflow.reservations WHERE user_id = genflow.account_of(:'user')",
    user => $user), '00:15:00', 'for a quarter of an hour';

my @SAME = (    # body, cost, action
    [{ requestId  => 'run-1', amount => 3 },                   3, 'upload'],
    [{ request_id => 'run-2' },                                2, undef],
    [{ requestId  => 'run-3', amount => 1, intent => 'edit' }, 1, 'edit'],
    [{ request_id => 'run-4', cost => 1, amount => 4, requestId => 'x', intent => 'i',
       action => 'a' },                                        1, 'a'],
);
for my $same (@SAME) {
    my ($body, $cost, $action) = @$same;
    my $got = data(reserve(%$body));
    is_deeply [@$got{qw(ok cost action)}], [JSON::PP::true(), $cost, $action],
        'taken: ' . $JSON->encode($body);
}
credits_are $user, 10, 7, 'each is held once';
my @many = in_parallel(8, sub { reserve(request_id => 'at-once', cost => 3)->{status} });
is_deeply \@many, [(200) x 8], 'the same many times at once is one';
credits_are $user, 10, 10, 'and held once';

# ---- refused ----

my $missing = reserve(request_id => 'run-5', cost => 1);
error_is($missing, 402, 'INSUFFICIENT_CREDITS', 'more than there is cannot be reserved');
is $JSON->encode([@{ data($missing) }{qw(currentBalance requiredCredits shortfall)}]), '[0,1,1]',
    'and the response has the shortfall';
error_is(reserve(request_id => 'run-1', cost => 4), 422, 'IDEMPOTENCY_MISMATCH',
    'another amount under the same run id is refused');

my $before = rows_of($user, 'genflow.reservations');
my @BAD = (    # body, fields
    [{},                                          'request_id'],
    [{ request_id => '' },                        'request_id'],
    [{ request_id => 'a b' },                     'request_id'],
    [{ request_id => 'x' x 201 },                 'request_id'],
    [{ requestId => 7 },                          'request_id'],
    (map { [{ request_id => 'y', cost => $_ },    'cost'] } 0, -1, 1.5, '2', 1_000_001, [], {}),
    [{ request_id => 'y', amount => 0 },          'amount'],
    [{ request_id => 'y', action => 7 },          'action'],
    [{ request_id => 'y', intent => 'x' x 201 },  'intent'],
    [{ cost => 0, action => [] },                 'request_id cost action'],
);
for my $bad (@BAD) {
    my ($body, $fields) = @$bad;
    my $got = reserve(%$body);
    error_is($got, 422, 'VALIDATION_FAILED', 'refused: ' . $JSON->encode($body));
    is named($got), $fields, 'with its fields';
}
is_deeply data(reserve(cost => 1))->{missingFields}, ['request_id'], 'what is missing is named so';
my %JSON_TYPE = (headers => { 'Content-Type' => 'application/json' });
my @CLOSED = (    # what, method, options, status, code
    ['no user',        'POST', [json => {}],                 401, 'AUTHENTICATION_REQUIRED'],
    ['a list',         'POST', [user => $user, json => []],  400, 'VALIDATION_ERROR'],
    ['no JSON',        'POST', [user => $user, body => '{', %JSON_TYPE], 400, 'VALIDATION_ERROR'],
    ['another type',   'POST', [user => $user, body => 'a'], 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['another method', 'GET',  [user => $user],              405, 'METHOD_NOT_ALLOWED'],
);
for my $closed (@CLOSED) {
    my ($what, $method, $options, $status, $code) = @$closed;
    error_is(api($method => $PATH, @$options), $status, $code, "$what is refused");
}
is rows_of($user, 'genflow.reservations'), $before, 'nothing of it is stored';
credits_are $user, 10, 10, 'or held';

$user = account(10);
sql("UPDATE genflow.accounts SET day_limit = 1 WHERE name = :'user'", user => $user);
my $spent = reserve(request_id => 'r');
error_is($spent, 429, 'QUOTA_EXCEEDED', 'a limit of the day holds for reservations');
ok $spent->{headers}{'retry-after'} >= 1, 'until it starts again';
sql("UPDATE genflow.accounts SET blocked = true WHERE name = :'user'", user => $user);
error_is(reserve(request_id => 'r'), 403, 'ACCOUNT_BLOCKED', 'who is blocked reserves nothing');

# ---- used ----

$user = account(2);
reserve(request_id => 'picture', cost => 2);
my $picture = generate($user, { type => 'sketch', runId => 'picture' });
is $picture->{status}, 200, 'a generation of that run id takes the reserved credits';
is data($picture)->{tokensUsed}, 2, 'and costs its price';
credits_are $user, 0, 0, 'which is charged once';
error_is(generate($user, { type => 'sketch', runId => 'picture' },
    'Idempotency-Key' => 'another'), 402, 'INSUFFICIENT_CREDITS', 'a second one pays for itself');

$user = account(3);
reserve(request_id => 'two', cost => 2);
my @codes = sort map { $_->{status} } in_parallel(2, sub {
    return { status => generate($user, { type => 'sketch', runId => 'two' },
        'Idempotency-Key' => "key-$_[0]")->{status} };
});
is_deeply \@codes, [200, 402], 'of two at once one uses it';
credits_are $user, 1, 0, 'and is charged';

$user = account(6);
reserve(request_id => 'many', cost => 5);
is generate($user, { type => 'sketch', runId => 'many', n => 3 })->{status}, 200,
    'a batch of that run id takes the reserved credits, and the rest from what is free';
my $reply = data(api(POST => '/api/credits-finalize', user => $user,
    json => { request_id => 'many', disposition => 'commit' }));
is_deeply [@$reply{qw(status generationStatus cost charged)}], ['used', 'completed', 5, 6],
    'its run id returns the cost of all';
credits_are $user, 0, 0, 'and was charged once';

# ---- over ----

$user = account(4);
reserve(request_id => 'late');
sql("UPDATE genflow.reservations SET expires_at = clock_timestamp() WHERE user_id = genflow.account_of(:'user')",
    user => $user);
is generate($user, { runId => 'late' })->{status}, 200, 'a generation of that run id';
sql('SELECT genflow.reservations_expire(100)');
is sql1("SELECT state FROM genflow.reservations WHERE user_id = genflow.account_of(:'user')", user => $user), 'expired',
    'does not use a reservation that is over';
credits_are $user, 3, 0, 'which is given back';
error_is(reserve(request_id => 'late'), 400, 'ALREADY_PROCESSED', 'and does not come back');

# ---- as configured ----

my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/database.conf"
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowDispatch Off
GenflowCreditReserveLifetime 90s
GenflowCreditDay rolling
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType sketch>
    GenflowTypeProviders local
</GenflowType>
GenflowLegacyNames On
Include "${GENFLOW_WORK}/t/conf/api.conf"
<Location "/guests">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
</Location>
END
talk_to($httpd);
error_is(api(POST => '/guests/credits-reserve', user => $user, json => { request_id => 'poor', cost => 9 }), 403,
    'INSUFFICIENT_CREDITS', 'older front ends get 403 for missing credits');
is reserve(request_id => 'short', cost => 1)->{status}, 200, 'the lifetime is configured';
is sql1("SELECT expires_at - created_at FROM genflow.reservations WHERE user_id = genflow.account_of(:'user')"
    . " AND request_id = 'short'", user => $user), '00:01:30', 'and kept to';
my $quota = data(api(GET => '/api/getQuota', user => $user));
cmp_ok $quota->{dailyReset}, 'gt', sql1("SELECT genflow.iso(now() + interval '23 hours')"),
    'a day that rolls ends 24 hours after its first use';
talk_to();
is $httpd->alarms, '', 'it had nothing to complain about';

finish;

sub reserve {
    my %body = @_;
    return api(POST => $PATH, user => $user, json => \%body);
}

# The fields that an error names.
sub named {
    my ($res) = @_;
    return join ' ', map { $_->{field} } @{ data($res)->{validationErrors} // [] };
}

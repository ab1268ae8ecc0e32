#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What users have without an administrator: first credits, the credits of a day, default limits. Each
# grant is an entry of the ledger, and none comes twice, however many requests come at once.
use Genflow::Admin;
use Genflow::Database ();
use Genflow::Httpd qw(configtest refused);
use Genflow::Test;

my $TYPE = 'allowance-only';
my $db   = Genflow::Database->new;
$ENV{PGDATABASE} = $db->name;
sql("SELECT genflow.create_type('$TYPE')");
my $AMOUNTS = <<'END';
GenflowCreditInitial 30
GenflowCreditDaily 10
GenflowCreditDailyMax 35
GenflowCreditDayLimit 20
GenflowCreditWeekLimit 50
END
my $STATED = 'initial=30 daily=10 daily_max=35 day_limit=20 week_limit=50';

# ---- the database grants, the directives state ----

my ($good, $says) = configtest(site($AMOUNTS));
ok $good, 'amounts that the database does not have are no mistake' or diag $says;
like $says, qr/GF0702: .*run sql\/apply --credits '$STATED' \(the database has: none\)/, '... httpd -t says which command sets them';
my $httpd = Genflow::Httpd->start(site("${AMOUNTS}GenflowFeedOpen On\n"));
talk_to $httpd;
my ($stem) = account(0) =~ /\A(.*)-\d+\z/;
my $early = "$stem-early";
is data(api(GET => '/api/getQuota', user => $early))->{currentBalance}, 0, 'without amounts in the database nothing is granted';
my $health;
ok wait_for(sub { $health = data(api(GET => '/api/health')); $health->{command} }), 'health has the command';
is_deeply [@$health{qw(status command)}, grep { /amounts/ } @{ $health->{faults} }], ['degraded', "sql/apply --credits '$STATED'", 'amounts_differ'],
    '... that sets them';
like $httpd->log_text, qr/GF0876: .*run sql\/apply --credits '$STATED' \(the database has: none\)/, '... and so does the log';
like doctor(), qr/WRONG: the amounts of credits .*: $STATED\n.*the database has, and grants: none\n.*Run sql\/apply --credits '$STATED'/,
    '... and the doctor';
is apply('--credits', 'initial=many'), 1, 'sql/apply refuses what is no amount';
is apply('--credits', $STATED), 0, 'the command sets them';
is data(api(GET => '/api/health'))->{command}, undef, '... and health has none any more';
is_deeply [grep { /amounts/ } @{ data(api(GET => '/api/health'))->{faults} }], [], '... nor a fault';
unlike +(configtest(site($AMOUNTS)))[1], qr/GF070[23]/, '... nor has httpd -t';
unlike doctor(), qr/amounts/, '... nor the doctor';

# ---- new users ----

my $new = "$stem-new";
my @balances = in_parallel(8, sub { data(api(GET => '/api/getQuota', user => $new))->{currentBalance} });
is_deeply [grep { $_ != 35 } @balances], [], 'a new user has the first credits, and those of the day';
is_deeply [entries($new)], ['first credits 30', 'credits of the day 5'],
    '... once each, up to the bound, as the ledger says';
my $quota = data(api(GET => '/api/getQuota', user => $new));
is_deeply [@$quota{qw(daily_limit weekly_limit remaining)}], [20, 50, 20], '... and the default limits';

my $first = "$stem-first";
is generate($first, { type => $TYPE, prompt => 'a cat' }, Prefer => 'respond-async')->{status}, 202,
    'the very first request of a user may make a picture';
is_deeply credits($first), [35, 2], '... which holds its price';
my $reserver = "$stem-reserver";
is api(POST => '/api/credits-reserve', user => $reserver, json => { request_id => 'r', cost => 3 })
    ->{status}, 200, '... or reserve';

# ---- the next days ----

sql("UPDATE genflow.accounts SET allowance_day = allowance_day - 1, balance = balance WHERE name = :'user'",
    user => $new);
api(GET => '/api/getQuota', user => $new) for 1 .. 2;
is_deeply credits($new), [35, 0], 'an account at the bound gets nothing on a new day';
my $old = account(3);
is data(api(GET => '/api/getQuota', user => $old))->{currentBalance}, 13,
    'a user with an account gets no first credits, but those of the day';
api(GET => '/api/getQuota', user => $old) for 1 .. 3;
is_deeply credits($old), [13, 0], '... once';
sql("UPDATE genflow.accounts SET allowance_day = allowance_day - 1 WHERE name = :'user'", user => $old);
sql("DELETE FROM genflow.ledger WHERE false");
is data(api(GET => '/api/getQuota', user => $old))->{currentBalance}, 13,
    'a day whose credits are in the ledger brings no more';
sql("UPDATE genflow.accounts SET blocked = true, allowance_day = NULL WHERE name = :'user'",
    user => $first);
api(GET => '/api/getQuota', user => $first);
is credits($first)->[0], 35, 'a blocked user gets none';

# ---- limits of an administrator ----

sql("SELECT genflow.admin_user_set(:'user', '{\"dayLimit\": null}', NULL)", user => $old);
is data(api(GET => '/api/getQuota', user => $old))->{daily_limit}, undef,
    'limits that an administrator has set stay, also none';

# ---- below the older names every number is finite ----

my $finite = data(api(GET => '/.netlify/functions/getQuota', user => $old));
is_deeply [grep { !defined $finite->{$_} || $finite->{$_} < 0 } qw(daily_limit daily_used weekly_limit
    weekly_used remaining dailyCredits usedCredits remainingCredits currentBalance)], [],
    'below the older names all numbers are there';
is $finite->{daily_limit} - $finite->{daily_used}, $finite->{remaining}, '... and what widgets compute is right';

my $reduced = account(30);
generate($reduced, { type => $TYPE, prompt => 'a cat' }, Prefer => 'respond-async') for 1 .. 3;
sql("SELECT genflow.admin_user_set(:'user', '{\"dayLimit\": 4, \"weekLimit\": 4}', NULL)", user => $reduced);
$finite = data(api(GET => '/.netlify/functions/getQuota', user => $reduced));
is_deeply [map { $finite->{"${_}_limit"} - $finite->{"${_}_used"} } qw(daily weekly)], [0, 0],
    '... also where an administrator has lowered a limit below what was used';
is_deeply [@$finite{qw(daily_used remaining)}], [6, 0], '... which is shown as it is';

my $guest = api(POST => '/guests/image/generate?dryRun=1', json => { mood => 'calm' });
is $guest->{status}, 200, 'a visitor without sign-in has a name' or diag $guest->{content};
is data($guest)->{currentBalance}, 35, '... and the first credits';
is sql1("SELECT count(*) FROM genflow.accounts WHERE name = 'guest-127.0.0.1'"), 1, '... which is its address';

is api(GET => '/.netlify/functions/feed')->{status}, 200, 'GenflowFeedOpen opens the feed';
is api(GET => '/.netlify/functions/getUserMedia')->{status}, 401, '... and nothing else';
# ---- the row wins ----

is apply('--credits', 'initial=7'), 0, 'other amounts than the directives state';
is data(api(GET => '/api/getQuota', user => "$stem-other"))->{currentBalance}, 7, '... are those that count';
like +(configtest(site('')))[1], qr/GF0702: .*--credits 'none' \(the database has: initial=7\)/, '... also where no directive states any';
is apply('--credits', 'none'), 0, 'none';
is data(api(GET => '/api/getQuota', user => "$stem-none"))->{currentBalance}, 0, '... grants nothing';
is_deeply [broken_rules()], [], 'the books are sound';

refused('a signature without Cloudinary', site("GenflowCloudinarySign On\n"), 'GenflowStoreKind cloudinary');
refused('credits below nothing', site("GenflowCreditInitial -1\n"), '0 to 1000000');

cancel_ours();
finish;

sub apply {
    my @arguments = @_;
    return system("sql/apply @{[map { qq('$_') } @arguments]} >/dev/null 2>&1") >> 8 ? 1 : 0;
}

sub doctor { return scalar `support/genflow-doctor site 2>&1` }

sub entries {
    my ($user) = @_;
    return sql("SELECT reason || ' ' || amount FROM genflow.ledger WHERE user_id = genflow.account_of(:'user') ORDER BY at", user => $user);
}

sub site {
    my ($more) = @_;
    return <<"END";
Include "\${GENFLOW_WORK}/t/conf/database.conf"
GenflowStoreFolder "\${GENFLOW_WORK}/store"
GenflowDispatch Off
$more
<GenflowProvider stability>
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
</GenflowProvider>
<GenflowType $TYPE>
    GenflowTypeProviders stability/sd3
</GenflowType>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
Include "\${GENFLOW_WORK}/conf/genflow-legacy.conf"
<Location "/.netlify/functions">
    GenflowUser "%{HTTP:X-User}"
</Location>
<GenflowType custom-prompt>
    GenflowTypeProviders stability/sd3
</GenflowType>
<Location "/guests">
    SetHandler genflow-api
    GenflowLegacyNames On
    GenflowUser "guest-%{REMOTE_ADDR}"
    Require all granted
</Location>
END
}

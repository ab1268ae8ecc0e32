#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Administration's figures: GET admin/money says what was held, charged and paid by the hour and the
# day, exactly; GET admin/now what is going on. A provider is paid where it made the picture or may
# have made it, at the cost of that time.
use Genflow::Admin;
use Genflow::Httpd qw(refused accepted small_site);
use Genflow::Test;
use List::Util qw(sum0);

my $JSON = JSON::PP->new->canonical->allow_nonref;

# ---- the directives ----

my $PROVIDER = "<GenflowProvider stability>\n    GenflowProviderCost %s\n</GenflowProvider>\n";
refused("GenflowProviderCost $_", sprintf($PROVIDER, $_), 'must be a number like 0.04')
    for (qw(-1 .5 1. 0.0000001 1000000.000001 10000001 1e3 many 0x1 1.2.3), q{1,5});
refused("GenflowCreditValue $_", "GenflowCreditValue $_ EUR\n", 'must be a number like 0.01') for qw(-1 .5 2000000);
refused("GenflowCreditValue 1 $_", "GenflowCreditValue 1 $_\n", 'three letters') for qw(eur EURO E1R);
refused('a cost of no provider', "GenflowProviderCost 1\n", 'belongs inside <GenflowProvider name>');
accepted('costs', sprintf($PROVIDER, "1000000\n    GenflowProviderCost 0.000001 sd3") . "GenflowCreditValue 0 USD\n");

# ---- a site ----

my $user = account(100);
sub site {
    my ($cost) = @_;
    return Genflow::Httpd->start(small_site('money') . <<"END");
Include "\${GENFLOW_WORK}/t/conf/api.conf"
Include "\${GENFLOW_WORK}/t/conf/admin.conf"
GenflowCreditValue 0.1 EUR
<GenflowProvider stability>
    GenflowProviderCost 7
    GenflowProviderCost $cost sd3
    GenflowProviderBudget 1000/day
    GenflowProviderBreakerOpen 0s
    GenflowProviderBackoff 50ms
</GenflowProvider>
<GenflowType money>
    GenflowTypeCost 3
    GenflowTypeRetries 0
</GenflowType>
END
}
sub make {
    my ($prompt, @more) = @_;
    return data(generate($user, { type => 'money', prompt => $prompt }, @more));
}
sub rows { return @{ data(admin(GET => '/money?type=money' . ($_[0] // '')))->{rows} } }
sub total { my ($name, @rows) = @_; return sum0 map { $_->{$name} } @rows }

my $httpd = site('0.065001');
talk_to $httpd;
make("a lighthouse $_ of $user") for 1 .. 3;
my $failed = make("{{status=401}} a lighthouse of $user");
is $failed->{status}, 'failed', 'a provider refuses';
my $refund = data(admin(POST => '/refunds', json => {
    generationId => make("a refund of $user")->{id}, amount => 1, reason => 'test', reference => "refund $user" }));
is $refund->{amount}, 1, 'one credit of the fifth is given back';
my @rows = rows();
my %is = map { $_ => total($_, @rows) }
    qw(generations completed failed cancelled held charged released granted refunded adjusted);
is $JSON->encode(\%is), $JSON->encode({ generations => 5, completed => 4, failed => 1, cancelled => 0, held => 15, charged => 12,
    released => 3, granted => 0, refunded => 1, adjusted => 0 }), 'money counts what was held, charged and given back';
my ($made) = grep { $_->{provider} && $_->{completed} } @rows;
is "$made->{type} $made->{provider} $made->{completed} $made->{charged}", 'money stability 4 12', '... by provider';
like admin(GET => '/money?type=money')->{content}, qr/"providerCost": ?0\.260004[,}]/,
    '... the refused submission cost nothing, and the sum is exact';
is sprintf('%.6f', total('margin', @rows)), sprintf('%.6f', (12 - 1) * 0.1 - 4 * 0.065001), '... with the margin';
my $money = data(admin(GET => '/money'));
is "$money->{currency} $money->{creditValue} $money->{per}", 'EUR 0.1 day', '... in the currency of the site';
is $JSON->encode([map { total($_, rows('&per=hour')) } qw(charged generations)]), '[12,5]', 'by the hour it is the same';
like +(rows('&per=hour'))[0]{at}, qr/\A\d{4}-\d\d-\d\dT\d\d:00:00\.000Z\z/, '... each at its begin';
like +(rows())[0]{at}, qr/T00:00:00\.000Z\z/, '... and days at theirs';

my $date = substr +(rows())[0]{at}, 0, 10;
is total('charged', rows("&from=$date")), 12, 'a date is its midnight (UTC)';
$money = data(admin(GET => "/money?type=money&from=$date"));
is "$money->{providerCost} $money->{margin}", '0.260004 0.839996', 'the sums of all rows';

# What is live is unsettled, and running now.
my @live = map { make("{{delay=5000}} a live one of $user", Prefer => 'respond-async')->{id} } 1, 2;
my $unsettled = data(admin(GET => '/money?type=money'))->{unsettled};
is $JSON->encode($unsettled), '[{"age":"under 1 minute","count":2,"credits":6}]', 'holds that have not ended are listed by age';
my $now = data(admin(GET => '/now'));
is join(' ', grep { exists $now->{$_} } qw(ledger jobs failed breakers budgets store database hosts faults)),
    'ledger jobs failed breakers budgets store database hosts faults', 'now has all its parts';
ok $now->{jobs}{waiting} + $now->{jobs}{running} >= 2, '... the live generations';
my ($theirs) = grep { ($_->{type} // '') eq 'money' } @{ $now->{failed} };
is $JSON->encode($theirs), '{"count":1,"provider":"stability","type":"money"}', '... the failed ones by type and provider';
ok $now->{store}{bytesFree} > 0 && $now->{store}{bytesFree} <= $now->{store}{bytesTotal}, '... the disk of the folder';
ok $now->{database}{connections} >= 1 && $now->{database}{connections} <= $now->{database}{connectionsMax}, '... connections';
my ($budget) = grep { $_->{provider} eq 'stability' } @{ $now->{budgets} };
ok $budget->{limit} == 1000 && $budget->{spent} >= 5, '... the budget, and what is spent of it';
ok scalar(grep { $_->{seenAt} && ref $_->{differs} eq 'ARRAY' } @{ $now->{hosts} }), '... the hosts';
sql('SELECT * FROM genflow.check()');
my $ledger = data(admin(GET => '/now'))->{ledger};
ok defined $ledger->{sound} && $ledger->{checkedAt} ge $ledger->{since}, '... and the ledger, since when it is so';
is ref $ledger->{brokenRules}, 'ARRAY', '... with the broken rules';
api(POST => "/api/generation/$_/cancel", user => $user, json => {}) for @live;

# ---- another price ----

my $before = total('providerCost', rows());
$httpd->stop;
$httpd = site('2');
talk_to $httpd;
make("a lighthouse for 2 of $user");
is sprintf('%.6f', total('providerCost', rows()) - $before), '2.000000', 'another cost holds from then on';

my ($paid) = sql(q{SELECT sum(value) / 1000000.0 FROM genflow.metrics() WHERE metric = 'genflow_provider_paid'});
ok $paid >= 2.26, 'the metrics have the costs of all time';

# The sums are the ledger, by the hour and by the day.
for my $span (qw(hour day)) {
    is join("\n", sql(<<'END', span => $span)), '', "the sums of each $span are those of the ledger";
WITH sums AS (SELECT at, kind, sum(n) AS n, sum(amount) AS amount, sum(released) AS released
                FROM genflow.sums_of(:'span') WHERE kind <> 'attempt' GROUP BY 1, 2),
     ledger AS (SELECT date_trunc(:'span', at, 'UTC') AS at, kind, count(*) AS n, sum(amount) AS amount, sum(released) AS released
                  FROM genflow.ledger GROUP BY 1, 2)
SELECT * FROM sums s FULL JOIN ledger l USING (at, kind) WHERE (s.n, s.amount, s.released) IS DISTINCT FROM (l.n, l.amount, l.released)
END
}

# ---- what it refuses ----

fields_are(admin(GET => '/money?from=yesterday&to=1&per=week&type=none'), 'from per to type', 'bad arguments are refused');
fields_are(admin(GET => '/money?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z'), 'from', 'and a range that is none');
fields_are(admin(GET => '/money?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z'), 'from', 'or longer than a year');
fields_are(admin(GET => '/money?per=hour&from=2026-01-01&to=2026-01-09'), 'from', 'or by the hour than a week');
$httpd->stop;

finish;

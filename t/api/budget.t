#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A provider that has cost its budget of the day (GenflowProviderBudget, GenflowProviderPrice) is
# skipped: the next one of the chain makes the picture. Calls at once do not wait for each other, and
# exceed the budget at most by those in flight. The log says it once, and health names the provider.
use Genflow::Admin;
use Genflow::Httpd qw(refused accepted small_site);
use Genflow::Test;

my $PROVIDER = "<GenflowProvider stability>\n%s\n</GenflowProvider>\n";
refused("the budget $_", sprintf($PROVIDER, "GenflowProviderBudget $_"), 'must be number/day')
    for qw(1000 1000/hour 0/day -1/day many/day);
refused('a price beyond the budget', sprintf($PROVIDER,
    "GenflowProviderKind local\nGenflowProviderBudget 10/day\nGenflowProviderPrice 11"),
    'GenflowProviderPrice is larger than GenflowProviderBudget');
accepted('a budget with a price', sprintf $PROVIDER,
    "GenflowProviderKind local\nGenflowProviderBudget 1000/day\nGenflowProviderPrice 40");

my $user = account(60);
my $CAPPED = "capped-$$";
my $PRICED = "priced-$$";
sql("SELECT genflow.create_type('priced')");
my $site = Genflow::Httpd->start(small_site('capped') . <<"END");
<GenflowProvider $CAPPED>
    GenflowProviderKind stability
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderBudget 3/day
</GenflowProvider>
<GenflowProvider $PRICED>
    GenflowProviderKind stability
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderBudget 100/day
    GenflowProviderPrice 40
</GenflowProvider>
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType capped>
    GenflowTypeCost 2
    GenflowTypeProviders $CAPPED/sd3 local
</GenflowType>
<GenflowType priced>
    GenflowTypeCost 1
    GenflowTypeProviders $PRICED/sd3
</GenflowType>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
Include "\${GENFLOW_WORK}/t/conf/admin.conf"
END
talk_to($site);
my @by = map { made('capped', "one $_") } 1 .. 5;
is_deeply \@by, [($CAPPED) x 3, 'local', 'local'], 'beyond the budget the next provider draws';
is submissions("[$user] one"), 3, '... and the provider gets what its budget pays for';
@by = in_parallel(12, sub { made('capped', "at once $_[0]") }, 12);
is_deeply \@by, [('local') x 12], 'the rest of the day it gets nothing';
is submissions("[$user]"), 3, '... nothing at all';

is_deeply [map { made('priced', "two $_") } 1 .. 3], [$PRICED, $PRICED, 'PROVIDER_UNAVAILABLE'],
    'a submission takes its price of the budget';
credits_are $user, 60 - 17 * 2 - 2, 0, '... and what was not made costs nothing';

my $health = data(api(GET => '/api/health'));
is_deeply $health->{providers}{spent}, [$CAPPED, $PRICED], 'health names whose budget is spent';
is $health->{status}, 'degraded', '... which somebody has to know';
ok scalar(grep { $_ eq 'budget_spent' } @{ $health->{faults} }), '... by its word';
is scalar(() = $site->log_text =~ /GF0720: .*budget of provider \Q$CAPPED\E is spent/g), 1,
    'the log says it once';
my %budget = map { $_->{name} => $_->{budget} } @{ data(admin(GET => '/providers'))->{providers} };
my ($TRUE, $FALSE) = (JSON::PP::true(), JSON::PP::false());
is_deeply $budget{$CAPPED}, { limit => 3, price => 1, usedToday => 3, spent => $TRUE },
    'administration shows limit and use of a budget';
is_deeply $budget{$PRICED}, { limit => 100, price => 40, usedToday => 80, spent => $TRUE },
    '... and what a submission costs';
is $budget{local}, undef, '... none of a provider that has none';
talk_to(undef);

# ---- at once, from the beginning ----

sql("DELETE FROM genflow.budgets WHERE provider = :'name'", name => $CAPPED);
talk_to($site);
my $TOGETHER = 10;
@by = in_parallel($TOGETHER, sub { made('capped', "together $_[0] {{delay=200}}") }, $TOGETHER);
my $sent = submissions("[$user] together");
cmp_ok $sent, '>=', 3, 'of many at once the budget is used';
cmp_ok $sent, '<=', $TOGETHER, '... and exceeded at most by those in flight';
is sql1("SELECT sum(spent) FROM genflow.budgets WHERE provider = :'name'", name => $CAPPED), $sent,
    '... each of them is counted';
talk_to(undef);
$site->stop;

finish;

# The provider that made a picture, or the error.
sub made {
    my ($type, $what) = @_;
    my $id = later($user, { type => $type, prompt => "[$user] $what" });
    my $job = ended($user, $id, $type) or return 'never';
    return $job->{provider} && $job->{status} eq 'completed' ? $job->{provider} : $job->{errorCode};
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The page in each state, in two languages, on phone and desktop, light and dark, overflows nowhere: t/studio/shots.mjs.
# With GENFLOW_SHOTS, a folder, it leaves the pictures there (support/screenshots).
use Genflow::Test;
use Genflow::Studio;

my $drawn = <<'END';
<GenflowType neo-glitch>
    GenflowTypeProviders local/glitch
</GenflowType>
GenflowCreditValue 0.10 EUR
<GenflowProvider replicate>
    GenflowProviderCost 0.04
    GenflowProviderBudget 500/day
    GenflowProviderPrice 4
</GenflowProvider>
END
my $breaker = sub {
    sql(q{INSERT INTO genflow.breakers (provider, model, failures, open_until, opened_at, reason)
        VALUES ('stability', 'sd3', 5, now() + interval '1 minute', now(), 'HTTP 503')});
};
browse('shots', studio_site(conf => $drawn, admin => 'boss', prepare => $breaker,
    users => { boss => 0, fresh => 40, map { $_ => 100 } qw(desktop phone) }));
finish;

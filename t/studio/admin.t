#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The page of administration: each panel with real data, each kind of action with its effect in the database, CSV, names
# that try to be HTML, an address or a formula, and who may see it: t/studio/admin.mjs.
use Genflow::Test;
use Genflow::Studio;

my $site = studio_site(
    users   => { boss => 5, rich => 20, held => 3 },
    admin   => 'boss',
    conf    => <<'END',
GenflowCreditValue 0.10 EUR
<GenflowProvider stability>
    GenflowProviderCost 0.065
</GenflowProvider>
<GenflowProvider replicate>
    GenflowProviderBudget 500/day
    GenflowProviderPrice 4
</GenflowProvider>
END
    alarms  => qr/\bGF020[35]:/,
    prepare => sub {
        sql(q{INSERT INTO genflow.breakers (provider, model, failures, open_until, opened_at, reason)
            VALUES ('replicate', 'stuck', 5, now() + interval '1 hour', now(), 'HTTP 503 <b>')});
    },
);
browse('admin', $site);

# ---- what became of it in the database ----

my ($rich, $held) = @{ $site->{users} }{qw(rich held)};
is sql1('SELECT count(*) FROM genflow.accounts WHERE blocked'), 1, 'one account is blocked';
is sql1(q{SELECT sum(amount) FROM genflow.ledger WHERE kind = 'grant' AND reason LIKE 'a gift of the page%'}), 7,
    'the grant is in the ledger, once, with its reason';
is sql1(q{SELECT count(*) FROM genflow.ledger WHERE reason LIKE 'a gift of the page (by %)'}), 1,
    '... and with the administrator';
is sql1(q{SELECT count(*) FROM genflow.breakers WHERE model = 'stuck' AND open_until > now()}), 0, 'the breaker is closed';
is sql1(q{SELECT prompt || '|' || is_active FROM genflow.presets_config WHERE key = 'snow'}),
    'in <b>deep</b> snow|false', 'the preset is as it was edited';
is sql1(q{SELECT count(*) FILTER (WHERE revoked_at IS NOT NULL) || ' of ' || count(*) FROM genflow.api_keys}), '1 of 2',
    'one of two keys is revoked';
is sql1(q{SELECT count(*) FROM genflow.audit WHERE action = 'takedown' AND reason = 'a <b>court</b> said so'}), 1,
    'the audit log has why the picture was taken down';
is sql1(q{SELECT day_limit FROM genflow.accounts WHERE day_limit IS NOT NULL}), 9, 'the limit of the day is stored';
finish;

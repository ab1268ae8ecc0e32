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
<GenflowStoreOld>
    GenflowStoreKind s3
    GenflowStoreApi "${GENFLOW_STORE}/s3"
    GenflowStoreAccount pictures
    GenflowStoreKey env:STORE_KEY
    GenflowStoreSecret env:STORE_SECRET
    GenflowStoreRegion eu-central-1
    GenflowStorePrefix before
</GenflowStoreOld>
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
        sql(q{WITH m AS (INSERT INTO genflow.moves (type_no, sources, target, keep, found, moved, last_error, fed_at)
            SELECT no, '{https://old.example/}', '/generated/', '0', 3, 2, 'HTTP 403 <b>', now() FROM genflow.types WHERE name = 'presets' RETURNING *)
            INSERT INTO genflow.moving (job_id, type_no, move_no, url, due_at, tries)
            SELECT gen_random_uuid(), m.type_no, m.no, 'https://old.example/1.png', now() + interval '1 hour', 1 FROM m});
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
is sql1(q{SELECT string_agg(concat_ws(' ', t.name, m.stopped_at IS NOT NULL, extract(epoch FROM m.keep)::int, a.reason), ', ' ORDER BY m.no)
    FROM genflow.moves m JOIN genflow.types t ON t.no = m.type_no LEFT JOIN genflow.audit a ON a.target = m.no::text AND a.action LIKE 'move%'}),
    'presets t 0 it <b>hangs</b>, neo-glitch f 7200 a full disk', 'one move was stopped, another begun';
is sql1(q{SELECT string_agg(concat_ws(' ', action, reason), ', ' ORDER BY id) FROM genflow.audit WHERE action ~ 'limits|key.add|preset'}),
    'limits limits <b>of</b> the page, preset.add added by the page, preset.edit edited by the page, key.add made by the page, key.add',
    'limits, presets and keys have their reasons';
is sql1(q{SELECT day_limit FROM genflow.accounts WHERE day_limit IS NOT NULL}), 9, 'the limit of the day is stored';
finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What the role of requests gains by calling what it may call: every function that the catalogs of
# PostgreSQL let it execute, with hostile arguments by their types, one call and several in one transaction.
# No balance, limit, price, refund or capture grows beyond what a user gets over HTTP. GENFLOW_SEED makes other calls.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();
use Genflow::Seed;

use constant { VECTORS => 40, SEQUENCES => 200, LONGEST => 6 };

my $seed = seed(1);
my $db   = Genflow::Database->new;

# ---- a site ----

# Accounts: an ordinary one, one with limits, a blocked one, one of a realm, one without credits that a template made.
$db->sql(
    q{SELECT genflow.grant_credits(u, 50, 'for a test') FROM unnest(ARRAY['ann', 'limited', 'blocked', E'shop\x1fann', 'thief']) u},
    q{SELECT genflow.admin_user_set('limited', '{"dayLimit": 3, "weekLimit": 9}', NULL)},
    q{SELECT genflow.admin_user_set('blocked', '{"blocked": true}', NULL)},
    q{SELECT genflow.template_put('tina', 'mine', NULL, '{}', 10)},
    q{INSERT INTO genflow.budgets (provider, day, slot, spent) VALUES ('acme', (clock_timestamp() AT TIME ZONE 'UTC')::date, 0, 7)},
    q{SELECT genflow.reserve(u, 'r1', 2, NULL, '1 hour', 'UTC') FROM unnest(ARRAY['ann', 'limited']) u},
);
$db->sql(q{SELECT genflow.admin_amounts(t) FROM unnest(ARRAY['initial=30 daily=10 daily_max=40', 'realm=shop initial=5']) t})
    if $db->sql(q{SELECT count(*) FROM pg_proc WHERE proname = 'admin_amounts'});
my $key = 0;
for my $user ('ann', 'limited', "shop\x1fann") {
    $db->sql(sprintf q{SELECT genflow.api_key_put('%s', 'key%09d', sha256('k%2$d'), 'k', '{images}', NULL, now() + '1 day', 4, 'total', NULL, 9)},
        $user, ++$key);
    my $create = q{SELECT id FROM genflow.neo_glitch_create('%s', 'k%d', '\x01', 'run %2$d', 'base', 'a cat', NULL, '{}', 7, 1,
        3::smallint, '1 hour', %s, '1 minute', p_start => %s)};
    my @made = map { $db->sql(sprintf $create, $user, ++$key, @$_) }
        ["'host'", 'true'], ['NULL', 'true'], ['NULL', 'false'], map({ ["'host'", 'true'] } 1 .. ($user eq 'limited' ? 0 : 3));
    my $settle = q{SELECT genflow.neo_glitch_settle('%s', 1, '%s', 'acme', 'm', false, %s, NULL, true, '{}', %s, NULL, NULL)};
    next if $user eq 'limited';
    $db->sql(sprintf($settle, $made[3], 'completed', q('/generated/a.png'), 'NULL'),
        sprintf($settle, $made[4], 'failed', 'NULL', q('X')), sprintf $settle, $made[5], 'cancelled', 'NULL', 'NULL');
}

# ---- what grows ----

# Calls as the role of requests, all in one transaction, which is rolled back. Returns what grew, and how many of the calls were
# not refused with an error. The measure is taken as at a commit: constraints that wait for it are checked before.
$db->sql(<<'SQL');
CREATE TABLE public.before AS SELECT a.*, (SELECT coalesce(sum(l.amount), 0) FROM genflow.ledger l
    WHERE l.user_id = a.user_id AND l.kind = 'capture') AS captured FROM genflow.accounts a;
CREATE TABLE public.keys AS TABLE genflow.api_keys;
CREATE TABLE public.costs AS SELECT id, cost FROM public.neo_glitch_media;
CREATE FUNCTION public.settings() RETURNS text LANGUAGE sql AS $$
    SELECT md5(concat((SELECT array_agg(p ORDER BY p.id) FROM genflow.presets_config p), (SELECT array_agg(c ORDER BY c) FROM genflow.compositions c),
                      (SELECT array_agg(t ORDER BY t.no) FROM genflow.types t)))
$$;
CREATE TABLE public.was AS SELECT public.settings() AS settings, coalesce((SELECT sum(spent) FROM genflow.budgets WHERE slot >= 0), 0) AS spent;
SQL
my $amounts = $db->sql(q{SELECT to_regclass('genflow.amounts') IS NOT NULL}) eq 't'
    ? q{(SELECT m FROM genflow.amounts m WHERE m.realm = a.realm)} : 'NULL::record';
my $given = $amounts =~ /NULL/ ? '0' : '(SELECT coalesce(m.initial, 0) FROM genflow.amounts m WHERE m.realm = a.realm)';
my $daily = $amounts =~ /NULL/ ? '0'
    : '(SELECT greatest(0, least(m.daily, coalesce(m.daily_max, m.daily) - coalesce(b.balance, m.initial, 0))) FROM genflow.amounts m WHERE m.realm = a.realm)';
$db->sql(<<"SQL");
CREATE FUNCTION public.grew(p_books boolean DEFAULT true) RETURNS text LANGUAGE sql AS \$\$
    WITH now AS (
        -- what the amounts of the site give this user over HTTP, at most: first credits, and those of a day
        SELECT a.*, b AS b, coalesce(b.balance, 0) + CASE WHEN b.opened THEN 0 ELSE coalesce($given, 0) END
                   + coalesce($daily, 0) AS most,
               (SELECT coalesce(sum(l.amount), 0) FROM genflow.ledger l WHERE l.user_id = a.user_id AND l.kind = 'capture') AS captured,
               (SELECT coalesce(sum(l.amount), 0) FROM genflow.ledger l WHERE l.user_id = a.user_id AND l.kind IN ('refund', 'adjust')) AS back
          FROM genflow.accounts a LEFT JOIN public.before b USING (user_id))
    SELECT string_agg(what, ', ') FROM (
        SELECT 'balance of ' || n.name || ': ' || n.balance FROM now n WHERE n.balance > n.most
        UNION ALL SELECT 'captures of ' || n.name FROM now n WHERE n.captured - coalesce((n.b).captured, 0) + n.balance > n.most
        UNION ALL SELECT 'refunds of ' || n.name FROM now n WHERE n.back <> 0
        UNION ALL SELECT 'a grant of ' || l.reason FROM genflow.ledger l
                   WHERE l.kind = 'grant' AND l.reason NOT IN ('for a test', 'first credits', 'credits of the day')
        UNION ALL SELECT 'limit of ' || n.name FROM now n WHERE (n.b).opened
                     AND (coalesce(n.day_limit, 'Infinity'::float) > coalesce((n.b).day_limit, 'Infinity'::float)
                       OR coalesce(n.week_limit, 'Infinity'::float) > coalesce((n.b).week_limit, 'Infinity'::float)
                       OR n.blocked < (n.b).blocked OR n.own_limits <> (n.b).own_limits)
        UNION ALL SELECT 'an account that is gone: ' || b.name FROM public.before b
                   WHERE NOT EXISTS (SELECT FROM genflow.accounts a WHERE a.user_id = b.user_id AND a.name = b.name)
        UNION ALL SELECT 'key ' || k.id FROM genflow.api_keys k JOIN public.keys b USING (id)
                   WHERE coalesce(k.budget, 9e18) > coalesce(b.budget, 9e18) OR k.budget_used < b.budget_used
                      OR k.expires_at > b.expires_at OR NOT k.scopes <@ b.scopes OR k.user_id <> b.user_id OR k.hash <> b.hash
        UNION ALL SELECT 'price of ' || m.id FROM public.neo_glitch_media m JOIN public.costs c USING (id) WHERE m.cost <> c.cost
        UNION ALL SELECT 'capture beyond the hold of ' || c.ref FROM genflow.ledger c WHERE c.kind = 'capture'
                     AND c.amount > (SELECT h.amount FROM genflow.ledger h WHERE h.ref = c.ref AND h.kind = 'hold')
        UNION ALL SELECT 'a hold or price below 0' FROM genflow.ledger l WHERE l.kind IN ('hold', 'capture', 'release') AND (l.amount < 0 OR l.released < 0)
        UNION ALL SELECT 'presets, types or compositions' FROM public.was w WHERE w.settings <> public.settings()
        UNION ALL SELECT 'the budget of a provider' FROM public.was w
                   WHERE w.spent > (SELECT coalesce(sum(spent), 0) FROM genflow.budgets WHERE slot >= 0)
        UNION ALL SELECT 'a broken rule: ' || c.rule FROM genflow.check() c WHERE p_books
    ) g (what)
\$\$;
CREATE FUNCTION public.attack(p_calls text[], OUT passed integer, OUT grew text) LANGUAGE plpgsql AS \$\$
DECLARE
    v_call text;
BEGIN
    passed := 0;
    FOREACH v_call IN ARRAY p_calls LOOP
        BEGIN
            SET LOCAL SESSION AUTHORIZATION genflow_app;
            EXECUTE v_call;
            RESET SESSION AUTHORIZATION;
            passed := passed + 1;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
    BEGIN
        SET CONSTRAINTS ALL IMMEDIATE;
        grew := public.grew(cardinality(p_calls) > 1);
    EXCEPTION WHEN OTHERS THEN
        passed := 0;            -- the commit fails
    END;
    RAISE EXCEPTION USING ERRCODE = 'GFTST', MESSAGE = passed, DETAIL = coalesce(grew, '');
EXCEPTION WHEN SQLSTATE 'GFTST' THEN
    GET STACKED DIAGNOSTICS grew = PG_EXCEPTION_DETAIL;
    passed := SQLERRM;
    grew := nullif(grew, '');
END \$\$;
SQL
is $db->sql('SELECT public.grew()'), '', 'nothing has grown before';

# ---- what it may execute ----

# Of every function in every schema but PostgreSQL's own: its name and, of each argument, name, type and whether it has a default.
my @functions = map {
    my ($name, @arguments) = split /[|]/;
    { name => $name, arguments => [map { [split /:/] } @arguments] };
} split /\n/, $db->sql(<<'SQL');
SELECT concat_ws('|', format('%I.%I', n.nspname, p.proname),
                 (SELECT string_agg(concat_ws(':', coalesce(p.proargnames[a.no], ''), format_type(a.type, NULL),
                                              a.no > p.pronargs - p.pronargdefaults), '|' ORDER BY a.no)
                    FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, no)))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND p.prokind IN ('f', 'p')
   AND has_schema_privilege('genflow_app', n.oid, 'USAGE') AND has_function_privilege('genflow_app', p.oid, 'EXECUTE')
   AND n.nspname <> 'public'
 ORDER BY 1
SQL
cmp_ok scalar @functions, '>=', 150, scalar(@functions) . ' functions';

# A value for each type, most of them of the site: by chance one fits another. Words of SQL.
my @ids = map { "'$_'" } split /\n/, $db->sql(q{SELECT id FROM public.neo_glitch_media UNION SELECT id FROM genflow.reservations ORDER BY 1});
my @users = (q('ann'), q('limited'), q('blocked'), q(E'shop\x1fann'), q('thief'), q('tina'), q('nobody'), q(E'none\x1fann'), q(E'\x1f'), q(E'shop\x1f'));
my @texts = (@users, map({ "'k$_'" } 1 .. 9), q('run 2'), q('r1'), q('acme'), q('m'), q('host'), q('completed'), q('failed'), q('cancelled'), q('public'),
    q('key000000001'), q('key000000002'), q('neo-glitch'), q('/generated/a.png'), q('UTC'), q('rolling'), q('XXX-167'), q('day'), q('total'), q('admin'),
    q('media'), q('keys'), q('jobs'), q('refused'), q(''), q(';DROP'), q(''','), q('*'), q('1000000'), q('initial=1000000'), q(repeat('x', 9999)));
my @numbers = (0, 1, 2, -1, 3, 7, 40, 1_000_000, -1_000_000, 2_147_483_647);
my %VALUES = (
    text => \@texts, uuid => [@ids, 'gen_random_uuid()', q('00000000-0000-0000-0000-000000000000')],
    integer => [@numbers, -2_147_483_648], smallint => [0, 1, -1, 3, 32_767, -32_768],
    bigint => [@numbers, '9223372036854775807', '-9223372036854775807', 1_000_000_000_000],
    boolean => [qw(true false)], interval => [map { "'$_'" } '0 s', '1 s', '1 hour', '-1 day', '10 years', '-10 years', '1 us'],
    bytea => ["'\\x01'", q(sha256('k1')), q(sha256('x')), "''"],
    jsonb => [map { "'$_'" } '{}', '[]', '{"share_to_feed": true}', '{"dayLimit": null, "balance": 1000000}', '{"admin": "x"}', 'null', '{"front": {"start": true}}'],
    json => [q('{}'), q('[]')], date => [map { "'$_'" } 'today', '2000-01-01', 'infinity'],
    'timestamp with time zone' => [map { "'$_'" } 'now', '-infinity', 'infinity', '1970-01-01'],
    'double precision' => [0, -1, q('NaN'), q('Infinity'), 1e300], numeric => [0, -1, q('NaN'), 1e30], 'real' => [0, q('NaN')],
    xid => [map { "'$_'" } 0, 3, 4_294_967_295],
);
# Of arguments whose name says what belongs there: else most calls end at the first look.
my %NAMED = (
    p_user => \@users, p_day => [map { "'$_'" } 'UTC', 'rolling', 'XXX-167', 'Etc/GMT+12'],
    p_status => [map { "'$_'" } qw(completed failed cancelled)], p_per => [q('day'), q('total')],
    p_epoch => [0, 1, 1, 2], p_epochs => [0, 1, 1], p_number => [1, 2], p_lease => ["'1 minute'", "'0 s'"],
    p_part => [map { "'$_'" } qw(attempts hooks keys media reservations jobs work)],
);
my %unknown;

sub one_of { return $_[rand @_] }

# A call with arguments by chance. An argument with a default is left out half of the time.
sub call {
    my ($function, $all) = @_;
    my @with;
    for my $argument (@{ $function->{arguments} }) {
        my ($name, $type, $default) = @$argument;
        next if $default eq 't' && rand() < 0.5;
        my $value = value($name, $type);
        push @with, $name eq '' ? $value : "$name => $value";
    }
    return "SELECT * FROM $function->{name}(" . join(', ', @with) . ')';
}

sub value {
    my ($name, $type) = @_;
    return "NULL::$type" if rand() < 0.06;
    if ($type =~ /\A(.*)\[\]\z/) {
        my $element = $1;
        return "ARRAY[" . join(', ', map { value($name, $element) } 1 .. 1 + rand 3) . "]::$type";
    }
    my $values = $VALUES{$type};
    $unknown{$type} = 1, return "NULL::$type" if !$values;
    $values = $NAMED{$name} if $NAMED{$name} && rand() < 0.9;
    return one_of(@$values) . "::$type";
}

# ---- one call ----

my ($vectors, $passed, @grew) = (0, 0);
my %reached;

sub try {
    my ($names, @calls) = @_;
    my $list = join ', ', map { my $call = s/\$/\\\$/gr; "\$call\$$_\$call\$" } @calls;
    my $answer = $db->sql("SELECT passed, coalesce(grew, '') FROM public.attack(ARRAY[$list])");
    my ($ok, $grew) = $answer =~ /\A(\d+)[|](.*)\z/s or die "$answer\n";
    $vectors += @calls;
    $passed  += $ok;
    $reached{$_} += $ok for @$names;
    push @grew, "$grew: @calls" if length $grew;
    return;
}

for my $function (@functions) {
    # a function that has no argument has one vector
    try([$function->{name}], call($function)) for 1 .. (@{ $function->{arguments} } ? VECTORS : 1);
}
is_deeply [sort keys %unknown], [], 'each type of argument has hostile values';
is_deeply \@grew, [], "one call of each function: nothing grew ($vectors calls, $passed without an error)";

# ---- several calls in one transaction ----

@grew = ();
for (1 .. SEQUENCES) {
    my @some = map { one_of(@functions) } 1 .. 2 + rand(LONGEST - 1);
    try([], map { call($_) } @some);
}
is_deeply \@grew, [], 'several calls in one transaction: nothing grew (' . SEQUENCES . ' transactions)';

# ---- the way in itself ----

my @never = map { $_->{name} } grep { !$reached{ $_->{name} } } @functions;
cmp_ok scalar @never, '<=', @functions / 4, 'most of the functions do something with such arguments' or diag "never: @never";
diag scalar(@functions) . " functions, $vectors argument vectors, $passed without an error, grown: " . (@grew || 'nothing');
is $db->sql('SELECT public.grew()'), '', 'the site is as it was';

done_testing;

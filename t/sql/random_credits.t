#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# After any sequence of what can be done to credits the books are sound: one after the other, looked
# at after each step, and by many at once. GENFLOW_SEED makes another sequence.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();
use Genflow::Seed;

use constant { STEPS => 600, SESSIONS => 8, EACH => 60, USERS => 4 };

my $seed = seed(1);

my $db   = Genflow::Database->new;
my $keys = 0;

sub one_of { return $_[rand @_] }
sub user   { return 'user' . int rand USERS }
sub run    { return 'run' . (int($keys / 16) + int rand 3) }      # new ones all the time
sub amount { return 1 + int rand 4 }
sub day    { return one_of('UTC', 'rolling') }

# A row of that query, any.
sub any {
    my ($query) = @_;
    return "($query OFFSET " . int(rand 5) . ' LIMIT 1) AS one';
}

my %ACTS = (
    reserve => sub {
        my ($user, $run, $amount, $day) = (user(), run(), amount(), day());
        return "genflow.reserve('$user', '$run', $amount, NULL, '1 hour', '$day')";
    },
    create => sub {
        my ($user, $run, $amount, $day, $key) = (user(), run(), amount(), day(), ++$keys);
        return "genflow.neo_glitch_create('$user', '$key', '\\x01', '$run', 'base', 'a cat', NULL,"
            . " '{}', 7, $amount, 3::smallint, '1 hour', NULL, NULL, p_day => '$day')";
    },
    finalize => sub { return "genflow.reserve_finalize('${\ user() }', '${\ run() }')" },
    settle   => sub {
        my $status = one_of(qw(completed completed failed cancelled));
        my $image  = $status eq 'completed' ? "'/a.png'" : 'NULL';
        my $error  = $status eq 'failed'    ? "'X'"      : 'NULL';
        return any('SELECT job_id FROM genflow.work ORDER BY job_id')
            . ", genflow.neo_glitch_settle(job_id, NULL, '$status', 'acme', 'm', false, $image,"
            . " NULL, true, '{}', $error, NULL, NULL) AS outcome";
    },
    late => sub {
        return any(q{SELECT id FROM genflow.reservations WHERE state = 'open' ORDER BY id})
            . ', LATERAL (SELECT genflow.random_over(id)) AS outcome(outcome)';
    },
    expire => sub { return 'genflow.reservations_expire(2) AS outcome' },
    claim  => sub {
        return q{(SELECT count(*) FROM genflow.neo_glitch_claim('host', 3, '0s', '-infinity'))}
            . ' AS c(outcome)';
    },
    grant  => sub { return "genflow.admin_credit('${\ user() }', ${\ amount() }, 'x', 'g' || "
            . ++$keys . ') AS outcome' },
    take   => sub { return "genflow.admin_credit('${\ user() }', -${\ amount() }, 'x', 't' || "
            . ++$keys . ') AS outcome' },
    refund => sub {
        return any(q{SELECT ref FROM genflow.ledger WHERE kind = 'capture' ORDER BY ref})
            . ", LATERAL genflow.admin_refund(ref, NULL, 'x', 'r' || " . ++$keys . ') AS r';
    },
    delete => sub {
        return any(q{SELECT id FROM public.neo_glitch_media
                     WHERE status NOT IN ('pending', 'processing') ORDER BY id})
            . ', LATERAL (SELECT genflow.random_delete(id)) AS outcome(outcome)';
    },
    again => sub {
        return one_of("genflow.grant_credits('user0', 1, 'x', 'again')",
            "genflow.admin_credit('user1', 1, 'x', 'again')") . ' AS outcome';
    },
);
my @ACTS = (sort keys %ACTS, qw(reserve reserve create create finalize finalize settle settle));

sub act { return 'SELECT outcome FROM ' . $ACTS{ one_of(@ACTS) }->() }

# These codes mean a lost race for credits; everything else that begins so is a fault.
sub faults { return grep { /\A!(?!GF4)/ } @_ }

sub broken { return $db->sql('SELECT * FROM genflow.check()') }

$db->sql(<<'SQL',
    CREATE FUNCTION genflow.random_over(p_id uuid) RETURNS text LANGUAGE sql AS $$
        UPDATE genflow.reservations SET expires_at = clock_timestamp()
         WHERE id = p_id AND state = 'open' RETURNING 'ok' $$
SQL
    <<'SQL');
    CREATE FUNCTION genflow.random_delete(p_id uuid) RETURNS text LANGUAGE sql AS $$
        DELETE FROM public.neo_glitch_media WHERE id = p_id RETURNING 'ok' $$
SQL
$db->sql("SELECT genflow.grant_credits('user$_', 20, 'for a test')") for 0 .. USERS - 1;
$db->sql("UPDATE genflow.accounts SET day_limit = 40 WHERE user_id = genflow.account_of('user2')");

# ---- one after the other ----

my $session = $db->session;
my (%seen, $act);
for my $step (1 .. STEPS) {
    $act = act();
    my $said = $session->sql($act);
    $seen{ ($said =~ /\A!?\w+/g)[0] // '' }++;
    last if faults($said) || broken();
}
is broken(), '', STEPS . ' steps leave the books sound after each of them'
    or diag "seed $seed, the last step was: $act";
is_deeply [faults(keys %seen)], [], 'and none of them fails' or diag "seed $seed: $act";
for my $outcome (qw(ok mismatch returned used ended insufficient_credits done)) {
    ok $seen{$outcome}, "among them some were: $outcome" or diag explain { seed => $seed, %seen };
}

# ---- all at once ----

my @sessions = $db->sessions(SESSIONS);
my @parts    = map { my $part = $_; [$part, map { act() } 1 .. EACH] } @sessions;
my @answers  = map { @$_ } $db->at_once(@parts);
is_deeply [faults(@answers)], [], SESSIONS . ' clients at once meet neither deadlock nor failure'
    or diag "seed $seed";
is broken(), '', 'and leave the books sound' or diag "seed $seed";

# ---- the end of everything ----

$db->sql(q{UPDATE genflow.reservations SET expires_at = clock_timestamp() WHERE state = 'open'},
    'SELECT genflow.reservations_expire(1000)',
    ('UPDATE genflow.work SET due_at = clock_timestamp(), deadline_at = clock_timestamp()',
        q{SELECT count(*) FROM genflow.neo_glitch_claim('host', 1000, '30s', '-infinity')}) x 2);
is $db->sql('SELECT sum(held) FROM genflow.accounts'), 0, 'when all has ended nothing is held';
is $db->sql(<<'SQL'), '', 'and every user\'s list ends with what he may spend';
    SELECT a.name FROM genflow.accounts a
     WHERE a.balance <> (SELECT sum(l.amount) FROM genflow.ledger_list(a.name, NULL, 100000) l)
        OR a.balance <> (SELECT l.balance_after FROM genflow.ledger_list(a.name, NULL, 1) l)
SQL
is broken(), '', 'the books are sound in the end' or diag "seed $seed";

done_testing;

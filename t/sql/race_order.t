#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# One statement that ends what several users have locks their accounts in the order of their names:
# two of them cannot lock each other up.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $db = Genflow::Database->new;
$db->sql("SELECT genflow.grant_credits(name, 10, 'for a test') FROM unnest('{anna,bert}'::text[]) AS u(name)");
my ($one, $two) = $db->sessions(2);

# Is the account locked by somebody?
sub is_locked {
    my ($user) = @_;
    my $free = $db->session->sql("SELECT 1 FROM genflow.accounts WHERE user_id = genflow.account_of('$user') FOR UPDATE NOWAIT");
    return $free eq '!55P03';
}

# While anna's account is held by somebody else, the statement waits for it, and has not come to
# bert's, though what bert has is older.
sub goes_by_name {
    my ($what, $statement, $result) = @_;
    $one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = genflow.account_of('anna') FOR UPDATE");
    $two->start($statement);
    ok $db->waits($two), "$what waits for the first account";
    ok is_locked('anna'), '... which is held';
    ok !is_locked('bert'), '... and has not locked the second one before';
    $one->sql('COMMIT');
    is $two->answer, $result, '... and ends both';
    return;
}

for my $user (qw(bert anna)) {
    $db->sql("SELECT id FROM genflow.neo_glitch_create('$user', 'k', '\\x01', NULL, 'base', 'a cat', NULL, '{}',
                 7, 1, 3::smallint, '10 minutes', NULL, NULL)",
        "SELECT outcome FROM genflow.reserve('$user', 'r', 1, NULL, '1 hour', 'UTC')");
}
$db->sql("UPDATE genflow.work SET deadline_at = clock_timestamp() - interval '1 second',
                 due_at = clock_timestamp() - interval '1 minute'");
goes_by_name('a claim that ends jobs',
    "SELECT count(*) FROM genflow.neo_glitch_claim('host', 10, '30s', '-infinity', p_ends => true)", 2);

$db->sql("UPDATE genflow.reservations SET expires_at = clock_timestamp() - CASE genflow.identity_of(user_id) WHEN 'bert'
              THEN interval '1 minute' ELSE interval '1 second' END");
goes_by_name('the end of reservations', 'SELECT genflow.reservations_expire(10)', 2);

is $db->sql('SELECT sum(held) FROM genflow.accounts'), 0, 'in the end nothing is held';
is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

# ---- a day that rolls: what is decided under the account's lock ----

# 2 of 5 credits were held 23 hours ago, in the day before.
$db->sql("SELECT genflow.grant_credits('carl', 100, 'for a test')",
    "UPDATE genflow.accounts SET day_limit = 5 WHERE user_id = genflow.account_of('carl')",
    create('carl', 'old', 2),
    q{SET session_replication_role = replica},
    q{UPDATE genflow.ledger SET at = at - interval '23 hours', window_day = window_day - 1 WHERE user_id = genflow.account_of('carl')},
    q{SET session_replication_role = origin},
    q{UPDATE genflow.accounts SET day = day - 1 WHERE user_id = genflow.account_of('carl')});
is $one->sql('BEGIN', create('carl', 'one', 2)), 'ok', 'of a limit that rolls 4 of 5 are used by one request';
$two->start(create('carl', 'two', 2));
ok $db->waits($two), '... another that saw room for it waits for the account';
$one->sql('COMMIT');
is $two->answer, '!GF429', '... and finds the limit used up';
is $db->sql(create('carl', 'two', 2)), 'quota_exceeded', '... as the next check shows';
is $db->sql(create('carl', 'three', 1)), 'ok', '... what remains is accepted';

# ---- a user's limit of live generations: one request decides after the other ----

$db->sql("SELECT genflow.grant_credits('dora', 10, 'for a test')");
is $one->sql('BEGIN', create('dora', 'one', 1, 1)), 'ok', 'a user may have one live generation';
$two->start(create('dora', 'two', 1, 1));
ok $db->waits($two), '... another request waits for the first';
$one->sql('COMMIT');
is $two->answer, 'too_many', '... and is one too many';

sub create {
    my ($user, $key, $cost, $concurrent) = @_;
    $concurrent //= 0;
    return "SELECT outcome FROM genflow.neo_glitch_create('$user', '$key', '\\x01', NULL, 'base', 'a cat', NULL, '{}',
                 7, $cost, 3::smallint, '10 minutes', NULL, NULL, p_day => 'rolling', p_concurrent => $concurrent)";
}

done_testing;

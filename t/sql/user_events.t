#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The events of a user while others write: no event is lost between two looks, however long a
# transaction stays open before it commits, and whatever the clock says. What a look cannot tell, it
# says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $db = Genflow::Database->new;
$db->sql("SELECT genflow.grant_credits('user', 1000, 'for a test')");
my ($one, $two, $three) = $db->sessions(3);
my $keys = 0;

sub create {
    my ($user) = @_;
    $keys++;
    return "SELECT id FROM genflow.neo_glitch_create('$user', 'k$keys', '\\x01', NULL, 'base', 'a cat',"
        . " NULL, '{}', 7, 1, 3::smallint, '10 minutes', 'host', '30 seconds')";
}

sub settle {
    my ($id) = @_;
    return "SELECT genflow.neo_glitch_settle('$id', 1, 'failed', 'acme', 'm', false, NULL, NULL, NULL, NULL, 'X', NULL,"
        . " NULL)";
}

my $instant;

# What has happened since the last look: 'reset', or the ids.
sub look {
    my $rows = $db->sql("SELECT e.instant, e.is_reset, string_agg(e.id::text, ' ' ORDER BY e.id)
        FROM genflow.user_events('user', " . ($instant ? "'$instant'" : 'NULL') . ", NULL, false, 100) e GROUP BY 1, 2");
    ($instant, my $is_reset, my $ids) = split /\|/, $rows, -1;
    return $is_reset eq 't' ? 'reset' : $ids;
}

is look(), '', 'who comes now gets nothing of before';

# ---- a transaction that stays open ----

$one->sql('BEGIN');
my $late = $one->sql(create('user'));
is look(), '', 'a generation whose transaction is open has no event';
$db->sql("SELECT genflow.grant_credits('other', 10, 'for a test')", create('other'));
is look(), '', '... while others commit';
is look(), '', '... and look after look';
$one->sql('COMMIT');
is look(), $late, '... and has it after the commit';
is look(), '', '... once';

$one->sql('BEGIN', 'SAVEPOINT one');
my $inner = $one->sql(create('user'));
$one->sql('RELEASE one');
is look(), '', 'the same in a transaction within a transaction';
$one->sql('COMMIT');
is look(), $inner, '... is found, too';

$one->sql('BEGIN', "UPDATE genflow.work SET progress = 0.5 WHERE job_id = '$late'");
my $meanwhile = $db->sql(create('user'));
is look(), $meanwhile, 'progress that is not committed hides nothing of the same user';
$one->sql('COMMIT');
like look(), qr/\Q$late\E/, '... and comes when it is';

# ---- an entry that is older than one that was seen ----

$one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = 'user' FOR UPDATE");
$two->start(create('user'));
ok $db->waits($two), 'a generation waits for the account';
$one->sql("SELECT genflow.grant_credits('user', 1, 'later, and before it')", 'COMMIT');
my $waited = $two->answer;
$one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = 'user' FOR UPDATE");
is look(), $waited, '... is found behind an entry with a later date';
$two->start(settle($waited));
ok $db->waits($two), 'so does an end';
$one->sql(create('user'));
my $newer = $one->sql("SELECT job_id FROM genflow.work WHERE user_id = 'user' ORDER BY job_id DESC LIMIT 1");
$one->sql('COMMIT');
is $two->answer, 'done', '... which comes after a begin';
like look(), qr/\Q$waited\E.*\Q$newer\E/, '... and both are found';

$one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = 'user' FOR UPDATE");
$two->start(settle($newer));
ok $db->waits($two), 'an end waits';
$one->sql("SELECT genflow.grant_credits('user', 1, 'seen first')", 'COMMIT');
is $two->answer, 'done', '... and is done';
is look(), $newer, '... and found';

# ---- a long transaction elsewhere ----

$three->sql('BEGIN', 'SELECT pg_current_xact_id()');
look();
my @more = map { $db->sql(create('user')) } 1 .. 3;
is look(), "@more", 'a transaction that runs for long hides nothing';
my $again = $db->sql(create('user'));
like look(), qr/\Q$again\E/, '... also in the next look';
$three->sql('COMMIT');
look();

# ---- a clock that was set back ----

is look(), '', 'nothing more has happened';
$db->sql('SET session_replication_role = replica',
    "UPDATE genflow.ledger SET at = at + interval '1 hour' WHERE user_id = 'user'",
    'SET session_replication_role = origin');
is look(), '', 'the dates of entries alone are no event';
$db->sql(settle($more[0]));
is look(), 'reset', 'an entry that is dated an hour before the last one is missed, and a look says so';
is look(), '', '... once';

is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';
is $db->sql("SELECT count(*) FROM genflow.accounts a WHERE a.entries
                 <> (SELECT count(*) FROM genflow.ledger l WHERE l.user_id = a.user_id)"), 0, 'accounts count their entries';
done_testing;

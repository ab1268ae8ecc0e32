#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The events of a user while others write: no event is lost between two looks, however long a
# transaction stays open before it commits, and whatever the clock says. What a look cannot tell, it
# says. A look may name a generation again while a transaction runs for long anywhere in the cluster,
# as those of other tests do.

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

# The look has these generations.
sub has_all {
    my ($look, $says, @ids) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply [grep { $look !~ /$_/ } @ids], [], $says;
}

# ---- a transaction that stays open ----

$one->sql('BEGIN');
my $late = $one->sql(create('user'));
unlike look(), qr/./, 'a generation whose transaction is open has no event';
$db->sql("SELECT genflow.grant_credits('other', 10, 'for a test')", create('other'));
unlike look(), qr/./, '... while others commit';
unlike look(), qr/./, '... and look after look';
$one->sql('COMMIT');
has_all(look(), '... and has it after the commit', $late);

$one->sql('BEGIN', 'SAVEPOINT one');
my $inner = $one->sql(create('user'));
$one->sql('RELEASE one');
unlike look(), qr/$inner/, 'the same in a transaction within a transaction';
$one->sql('COMMIT');
has_all(look(), '... is found, too', $inner);

$one->sql('BEGIN', "UPDATE genflow.work SET progress = 0.5 WHERE job_id = '$late'");
my $meanwhile = $db->sql(create('user'));
has_all(look(), 'progress that is not committed hides nothing of the same user', $meanwhile);
$one->sql('COMMIT');
has_all(look(), '... and comes when it is', $late);

# ---- an entry that is older than one that was seen ----

$one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = 'user' FOR UPDATE");
$two->start(create('user'));
ok $db->waits($two), 'a generation waits for the account';
$one->sql("SELECT genflow.grant_credits('user', 1, 'later, and before it')", 'COMMIT');
my $waited = $two->answer;
$one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = 'user' FOR UPDATE");
has_all(look(), '... is found behind an entry with a later date', $waited);
$two->start(settle($waited));
ok $db->waits($two), 'so does an end';
$one->sql(create('user'));
my $newer = $one->sql("SELECT job_id FROM genflow.work WHERE user_id = 'user' ORDER BY job_id DESC LIMIT 1");
$one->sql('COMMIT');
is $two->answer, 'done', '... which comes after a begin';
has_all(look(), '... and both are found', $waited, $newer);

$one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = 'user' FOR UPDATE");
$two->start(settle($newer));
ok $db->waits($two), 'an end waits';
$one->sql("SELECT genflow.grant_credits('user', 1, 'seen first')", 'COMMIT');
is $two->answer, 'done', '... and is done';
has_all(look(), '... and found', $newer);

# ---- a long transaction elsewhere ----

$three->sql('BEGIN', 'SELECT pg_current_xact_id()');
look();
my @more = map { $db->sql(create('user')) } 1 .. 3;
has_all(look(), 'a transaction that runs for long hides nothing', @more);
my $again = $db->sql(create('user'));
has_all(look(), '... also in the next look', $again);
$three->sql('COMMIT');

# ---- a clock that was set back ----

$db->sql("SELECT genflow.grant_credits('back', 1, 'for a test')");
sub look_back {
    my ($since) = @_;
    return $db->sql("SELECT e.instant, e.is_reset FROM genflow.user_events('back', $since, NULL, false, 100) e");
}
$db->sql('SET session_replication_role = replica',
    "UPDATE genflow.ledger SET at = at + interval '1 hour' WHERE user_id = 'back'",
    'SET session_replication_role = origin');
until ($db->sql("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > (SELECT max(xmin::text::bigint)
            FROM genflow.ledger WHERE user_id = 'back')") eq 't') {
    $db->sql('SELECT pg_sleep(0.1)');
}
my ($before) = split /\|/, look_back('NULL');
$db->sql("SELECT genflow.grant_credits('back', 1, 'now')");
like look_back("'$before'"), qr/\|t\z/, 'an entry that is dated an hour before the last one is missed, and a look says so';

is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';
is $db->sql("SELECT count(*) FROM genflow.accounts a WHERE a.entries
                 <> (SELECT count(*) FROM genflow.ledger l WHERE l.user_id = a.user_id)"), 0, 'accounts count their entries';
done_testing;

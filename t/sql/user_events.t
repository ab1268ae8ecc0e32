#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The events of a user while others write: each change is found once, by one look, however long a
# transaction stays open before it commits, and whatever the clock says. What a look cannot find, it
# reports. All looks are beside a transaction that stays open.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();
use Genflow::Seed;

my $db = Genflow::Database->new;
$db->sql("SELECT genflow.grant_credits('user', 1000, 'for a test')");
my ($one, $two, $open) = $db->sessions(3);
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

sub progress {
    my ($id) = @_;
    return "UPDATE genflow.work SET progress = coalesce(progress, 0) + 0.001 WHERE job_id = '$id'";
}

my $instant;

# What a look finds since then: the instant of the look, and the ids or 'reset'.
sub since {
    my ($instant, $limit) = @_;
    my $rows = $db->sql("SELECT e.instant, e.is_reset, string_agg(e.id::text, ' ' ORDER BY e.id)
        FROM genflow.user_events('user', " . ($instant ? "'$instant'" : 'NULL') . ', false, ' . ($limit // 100)
        . ') e GROUP BY 1, 2');
    my ($now, $is_reset, $ids) = split /\|/, $rows, -1;
    return ($now, $is_reset eq 't' ? 'reset' : $ids);
}

# What has happened since the last look.
sub look {
    ($instant, my $found) = since($instant);
    return $found;
}

# The look finds these, and nothing else.
sub finds {
    my ($says, @ids) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is look(), join(' ', sort @ids), $says;
}

$open->sql('BEGIN', 'SELECT pg_current_xact_id()');
finds('a client that comes now gets nothing of before');

# ---- each change once, and a transaction that stays open ----

my $id = $db->sql(create('user'));
finds('a generation that began', $id);
finds('... is found once');
$db->sql(progress($id));
finds('so is its progress', $id);
finds('... and not again');
my $second = $db->sql(create('user'));
$db->sql(progress($id));
finds('two changes of two are found by one look', $id, $second);
$db->sql(settle($second));
finds('an end', $second);
finds('... is found once, too');

$one->sql('BEGIN');
my $late = $one->sql(create('user'));
finds('a generation whose transaction is open is not found');
$db->sql("SELECT genflow.grant_credits('other', 10, 'for a test')", create('other'));
finds('... while others commit');
$db->sql(progress($id));
finds('... nor by a look that finds another one', $id);
$one->sql('COMMIT');
finds('... and is found after the commit', $late);
finds('... once');

$one->sql('BEGIN', 'SAVEPOINT one');
my $inner = $one->sql(create('user'));
$one->sql('RELEASE one');
finds('the same in a transaction within a transaction');
$db->sql(progress($id));
finds('... while another one changes', $id);
$one->sql('COMMIT');
finds('... is found, too', $inner);
finds('... once');

$one->sql('BEGIN', progress($late));
my $meanwhile = $db->sql(create('user'));
finds('progress that is not committed hides nothing of the same user', $meanwhile);
$one->sql('COMMIT');
finds('... and is found when it is', $late);
$one->sql('BEGIN', progress($late), 'ROLLBACK');
finds('what is rolled back has not happened');

# ---- an entry that is older than one that was seen ----

$one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = genflow.account_of('user') FOR UPDATE");
$two->start(create('user'));
ok $db->waits($two), 'a generation waits for the account';
$one->sql("SELECT genflow.grant_credits('user', 1, 'later, and before it')", 'COMMIT');
my $waited = $two->answer;
$one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = genflow.account_of('user') FOR UPDATE");
finds('... is found behind an entry with a later date', $waited);
$two->start(settle($waited));
ok $db->waits($two), 'so does an end';
$one->sql(create('user'));
my $newer = $one->sql("SELECT job_id FROM genflow.work WHERE user_id = genflow.account_of('user') ORDER BY job_id DESC LIMIT 1");
$one->sql('COMMIT');
is $two->answer, 'done', '... which comes after a begin';
finds('... and both are found', $waited, $newer);

$one->sql('BEGIN', "SELECT 1 FROM genflow.accounts WHERE user_id = genflow.account_of('user') FOR UPDATE");
$two->start(settle($newer));
ok $db->waits($two), 'an end waits';
$one->sql("SELECT genflow.grant_credits('user', 1, 'seen first')", 'COMMIT');
is $two->answer, 'done', '... and is done';
finds('... and found', $newer);
finds('... once');

# ---- a look in parts ----

my $begin = $instant;
my @more  = sort map { $db->sql(create('user')) } 1 .. 3;
my ($now, $first) = since($begin, 1);
is $first, $more[0], 'a look of one generation';
sub rest {
    my ($id, $limit) = @_;
    return since("${begin}_" . ($now =~ s/\A\w+\.//r) . "_$id", $limit);
}
is_deeply [rest($more[0])], [$now, "$more[1] $more[2]"], '... goes on behind it';
is_deeply [rest($more[0], 1)], [$now, $more[1]], '... in parts';
is_deeply [rest($more[2])], [$now, ''], '... to its end';
$db->sql(progress($more[0]), progress($more[2]));
my $new = $db->sql(create('user'));
is_deeply [rest($more[0])], [$now, $more[1]], 'what has changed again since is not of this look';
$instant = $now;
finds('... and of the next', $more[0], $more[2], $new);
finds('... once');

# ---- more than an instant names ----

for (1 .. 120) {
    $db->sql(progress($id));
    finds('progress', $id) if $_ % 40 == 0;
}
my @crowd = map { $db->sql(create('user')) } 1 .. 120;
my $all = (since($instant, 1000))[1];
is $all, join(' ', sort @crowd), 'so many transactions that are later than an open one are found';
look();
finds('... once');
is $instant =~ tr/-//, 100, '... though an instant names no more than 100';
my $last = $db->sql(create('user'));
finds('... and finds the next', $last);
cmp_ok length $instant, '<', 1280, '... in so many bytes: half of those that the module takes';
$open->sql('COMMIT');
my $wait = 'SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > (SELECT max(w.xmin::text::bigint)'
    . " FROM genflow.work w WHERE w.user_id = genflow.account_of('user'))";
until ($db->sql($wait) eq 't') {
    $db->sql('SELECT pg_sleep(0.1)');
}
finds('a transaction that commits brings nothing of others');
like $instant, qr/\A\w+\.\d+\.\d+\z/, '... and without one an instant is short';

# ---- random changes of several sessions, some of which stay open for long ----

my $seed = seed(1);
my (%wanted, %found, %wrong);
my @sessions = map { { session => $_, changed => [] } } $one, $two, $open;
my @mine     = @crowd[0 .. 8];                    # three for each session: none waits for another
for my $step (1 .. 400) {
    my $n    = int rand @sessions;
    my $some = $sessions[$n];
    if (!$some->{open}) {
        $some->{session}->sql('BEGIN');
        $some->{open} = 1;
    }
    elsif (rand() < 0.3) {
        $some->{session}->sql('COMMIT');
        $wanted{$_} = 1 for @{ $some->{changed} };
        @$some{qw(open changed)} = (0, []);
    }
    else {
        my $changed = $mine[3 * $n + int rand 3];
        my @savepoint = rand() < 0.3 ? ('SAVEPOINT s') : ();
        $some->{session}->sql(@savepoint, progress($changed), @savepoint ? ('RELEASE s') : ());
        push @{ $some->{changed} }, $changed;
    }
    next if rand() < 0.5;
    my $look = look();
    $wrong{"step $step: $look, not " . join ' ', sort keys %wanted}++ if $look ne join ' ', sort keys %wanted;
    %wanted = ();
}
$_->{open} && $_->{session}->sql('COMMIT') for @sessions;
look();
is_deeply [sort keys %wrong], [], "each of them is found by the first look after its commit, and by no other (seed $seed)";

# ---- a clock that was set back ----

$db->sql("SELECT genflow.grant_credits('back', 1, 'for a test')");
sub look_back {
    my ($since) = @_;
    return $db->sql("SELECT e.instant, e.is_reset FROM genflow.user_events('back', $since, false, 100) e");
}
$open->sql('BEGIN', 'SELECT pg_current_xact_id()');
$db->sql('SET session_replication_role = replica',
    "UPDATE genflow.ledger SET at = at + interval '1 hour' WHERE user_id = genflow.account_of('back')",
    'SET session_replication_role = origin');
my ($before) = split /\|/, look_back('NULL');
$db->sql("SELECT genflow.grant_credits('back', 1, 'now')");
like look_back("'$before'"), qr/\|t\z/, 'an entry that is dated an hour before the last one is missed, and a look says so';
$open->sql('COMMIT');

is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';
is $db->sql("SELECT count(*) FROM genflow.accounts a WHERE a.entries
                 <> (SELECT count(*) FROM genflow.ledger l WHERE l.user_id = a.user_id)"), 0, 'accounts count their entries';
done_testing;

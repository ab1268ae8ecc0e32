#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# One account in the hands of 16 clients at once, with everything that locks: whole lives of
# generations, failures, retries, heartbeats of many jobs in any order, claims that end what is
# overdue, grants. No session deadlocks, and the ledger is consistent.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

use constant { CLIENTS => 16, LIVES => 12, CREDITS => 1000 };

# What a create may answer besides ok would be lack of credits; there are enough.
my %EXPECTED = map { $_ => 1 } ('', qw(ok done same settled stale gone));

my $db = Genflow::Database->new;
$db->sql("SELECT genflow.grant_credits('hot', " . CREDITS . ", 'for a test')");

# psql keeps id and epoch of the last create for the statements after it.
sub create {
    my ($key, $lifetime) = @_;
    return "SELECT id, epoch FROM genflow.neo_glitch_create('hot', '$key', '\\x01', NULL, 'base',"
        . " 'a cat', NULL, '{}', 7, 1, 3::smallint, '$lifetime', 'host', '30 seconds') \\gset";
}

sub begin {
    return "SELECT genflow.attempt_begin(:'id', :epoch, 1::smallint, 'acme', 'm', 7, NULL, '30s')";
}

sub accepted {
    return "SELECT genflow.neo_glitch_accepted(:'id', :epoch, 1::smallint, 'acme', 'fal', :'id',"
        . " '30 seconds')";
}

sub requeue {
    return "SELECT genflow.requeue(:'id', :epoch, '0 seconds', 0::smallint, 1::smallint, 'X')";
}

sub settle {
    my ($status) = @_;
    my $image = $status eq 'completed' ? "'/a.png'" : 'NULL';
    my $error = $status eq 'failed'    ? "'X'"      : 'NULL';
    return "SELECT genflow.neo_glitch_settle(:'id', :epoch, '$status', 'acme', 'm', false, $image,"
        . " NULL, true, '{}', $error, NULL, NULL)";
}

# Of all live jobs, in no order.
sub heartbeat {
    return "SELECT '' FROM (SELECT genflow.heartbeat(array_agg(job_id), array_agg(epoch), '30s')
            FROM (SELECT job_id, epoch FROM genflow.work ORDER BY random()) AS live) AS kept
            LIMIT 1";
}

sub claim {
    return "SELECT '' FROM genflow.neo_glitch_claim('other', 5, '30s', '-infinity') LIMIT 1";
}

sub grant { return "SELECT genflow.grant_credits('hot', 1, 'for a test')" }

# What the client $who does in its life number $n.
sub life {
    my ($who, $n) = @_;
    my $key  = "$who-$n";
    my @ways = (
        [create($key, '1 hour'), begin(), accepted(), settle('completed')],
        [create($key, '1 hour'), begin(), settle('failed')],
        [create($key, '0 seconds'), claim(), settle('completed')],
        [create($key, '1 hour'), begin(), requeue(), claim(), settle('cancelled')],
        [create($key, '1 hour'), heartbeat(), settle('completed'), settle('completed')],
        [grant(), create($key, '1 hour'), heartbeat()],
    );
    return @{ $ways[($who + $n) % @ways] };
}

my @clients = $db->sessions(CLIENTS);
my @parts   = map { my $i = $_; [$clients[$i], map { life($i, $_) } 1 .. LIVES] } 0 .. CLIENTS - 1;
my @answers = map { @$_ } $db->at_once(@parts);

is_deeply [grep { $_ eq '!40P01' } @answers], [], '16 clients on one account never deadlock';
is_deeply [grep { !$EXPECTED{$_} } @answers], [], 'and no call fails';
is $db->sql("SELECT count(*) FROM genflow.ledger WHERE kind = 'hold'"), CLIENTS * LIVES,
    'every create has its hold';
is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

# What is still live ends at its deadline: the first claim looks for pictures, the second one ends.
$db->sql('UPDATE genflow.work SET due_at = clock_timestamp(), deadline_at = clock_timestamp()',
    "SELECT count(*) FROM genflow.neo_glitch_claim('host', 1000, '30s', '-infinity')") for 1, 2;
my ($granted, $charged) = split /\|/, $db->sql(
    "SELECT count(*) FILTER (WHERE kind = 'grant'), count(*) FILTER (WHERE kind = 'capture')
       FROM genflow.ledger");
is $db->sql("SELECT balance, held FROM genflow.accounts"), CREDITS + $granted - 1 - $charged . '|0',
    'what was given and not charged is there, and free';
cmp_ok $charged, '>', CLIENTS * LIVES / 4, 'and a good part was charged';
is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound in the end';

done_testing;

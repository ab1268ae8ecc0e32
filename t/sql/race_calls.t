#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The repetition of a call meets the first one while that is still under way, as when only the client's
# end of the connection died: both give the same answer, and the act takes place once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $ROUNDS = $ENV{GENFLOW_ROUNDS} || 10;

my $db = Genflow::Database->new;
my ($first, $again) = $db->sessions(2);
$db->sql("SELECT genflow.grant_credits('user', 200, 'for a test')");

my $CREATE = q(SELECT c.outcome, c.id, c.epoch FROM genflow.neo_glitch_create('user', '%1$s', '\x01', NULL, 'base', 'a cat',
    NULL, '{}', 7, 1, 3::smallint, '10 minutes', CASE WHEN %2$s THEN 'host' END, '30s', %2$s, p_call => '%1$s') c);
my $START  = q(SELECT outcome, id, epoch FROM genflow.neo_glitch_start('user', '%s', 'host', '30s', '10 min', '%s'));
my $CANCEL = q(SELECT outcome, status FROM genflow.neo_glitch_cancel('user', '%s', '%s'));
my $DELETE = q(SELECT outcome, status FROM genflow.neo_glitch_delete('user', '%s', '%s'));
my $CREDIT = q(SELECT genflow.admin_credit('user', 1, 'test', '%1$s', '%1$s'));
my $CLEAR  = q(SELECT seen, cancelled, released FROM genflow.admin_clear('00000000-0000-0000-0000-000000000000', 9, p_call => '%s'));

my %wrong;
my $left = 200;
for my $round (1 .. $ROUNDS) {
    my $call = sub { return $db->sql('SELECT gen_random_uuid()') };
    twice(create => sprintf $CREATE, $call->(), 'true');
    my $id = (split /\|/, twice(create => sprintf $CREATE, $call->(), 'false'))[1];
    twice(start  => sprintf $START,  $id, $call->());
    twice(cancel => sprintf $CANCEL, $id, $call->());
    twice(delete => sprintf $DELETE, $id, $call->());
    twice(credit => sprintf $CREDIT, $call->());
    twice(clear  => sprintf $CLEAR,  $call->());
    $left++;
}
is_deeply(\%wrong, {}, "in $ROUNDS rounds each pair gives one answer") or diag explain \%wrong;
is $db->sql("SELECT balance, held FROM genflow.accounts WHERE user_id = genflow.account_of('user')"), "$left|0",
    '... and does one thing';
is $db->sql('SELECT count(*) FROM genflow.check()'), 0, 'the books are sound';

done_testing;

# The one answer of a statement that two sessions run at the same moment.
sub twice {
    my ($name, $statement) = @_;
    my ($one, $two) = map { $_->[0] } $db->at_once([$first, $statement], [$again, $statement]);
    push @{ $wrong{$name} }, "$one and $two" if $one ne $two || $one !~ /\A(?:ok|1\|1\|1\z)/;
    return $one;
}

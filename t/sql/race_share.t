#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A user takes share_to_feed back while a picture is being created, made or ended. What is not ready
# becomes private, what is ready stays; no statement waits for an end, and none meets a deadlock.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Credits;
use Genflow::Database ();

my $db = Genflow::Database->new;
my ($one, $two) = $db->sessions(2);
my $runs = 0;

sub create {
    my ($user) = @_;
    my $run = ++$runs;
    return "SELECT outcome FROM genflow.neo_glitch_create('$user', 'run:$run', '\\x01', '$run', 'base',"
        . " 'a cat', NULL, '{}', 7, 2, 3::smallint, '10 minutes', 'host', '30 seconds', p_take => true)";
}

sub share {
    my ($user, $on) = @_;
    return "SELECT genflow.user_settings('$user', '{\"share_to_feed\": $on}') ->> 'share_to_feed'";
}

sub seen { return $db->sql("SELECT string_agg(visibility, ' ' ORDER BY id) FROM public.neo_glitch_media WHERE user_id = genflow.account_of('$_[0]')") }

for my $case (['COMMIT', 'private'], ['ROLLBACK', '']) {
    my ($end, $stands) = @$case;
    my $user = "creates $end";
    grant($db, $user, 9);
    $db->sql(share($user, 'true'));
    is answer_after($db, $one, create($user), $end, $two, share($user, 'false'), 'the setting waits for a creation'),
        'false', "... and is taken back after its $end";
    is seen($user), $stands, '... so that no picture is public';
}
grant($db, 'changes', 9);
$db->sql(share('changes', 'true'), create('changes'));
is seen('changes'), 'public', 'a picture is being made, and is to be public';
is answer_after($db, $one, share('changes', 'false'), 'COMMIT', $two, create('changes'), 'a creation waits for the setting'),
    'ok', '... and is made';
is seen('changes'), 'private private', '... as private as the one before it';

# an end that is under way has the picture
grant($db, 'ends', 9);
$db->sql(share('ends', 'true'), create('ends'));
my $id = $db->sql("SELECT id FROM public.neo_glitch_media WHERE user_id = genflow.account_of('ends')");
$one->sql('BEGIN');
$one->sql("SELECT genflow.neo_glitch_settle('$id', 1, 'completed', 'fake', 'one', false, '/generated/x.png', NULL, true,"
    . " '{\"type\": \"image/png\"}', NULL, NULL, NULL)");
is $two->sql(share('ends', 'false')), 'false', 'the setting does not wait for an end';
$one->sql('COMMIT');
is seen('ends'), 'public', '... whose picture was ready before';

# ---- the first credits of a new user ----

$db->sql(q{SELECT genflow.admin_amounts('initial=30')});
my $first = q{SELECT genflow.allowance('%s')};
sub granted { return $db->sql("SELECT count(*), sum(amount) FROM genflow.ledger WHERE user_id = genflow.account_of('$_[0]')") }
for my $end (qw(COMMIT ROLLBACK)) {
    for my $begin ([uses => $first], [stores => q{SELECT genflow.template_put('%s', 't', NULL, '{}', 5)}]) {
        my ($user, $statement) = ("$begin->[0] $end", $begin->[1]);
        answer_after($db, $one, sprintf($statement, $user), $end, $two, sprintf($first, $user), 'the first use waits for another');
        is granted($user), '1|30', "... which $begin->[0] and ends by $end: the first credits are granted once";
    }
}
answer_after($db, $one, q{SELECT genflow.grant_credits('given', 5, 'a gift')}, 'COMMIT', $two, sprintf($first, 'given'),
    'the first use waits for a grant');
is granted('given'), '1|5', '... which opened the account: no first credits';
my @ten = $db->sessions(10);
$db->at_once(map { [$_, sprintf $first, 'crowd'] } @ten);
is granted('crowd'), '1|30', 'ten first uses at once: the first credits are granted once';
books_are_sound($db);

done_testing;

# SPDX-License-Identifier: Apache-2.0
#
# What tests of credits in a Genflow::Database have in common: accounts, reservations, the books, and
# a statement that waits for another session's transaction.
#
#     my $db = Genflow::Database->new;
#     grant($db, 'alice', 9);
#     is_deeply counted($db->at_once(...)), { ok => 1, replay => 9 }, 'one of ten is new';
#     is answer_after($db, $one, $sql, 'COMMIT', $two, $other, 'the second waits'), 'ok', '... then goes on';
#     books_are_sound($db);

package Genflow::Credits;

use strict;
use warnings;

use Test::More;

use parent 'Exporter';

our @EXPORT = qw(grant reserve_sql finalize_sql credits_of books_are_sound counted answer_after);

sub grant {
    my ($db, $user, $credits) = @_;
    return $db->sql("SELECT genflow.grant_credits('$user', $credits, 'for a test')");
}

# Options: amount (2), unbound (the client names no generation).
sub reserve_sql {
    my ($user, $request, %option) = @_;
    my $amount  = $option{amount} // 2;
    my $unbound = $option{unbound} ? 'true' : 'false';
    return "SELECT outcome FROM genflow.reserve('$user', '$request', $amount, NULL, '1 hour', 'UTC', $unbound)";
}

sub finalize_sql {
    my ($user, $request) = @_;
    return "SELECT outcome FROM genflow.reserve_finalize('$user', '$request')";
}

# Balance, held, and the states of the reservations in the order of their request ids.
sub credits_of {
    my ($db, $user) = @_;
    return $db->sql("SELECT balance, held, (SELECT string_agg(state, ' ' ORDER BY request_id)
        FROM genflow.reservations r WHERE r.user_id = a.user_id)
        FROM genflow.accounts a WHERE name = '$user'");
}

sub books_are_sound {
    my ($db) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';
}

# How often each answer was given, in lists of answers.
sub counted {
    my %count;
    $count{$_}++ for map { @$_ } @_;
    return \%count;
}

# Session $one runs $first in a transaction; $two runs $second, which has to wait for it ($claim).
# Then the transaction ends: the answer of $second.
sub answer_after {
    my ($db, $one, $first, $end, $two, $second, $claim) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $one->sql('BEGIN', $first);
    $two->start($second);
    ok $db->waits($two), $claim;
    $one->sql($end);
    return $two->answer;
}

1;

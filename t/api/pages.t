#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every list reads its page in the same way: a bad limit or cursor is refused with 422, the field and
# the same words on all of them, and both at once; what is empty counts as left out.
use Genflow::Admin;
use Genflow::Test;

my $user = account(5);
my @LISTS = (    # name, how to read a page of it
    ['generations',     sub { api(GET => "/api/generations?$_[0]", user => $user) }],
    ['getUserMedia',    sub { api(GET => "/api/getUserMedia?$_[0]", user => $user) }],
    ['credits',         sub { api(GET => "/api/credits?$_[0]", user => $user) }],
    ['templates',       sub { api(GET => "/api/templates?$_[0]", user => $user) }],
    ['admin jobs',      sub { admin(GET => "/jobs?$_[0]") }],
    ['admin users',     sub { admin(GET => "/users?$_[0]") }],
);
my $LIMIT  = 'limit: must be a whole number from 1 to 100';
my $CURSOR = 'cursor: must be a nextCursor of this list';
my @BAD    = (    # query, what is said
    (map { ["limit=$_", $LIMIT] } 0, -1, 101, 'x', '1.5', '1e1', '9' x 30),
    ['cursor=%21', $CURSOR],
    ['limit=0&cursor=%21', "$LIMIT; $CURSOR"],
);
for my $list (@LISTS) {
    my ($name, $read) = @$list;
    for my $bad (@BAD) {
        my ($query, $says) = @$bad;
        my $res = $read->($query);
        error_is($res, 422, 'VALIDATION_FAILED', "$name: $query is refused");
        # the ledger's cursor is looked at by the database, when all else is good
        $says = $LIMIT if $name eq 'credits' && $query =~ /&/;
        is join('; ', map { "$_->{field}: $_->{message}" } @{ data($res)->{validationErrors} }), $says,
            '... in the words of all lists';
    }
    is $read->('limit=&cursor=')->{status}, 200, "$name: empty ones count as left out";
    is $read->("limit=$_")->{status}, 200, "$name: limit=$_ is taken" for 1, 100;
}

finish;

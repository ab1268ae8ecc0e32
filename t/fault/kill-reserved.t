#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A page of the first older system reserves and generates, and the child of its call is killed with kill -9. The page sends
# its run again until it has a picture: it is charged once, and nothing is left held, whichever statement the child died at.
use Genflow::Fault;
use Genflow::Inject;
use Genflow::Points;
use Genflow::Test;

use JSON::PP ();

my $OLD = '/.netlify/functions';
my $RUN = 'neo-glitch-generate';
expect_log('GF0202');

for my $point (map({ ("$_.before", "$_.after") } qw(create settle)), 'generate.sent.after', 'accepted.before') {
    my $user    = account(30);
    my $script  = $point =~ /accepted/ ? '{{poll=1}} ' : '';
    my %run     = (prompt => "$script\[$user]", presetKey => 'base', runId => "run-$user", userId => $user);
    my $request = data(post($user, 'credits-reserve', { cost => 2, request_id => "page-$user" }))->{request_id};
    credits_are $user, 30, 2, "$point: a page has reserved";
    inject($point, for => $user, kill => 1);
    my $lost = post($user, $RUN, { %run, timestamp => 1 });
    kills_at($user, [$point, $user]);
    is $lost->{status}, 599, '... the child of its call dies';
    my $tries = 1;
    my $got = wait_for {
        end_leases($user);
        my $res = post($user, $RUN, { %run, timestamp => ++$tries });
        $res->{status} == 200 && data($res);
    };
    is $got->{status}, 'completed', '... the page sends its run again, and has its picture';
    ok wait_for(sub { !credits($user)->[1] }), '... nothing is left held';
    credits_are $user, 29, 0, '... it paid for one';
    is rows_of($user, 'genflow.reservations', "state = 'used'"), 1, '... its generation used the reservation';
    is data(post($user, 'credits-finalize', { request_id => $request, success => JSON::PP::false() }))->{newBalance}, 29,
        '... and no refund gives the picture away';
}

finish;

sub post {
    my ($who, $name, $json) = @_;
    return api(POST => "$OLD/$name", user => $who, json => $json);
}

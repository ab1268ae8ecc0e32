#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pages of the first older system reserve and generate while children are killed. Each sends its run
# again until it has a picture: it is charged once, and nothing is left held, whichever call died. When the children die is
# chance; t/fault/kill-reserved.t kills at exact places.
use Genflow::Fault;
use Genflow::Test;

use JSON::PP ();

my $OLD   = '/.netlify/functions';
my $PAGES = 12;
my @users = map { account(30) } 1 .. $PAGES;
my $pid   = $$;                                  # of this process, not of a worker's

my @replies = in_parallel($PAGES + 1, sub {
    my ($i) = @_;
    return kill_now() if $i == $PAGES;
    my $request;
    wait_for {
        my $res = post($users[$i], 'credits-reserve', { cost => 2, request_id => "page-$pid-$i" });
        $request = $res->{status} == 200 && data($res)->{request_id};
    };
    my $res;
    my $tries = 0;
    wait_for {
        $res = post($users[$i], 'neo-glitch-generate', { prompt => "a cat of page $i {{poll=3}}",
            presetKey => 'base', runId => "many-$pid-$i", userId => $users[$i], timestamp => ++$tries });
        $res->{status} == 200;
    };
    return [$res->{status}, data($res)->{status}, $request, $tries];
});
pop @replies;
is_deeply [map { $_->[1] } @replies], [('completed') x $PAGES], 'each page has its picture in the end';
ok wait_for { !grep { credits($_)->[1] } @users }, 'nothing is left held';
is_deeply [map { credits($_)->[0] } @users], [(29) x $PAGES], 'each paid for one';
is sql1("SELECT count(*) FROM genflow.reservations WHERE request_id LIKE 'page-$pid-%' AND state = 'used'"), $PAGES,
    'each reservation has its generation';
my @late = map { data(post($users[$_], 'credits-finalize', { request_id => $replies[$_][2], success => JSON::PP::false() })) }
    0 .. $PAGES - 1;
is_deeply [map { $_->{newBalance} } @late], [(29) x $PAGES], 'no refund gives a picture away';

finish;

# Kills both children, one after the other, while the pages work.
sub kill_now {
    kill_child() for 1, 2;
    return 1;
}

sub post {
    my ($who, $name, $json, %headers) = @_;
    return api(POST => "$OLD/$name", user => $who, json => $json, headers => \%headers);
}

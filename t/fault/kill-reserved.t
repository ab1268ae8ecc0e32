#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pages of the first older system reserve and generate while children are killed. Each sends its run
# again until it has a picture: it is charged once, and nothing is left held, whichever call died.
use Genflow::Fault;
use Genflow::Test;

use JSON::PP ();

my $OLD   = '/.netlify/functions';
my $PAGES = 12;
my @users = map { account(30) } 1 .. $PAGES;
my $pid   = $$;                                  # of this process, not of a worker's

# ---- one that is under way ----

my $gate = "reserved-$$";
my $user = account(30);
my $held = data(post($user, 'credits-reserve', { cost => 2 }))->{request_id};
my $job  = data(post($user, 'neo-glitch-generate',
    { prompt => "a cat {{poll-gate=$gate}}", presetKey => 'base', runId => "one-$$" }, Prefer => 'wait=1'));
credits_are $user, 30, 1, 'a generation holds its price alone';
ok kill_child($_), 'a child is killed' for children();
open_gate($gate);
my $end = ended($user, $job->{id});
is $end->{status}, 'completed', 'another one brings the picture';
credits_are $user, 29, 0, '... which is charged once';
is data(post($user, 'credits-finalize', { request_id => $held, disposition => 'commit' }))->{status}, 'used',
    '... by the generation that used the reservation';

# ---- many, at any moment ----

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

# ---- one that is being sent ----

expect_log('GF0202');
$user = account(30);
post($user, 'credits-reserve', { cost => 2 });
my %body = (prompt => 'a last cat {{delay=4500 times=1}}', presetKey => 'base', runId => "sent-$$");
my ($first) = in_parallel(2, sub {
    return post($user, 'neo-glitch-generate', \%body)->{status} if !$_[0];
    wait_for { submissions('a last cat') };
    return kill KILL => leader_of(sql1("SELECT job_id FROM genflow.work WHERE user_id = genflow.account_of(:'user')", user => $user));
});
is $first, 599, 'the child dies while a provider may have the request';
ok wait_for { !credits($user)->[1] }, 'that run fails when its lease is over';
credits_are $user, 30, 0, '... and costs nothing';
delete $body{prompt};
my $again = post($user, 'neo-glitch-generate', { %body, prompt => 'another last cat' });
is_deeply [$again->{status}, data($again)->{status}], [200, 'completed'], 'the page sends it again, and has its picture';
credits_are $user, 29, 0, '... for one credit';

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

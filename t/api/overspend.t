#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Credits cannot be spent twice, however many calls come at the same moment: of a thousand on a
# balance for ten exactly ten are accepted and all others get INSUFFICIENT_CREDITS.
use Genflow::Test;

use constant { CALLS => 1000, BALANCE => 10 };

my $JSON   = JSON::PP->new->utf8;
my $user   = account(BALANCE);
my $prompt = "the rush of $user {{quick}}";
my $body   = $JSON->encode({ prompt => $prompt, presetKey => 'base' });

my @WAYS = (    # what, Prefer
    ['that do not wait', 'respond-async'],
    ['that wait',        'wait=60'],
);
for my $way (@WAYS) {
    my ($what, $prefer) = @$way;
    my $before = submissions($prompt);
    my %seen;
    $seen{$_}++ for in_parallel(CALLS, sub { return call($prefer, "$prefer-$_[0]") });

    my @accepted = grep { /\A20[02] / } keys %seen;
    is sum(@seen{@accepted}), BALANCE, "of the calls $what as many as can be paid are taken";
    is $seen{'402 INSUFFICIENT_CREDITS'}, CALLS - BALANCE, 'and all others hear what is missing'
        or diag explain \%seen;

    my $ended = wait_for { credits($user)->[1] == 0 };
    ok $ended, 'those taken come to their end';
    credits_are $user, 0, 0, 'afterwards the balance is used up and nothing is held';
    is submissions($prompt) - $before, BALANCE, 'and the provider has made just so many pictures';
    is sql1(<<'SQL', user => $user), 0, 'no refused call left anything';
        SELECT count(*) FROM public.neo_glitch_media
         WHERE user_id = genflow.account_of(:'user') AND status <> 'completed'
SQL
    grant($user, BALANCE);
}

finish;

# Status and code of one call. Each process keeps one connection for all of its calls; an httpd that
# is short of threads closes such connections, and a client then repeats what it could not send.
my %client;

sub call {
    my ($prefer, $key) = @_;
    my $client  = $client{$$} //= HTTP::Tiny->new(timeout => 60, keep_alive => 1);
    my %headers = (
        'Content-Type'    => 'application/json',
        'X-User'          => $user,
        'Idempotency-Key' => $key,
        'Prefer'          => $prefer,
    );
    my $res;
    for (1 .. 3) {
        my %request = (headers => \%headers, content => $body);
        $res = $client->post(base() . '/api/neo-glitch/generate', \%request);
        last if $res->{status} != 599;
    }
    my $reply = data($res) // { code => $res->{content} };
    return "$res->{status} " . ($reply->{code} // '');
}

sub sum {
    my $sum = 0;
    $sum += $_ for @_;
    return $sum;
}

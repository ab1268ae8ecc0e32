#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What was sent and not answered may have been paid for: it is never sent again, it fails, and the
# user is not charged. That holds for curl as well, which repeats a request by itself when a kept
# connection turns out to be dead: submissions never go over a kept connection.
use Genflow::Test;

my @CASES = (
    # script, errorCode, whole request seen by the provider, the test's name
    ['cut-during', 'NETWORK_ERROR', 'any', 'cut while the request is on its way'],
    ['cut-before', 'NETWORK_ERROR', 'yes', 'cut before the answer'],
    ['cut-after',  'NETWORK_ERROR', 'yes', 'cut in the middle of the answer'],
    ['half',       'NETWORK_ERROR', 'yes', 'closed in the middle of the answer'],
    ['hang',       'TIMEOUT',       'yes', 'never answered'],
);
my $ROUNDS = 6;

expect_log qw(GF0201 GF0202);

# ---- once, whatever the retries ----

my @users = map { account(10) } @CASES;
my @done  = in_parallel(scalar @CASES, sub {
    my ($i) = @_;
    my $prompt = "{{$CASES[$i][0]}} [$users[$i]]";
    return data(generate($users[$i], { type => type_of($CASES[$i][1]), prompt => $prompt, maxRetries => 3 }, Prefer => 'wait=60'));
});
for my $i (0 .. $#CASES) {
    my (undef, $error, $whole, $name) = @{ $CASES[$i] };
    my @sent = submitted("[$users[$i]]");
    is $done[$i]{errorCode}, $error, "$name: $error";
    is scalar @sent, 1, '... is sent once';
    is $sent[0]{complete}, JSON::PP::true(), '... as a whole' if $whole eq 'yes';
    credits_are $users[$i], 10, 0, '... and costs nothing';
    is status_of($users[$i], $done[$i]{id}, type_of($error))->{retryCount}, 0, '... and counts no retry';
}

# ---- beside connections that are kept ----

# The questions of a polled job leave a kept connection to the provider; both children get some.
my $user = account(100);
my @kept = in_parallel(2 * $ROUNDS, sub {
    return generate($user, { prompt => '{{poll=2}} warm' }, Prefer => 'wait=60')->{status};
}, $ROUNDS);
is_deeply \@kept, [(200) x (2 * $ROUNDS)], 'polled generations leave connections behind';

for my $round (1 .. $ROUNDS) {
    generate($user, { prompt => '{{poll=1}} warm' }, Prefer => 'wait=60');
    my $cut = data(generate($user, { prompt => "{{cut-before}} cold $round;" }));
    is $cut->{errorCode}, 'NETWORK_ERROR', "cut beside a kept connection, round $round: fails";
    is scalar(submitted("cold $round;")), 1, '... and was sent once';
}
my %seen;
$seen{ $_->{connection} }++ for submitted('warm'), submitted('cold');
is_deeply [grep { $_ > 1 } values %seen], [], 'no two submissions shared a connection';
credits_are $user, 100 - 3 * $ROUNDS, 0, 'only the pictures were charged';

sub type_of { return $_[0] eq 'TIMEOUT' ? 'impatient' : 'neo-glitch' }

# The records that the fake provider has of submissions whose prompt contains this.
sub submitted {
    my ($text) = @_;
    my $match = $text =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger;
    my $res   = HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_submissions?match=$match");
    return @{ data($res) };
}

finish;

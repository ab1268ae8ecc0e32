#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Two users choose the same words and the same seed, with different source pictures. Whose answer was
# lost does not get the other's picture, although the provider lists nothing but that.
use Genflow::Test;

expect_log 'GF0201';

my ($one, $other) = (account(10), account(10));
my $words = "the same words $$";
my $lost  = start_from_source($one, 'mine');
wait_for { submissions($words) == 1 };
my $found = start_from_source($other, 'yours');
my $theirs = ended($other, $found, 'lens');
is $theirs->{status}, 'completed', 'one user gets a picture';
my $mine = ended($one, $lost, 'lens');
isnt $mine->{falJobId} // 'none', $theirs->{falJobId}, 'the other one does not get the same';
is $mine->{errorCode}, 'TIMEOUT', '... but none, because its end is unknown';
credits_are $one, 10, 0, '... for nothing';
is submissions($words), 2, '... and neither is sent again';

sub start_from_source {
    my ($user, $source) = @_;
    return data(generate($user, {
        type => 'lens', prompt => "{{cut-before untaken times=1}} $words", parameters => { seed => 77 },
        sourceUrl => "$ENV{GENFLOW_FAKE}/_source/picture/$source$$",
    }, Prefer => 'respond-async'))->{id};
}

finish;

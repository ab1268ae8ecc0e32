#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The folder of the pictures cannot be written: a generation fails with STORE_FAILED, an operator is
# called, nobody is charged, and no provider is asked a second time. Writable again, all is well. A
# picture that its provider keeps is completed there, and stored once the folder is back.
use Genflow::Test;

my $STORE = "$ENV{GENFLOW_WORK}/store";
my @CASES = (
    # folder that becomes read-only, the test's name
    [".spool",     'where pictures arrive'],
    ['neo-glitch', 'where pictures stay'],
);

expect_log 'GF0208';

# Where pictures stay there are folders of two digits; an id that needs a new one cannot be had.
is generate(account(10), {})->{status}, 200, 'pictures are stored';

for my $case (@CASES) {
    my ($folder, $name) = @$case;
    my @folders = ("$STORE/$folder", glob "$STORE/$folder/*");
    chmod 0555, grep { -d } @folders;
    my $user = account(10);
    my $mark = log_mark();
    my $job  = data(generate($user, { prompt => "$folder is full [$user]" }));
    chmod 0755, grep { -d } @folders;
    is $job->{errorCode}, 'STORE_FAILED', "$name: the generation fails";
    credits_are $user, 10, 0, '... for nothing';
    is submissions("[$user]"), 1, '... and is not made again';
    my $log = log_since($mark);
    like $log, qr/genflow:error\].*GF0208: job=$job->{id}/, '... an operator hears of it';
    like $log, qr/\Q$STORE\E/, '... and where to look';
    is generate($user, {})->{status}, 200, '... afterwards pictures are stored again';
}

my $kept = account(10);
my %fal  = (type => 'echo-fal', prompt => "kept there [$kept]");
is generate(account(10), { %fal, prompt => 'a first one' }, Prefer => 'wait=10')->{status}, 200, 'pictures of fal are stored';
chmod 0555, grep { -d } "$STORE/echo-fal", glob "$STORE/echo-fal/*";
my $told = data(generate($kept, \%fal, Prefer => 'wait=10'));
is $told->{status}, 'completed', 'one that its provider keeps completes all the same';
ok !$told->{persisted}, '... not persisted';
like $told->{imageUrl}, qr/\A\Q$ENV{GENFLOW_FAKE}\E/, '... at the provider\'s address';
ok $told->{expiresAt}, '... for a time';
chmod 0755, grep { -d } "$STORE/echo-fal", glob "$STORE/echo-fal/*";
my $stored = wait_for {
    my $now = status_of($kept, $told->{id}, 'echo-fal');
    $now->{persisted} ? $now : undef;
} 30;
like $stored->{imageUrl}, qr{/generated/echo-fal/}, '... and is stored once the folder is back';
is $stored->{expiresAt}, undef, '... for good';
is api(GET => $stored->{imageUrl} =~ s/\A\Q${\ base() }\E//r)->{status}, 200, '... where it is served';
is submissions("[$kept]"), 1, '... made once';
credits_are $kept, 9, 0, '... and paid once';

END { chmod 0755, grep { -d } map { ("$STORE/$_", glob "$STORE/$_/*") } 'echo-fal',
    map { $_->[0] } @CASES }

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The folder of the pictures cannot be written: a generation fails with STORE_FAILED, an operator is
# called, nobody is charged, and no provider is asked a second time. Writable again, all is well.
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

END { chmod 0755, grep { -d } map { ("$STORE/$_->[0]", glob "$STORE/$_->[0]/*") } @CASES }

finish;

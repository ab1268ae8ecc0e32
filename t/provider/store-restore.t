#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# While the store is down, generations complete with an address that lasts for a while: the
# provider's, or our own folder's where the provider sent bytes. When it is back they are stored in
# the background: the same row, no second charge, no second submission.
use Genflow::Shelf;
use Genflow::Test;

my @CASES = (
    # type, its chain, where the picture is meanwhile, the test's name
    ['shelf-url', 'fal/fal-ai/fast-sdxl', qr{\A\Q$ENV{GENFLOW_FAKE}\E/fal/files/},
        'a provider with addresses'],
    ['shelf-bytes', 'stability/sd3', qr{/generated/shelf-bytes/}, 'a provider that sends bytes'],
);

for my $case (@CASES) {
    my ($type, $chain, $meanwhile, $name) = @$case;
    my $shelf = Genflow::Shelf->start(kind => 's3', type => $type, chain => $chain);
    my $user  = account(10);
    $shelf->down;
    my $job   = $shelf->picture($user);
    is $job->{status}, 'completed', "$name: a generation completes without the store";
    is !!$job->{persisted}, !!0, '... and is not persisted';
    like $job->{imageUrl}, $meanwhile, '... its picture is elsewhere meanwhile';
    like $shelf->served($job->{imageUrl}), qr/\A200 /, '... and to be had there';
    ok $job->{expiresAt}, '... for a time in the response' if $type eq 'shelf-url';
    credits_are $user, 9, 0, '... for its price';
    is scalar($shelf->objects($job->{id})), 0, '... nothing is in the store';

    $shelf->up;
    my $stored = $shelf->persisted($user, $job->{id}) || {};
    is $stored->{id}, $job->{id}, '... when the store is back, the same generation is persisted';
    like $stored->{imageUrl}, qr{\A\Q$ENV{GENFLOW_STORE}\E/s3/}, '... its address is the store\'s';
    is $shelf->served($stored->{imageUrl}), "200 $stored->{result}{sha256}",
        '... where the picture is';
    is $stored->{expiresAt}, undef, '... and stays';
    is scalar($shelf->objects($job->{id})), 1, '... once';
    credits_are $user, 9, 0, '... for no second charge';
    is submissions("[$user]"), 1, '... and no second submission';
    is join("\n", grep { /genflow:(?:error|crit)/ } split /\n/, $shelf->httpd->log_text), '',
        '... and no operator was called';
}

# ---- a picture that its provider loses before the store is back ----

my $shelf = Genflow::Shelf->start(kind => 's3', type => 'shelf-gone',
    chain => 'fal/fal-ai/fast-sdxl');
my $user = account(10);
$shelf->down;
my $job = $shelf->picture($user, 'result=once');
is $job->{status}, 'completed', 'a generation completes without the store';
is !!$job->{persisted}, !!0, '... to be stored again';
$shelf->up;
my $given_up = wait_for { !to_be_stored($job->{id}) };
ok $given_up, '... until its provider has it no more';
is !!$shelf->now($user, $job->{id})->{persisted}, !!0, '... it stays not persisted';
is $shelf->now($user, $job->{id})->{status}, 'completed', '... and completed';
credits_are $user, 9, 0, '... for its price';

finish;

sub to_be_stored {
    my ($id) = @_;
    return sql1("SELECT count(*) FROM genflow.restores WHERE job_id = :'id'", id => $id);
}

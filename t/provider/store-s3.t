#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pictures are stored in S3: signed by AWS's scheme, under the generation's name, once, whatever
# becomes of an answer. Strict servers fail what they cannot keep.
use Genflow::Shelf;
use Genflow::Test;

my $PLACE = "$ENV{GENFLOW_STORE}/s3/pictures/";

my $bucket = Genflow::Shelf->start(kind => 's3', type => 'shelf-s3',
    chain => 'fal/fal-ai/fast-sdxl');
$bucket->run_cases($PLACE . $bucket->prefix,
    # order, what becomes of the uploads, the test's name
    [undef, 'kept', 'a picture'],
    [{ act => 'fail', status => 503, times => 2 }, 'fail fail kept', 'SlowDown twice'],
    [{ act => 'fail', status => 409 }, 'fail kept', 'a conflict'],
    [{ act => 'cut' }, 'cut kept', 'a connection that breaks'],
    [{ act => 'lose' }, 'lose existed', 'a lost answer'],
    [{ act => 'half' }, 'half existed', 'half an answer'],
    [{ act => 'page' }, 'page kept', 'a page of somebody in between'],
);

my $user = account(10);
my $job  = $bucket->picture($user);
my ($key) = $bucket->objects($job->{id});
like $key, qr{\As3/pictures/\Q${\ $bucket->prefix }\E/shelf-s3/[0-9a-f]{2}/\Q$job->{id}\E-[0-9a-f]{32}\.png\z},
    'the key is the folder, the type, the generation and a random part';
my $res = HTTP::Tiny->new->get($job->{imageUrl});
is $res->{headers}{'content-type'}, 'image/png', 'its type is stored along';
like $res->{headers}{'cache-control'}, qr/\Apublic, max-age=86400, must/, '... and that it may be cached for a day';
is join("\n", grep { /genflow:error/ } split /\n/, $bucket->httpd->log_text), '',
    'no operator is called';

# ---- a strict server ----

my $strict = Genflow::Shelf->start(kind => 's3', type => 'shelf-strict', chain => 'stability/sd3',
    lines => 'GenflowStoreStrict On');
$strict->run_cases($PLACE . $strict->prefix, [undef, 'kept', 'a strict server']);
$strict->down;
$user = account(10);
$job  = $strict->picture($user);
is $job->{status}, 'failed', 'what a strict server cannot store fails';
is $job->{errorCode}, 'STORE_FAILED', '... as STORE_FAILED';
credits_are $user, 10, 0, '... for nothing';
is submissions("[$user]"), 1, '... and is not made again';

# ---- its breaker ----

$strict->picture(account(10)) for 1 .. 2;
talk_to($strict->httpd);
my $refused = generate(account(10), { type => 'shelf-strict', prompt => 'a cat' });
error_is $refused, 503, 'STORE_UNAVAILABLE', 'a strict server whose store fails refuses what it could not store';
my $is_listed = wait_for {
    generate(account(10), { type => 'shelf-strict', prompt => 'a cat' }); # half open, the next one tries
    my ($type) = grep { $_->{name} eq 'shelf-strict' } @{ data(api(GET => '/api/types', user => $user))->{types} };
    ($type->{closedReason} // '') eq 'store_closed';
};
ok $is_listed, '... and lists the type as closed';
$strict->up;
$user = account(10);
$job  = wait_for {
    my $tried = $strict->picture($user);
    $tried->{id} ? $tried : undef;
};
is $job->{status}, 'completed', 'once the store is back, the first generation that is let in is stored';
is $strict->picture($user)->{status}, 'completed', '... and so is the next one';

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pictures are stored in Cloudinary: signed, under the generation's name, once, whatever becomes of
# an answer. The log line about a wrong secret names the directive.
use Genflow::Shelf;
use Genflow::Test;

my $PLACE = "$ENV{GENFLOW_STORE}/cloudinary/pictures/image/upload/";

my $cloud = Genflow::Shelf->start(kind => 'cloudinary', type => 'shelf-cloudinary',
    chain => 'stability/sd3');
$cloud->run_cases($PLACE,
    # order, what becomes of the uploads, the test's name
    [undef, 'kept', 'a picture'],
    [{ act => 'slow', ms => 1500 }, 'slow', 'a slow store'],
    [{ act => 'fail', status => 503, times => 2 }, 'fail fail kept', '503 twice'],
    [{ act => 'fail', status => 420, retry_after => 1 }, 'fail kept', 'too many requests'],
    [{ act => 'cut' }, 'cut kept', 'a connection that breaks'],
    [{ act => 'lose' }, 'lose existed', 'a lost answer'],
    [{ act => 'half' }, 'half existed', 'half an answer'],
    [{ act => 'page' }, 'page kept', 'a page of somebody in between'],
    [{ act => 'forge' }, 'forge kept', 'an answer signed by somebody else'],
);

my $user = account(10);
my $job  = $cloud->picture($user);
like join(' ', $cloud->objects($job->{id})),
    qr{\Acloudinary/${\ $cloud->prefix }/shelf_cloudinary_$job->{id}-[0-9a-f]{32}\z},
    'the public id is the folder, the type, the generation and a random part';
is $job->{cloudinaryUrl}, $job->{imageUrl}, 'cloudinaryUrl is the same address';
my @errors = grep { /genflow:error/ } split /\n/, $cloud->httpd->log_text;
is scalar @errors, 1, 'an operator is called once';
like $errors[0], qr/GenflowStoreSecret/, '... for the forged answer';

# ---- a wrong secret ----

my $wrong = Genflow::Shelf->start(kind => 'cloudinary', type => 'shelf-wrong',
    chain => 'stability/sd3', secret => 'not-the-secret');
$user = account(10);
$job  = $wrong->picture($user);
is $job->{status}, 'completed', 'with a wrong secret a generation completes';
is !!$job->{persisted}, !!0, '... but is not persisted';
is $wrong->served($job->{imageUrl}), "200 $job->{result}{sha256}", '... its picture is to be had';
credits_are $user, 9, 0, '... for its price';
ok wait_for { $wrong->httpd->alarms =~ /genflow:error\].*GenflowStoreSecret/ },
    '... and the log names the directive';
unlike $wrong->httpd->log_text, qr/not-the-secret/, '... not the secret';

finish;

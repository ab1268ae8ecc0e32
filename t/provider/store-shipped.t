#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The shipped sections of each store, as they are: only the address of the store's API is another. A
# picture is stored under the shipped prefix and can be had. Cloudinary gets the folder of an account with
# dynamic folders and an upload preset, and its pictures have a thumbnail by transformation.
use Genflow::Test;

use Genflow::Httpd qw(refused);
use Genflow::Shelf ();

@ENV{qw(CLOUDINARY_CLOUD_NAME CLOUDINARY_API_KEY CLOUDINARY_API_SECRET)} =
    ('pictures', @ENV{qw(STORE_KEY STORE_SECRET)});
@ENV{qw(AWS_S3_BUCKET AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY)} =
    ('pictures', 'eu-central-1', @ENV{qw(STORE_KEY STORE_SECRET)});

for my $kind (qw(folder cloudinary s3)) {
    my $job  = picture($kind, $kind eq 'folder' ? '' : qq(GenflowStoreApi "\${GENFLOW_STORE}/$kind"\n));
    my @stored = Genflow::Shelf->objects($job->{id});
    if ($kind eq 'folder') {
        like $job->{imageUrl}, qr{/generated/shipped-folder/}, '... and is in the folder';
        is $job->{thumbnailUrl}, $job->{imageUrl} =~ s/\.png\z/-384.webp/r, '... and so is its thumbnail, or will be';
        next;
    }
    is scalar(grep { !/-384\.webp\z/ } @stored), 1, "... and is in $kind";
    like $stored[0], qr{stefna/generated/shipped[_-]$kind}, '... below the shipped prefix';
    next if $kind ne 'cloudinary';
    is $job->{thumbnailUrl}, $job->{imageUrl} =~ s{/upload/}{/upload/c_limit,w_384,h_384,f_auto,q_auto/}r,
        '... at the address of the picture with a transformation';
    is get($job->{thumbnailUrl})->{status}, 200, '... which serves it';
    is get($job->{imageUrl})->{headers}{'x-asset-folder'}, 'stefna/generated',
        '... and it is in a folder of the Media Library';
}

my $preset = picture('cloudinary', qq(GenflowStoreApi "\${GENFLOW_STORE}/cloudinary"\n)
    . "GenflowStoreUploadPreset generated\nGenflowStoreThumbnail f_auto,q_auto\n", 'preset');
like $preset->{thumbnailUrl}, qr{/image/upload/f_auto,q_auto/v\d+/}, 'the transformation is the directive\'s';
my $none = picture('cloudinary', qq(GenflowStoreApi "\${GENFLOW_STORE}/cloudinary"\nGenflowStoreThumbnail none\n), 'none');
is $none->{thumbnailUrl}, undef, 'or none';
my $off = picture('cloudinary', qq(GenflowStoreApi "\${GENFLOW_STORE}/cloudinary"\nGenflowStoreThumbnail Off\n), 'off');
is $off->{thumbnailUrl}, undef, '... which is Off';

my $CLOUD = "GenflowStoreKind cloudinary\nGenflowStoreAccount a\nGenflowStoreKey env:STORE_KEY\n"
    . "GenflowStoreSecret env:STORE_SECRET\n";
refused('a folder that is no path', "${CLOUD}GenflowStoreAssetFolder a//b\n", 'GenflowStoreAssetFolder a//b: names of');
refused('a preset that is no name', "${CLOUD}GenflowStoreUploadPreset \"a b\"\n", 'GenflowStoreUploadPreset a b: it has');
refused('bare names that are replaced', "${CLOUD}GenflowStorePublicId bare\nGenflowStoreOverwrite On\n",
    'GenflowStorePublicId bare needs GenflowStoreOverwrite Off');
refused('two transformations', "${CLOUD}GenflowStoreThumbnail a/b\n", 'GenflowStoreThumbnail a/b: must be one');

finish;

# A generation of a server with the shipped section of that store.
sub picture {
    my ($kind, $lines, $more) = @_;
    my $type = "shipped-$kind" . ($more ? "-$more" : '');
    my $user = account(10);
    sql("SELECT genflow.create_type(:'type')", type => $type);
    my $httpd = Genflow::Httpd->start(<<"END");
Include "\${GENFLOW_WORK}/t/conf/database.conf"
Define GENFLOW_PICTURES $ENV{GENFLOW_WORK}/store
Include "\${GENFLOW_WORK}/conf/genflow-store-$kind.conf"
${lines}Include "\${GENFLOW_WORK}/t/conf/api.conf"
StartServers 1
<GenflowProvider stability>
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
</GenflowProvider>
<GenflowType $type>
    GenflowTypeProviders stability/sd3
    GenflowTypeCost 1
</GenflowType>
END
    talk_to($httpd);
    my $made = data(generate($user, { type => $type, prompt => "shipped $kind" }, Prefer => 'wait=60'));
    my $job  = status_of($user, $made->{id}, $type);
    is $job->{status}, 'completed', "$type: a picture is made" or diag $httpd->log_text;
    ok $job->{persisted}, '... and stored';
    is get($job->{imageUrl})->{status}, 200, '... and can be had';
    credits_are $user, 9, 0, '... for one charge';
    talk_to();
    return $job;
}

sub get { return HTTP::Tiny->new->get($_[0]) }

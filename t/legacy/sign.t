#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# cloudinary-sign: signs uploads of users to one folder, whatever they request, and not many of them.
# It is off by default (gallery.t), and needs Cloudinary and a rate.
use Digest::SHA qw(sha1_hex);
use Genflow::Httpd qw(refused);
use Genflow::OpenApi ();
use Genflow::Test;

my $document = Genflow::OpenApi->new($ENV{GENFLOW_WORK});
my $httpd = Genflow::Httpd->start(site("GenflowLimitRate 3/1h 3\n"));
talk_to $httpd;
my $user = account(0);

my @replies = map { api(POST => '/.netlify/functions/cloudinary-sign', user => $user, json => $_) }
    {}, { folder => 'stefna/generated' }, { folder => "x\"&public_id=y", timestamp => 1, public_id => 'z' };
is_deeply [map { $_->{status} } @replies], [200, 200, 200], 'uploads are signed';
for my $res (@replies) {
    my $signed = data($res);
    is_deeply [@$signed{qw(cloudName apiKey folder)}], ['pictures', $ENV{STORE_KEY}, 'signs/uploads'], 'to one folder';
    is $signed->{signature}, sha1_hex("folder=signs/uploads&timestamp=$signed->{timestamp}$ENV{STORE_SECRET}"),
        '... by the signature that Cloudinary computes';
    is join("\n", $document->complaints('POST /functions/cloudinary-sign', $res)), '', '... as documented';
    cmp_ok abs(time - $signed->{timestamp}), '<', 60, '... of now';
    unlike($res->{content}, qr/\Q$ENV{STORE_SECRET}/, '... without the secret');
}
error_is(api(POST => '/.netlify/functions/cloudinary-sign', user => $user, json => {}), 429, 'RATE_LIMIT', 'and not many');
is api(POST => '/.netlify/functions/cloudinary-sign', json => {})->{status}, 401, 'nor for a request without a user';
is api(GET => '/.netlify/functions/cloudinary-sign', user => $user)->{status}, 405, 'nor by a link';
refused('without a rate', site(''), 'needs GenflowLimitRate');

finish;

sub site {
    my ($more) = @_;
    return <<"END";
Include "\${GENFLOW_WORK}/t/conf/database.conf"
GenflowDispatch Off
GenflowStoreFolder "\${GENFLOW_WORK}/store"
GenflowStoreKind cloudinary
GenflowStoreApi "\${GENFLOW_STORE}/cloudinary"
GenflowStoreAccount pictures
GenflowStoreKey env:STORE_KEY
GenflowStoreSecret env:STORE_SECRET
GenflowStorePrefix signs
GenflowCloudinarySign On
$more
<GenflowProvider stability>
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeProviders stability/sd3
</GenflowType>
Include "\${GENFLOW_WORK}/conf/genflow-legacy.conf"
<Location "/.netlify/functions">
    GenflowUser "%{HTTP:X-User}"
</Location>
END
}

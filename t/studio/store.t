#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pictures of another store than this host (S3): the page's policy shows them, and no provider's; while the store is away
# the page says so: t/studio/store.mjs.
use Genflow::Test;
use Genflow::Studio;

my $prefix = "studio-$$";
browse('store', studio_site(users => { rich => 20 }, alarms => qr/\bGF0411:/, conf => <<"END"), GENFLOW_PREFIX => $prefix);
GenflowStoreKind s3
GenflowStoreApi "\${GENFLOW_STORE}/s3"
GenflowStoreAccount pictures
GenflowStoreKey env:STORE_KEY
GenflowStoreSecret env:STORE_SECRET
GenflowStoreRegion eu-central-1
GenflowStorePrefix $prefix
END
finish;

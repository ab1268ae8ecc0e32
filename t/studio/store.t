#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pictures of another store than this host (S3): the page's policy shows them, and no provider's; while the store is away
# the page says so: t/studio/store.mjs.
use Genflow::Test;
use Genflow::Shelf ();
use Genflow::Studio;

my $prefix = "studio-$$";
browse('store', studio_site(users => { rich => 20 }, alarms => qr/\bGF0411:/,
    conf => Genflow::Shelf::store_lines('s3', $prefix)), GENFLOW_PREFIX => $prefix);
finish;

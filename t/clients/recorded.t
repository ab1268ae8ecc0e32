#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The requests in t/clients/recorded, which drive the unit tests of front/, are what the clients of
# package-lock.json send.
use strict;
use warnings;

use JSON::PP qw(decode_json);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Site ();

plan skip_all => 'the clients are not installed: support/check --clients'
    if !-d 't/clients/node_modules/' || system('node --version >/dev/null 2>&1') != 0;

for my $file (glob 't/clients/recorded/*.json') {
    my ($name) = $file =~ m{/([^/]+)\.json\z};
    my $sent   = `node t/clients/record.mjs $name 2>/dev/null`;
    is_deeply decode_json($sent)->{recorded}, decode_json(Genflow::Site::slurp($file))->{recorded},
        "$name sends what was recorded";
}
done_testing;


#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The page in each state, in two languages, on phone and desktop, light and dark, overflows nowhere: t/studio/shots.mjs.
# With GENFLOW_SHOTS, a folder, it leaves the pictures there (support/screenshots).
use Genflow::Test;
use Genflow::Studio;

my $drawn = "<GenflowType neo-glitch>\nGenflowTypeProviders local/glitch\n</GenflowType>\n";
browse('shots', studio_site(conf => $drawn, users => { fresh => 40, map { $_ => 100 } qw(desktop phone) }));
finish;

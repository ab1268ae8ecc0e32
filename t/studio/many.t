#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Much at once: 50 generations, a history of 10,000, and what a visit takes over the wire: t/studio/many.mjs.
use Genflow::Test;
use Genflow::Studio;

# A fifth of the rows is of `many`. They are made before httpd works in the database: triggers are off meanwhile.
my $rows = sub { sql(Genflow::Site::read_text('support/bench.d/million.sql'), rows => 50_000, users => 10) };
my $site = studio_site(users => { rich => 200, drawn => 60, old => 0 }, prepare => $rows);
$site->{users}{old} = 'many';
set_password($site, 'old', 'secret');
browse('many', $site);
finish;

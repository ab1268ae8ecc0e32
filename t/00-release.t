#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A release is of one piece: the module (AC_INIT), docs/openapi.yaml, its examples and CHANGES name one
# version, and the archive that make dist makes has every file that git has. t/run.pl makes the lists.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Genflow::Site ();

my $top = $ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..";

my ($version) = slurp('configure.ac') =~ /^AC_INIT\(\[mod_genflow\], \[(\d+\.\d+\.\d+)\]/m;
ok $version, 'configure.ac has a version';

my $openapi  = slurp('docs/openapi.yaml');
my ($info)   = $openapi =~ /^info:\n(?: .*\n)*?  version: (\S+)/m;
my @examples = $openapi =~ /\bexample: .*\bschemaNeeded: .*\bversion: ([\d.]+)/g;
is $info, $version, 'docs/openapi.yaml describes this version';
ok @examples > 0, 'it has examples of health';
is $_, $version, 'and an example says this version' for @examples;

my ($newest) = slurp('CHANGES') =~ /^(\d+\.\d+\.\d+)$/m;
is $newest, $version, 'CHANGES begins with this version';

SKIP: {
    my $lists = $ENV{GENFLOW_RELEASE_LISTS} or skip 'this is no checkout of git', 2;
    my %git     = map { $_ => 1 } split /\n/, Genflow::Site::slurp("$lists/git");
    my %archive = map { $_ => 1 } split /\n/, Genflow::Site::slurp("$lists/archive");
    my $outside = qr{\At/(?:clients|js|studio)/package(?:-lock)?\.json\z};      # names what others made
    my $made    = qr{\A(?:aclocal\.m4|configure|Makefile\.in|build-aux/.*|m4/.*)\z};
    is_deeply [grep { !$archive{$_} && !/$outside/ } sort keys %git], [],
        'the release archive has every file of git'
        or diag Genflow::Site::slurp("$lists/log");
    is_deeply [grep { !$git{$_} && !/$made/ } sort keys %archive], [],
        'and besides only what autoreconf makes';
}

done_testing;

sub slurp { return Genflow::Site::slurp("$top/$_[0]") }


#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A release is of one piece: the module (AC_INIT), docs/openapi.yaml, its examples and CHANGES name one
# version, and the archive that make dist makes has every file that git has. t/run.pl makes the lists.

use strict;
use warnings;

use FindBin;
use Test::More;

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
    my %git     = map { $_ => 1 } split /\n/, read_file("$lists/git");
    my %archive = map { $_ => 1 } split /\n/, read_file("$lists/archive");
    my $outside = qr{\At/(?:clients|js|studio)/package(?:-lock)?\.json\z};      # names what others made
    my $made    = qr{\A(?:aclocal\.m4|configure|Makefile\.in|build-aux/.*|m4/.*)\z};
    is_deeply [grep { !$archive{$_} && !/$outside/ } sort keys %git], [],
        'the release archive has every file of git'
        or diag read_file("$lists/log");
    is_deeply [grep { !$git{$_} && !/$made/ } sort keys %archive], [],
        'and besides only what autoreconf makes';
}

done_testing;

sub slurp { return read_file("$top/$_[0]") }

sub read_file {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    local $/ = undef;
    return <$file> // '';
}

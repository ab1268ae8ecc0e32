#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# support/check --openapi: what others made judges docs/openapi.yaml and the module by it. Redocly's
# linter reads the document; then the HTTP tests run, and Prism judges every answer that they get
# (Genflow::Prism). Both come from npm into a temporary folder. Exit 1 for a violation.
#
#     t/openapi/run.pl --source DIR --build DIR [TESTS...]     without TESTS: t/api, t/legacy, t/provider

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin ();
use Getopt::Long qw(GetOptions);

my @PACKAGES = qw(@redocly/cli@2.77.0 @stoplight/prism-cli@5.14.2);

# What it would warn of is an error. {type} stands in the place of other words; the first row of
# api/route_table.h that fits serves.
my @LINT = qw(lint --extends recommended-strict --skip-rule no-ambiguous-paths);

my %option;
GetOptions(\%option, qw(source=s build=s)) && $option{source} && $option{build}
    or die "usage: t/openapi/run.pl --source DIR --build DIR [TESTS...]\n";
chdir $option{source} or die "$option{source}: $!\n";

my $folder = tempdir('gf-openapi.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $folder;
$ENV{REDOCLY_TELEMETRY} = 'off';
$ENV{REDOCLY_SUPPRESS_UPDATE_NOTICE} = 'true';

my @quiet = qw(--ignore-scripts --no-audit --no-fund --no-save --silent);
if (system('npm', 'install', '--prefix', $folder, @quiet, @PACKAGES) != 0) {
    print "skipped: npm could not install @PACKAGES\n";
    exit 0;
}
lint("$folder/node_modules/.bin/redocly", @LINT, 'docs/openapi.yaml');
my @tests = @ARGV ? @ARGV : map { glob "t/$_/*.t" } qw(api legacy provider);
run($^X, 't/run.pl', '--source', '.', '--build', $option{build}, '--prism', $folder, @tests);

# The linter's words are shown where it is not content: else it speaks of itself.
sub lint {
    my (@command) = @_;
    open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die "@command: $!\n";
    my $says = do { local $/ = undef; <$pipe> };
    if (!close $pipe) {
        print $says;
        exit 1;
    }
    print "# Redocly finds nothing wrong with docs/openapi.yaml.\n";
    return;
}

sub run {
    my (@command) = @_;
    system(@command) == 0 or exit 1;
    return;
}

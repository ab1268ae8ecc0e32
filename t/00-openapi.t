#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# docs/openapi.yaml has the routes of api_route.c with their methods, and the error codes of
# gf_err_table.h under their statuses: all of them, and no others. Read from the source folder,
# GENFLOW_SRCDIR or the one above this file.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Genflow::OpenApi;

my $TOP      = $ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..";
my $document = Genflow::OpenApi->new($TOP);

# ---- routes ----

my @routes = sort(routes('routes', ''), routes('admin_routes', 'admin/'));
ok @routes, 'api_route.c has routes';
same('the operations are the routes', [keys %{ $document->operations }], \@routes);

# ---- errors ----

my ($answers, $job) = split m{^/\* job \*/$}m, slurp('mod_genflow/base/gf_err_table.h');
my %codes;
for my $row (rows($answers)) {
    my ($code, $status) = @$row;
    $codes{$status}{$code} = 1;
}
ok %codes, 'gf_err_table.h has errors of requests';
same("the codes of $_ are those of the table", [$document->codes($_)], [keys %{ $codes{$_} }])
    for sort keys %codes;
is_deeply [grep { !$codes{$_} && $document->codes($_) } 400 .. 599], [],
    'no other status has codes';
same('what fails a generation is what the table has for jobs',
    [$document->failures], [map { $_->[0] } rows($job)]);

# ---- what would make a reader of OpenAPI 3.1 skip a schema in silence ----

unlike slurp('docs/openapi.yaml'), qr/\bnullable\b/, 'null is a type of its own';

done_testing;

sub same {
    my ($says, $got, $wanted) = @_;
    my %got    = map { $_ => 1 } @$got;
    my %wanted = map { $_ => 1 } @$wanted;
    my @wrong = ((map { "the document lacks $_" } grep { !$got{$_} } sort keys %wanted),
        (map { "the document has $_, the code has not" } grep { !$wanted{$_} } sort keys %got));
    ok !@wrong, $says or diag join "\n", @wrong;
    return;
}

# The rows of a table, as "METHOD /path". {name+} takes the rest of the path.
sub routes {
    my ($table, $below) = @_;
    my ($rows) = slurp('mod_genflow/api/api_route.c') =~ /\b\Q$table\E\[\] = \{\n(.*?)\n\};/s
        or return;
    return map { my ($methods, $path) = @$_; map { "$_ /$below$path" } split /\s*\|\s*/, $methods }
        map { /\{ ([A-Z| ]+),\s*"([^"]+)"/ ? ["$1", $2 =~ s/\+\}/}/gr] : () } split /\n/, $rows;
}

# [code, status] of each row.
sub rows { return map { [/"(\w+)",\s+(\d{3}),/] } $_[0] =~ /GF_ERR\((.*)/g }

sub slurp {
    my ($path) = @_;
    open my $file, '<', "$TOP/$path" or die "$path: $!\n";
    local $/ = undef;
    return <$file>;
}

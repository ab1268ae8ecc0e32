#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# docs/openapi.yaml has the routes of api/route_table.h with their methods, those of the older names too,
# and under each the error codes that its handler can end in, as the source says (Genflow::Reach): all of
# them, and no others. Read from the source folder, GENFLOW_SRCDIR or the one above this file.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Genflow::OpenApi;
use Genflow::Reach;
use Genflow::Site ();

my $TOP      = $ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..";
my $document = Genflow::OpenApi->new($TOP);

# ---- routes ----

my %handler = (routes('ROUTE', ''), routes('ADMIN', 'admin/'));
my %old     = routes('OLD', '');
my %old_route;                       # operation of an older name => its route
for my $operation (keys %{ $document->operations }) {
    my ($method, $path) = split / /, $operation;
    my $route = Genflow::OpenApi::old_route($path, { lc $method => $document->operations->{$operation} });
    $old_route{$operation} = "$method $route" if $route;
}
ok %handler && %old, 'api/route_table.h has routes';
same('the operations are the routes', [grep { !$old_route{$_} } keys %{ $document->operations }], [keys %handler]);
same('the operations of older names are their routes', [values %old_route], [keys %old]);

# conf/genflow-legacy.conf names routes, each of which is described by its older or its own path.
my %served = map { (split / /)[1] => 1 } keys %handler, keys %old;
my %named = slurp('conf/genflow-legacy.conf') =~ /^ *GenflowPath (\S+) +(\S+)$/mg;
is_deeply [grep { my $path = "/$named{$_}"; !$served{$path} && !$served{ $path =~ s{\A/[^/]+}{/{type}}r } } sort keys %named],
    [], 'every name of conf/genflow-legacy.conf is a route';

my @unknown;
for my $file ('README.md', 'CHANGES', 'conf/genflow.conf', map { s{\A\Q$TOP\E/}{}r } glob "$TOP/docs/*.md") {
    my $text = slurp($file);
    while ($text =~ m{\b(GET|POST|PUT|DELETE) /?(admin/[\w:{}/-]+)}g) {
        my $called = "$1 /$2";
        my $known = grep { my $form = s/\{\w+\}/[^\/]+/gr; $called =~ m{\A$form\z} } keys %handler;
        push @unknown, "$file: $called" if !$known;
    }
}
is_deeply \@unknown, [], 'every administration route in the documents exists';

# ---- errors ----

my ($answers, undef, $job) = split m{^/\* (?:front|job) \*/$}m, slurp('mod_genflow/base/err_table.h');
my %answer = rows($answers);                                 # symbol => "status code"
my %end    = rows($job);
ok %answer && %end, 'base/err_table.h has errors';
same('what fails a generation is what the table has for jobs',
    [$document->failures], [map { s/.* //r } values %end]);

# What the source seems to say, and cannot be.
my @NEVER = (    # operations, symbols, why
    [qr{\AGET },                     'BAD_JSON READ_BODY BODY_TOO_LARGE BODY_TYPE', 'has no body'],
    [qr{\AGET /health\z},            'DB_DOWN DB_SCHEMA INTERNAL', 'reports it in its own words'],
    [qr{\A(?!.*/(?:assets|templates)/)}, 'NO_ASSET NO_TEMPLATE', 'reports it as a wrong field'],
    [qr{\ADELETE /admin/jobs\z},    'BAD_JSON', 'reads what the database says'],
    [qr{\A(?:GET|PUT) /admin/},      'NO_GENERATION', 'leaves out what is gone by now'],
    [qr{\AGET /types\z},            'STORE_CLOSED', 'reports it as closedReason'],
    [qr{\AGET /events\z},           'NO_GENERATION NOT_YOURS', 'has no event of it'],
    [qr{\APOST /admin/presets\z},    'NO_ROUTE', 'needs no existing preset'],
    [qr{/(?:retry|fallback)\z},      'BAD_JSON', 'reads what was written here'],
    [qr{\APOST /generation/create\z}, 'SOURCE_URL PRESET PRESET_OFF PROMPT PROMPT_LENGTH',
        'has VALIDATION_ERROR for its fields'],
    [qr{\APOST /generation/create\z}, 'KEY_RUNNING FAILED', 'starts nothing'],
    [qr{\A(?!POST /(?:generation/create|generate)\z)}, 'NO_TOKENS', 'is of two steps alone'],
    [qr{\AGET /functions/\{type\}-generate\z}, join(' ', qw(FIELDS NO_CREDIT BLOCKED KEY_RUNNING KEY_MISMATCH
        SOURCE_URL PRESET PRESET_OFF PROMPT PROMPT_LENGTH TOO_OFTEN QUOTA TOO_MANY FAILED QUEUE_FULL STORE_CLOSED
        NO_PROVIDER RESTORED TEMPLATES_FULL ASSETS_FULL)), 'queries alone'],
    [qr{\APOST /functions/credits-reserve\z}, 'NO_CREDIT', 'has a status of its own for it'],
    [qr{\APOST /image/generate\z}, 'FAILED', 'does not wait'],
    [qr{\APOST /templates\z}, 'SOURCE_URL PRESET PRESET_OFF PROMPT PROMPT_LENGTH', 'knows the names alone'],
);

my $reach = Genflow::Reach->new($TOP);
my %row   = (%end, %answer);
my %documented;
my %of_old = map { $_ => $old{ $old_route{$_} } } keys %old_route;
my %every = (%handler, %of_old);
for my $operation (sort grep { $every{$_} } keys %every) {
    my ($handle, $flag) = @{ $every{$operation} };
    my %can = map { $_ => 1 } $reach->errors($handle), at_the_door($operation, $flag);
    delete @can{ map { split / /, $_->[1] } grep { $operation =~ $_->[0] } @NEVER };
    my $codes = $document->codes($operation);
    my @codes = map { my $status = $_; map { "$status $_" } @{ $codes->{$status} } } keys %$codes;
    same("$operation has the errors of $handle()", \@codes, [grep { defined } map { $row{$_} } keys %can]);
    $documented{$_} = 1 for @codes;
}
is_deeply [grep { !$documented{$_} } sort values %answer], [], 'every error of a request is one of some';
for my $code (map { s/.* //r } sort keys %documented) {
    is $document->code_of($code), $code, "the schema $code is that of the code";
}

# ---- what would make a reader of OpenAPI 3.1 skip a schema in silence ----

unlike slurp('docs/openapi.yaml'), qr/\bnullable\b/, 'null is a type of its own';

# ---- what a client has to send, and what it may leave out ----

is_deeply [$document->required_defaults($TOP)], [], 'nothing is required that has a default';

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

# The rows of one kind: "METHOD /path" => [handler, its flags]. {name+} takes the rest of the path.
sub routes {
    my ($kind, $below) = @_;
    my $rows = slurp('mod_genflow/api/route_table.h');
    my %routes;
    while ($rows =~ /^$kind\(([A-Z| ]+),\s*"([^"]*)",\s*(\w+),\s*([A-Z_| ]+|0), /mg) {
        my ($methods, $path, $handle, $flags) = ($1, $2, $3, $4);
        $path =~ s/\+\}/}/;
        my %flag = map { $_ => 1 } split /\s*\|\s*/, $flags;
        # the document names the root of a location without the slash that its page has
        $routes{"$_ /" . "$below$path" =~ s{/\z}{}r} = [$handle, \%flag] for split /\s*\|\s*/, $methods;
    }
    return %routes;
}

# The errors with which api/route.c and httpd end a request before its handler.
sub at_the_door {
    my ($operation, $flag) = @_;
    my $is_open = $flag->{ANYONE};
    return ('METHOD', 'INVALID', ($is_open ? () : qw(NOT_SIGNED_IN NOT_SIGNED_IN_OLD TOKEN_EXPIRED KEY_SCOPE)),
        ($flag->{COSTS} || $flag->{PRICED} ? $reach->errors('api_limit') : ()),
        ($flag->{CREDIT} ? $reach->errors('gf_gallery_allowance') : ()),
        ($operation =~ /\{type\}/ ? 'NO_ROUTE' : ()),
        ($operation =~ m{ /admin\b}          ? qw(ADMIN_CLOSED ADMIN_ORIGIN)
            : $is_open || $operation =~ /\AGET / ? ()
            :                                   'CROSS_SITE'));
}

# The rows: symbol => "status code".
sub rows {
    my ($text) = @_;
    return map { /(\w+),\s+"(\w+)",\s+(\d{3}),/ ? ($1, "$3 $2") : () } $text =~ /GF_ERR\((.*)/g;
}

sub slurp { return Genflow::Site::slurp("$TOP/$_[0]") }


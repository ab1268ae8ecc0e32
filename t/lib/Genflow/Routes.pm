# SPDX-License-Identifier: Apache-2.0
#
# Every address that is served, as the tables in the source have it: api/route_table.h and the `routes` of each front. What a
# key needs for it, and against which limits it counts, follow from its flags; docs/routes.md has them, as page() prints it.
#
#     for my $route (Genflow::Routes::all($source)) { ... }   # { handler, methods, path, flags, scope, limits }
#     Genflow::Routes::page($source)

package Genflow::Routes;

use strict;
use warnings;

my %HANDLER = (ROUTE => 'api', OLD => 'older names', ADMIN => 'admin');
my @FRONTS  = qw(openai replicate fal);

sub all {
    my ($source) = @_;
    return ((map { of_table($source, $_) } qw(ROUTE OLD ADMIN)), map { of_front($source, $_) } @FRONTS);
}

sub of_table {
    my ($source, $word) = @_;
    my @routes;
    my $text = slurp("$source/mod_genflow/api/route_table.h");
    while ($text =~ /^$word\(([A-Z| ]+),\s*"([^"]*)",\s*\w+,\s*([A-Z_| ]+|0), /mg) {
        push @routes, route($HANDLER{$word}, $1, $2, $3);
    }
    return @routes;
}

sub of_front {
    my ($source, $front) = @_;
    my $text = slurp("$source/mod_genflow/front/${front}_route.c");
    my %word = $text =~ /^#define (\w+)\s+"([^"]*)"$/mg;
    my ($rows) = $text =~ /\broutes\[\] = \{\n(.*?)\n\};/s or die "$front has no routes\n";
    my @routes;
    while ($rows =~ /\{ (API_[A-Z]+(?: \| API_[A-Z]+)*), ((?:\w+ )?(?:"[^"]*")?\w*), \w+,\s*([A-Z_| ]+|0), /g) {
        my ($methods, $path, $flags) = ($1, $2, $3);
        $path =~ s/\b(\w+)\b(?=[^"]*(?:"[^"]*"[^"]*)*\z)/defined $word{$1} ? "\"$word{$1}\"" : $1/e;
        push @routes, route($front, map { s/API_//gr } $methods, $path =~ s/"\s*"?//gr, $flags);
    }
    my $count = () = $rows =~ /\{ API_/g;
    die "$front: a row of routes was not understood\n" if $count != @routes;
    return @routes;
}

sub route {
    my ($handler, $methods, $path, $flags) = @_;
    my %flag = map { $_ => 1 } $flags =~ /[A-Z_]+/g;
    my %self = (handler => $handler, methods => [$methods =~ /[A-Z]+/g], path => $path, flags => \%flag);
    my $reads = !$flag{WRITES} && grep { $_ eq 'GET' } @{ $self{methods} };
    $self{scope} = $flag{ANYONE} ? ''
        : $handler eq 'admin' ? ($flag{KEYS} ? 'admin keys' : 'admin')
        : $flag{KEYS}         ? 'keys'
        : $reads              ? 'read'
        :                       'images';
    $self{limits} = $flag{COSTS} || $flag{PRICED} ? 'user, address' : '';
    return \%self;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    local $/ = undef;
    return scalar <$file>;
}

sub page {
    my ($source) = @_;
    my $text = <<'END';
# Routes

Printed by `t/api/key-routes.t --page`, which walks every row with keys that may not, and compares what it meets with these. Scope:
what an API key needs (docs/manual/sign-in.md); none: no user is needed. Limits: of whom GenflowLimitRate and GenflowLimitAddressRate
count the requests. Every request with a key counts for GenflowLimitKeyRate.
END
    my $handler = '';
    for my $route (all($source)) {
        if ($route->{handler} ne $handler) {
            $handler = $route->{handler};
            $text .= "\n## $handler\n\n| methods | path | scope | limits |\n|---|---|---|---|\n";
        }
        my $path = $route->{path} eq '' ? '' : "`$route->{path}`";
        $text .= sprintf "| %s | %s | %s | %s |\n", join(' ', @{ $route->{methods} }), $path, $route->{scope} || 'none',
            $route->{limits} || 'none';
    }
    return $text;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# Which errors a function of the module can end in, as its source says: those that it names
# (GF_E_...), and those of every function and constant table that it names. That is more than can
# happen, never less.
#
#     my $reach = Genflow::Reach->new($top);
#     $reach->errors('api_events')           # symbols of base/err_table.h: ('NOT_YOURS', ...)

package Genflow::Reach;

use strict;
use warnings;

# Rooms whose functions serve requests.
my @ROOMS = qw(api httpd db store hub model base);

sub new {
    my ($class, $top) = @_;
    my $self = bless { in => {}, of => {} }, $class;
    for my $path (map { glob "$top/mod_genflow/$_/*.c" } @ROOMS) {
        $self->read_file($path);
    }
    return $self;
}

# Functions as they are laid out here: a head, and a body between braces in the first column. Tables:
# rows may name functions (the rules of model/input.h).
sub read_file {
    my ($self, $path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    my $text = do { local $/ = undef; <$file> };
    $text =~ s{/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'}{}gs;
    my @found;
    push @found, [$1, $2, $3] while $text =~ /^(static )?\w[^;{}()]*?(\w+)\([^;{}]*\)\n\{\n(.*?)^\}/gms;
    push @found, [$1, $2, $3]
        while $text =~ /^(static )?const [^;={}()]*?(\w+)\[\] = (\{.*?\});/gms;
    for my $found (@found) {
        my ($static, $name, $body) = @$found;
        my %named = map { $_ => 1 } $body =~ s/\bgf_err_is\([^)]*\)//gr =~ /\bGF_E_(\w+)/g;
        my %calls = map { $_ => 1 } $body =~ /\b([a-z]\w+)\b/g;
        my $function = { path => $path, named => \%named, calls => [sort keys %calls] };
        $self->{in}{$path}{$name} = $function;
        $self->{of}{$name} = $function if !$static;
    }
    return;
}

sub errors {
    my ($self, $name) = @_;
    my @functions = $self->{of}{$name} || die "there is no function $name\n";
    my (%seen, %errors);
    while (my $function = shift @functions) {
        next if $seen{$function}++;
        %errors = (%errors, %{ $function->{named} });
        push @functions, map { $self->{in}{ $function->{path} }{$_} // $self->{of}{$_} // () }
            @{ $function->{calls} };
    }
    return sort keys %errors;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# docs/openapi.yaml (or the copy that GENFLOW_OPENAPI names) as the judge of what the module says.
#
#     my $document = Genflow::OpenApi->new($top);
#     $document->operations                  # {"GET /health" => the operation, ...}
#     $document->codes(422)                  # error codes of a status
#     $document->complaints('GET /health', $res)

package Genflow::OpenApi;

use strict;
use warnings;

use JSON::PP ();
use JSON::Validator::Schema::Draft201909 ();
use YAML::XS ();

my @METHODS = qw(get post put delete);
my $JSON    = JSON::PP->new->utf8->allow_nonref;

sub new {
    my ($class, $top) = @_;
    local $YAML::XS::Boolean = 'JSON::PP';
    my $document = YAML::XS::LoadFile($ENV{GENFLOW_OPENAPI} || "$top/docs/openapi.yaml");
    my $schema   = JSON::Validator::Schema::Draft201909->new($document)->resolve;
    return bless { document => $document, schema => $schema }, $class;
}

sub operations {
    my ($self) = @_;
    my $paths = $self->{document}{paths};
    return { map { my $path = $_; map { ("\U$_\E $path" => $paths->{$path}{$_}) }
        grep { $paths->{$path}{$_} } @METHODS } keys %$paths };
}

# The codes that errors of this status may have; none: there is no such error.
sub codes {
    my ($self, $status) = @_;
    my $error = $self->{document}{components}{schemas}{"Error$status"} or return;
    return @{ $error->{allOf}[1]{properties}{code}{enum} };
}

# Those of generations that failed.
sub failures { return @{ $_[0]{document}{components}{schemas}{Failure}{enum} } }

# What an answer of this operation says that the document does not, as sentences.
sub complaints {
    my ($self, $operation, $res) = @_;
    my $known    = $self->operations->{$operation} or return "there is no $operation";
    my $response = $self->target($known->{responses}{ $res->{status} })
        or return "$operation has no status $res->{status}";
    my ($type)   = ($res->{headers}{'content-type'} // '') =~ /\A([^;\s]*)/;
    my $content  = $response->{content};
    return length $res->{content} ? "$res->{status} has no body" : () if !$content;
    return "$res->{status} is no $type" if !$content->{$type};
    return if $type ne 'application/json';

    my $body   = eval { $JSON->decode($res->{content}) } or return 'the body is no JSON';
    my $schema = $content->{$type}{schema};
    my @wrong  = map { "$_" } $self->{schema}->validate($body, $schema);
    return @wrong, $self->unknown($body, '', $schema);
}

# Members that the document does not know. Where it names none at all, any may be.
sub unknown {
    my ($self, $value, $path, @schemas) = @_;
    my @parts = map { $self->parts($_) } @schemas;
    if (ref $value eq 'ARRAY') {
        my @items = map { $_->{items} // () } @parts;
        return map { $self->unknown($value->[$_], "$path/$_", @items) } 0 .. $#$value;
    }
    my @known = map { $_->{properties} // () } @parts;
    return if ref $value ne 'HASH' || !@known;
    my @unknown;
    for my $name (sort keys %$value) {
        my @below = map { $_->{$name} // () } @known;
        push @unknown, @below ? $self->unknown($value->{$name}, "$path/$name", @below)
            : "$path/$name: is not in the document";
    }
    return @unknown;
}

# A schema and all that it is made of.
sub parts {
    my ($self, $schema) = @_;
    $schema = $self->target($schema);
    return ($schema, map { $self->parts($_) } map { @{ $schema->{$_} // [] } } qw(allOf anyOf));
}

sub target {
    my ($self, $node) = @_;
    return $node if !$node || !$node->{'$ref'};
    my $place = $self->{document};
    $place = $place->{$_} for grep { length } split m{/}, $node->{'$ref'} =~ s/\A#//r;
    return $place;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# docs/openapi.yaml (or the copy that GENFLOW_OPENAPI names) as the judge of what the module says.
#
#     my $document = Genflow::OpenApi->new($top);
#     $document->operations                  # {"GET /health" => the operation, ...}
#     Genflow::OpenApi::old_route($path, $item)    # "/{type}/generate"; undef: it is no older name
#     $document->codes('GET /health')        # {405 => ['METHOD_NOT_ALLOWED'], ...}
#     $document->complaints('GET /health', $res)

package Genflow::OpenApi;

use strict;
use warnings;

use JSON::PP ();
use JSON::Validator::Schema::Draft201909 ();
use YAML::XS ();

my @METHODS = qw(get post put patch delete);
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

# The route below GenflowLegacyNames that this path of the document describes.
sub old_route {
    my ($path, $item) = @_;
    my @tags = map { @{ ($item->{$_} // {})->{tags} // [] } } @METHODS;
    return if !grep { $_ eq 'Older names' } @tags;
    return $path =~ s{\A/functions/}{/}r =~ s{\A/\{type\}-}{/{type}/}r;
}

# The error codes that an operation may answer, by status. Each has the schema of its name.
sub codes {
    my ($self, $operation) = @_;
    my $responses = $self->operations->{$operation}{responses};
    my %codes;
    for my $status (grep { $_ >= 400 } keys %$responses) {
        my $content = $self->target($responses->{$status})->{content} // {};
        my $schema  = $content->{'application/json'}{schema} // {};
        my @one_of  = @{ $schema->{anyOf} // [$schema] };
        my @codes   = map { ($_->{'$ref'} // '') =~ m{/([A-Z_]+)\z} } @one_of;
        $codes{$status} = \@codes if @codes;
    }
    return \%codes;
}

# The code that errors of this schema have, as the schema says.
sub code_of {
    my ($self, $name) = @_;
    my $schema = $self->{document}{components}{schemas}{$name} or return '';
    return join ' ', map { $_->{properties}{code}{const} // () } $self->parts($schema);
}

# Those of generations that failed.
sub failures { return @{ $_[0]{document}{components}{schemas}{Failure}{enum} } }

# Parameters, and members of objects, that are required although they have a default: each by its place.
# Reads the file anew: in the resolved document a schema may stand inside of itself.
sub required_defaults {
    my ($self, $top) = @_;
    my $document = YAML::XS::LoadFile($ENV{GENFLOW_OPENAPI} || "$top/docs/openapi.yaml");
    return required_defaults_in($document, '');
}

sub required_defaults_in {
    my ($node, $place) = @_;
    return map { required_defaults_in($node->[$_], "$place/$_") } 0 .. $#$node
        if ref $node eq 'ARRAY';
    return if ref $node ne 'HASH';

    my @wrong;
    my $required = $node->{required} // '';
    if (ref $required eq 'ARRAY') {
        my $member = $node->{properties} // {};
        @wrong = map { "$place: $_" } grep { exists(($member->{$_} // {})->{default}) } @$required;
    }
    elsif ($required && exists(($node->{schema} // {})->{default})) {
        @wrong = $place;
    }
    return @wrong, map { required_defaults_in($node->{$_}, "$place/$_") } sort keys %$node;
}

# What an answer of this operation says that the document does not, as sentences.
sub complaints {
    my ($self, $operation, $res) = @_;
    my $known    = $self->operations->{$operation} or return "there is no $operation";
    my $response = $self->target($known->{responses}{ $res->{status} })
        or return "$operation has no status $res->{status}";
    return $self->wrong_headers($response->{headers} // {}, $res->{headers}),
        $self->wrong_body($response->{content}, $res);
}

sub wrong_body {
    my ($self, $content, $res) = @_;
    my ($type) = ($res->{headers}{'content-type'} // '') =~ /\A([^;\s]*)/;
    return length $res->{content} ? "$res->{status} has no body" : () if !$content;
    return "$res->{status} is no $type" if !$content->{$type};
    return if $type ne 'application/json';

    my $body   = eval { $JSON->decode($res->{content}) } or return 'the body is no JSON';
    my $schema = $content->{$type}{schema};
    my @wrong  = map { "$_" } $self->{schema}->validate($body, $schema);
    return @wrong, $self->unknown($body, '', $schema);
}

# What httpd says of itself, of connections, of who may read and keep an answer, and of what a page may do.
my %GENERAL = map { $_ => 1 } qw(date server connection keep-alive transfer-encoding content-length
    content-type cache-control x-content-type-options x-accel-buffering vary x-request-id ratelimit ratelimit-policy
    content-security-policy cross-origin-opener-policy permissions-policy referrer-policy);

# Headers that are missing, or are not as documented, or are not documented.
sub wrong_headers {
    my ($self, $documented, $headers) = @_;
    my %known = map { lc $_ => $self->target($documented->{$_}) } keys %$documented;
    my @wrong;
    for my $name (sort keys %known) {
        my $value = $headers->{$name};
        push @wrong, "the header $name is missing" if !defined $value && $known{$name}{required};
        next if !defined $value;
        $value += 0 if $known{$name}{schema}{type} eq 'integer' && $value =~ /\A[0-9]+\z/;
        push @wrong, map { "the header $name: $_" }
            $self->{schema}->validate($value, $known{$name}{schema});
    }
    push @wrong, 'the header x-request-id is missing' if !$headers->{'x-request-id'};
    return @wrong, map { "the header $_: is not in the document" }
        grep { !$known{$_} && !$GENERAL{$_} && !/\Aaccess-control-/ } sort keys %$headers;
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

# SPDX-License-Identifier: Apache-2.0
#
# Prism as a proxy between the tests and the module: it judges every answer by docs/openapi.yaml.
# One stands before /api, another before /admin, which the tests mount beside it. Requests that are
# bad on purpose are passed on as they are; only what it says about answers counts, and a route that
# is answered and is not in the document.
#
#     Genflow::Prism->start($site, $folder)      # $folder has node_modules
#     Genflow::Prism->control($site, $folder)    # faults that it has to find, and has not found
#     Genflow::Prism->verdicts($site)            # (how many answers were judged, what is wrong,
#                                                #  how many requests went past it, by reason)
#
# An object of this class is an HTTP::Tiny whose requests go through Prism, unless that would not
# pass them on, or their answers, as they are.

package Genflow::Prism;

use strict;
use warnings;

use parent 'HTTP::Tiny';

use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

use constant { START_TIME => 60, BODY_MAX => 10_000_000 };

my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;

# ---- the proxy -----------------------------------------------------------------------------------

sub start {
    my ($class, $site, $folder) = @_;
    my $document = 'docs/openapi.yaml';
    $ENV{GENFLOW_PRISM}       = $class->proxy($site, $folder, $document, '/api');
    $ENV{GENFLOW_PRISM_ADMIN} = $class->proxy($site, $folder, $document, '');
    $ENV{GENFLOW_PRISM_LOG}   = $site->folder . '/t/logs/prism';
    return;
}

# The address of a Prism that judges by this document what is mounted there.
sub proxy {
    my ($class, $site, $folder, $document, $base) = @_;
    my $port = Genflow::Site::free_port();
    my $pid  = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>>', $site->folder . '/prism.log' or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT                     or POSIX::_exit(127);
        exec 'node', "$folder/node_modules/\@stoplight/prism-cli/dist/index.js", 'proxy', $document,
            $site->base . $base, '-h', '127.0.0.1', '-p', $port, '-v', 'error', '--cors=false'
            or POSIX::_exit(127);
    }
    $site->at_end(sub { kill TERM => $pid; waitpid $pid, 0 });
    my $end = time + START_TIME;
    until (IO::Socket::INET->new("127.0.0.1:$port")) {
        die "Prism did not start:\n" . $site->tail('prism.log', 20) if time > $end;
        sleep 0.2;
    }
    return "http://127.0.0.1:$port";
}

# ---- one request ---------------------------------------------------------------------------------

sub request {
    my ($self, $method, $url, $args) = @_;
    my $site = "http://127.0.0.1:$ENV{GENFLOW_PORT}";
    my ($base, $path) = $url =~ m{\A\Q$site\E(/api|(?=/admin/))(/.*)\z}s;
    my $prism = $base ? $ENV{GENFLOW_PRISM} : $ENV{GENFLOW_PRISM_ADMIN};
    my $past = $path ? past($method, $base, $path, $args // {}) : 'another address than the API';
    if ($past) {
        note({ past => $past });
        return $self->SUPER::request($method, $url, $args);
    }
    my $res = $self->SUPER::request($method, "$prism$path", $args);
    my $violations = delete $res->{headers}{'sl-violations'} // '[]';
    note({ test => $0, method => $method, path => $path, status => $res->{status},
        wrong => [wrong($violations, $res->{status})] });
    return $res;
}

# Why this request cannot be passed on by Prism as it is, or nothing: Prism reads bodies as text and
# JSON, and writes JSON anew.
sub past {
    my ($method, $base, $path, $args) = @_;
    my $body    = $args->{content} // '';
    my %headers = map { lc $_ => $args->{headers}{$_} } keys %{ $args->{headers} // {} };
    my ($where) = $path =~ /\A([^?]*)/;
    my $header  = join '', map { ref ? @$_ : $_ // '' } values %headers;
    return 'an address that Prism would write anew' if $path =~ m{%|[^!-~]} || $where =~ m{//|/\.};
    return 'administration, where it is not'        if $where =~ m{\A/admin\b} && $base;
    return 'a method that no operation has'         if $method !~ /\A(?:GET|POST|PUT|DELETE)\z/;
    return 'a header that Node refuses'             if $header =~ /[^ -~]/;
    return 'a name with slashes: no path of a document' if $where =~ m{\A/admin/users/.*/};
    return 'a stream: Prism waits for its end'      if $where =~ m{/events\z};
    return 'a picture: Prism takes bodies for text' if "$method $where" =~ m{\AGET /assets/};
    return                                          if $body eq '';
    return 'a body in parts, too long, or of a GET'
        if ref $body || length $body > BODY_MAX || $method eq 'GET';
    return 'a body that is no JSON'
        if ($headers{'content-type'} // '') !~ m{\Aapplication/json\b}i;
    my $again = eval { $JSON->encode($JSON->decode($body)) } // '';
    return 'a body that is no JSON, or another one when it is written anew'
        if length $again != length $body || $again !~ /\A[[{]/;
    return;
}

# What is wrong with the answer, of all that Prism says.
sub wrong {
    my ($violations, $status) = @_;
    my $list = eval { $JSON->decode($violations) } or return $violations;
    my @wrong;
    for my $one (@$list) {
        my ($part, @place) = @{ $one->{location} };
        push @wrong, join(' ', join('.', @place), $one->{message}) if $part eq 'response';
        push @wrong, 'a route that is not in the document, answered'
            if $one->{message} eq 'Selected route not found' && $status != 404 && $status != 405;
    }
    return @wrong;
}

# One line; processes write side by side.
sub note {
    my ($what) = @_;
    my $line = $JSON->encode($what) . "\n";
    open my $file, '>>', $ENV{GENFLOW_PRISM_LOG} or die "$ENV{GENFLOW_PRISM_LOG}: $!\n";
    syswrite $file, $line;
    close $file;
    return;
}

# ---- verdicts ------------------------------------------------------------------------------------

sub verdicts {
    my ($class) = @_;
    my ($judged, %wrong, %past) = 0;
    for my $line (split /\n/, Genflow::Site::read_text($ENV{GENFLOW_PRISM_LOG})) {
        my $one = $JSON->decode($line);
        if ($one->{past}) {
            $past{ $one->{past} }++;
            next;
        }
        $judged++;
        my $path = $one->{path} =~ s/\?.*//r =~ s/[0-9a-f]{8}-[0-9a-f-]{27}/{id}/gr;
        push @{ $wrong{"$one->{method} $path $one->{status}: $_"} }, $one->{test}
            for @{ $one->{wrong} };
    }
    return ($judged, \%wrong, \%past);
}

# A copy of the document that is wrong in two ways: a type, and a route that is not there. Prism has
# to notice both.
sub control {
    my ($class, $site, $folder) = @_;
    my $text = Genflow::Site::read_text('docs/openapi.yaml');
    $text =~ s/^( +daily_used: \{ type: )integer/${1}string/m
        && $text =~ s{^  /presets:$}{  /no-presets:}m
        or die "docs/openapi.yaml has another getQuota or presets\n";
    my $copy = $site->folder . '/wrong.yaml';
    open my $file, '>', $copy or die "$copy: $!\n";
    print $file $text;
    close $file or die "$copy: $!\n";

    local $ENV{GENFLOW_PRISM}     = $class->proxy($site, $folder, $copy, '/api');
    local $ENV{GENFLOW_PRISM_LOG} = $site->folder . '/t/logs/prism-control';
    my $client = $class->new(timeout => START_TIME);
    my %header = ('X-User' => 'prism-control');
    $client->get($site->base . "/api/$_", { headers => \%header }) for qw(getQuota presets);
    my (undef, $wrong) = $class->verdicts;
    my %fault = ('a wrong type' => qr/daily_used.*string/,
        'an unknown route' => qr/presets.*route/);
    return grep { my $is = $fault{$_}; !grep { /$is/ } keys %$wrong } sort keys %fault;
}

1;

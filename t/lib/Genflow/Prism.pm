# SPDX-License-Identifier: Apache-2.0
#
# Prism judges by docs/openapi.yaml what the module answers, and what it takes. It is a proxy, and
# behind it stands, in place of the module, a server that repeats the answer which a test just got:
# Prism would write bodies and addresses anew, so no test is served by it, and each answer is judged
# as it was. The document is mounted wherever the tests mount the API, administration, one type, or
# older names. Requests may be bad on purpose: what Prism says of one counts only if it succeeded.
#
#     Genflow::Prism->start($site, $folder)      # $folder has node_modules
#     Genflow::Prism->control($site, $folder)    # faults that it has to find, and has not found
#     Genflow::Prism->verdicts                   # (how many answers were judged, what is wrong,
#                                                #  how many were not judged, by reason)
#
# An object of this class is an HTTP::Tiny whose answers are judged.

package Genflow::Prism;

use strict;
use warnings;

use parent 'HTTP::Tiny';

use IO::Select ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);
use YAML::XS ();

use Genflow::Limit;
use Genflow::OpenApi ();
use Genflow::Site ();

use constant {
    DRAIN_TIME => 5,
    BODY_MAX   => 10_000_000,    # of Prism
};

my $JSON   = JSON::PP->new->utf8->canonical->allow_nonref;
my $ANSWER = 'X-Genflow-Answer';    # names the file with the answer to repeat

# ---- the document, as the tests mount it ---------------------------------------------------------

# What docs/openapi.yaml says, under the addresses of the site.
sub document {
    local $YAML::XS::Boolean = 'JSON::PP';
    my $document = YAML::XS::LoadFile('docs/openapi.yaml');
    my $paths    = $document->{paths};
    my %admin    = map { s{\A/admin}{}r => $paths->{$_} } grep { m{\A/admin/} } keys %$paths;
    my %old      = map { Genflow::OpenApi::old_route($_, $paths->{$_}) // '' => $paths->{$_} } keys %$paths;
    my %api      = map { $_ => $paths->{$_} }
        grep { !m{\A/admin/} && !Genflow::OpenApi::old_route($_, $paths->{$_}) } keys %$paths;
    delete $old{''};
    my %legacy = (%api, %old);    # with GenflowLegacyNames On
    my %mounted;
    my @files = ((map { "t/conf/$_.conf" } qw(api admin test)), 'conf/genflow-legacy.conf');
    for (map { locations($_) } @files) {
        my ($place, $lines) = @$_;
        my %name = $lines =~ /^ *GenflowPath (\S+) +(\S+)$/mg;
        for my $name (keys %name) {
            my $path = $legacy{"/$name{$name}"} // of_one_type(\%legacy, $name{$name} =~ s{.*/}{}r);
            $mounted{"$place/$_"} = $path for glob $name =~ s/-/{-,_}/gr;
        }
        my ($handler) = $lines =~ /^ *SetHandler (\S+)$/m or next;
        my $api = $lines =~ /^ *GenflowLegacyNames On$/m ? \%legacy : \%api;
        my $below = $handler eq 'genflow-api' ? $api : $handler eq 'genflow-admin' ? \%admin
            : $handler =~ /-(generate|status)\z/ ? { '' => of_one_type($api, $1) } : {};
        $mounted{"$place$_"} = $below->{$_} for keys %$below;
    }
    # Sites of single tests: administration and moods at /api, as the document has them; other places.
    $mounted{"/api$_"} //= $paths->{$_} for grep { !m{\A/functions/} } keys %$paths;
    @mounted{ "/lenient$_", "/shop/api$_" } = ($api{$_}) x 2 for '/{type}/generate', '/{type}/status';
    $mounted{"$_/health"} = $api{'/health'} for qw(/inside /slash);
    $mounted{"/api$_/getQuota"} = $api{'/getQuota'} for 0 .. 15;
    @mounted{ "/guests$_", "/strict-legacy$_" } = ($legacy{$_}) x 2
        for '/{type}/generate', '/image/generate', '/credits-reserve';
    $document->{paths} = { map { $_ => with_every_method($mounted{$_}) } keys %mounted };
    return $document;
}

# An address also answers methods that it does not take, and before that who may not come in; one
# without {} may be that of another path with them.
sub with_every_method {
    my ($path) = @_;
    my ($one) = map { $path->{$_} // () } qw(get post put patch delete);
    my $answers = $one->{responses};
    my %refused = map { $_ => $answers->{$_} } grep { $answers->{$_} } 401, 403 .. 405;
    return { (map { $_ => { responses => \%refused } } qw(get post put delete patch)), %$path };
}

# [address, lines] of each <Location> of a file.
sub locations {
    my ($path) = @_;
    my $text = Genflow::Site::read_text($path);
    my @found;
    push @found, [$1, $2] while $text =~ m{^<Location "([^"]+)">\n(.*?)^</Location>}gms;
    return @found;
}

# /{type}/generate or /{type}/status, where the type does not stand in the address.
sub of_one_type {
    my ($paths, $act) = @_;
    my %path = %{ $paths->{"/{type}/$act"} };
    $path{parameters} = [grep { ($_->{'$ref'} // '') !~ m{/Type\z} } @{ $path{parameters} }];
    return \%path;
}

# ---- Prism, and its requests ---------------------------------------------------------------------

sub start {
    my ($class, $site, $folder) = @_;
    $ENV{GENFLOW_PRISM}     = $class->proxy($site, $folder, 'right', $class->document);
    $ENV{GENFLOW_PRISM_LOG} = $site->folder . '/t/logs/prism';
    return;
}

# The address of a Prism that judges by this document.
sub proxy {
    my ($class, $site, $folder, $name, $document) = @_;
    my $path = $site->folder . "/openapi-$name.json";
    Genflow::Site::write_text($path, $JSON->encode($document));
    my $behind = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64)
        or die "no free port: $!\n";
    in_background($site, sub { repeat_answers($behind) });
    my $port = Genflow::Site::free_port();
    in_background($site, sub {
        open STDOUT, '>>', $site->folder . '/prism.log' or return;
        open STDERR, '>&', \*STDOUT                     or return;
        exec 'node', "$folder/node_modules/\@stoplight/prism-cli/dist/index.js", 'proxy', $path,
            'http://127.0.0.1:' . $behind->sockport, '-h', '127.0.0.1', '-p', $port, '-v', 'error',
            '--cors=false';
    });
    my $end = time + HANG_LIMIT;
    until (IO::Socket::INET->new("127.0.0.1:$port")) {
        die "Prism did not start:\n" . $site->tail('prism.log', 20) if time > $end;
        sleep 0.2;
    }
    return "http://127.0.0.1:$port";
}

# A process that does this until the site ends.
sub in_background {
    my ($site, $function) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $function->();
        POSIX::_exit(127);
    }
    $site->at_end(sub { kill TERM => $pid; waitpid $pid, 0 });
    return;
}

# Answers each request as the file says that it names.
sub repeat_answers {
    my ($socket) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (my $client = $socket->accept) {
        my $head = '';
        while ($head !~ /\r\n\r\n/ && sysread $client, my $piece, 65536) {
            $head .= $piece;
        }
        my ($path) = $head =~ /^\Q$ANSWER\E: (\S+)\r$/mi;
        print $client Genflow::Site::read_text($path) if $path;
        shutdown $client, 1;

        # What else is sent is read: a connection that is closed over it takes the answer along.
        my $select = IO::Select->new($client);
        1 while $select->can_read(DRAIN_TIME) && sysread $client, my $rest, 65536;
    }
    return;
}

# ---- one request ---------------------------------------------------------------------------------

sub request {
    my ($self, $method, $url, $args) = @_;
    my $res = $self->SUPER::request($method, $url, $args);
    my ($path) = $url =~ m{\Ahttp://127\.0\.0\.1:\d+(/.*)\z}s;
    my $why = not_judged($method, $path, $res);
    my ($violations, $body) = $why ? () : judge($method, $path, $args // {}, $res);
    $why ||= 'a request that Prism cannot read' if !$violations;
    note({ test => $0, method => $method, path => $path, status => $res->{status},
        $why ? (not_judged => $why) : (violations => $violations, body => $body) });
    return $res;
}

# Why there is nothing to judge, or nothing.
sub not_judged {
    my ($method, $path, $res) = @_;
    return 'no answer'                             if $res->{status} == 599;
    return 'HEAD or OPTIONS, which no operation is' if $method =~ /\A(?:HEAD|OPTIONS)\z/;
    return 'nothing of the API (stored pictures, pages of httpd)'
        if $path =~ m{\A/(?:(?:shop/)?generated|pictures|shared/pictures|server-status|theirs|login|logout)\b
            |\A/\w+/generate\.json\z|\A/\.netlify/functions/verify-otp\z}x;
    return 'an address that is not UTF-8, which ends Prism'
        if !utf8::decode(my $decoded = $path =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger);
    return 'refused by httpd itself'
        if $res->{status} == 403 && ($res->{headers}{'content-type'} // '') =~ m{\Atext/html} && $path !~ m{/admin\b};
    return 'a name with slashes, which no path in a document can have'
        if $path =~ m{\A/admin/users/[^?]*/};
    return;
}

# What Prism says about a request and its answer, as JSON (nothing: it could not judge), and whether
# it was shown the request's body.
sub judge {
    my ($method, $path, $args, $res) = @_;
    my $file = "$ENV{GENFLOW_PRISM_LOG}-answer-$$";
    Genflow::Site::write_text($file, answer($res));
    my %headers = %{ $args->{headers} // {} };
    my $body    = $args->{content} // '';
    my $shown   = is_shown($method, $body, \%headers);
    # Prism knows the one usual spelling of a type: lower case, no blank before its parameters.
    s{\A([^;]*?)\s*(?=;|\z)}{\L$1} for @headers{ grep { lc eq 'content-type' } keys %headers };
    delete @headers{ grep { $headers{$_} =~ /[^ -~]/ } keys %headers };              # says Node
    delete @headers{ grep { /\AContent-/i } keys %headers } if !$shown;
    my $said = HTTP::Tiny->new(timeout => HANG_LIMIT, max_redirect => 0)->request($method,
        $ENV{GENFLOW_PRISM} . $path, { headers => { %headers, $ANSWER => $file },
            $shown && $body ne '' ? (content => $body) : () });
    return ("Prism did not judge it: $said->{status}", 1) if $said->{status} >= 500 && $said->{status} != $res->{status};
    return if $said->{status} != $res->{status};
    return ($said->{headers}{'sl-violations'} // '[]', $shown ? 1 : 0);
}

# Prism refuses a body that says it is JSON and is not.
sub is_shown {
    my ($method, $body, $headers) = @_;
    return 0 if ref $body || length $body > BODY_MAX || ($method eq 'GET' && $body ne '');
    my ($type) = map { $headers->{$_} } grep { lc eq 'content-type' } keys %$headers;
    return 1 if $body eq '' || ($type // '') !~ m{\Aapplication/json\b}i;
    return eval { $JSON->decode($body); 1 } && $body =~ /\A\s*[[{]/;
}

# The answer as it comes over a connection.
sub answer {
    my ($res) = @_;
    my %headers = %{ $res->{headers} };
    delete @headers{qw(connection keep-alive transfer-encoding content-length)};
    my $body  = $res->{content} // '';
    my $lines = "HTTP/1.1 $res->{status} $res->{reason}\r\nConnection: close\r\n";
    $lines .= 'Content-Length: ' . length($body) . "\r\n" if $body ne '';
    for my $name (sort keys %headers) {
        $lines .= "$name: $_\r\n" for ref $headers{$name} ? @{ $headers{$name} } : $headers{$name};
    }
    return "$lines\r\n$body";
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
    my ($judged, %wrong, %not_judged) = 0;
    for my $line (split /\n/, Genflow::Site::read_text($ENV{GENFLOW_PRISM_LOG})) {
        my $one = $JSON->decode($line);
        my $why = $one->{not_judged};
        my @wrong = $why ? () : wrong($one);
        $why = 'refused, and no address or method of the document'
            if !$why && !@wrong && $one->{violations} =~ /Selected route not found/;
        if ($why) {
            $not_judged{$why}++;
            next;
        }
        $judged++;
        my $path = $one->{path} =~ s/\?.*//r =~ s/[0-9a-f]{8}-[0-9a-f-]{27}/{id}/gr;
        push @{ $wrong{"$one->{method} $path $one->{status}: $_"} }, $one->{test} for @wrong;
    }
    return ($judged, \%wrong, \%not_judged);
}

# What is wrong, of all that Prism says about a request and its answer.
sub wrong {
    my ($one) = @_;
    my $list = eval { $JSON->decode($one->{violations}) } or return $one->{violations};
    my @wrong;
    for my $violation (@$list) {
        my ($part, @place) = @{ $violation->{location} };
        my $says = join ' ', join('.', @place), $violation->{message};
        if ($violation->{message} eq 'Selected route not found') {
            push @wrong, 'answered, and not in the document'
                if $one->{status} !~ /\A40[1345]\z/;
        }
        elsif ($part eq 'response') {
            push @wrong, $says;
        }
        elsif ($one->{status} < 300 && is_meant($one, $violation)) {
            push @wrong, "taken, and refused by the document: $says";
        }
    }
    return @wrong;
}

# The tests sign in in ways that the document does not have, and Prism did not see every body.
sub is_meant {
    my ($one, $violation) = @_;
    return 0 if ($violation->{code} // '') eq '401';
    return $one->{body} || $violation->{message} !~ /\ABody parameter/;
}

# A copy of the document that is wrong in ways that Prism has to notice: [what, request, where the
# document is made wrong, how, what Prism says then].
my @FAULTS = (
    ['a type', [GET => 'getQuota'],
        sub { $_[0]{schemas}{Quota}{allOf}[1]{properties}{daily_used}{type} = 'string' },
        qr/getQuota 200: body\.daily_used .*string/],
    ['a type in one of several schemas', [POST => 'neo-glitch/generate?dryRun=1',
        '{"prompt":"a cat","presetKey":"base"}'],
        sub { $_[0]{schemas}{Price}{allOf}[1]{properties}{estimatedCost}{type} = 'string' },
        qr{neo-glitch/generate 200: body.*}],
    ['a code', [GET => 'credits?limit=0'],
        sub { $_[0]{schemas}{VALIDATION_FAILED}{allOf}[2]{properties}{code}{const} = 'NOT_FOUND' },
        qr/credits 422: body\.code/],
    ['a header', [GET => 'generations'],
        sub { $_[1]{'/api/generations'}{get}{responses}{200} = { description => 'x', headers =>
            { 'X-None' => { required => JSON::PP::true(), schema => { type => 'string' } } } } },
        qr/generations 200: header.*x-none/],
    ['a status', [GET => 'templates'],
        sub { delete $_[1]{'/api/templates'}{get}{responses}{200} },
        qr/templates 200: .*status code/],
    ['a route', [GET => 'presets'], sub { delete $_[1]{'/api/presets'} },
        qr/presets 200: answered, and not in the document/],
    ['a body', [POST => 'getUserMedia', '{"limit":2}'],
        sub { $_[1]{'/api/getUserMedia'}{post}{requestBody}{content}{'application/json'}{schema}
            {properties}{limit}{maximum} = 1 },
        qr/getUserMedia 200: taken.*limit/],
    ['a member of an older name', [GET => '/.netlify/functions/whoami'],
        sub { delete $_[0]{schemas}{OldWhoami}{properties}{user}{properties}{email} },
        qr/whoami 200: body\.user .*additional/],
    ['an older name', [GET => '/.netlify/functions/get_all_presets'],
        sub { delete $_[1]{'/.netlify/functions/get_all_presets'} },
        qr/get_all_presets 200: answered, and not in the document/],
);

sub control {
    my ($class, $site, $folder) = @_;
    my $document = $class->document;
    $_->[2]->(@$document{qw(components paths)}) for @FAULTS;
    local $ENV{GENFLOW_PRISM}     = $class->proxy($site, $folder, 'wrong', $document);
    local $ENV{GENFLOW_PRISM_LOG} = $site->folder . '/t/logs/prism-control';
    my $client = $class->new(timeout => HANG_LIMIT);
    my %header = ('X-User' => 'prism-control');
    for my $fault (@FAULTS) {
        my ($method, $path, $body) = @{ $fault->[1] };
        my %json = defined $body ? ('Content-Type' => 'application/json') : ();
        $client->request($method, $site->base . ($path =~ m{\A/} ? $path : "/api/$path"),
            { headers => { %header, %json }, content => $body // '' });
    }
    my (undef, $wrong) = $class->verdicts;
    return map { $_->[0] } grep { my $says = $_->[3]; !grep { /$says/ } keys %$wrong } @FAULTS;
}

1;

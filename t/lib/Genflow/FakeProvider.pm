# SPDX-License-Identifier: Apache-2.0
#
# The only provider the tests talk to: a small HTTP server on the loopback address that imitates
# an image provider, well behaved or not. One process, one select loop, core Perl only. Packages:
#   Genflow::FakeProvider             the HTTP server: connections, requests, answers, timers, and
#                                     requests of its own
#   Genflow::FakeProvider::Script     the behaviour that a prompt orders
#   Genflow::FakeProvider::Picture    PNG files, sound and unsound
#   Genflow::FakeProvider::Stability  the Stability v2beta API on top of these
# and in files of their own Aiml, Replicate, Fal and OpenAi, with what they share in Json.
# Another provider is another package that adds its routes in new(), and one line in run().
#
#     perl t/lib/Genflow/FakeProvider.pm PORTFILE    or    Genflow::FakeProvider->run($port_file)
#
# The kernel chooses the port; it is written to PORTFILE. The server ends on TERM and with its
# parent.
#
# THE SCRIPT. Parallel tests must not share state, so what shall happen stands in the prompt
# itself, between double braces: `a cat {{status=503 times=2 retry-after=1}} tag42`. A word that is
# not in this list is refused with 400: a misspelt one must not pass for success.
#   delay=MS          answer that much later; other requests go on meanwhile
#   gate=NAME         answer once the test has opened that gate (GET /_open?match=NAME)
#   times=N           fail for the first N submissions of the very same prompt only
#   status=CODE       that status with an error body
#   retry-after=S     this header on every error answer
#   kanji             beside status=CODE: its error text is a letter and 100 kanji
#   payment           402 payment_required
#   moderation        403 content_moderation
#   denied            403 of another name
#   filter            200, finish reason CONTENT_FILTERED, a blurred picture
#   empty             200 image/png without a byte
#   garbage           200 image/png that is no picture
#   html              200 text/html
#   json-error        500 with broken JSON
#   gateway=NAME      the answer of that gateway (t/gateways.list); the run goes on behind it
#   cut-during        reset while the body is still arriving
#   cut-before        reset after the body, no answer
#   cut-after         reset after half of the picture
#   half              clean close after half of the picture
#   hang              never an answer
#   drip              the picture, one byte per 200 ms
#   big=BYTES         a sound PNG of exactly that size (500 at least)
#   huge-image        a PNG that claims 60000 x 60000
#   redirect          302 to an address of this server that records the visit
#   poll=N            200 {"id"}; results: in-progress N times, then the picture
#   poll-status=CODE  the first of these polls answers that error
#   poll-hang         in-progress for ever
#   poll-gate=NAME    in-progress until that gate is open, then by poll=N
#   poll-lost         404 in place of the picture
#   poll-filter       CONTENT_FILTERED in place of the picture
#   quick             one ready picture for all seeds (benchmarks)
# Those of JSON also know (and not all of the above: delay, status, retry-after, html, json-error,
# gateway, empty, cut-before, cut-after, half, hang, poll, poll-status, poll-hang):
#   type=WORD         the word that an error body names, beside status=CODE
#   nsfw              the picture is marked, or the run says so
#   failed=TEXT       Replicate: failed with that text; fal: failed=CODE,TYPE; AIML: so in its log
#   aborted           Replicate: aborted before it started
#   untaken           beside cut-before: the request was not taken
#   datauri           the picture as a data: URI
#   b64               AIML: the picture in base64
#   data              AIML: the other shape
#   url               OpenAI: an address in place of base64
#   at-once           Replicate: the submission's answer has the end
#   list-lag=MS       Replicate: lists do not show the run for that long
#   plain, single     Replicate: one output in place of a list; fal: one picture
#   result=WORD       the picture's address: gone, private (127.0.0.2), big, slow, empty, garbage,
#                     moved, moved-private, loop, flaky (503 once), cut (once), once
#                     (gone afterwards), file
# Replicate and fal also know:
#   hook=KINDS        a webhook is sent soon after the submission. KINDS, sent one after another,
#                     are end, other (genuine, but not of this end), forged, stale, blank (genuine,
#                     of no run); without any: end. What is not answered, or with 5xx, is sent
#                     again. Without poll=N, polls find the end only once it is sent.
#   early             ... before the submission is answered
# fal also knows:
#   poll-delay=MS     each question about the state is answered that much later
#   position=N        until it is over it waits in the queue at that place
# A model that takes no prompt (fal-ai/ghiblify) reads these words in the address of its source picture:
# ?prompt=WORDS.
# Beside the prompt only the key matters: one that begins with "wrong" is refused with 401.
#
# THE QUESTIONS of a test to the fake itself:
#   GET /_submissions?match=TEXT    array of the submissions whose prompt contains TEXT, oldest
#                                   first: number, time, connection, method, path, prompt, seed,
#                                   fields, headers, body_length, complete
#   GET /_polls?match=TEXT          how many polls came for jobs whose prompt contains
#                                   TEXT: a bare number
#   GET /_poll_times?match=TEXT     ... and when: an array in the clock of a submission's time
#   GET /_fetches?match=TEXT        ... and how often their pictures were fetched by address; and a
#                                   source picture whose path contains TEXT
#   GET /_cancels?match=TEXT        ... and how often they were to be cancelled
#   GET /_forget?match=TEXT         forgets the pictures of such jobs, as after their time: their
#                                   addresses are 404 from now on. How many: a bare number
#   GET /_open?match=NAME           opens that gate for good. How many waited: a bare number
#   GET /_hooks?match=TEXT          array of the webhooks of runs whose prompt contains
#                                   TEXT, oldest first: kind, url, headers, body, status (0: no
#                                   answer), retry_after
#   GET /_source/KIND/NAME          a source picture, of each NAME another one. KIND: picture,
#                                   moved, thrice (moved three times), private (moved to 127.0.0.2),
#                                   page, cut, heavy (6 MB), big (12 MB), huge (60000 x 60000), slow; any other is
#                                   404
#   GET /_keys                      how often fal's public keys were fetched: a bare number
# Webhooks of clients come to this server, too: Genflow::FakeProvider::Receiver.

package Genflow::FakeProvider;

use strict;
use warnings;

use Errno ();
use File::Spec ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Socket qw(IPPROTO_TCP SOL_SOCKET SO_LINGER TCP_NODELAY);
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime);

use lib File::Spec->rel2abs(__FILE__) =~ s{/Genflow/[^/]+\z}{}r;

use Genflow::Gateways;
use Genflow::Limit;

use constant {
    READ_BYTES   => 65_536,
    HEAD_MAX     => 65_536,
    BODY_MAX     => 64 * 1024 * 1024,
    WAIT_MAX     => 0.5,                  # seconds between two looks at whether the parent lives
    CLOSING_TIME => 2,                    # seconds in which a refused client may read why
};

my $JSON = JSON::PP->new->utf8->canonical;

my %REASON = (
    200 => 'OK',
    202 => 'Accepted',
    302 => 'Found',
    400 => 'Bad Request',
    401 => 'Unauthorized',
    402 => 'Payment Required',
    403 => 'Forbidden',
    404 => 'Not Found',
    411 => 'Length Required',
    413 => 'Payload Too Large',
    422 => 'Unprocessable Entity',
    429 => 'Too Many Requests',
    500 => 'Internal Server Error',
    502 => 'Bad Gateway',
    503 => 'Service Unavailable',
    504 => 'Gateway Timeout',
);

# ---- life ----

sub run {
    my ($class, $port_file) = @_;
    my $server = $class->new;
    my $book = Genflow::FakeProvider::Stability->new($server);
    for my $name (qw(Aiml Replicate Fal OpenAi Sample)) {
        require "Genflow/FakeProvider/$name.pm";
        "Genflow::FakeProvider::$name"->new($server, $book);
    }
    require Genflow::FakeProvider::Receiver;
    Genflow::FakeProvider::Receiver->new($server);
    $server->announce($port_file);
    $server->serve;
}

sub new {
    my ($class) = @_;
    my $listener = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 512, Blocking => 0,
    ) or die "fake provider: cannot listen: $!\n";

    my $self = bless {
        listener    => $listener,
        parent      => getppid(),
        routes      => [],
        connections => {},         # descriptor number => connection
        accepted    => 0,
        want_read   => '',         # bit vectors for select
        want_write  => '',
        timers      => [],         # [instant, code], the next one first
    }, $class;
    vec($self->{want_read}, fileno $listener, 1) = 1;
    return $self;
}

sub port { return $_[0]{listener}->sockport }

# The file appears under its name only when it is complete: its reader polls for it.
sub announce {
    my ($self, $port_file) = @_;
    open my $file, '>', "$port_file.tmp" or die "fake provider: $port_file.tmp: $!\n";
    print {$file} $self->port, "\n";
    close $file or die "fake provider: $port_file.tmp: $!\n";
    rename "$port_file.tmp", $port_file or die "fake provider: $port_file: $!\n";
}

sub serve {
    my ($self) = @_;

    # _exit, because a test may have forked us: its END blocks and temporary folders are not ours.
    local $SIG{TERM} = sub { POSIX::_exit(0) };
    local $SIG{INT}  = $SIG{TERM};
    local $SIG{PIPE} = 'IGNORE';

    while (getppid() == $self->{parent}) {
        $self->run_due_timers;
        my ($readable, $writable) = @$self{qw(want_read want_write)};
        my $ready = select $readable, $writable, undef, $self->seconds_to_wait;
        next if $ready <= 0;

        $self->flush($_) for $self->connections_in($writable);
        $self->read_from($_) for $self->connections_in($readable);
        $self->accept_all if vec $readable, fileno $self->{listener}, 1;
    }
    POSIX::_exit(0);
}

sub connections_in {
    my ($self, $bits) = @_;
    my $map = unpack 'b*', $bits;
    my ($number, @found) = (-1);
    while (($number = index $map, '1', $number + 1) >= 0) {
        push @found, $self->{connections}{$number} // ();
    }
    return @found;
}

# ---- timers ----

sub later {
    my ($self, $seconds, $code) = @_;
    my $instant = clock_gettime(CLOCK_MONOTONIC) + $seconds;
    my $timers  = $self->{timers};

    my ($low, $high) = (0, scalar @$timers);
    while ($low < $high) {
        my $middle = int(($low + $high) / 2);
        if ($timers->[$middle][0] <= $instant) { $low = $middle + 1 }
        else                                   { $high = $middle }
    }
    splice @$timers, $low, 0, [$instant, $code];
}

sub run_due_timers {
    my ($self) = @_;
    my $timers = $self->{timers};
    return if !@$timers;
    my $now = clock_gettime(CLOCK_MONOTONIC);
    (shift @$timers)->[1]->() while @$timers && $timers->[0][0] <= $now;
}

sub seconds_to_wait {
    my ($self) = @_;
    my $next = $self->{timers}[0] or return WAIT_MAX;
    my $seconds = $next->[0] - clock_gettime(CLOCK_MONOTONIC);
    return $seconds < 0 ? 0 : $seconds > WAIT_MAX ? WAIT_MAX : $seconds;
}

# ---- connections ----

sub accept_all {
    my ($self) = @_;
    while (my $socket = $self->{listener}->accept) {
        $self->add_connection($socket)->{serial} = ++$self->{accepted};
    }
}

sub add_connection {
    my ($self, $socket) = @_;
    $socket->blocking(0);
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    my $number = fileno $socket;
    vec($self->{want_read}, $number, 1) = 1;
    return $self->{connections}{$number} = {
        socket  => $socket,
        number  => $number,
        in      => '',      # bytes that came and belong to no request yet
        out     => '',      # bytes that the other's socket did not take yet
        reading => undef,   # the request whose body is not complete
        busy    => 0,       # a request waits for its answer: the next one must wait too
        ending  => 0,       # close as soon as `out` has gone
        deaf    => 0,       # refused: what still comes is thrown away
        gone    => 0,
        at_end  => undef,   # of a request of our own: what to do at its end
    };
}

sub read_from {
    my ($self, $connection) = @_;
    return if $connection->{gone};
    my $got = sysread $connection->{socket}, $connection->{in}, READ_BYTES,
        length $connection->{in};
    if (!$got) {
        return if !defined $got && ($!{EAGAIN} || $!{EINTR});
        return $self->drop($connection);
    }
    return $connection->{in} = '' if $connection->{deaf};
    $self->take_requests($connection) if !$connection->{at_end};
}

sub drop {
    my ($self, $connection) = @_;
    return if $connection->{gone};
    $connection->{gone} = 1;
    vec($self->{want_read},  $connection->{number}, 1) = 0;
    vec($self->{want_write}, $connection->{number}, 1) = 0;
    delete $self->{connections}{ $connection->{number} };
    close $connection->{socket};
    $connection->{at_end}->($connection->{in}) if $connection->{at_end};
}

# Without lingering, close() answers the client with RST.
sub reset_connection {
    my ($self, $connection) = @_;
    return if $connection->{gone};
    setsockopt $connection->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    $self->drop($connection);
}

sub send_bytes {
    my ($self, $connection, $bytes) = @_;
    return if $connection->{gone};
    $connection->{out} .= $bytes;
    $self->flush($connection);
}

sub flush {
    my ($self, $connection) = @_;
    return if $connection->{gone};
    if (length $connection->{out}) {
        my $sent = syswrite $connection->{socket}, $connection->{out};
        return $self->drop($connection) if !defined $sent && !$!{EAGAIN} && !$!{EINTR};
        substr $connection->{out}, 0, $sent // 0, '';
    }
    my $left = length $connection->{out} ? 1 : 0;
    vec($self->{want_write}, $connection->{number}, 1) = $left;
    $self->drop($connection) if $connection->{ending} && !$left;
}

sub end_connection {
    my ($self, $connection) = @_;
    $connection->{ending} = 1;
    $self->flush($connection);
}

# ---- requests of our own ----

# Posts to an address of this host; at_end->($status, \%header) at the end, 0 without an answer.
sub post {
    my ($self, $url, $headers, $body, $at_end) = @_;
    my ($place, $target) = $url =~ m{\Ahttp://(127\.0\.0\.\d+:\d+)(/\S*)\z};
    my $socket = $place && IO::Socket::INET->new($place) or return $at_end->(0, {});
    my $connection = $self->add_connection($socket);
    $connection->{at_end} = sub {
        my ($answer)  = @_;
        my ($status)  = $answer =~ m{\AHTTP/1\.[01] (\d{3}) };
        my %header;
        $header{ lc $1 } = $2 while $answer =~ /^([\w-]+):[ \t]*(.*?)[ \t]*\r$/mg;
        $at_end->($status // 0, \%header);
    };
    my %all = (%$headers, Host => $place, Connection => 'close', 'Content-Length' => length $body);
    my $head = join '', map { "$_: $all{$_}\r\n" } sort keys %all;
    $self->send_bytes($connection, "POST $target HTTP/1.1\r\n$head\r\n$body");
    $self->later(HANG_LIMIT, sub { $self->drop($connection) });
}

# ---- requests ----

sub take_requests {
    my ($self, $connection) = @_;
    1 while $self->take_request($connection);
}

sub take_request {
    my ($self, $connection) = @_;
    return if $connection->{busy} || $connection->{gone} || $connection->{deaf};

    my $request = $connection->{reading} ||= $self->take_head($connection) or return;
    if (length $connection->{in} < $request->{length}) {
        my $glimpse = $request->{route} && $request->{route}{glimpse};
        $glimpse->($request, \$connection->{in}) if $glimpse;
        return;
    }

    $request->{body} = substr $connection->{in}, 0, $request->{length}, '';
    $connection->{reading} = undef;
    $connection->{busy}    = 1;
    if (my $route = $request->{route}) {
        $route->{handler}->($request, @{ $request->{captured} });
    }
    else {
        $self->answer_json($request, 404, { message => 'no such resource' });
    }
    return 1;
}

sub take_head {
    my ($self, $connection) = @_;
    my $end = index $connection->{in}, "\r\n\r\n";
    if ($end < 0) {
        $self->refuse($connection, 400) if length $connection->{in} > HEAD_MAX;
        return;
    }
    my $head = substr $connection->{in}, 0, $end + 4, '';
    my ($method, $target, $minor) = $head =~ m{\A([A-Z]+) (\S+) HTTP/1\.([01])\r\n};
    return $self->refuse($connection, 400) if !$method;

    my %header;
    $header{ lc $1 } = $2 while $head =~ /^([\w-]+):[ \t]*(.*?)[ \t]*\r$/mg;
    my $length = $header{'content-length'} // 0;
    return $self->refuse($connection, 411) if $header{'transfer-encoding'};
    return $self->refuse($connection, 413) if $length !~ /\A\d+\z/ || $length > BODY_MAX;
    $self->send_bytes($connection, "HTTP/1.1 100 Continue\r\n\r\n")
        if lc($header{expect} // '') eq '100-continue';

    my ($path, $query) = split /\?/, $target, 2;
    my $request = {
        connection => $connection,
        method     => $method,
        path       => $path,
        query      => $query // '',
        header     => \%header,
        length     => $length,
        last       => !$minor || lc($header{connection} // '') eq 'close',
    };
    $self->find_route($request);
    return $request;
}

# A refused request may still be on its way. Closing at once would answer its rest with RST, and
# the client would lose the refusal: so the client closes, or the timer does.
sub refuse {
    my ($self, $connection, $status) = @_;
    $connection->{deaf} = 1;
    $self->send_bytes($connection, head_text($status, [ 'Content-Length' => 0 ], 1));
    $self->later(CLOSING_TIME, sub { $self->drop($connection) });
    return;
}

# Parameters of the query, percent-decoded, as characters.
sub query_value {
    my ($request, $name) = @_;
    my ($value) = $request->{query} =~ /(?:\A|&)\Q$name\E=([^&]*)/;
    return if !defined $value;
    $value =~ tr/+/ /;
    $value =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    utf8::decode($value);
    return $value;
}

# ---- routes ----

# handler->($request, captures of the path...) must answer, or end the connection, now or later.
# glimpse->($request, \$bytes) may look at a body that is not complete yet.
sub add_route {
    my ($self, $method, $pattern, $handler, $glimpse) = @_;
    push @{ $self->{routes} }, {
        method  => $method,
        pattern => qr/\A$pattern\z/,
        handler => $handler,
        glimpse => $glimpse,
    };
}

sub find_route {
    my ($self, $request) = @_;
    for my $route (@{ $self->{routes} }) {
        next if $route->{method} ne $request->{method};
        next if $request->{path} !~ $route->{pattern};
        $request->{route}    = $route;
        $request->{captured} = defined $1 ? [$1] : [];
        return;
    }
}

# ---- answers ----

sub head_text {
    my ($status, $headers, $last) = @_;
    my $text = "HTTP/1.1 $status " . ($REASON{$status} // 'Unnamed') . "\r\n";
    for (my $i = 0; $i < @$headers; $i += 2) {
        $text .= "$headers->[$i]: $headers->[$i + 1]\r\n";
    }
    $text .= "Connection: close\r\n" if $last;
    return "$text\r\n";
}

sub answer {
    my ($self, $request, $status, $headers, $body) = @_;
    $self->answer_part($request, $status, $headers, $body, length $body);
    $self->finish($request);
}

# The head promises the whole body, the client gets its beginning. The caller decides what follows.
sub answer_part {
    my ($self, $request, $status, $headers, $body, $bytes) = @_;
    my @all_headers = (@$headers, 'Content-Length' => length $body);
    my $head = head_text($status, \@all_headers, $request->{last});
    $self->send_bytes($request->{connection}, $head . substr $body, 0, $bytes);
}

sub finish {
    my ($self, $request) = @_;
    my $connection = $request->{connection};
    return $self->end_connection($connection) if $request->{last};
    $connection->{busy} = 0;
    # Called from take_request, this returns into its loop. Called from a timer, no loop would look
    # at what came meanwhile.
    $self->later(0, sub { $self->take_requests($connection) }) if length $connection->{in};
}

sub answer_json {
    my ($self, $request, $status, $value, @headers) = @_;
    $self->answer($request, $status, [ 'Content-Type' => 'application/json', @headers ],
                  $JSON->encode($value));
}


package Genflow::FakeProvider::Script;

# What times=N puts an end to; the other words stay true for every submission of the prompt.
my %FAILURE = map { $_ => 1 } qw(
    status retry-after payment moderation denied filter empty garbage html json-error
    cut-during cut-before cut-after half hang drip huge-image redirect
    poll-status poll-hang poll-lost poll-filter
    nsfw failed aborted type untaken kanji gateway
);
my %LASTING = map { $_ => 1 } qw(
    delay gate times big poll poll-delay poll-gate quick list-lag result datauri b64 url data plain single hook early at-once
    position
);

sub of_prompt {
    my ($class, $prompt) = @_;
    my %words;
    for my $word (map { split ' ' } $prompt =~ /\{\{(.*?)\}\}/gs) {
        my ($name, $value) = split /=/, $word, 2;
        $words{$name} = $value // '';
    }
    return bless \%words, $class;
}

sub has     { return exists $_[0]{ $_[1] } }
sub value   { return $_[0]{ $_[1] } }
sub unknown { return grep { !$FAILURE{$_} && !$LASTING{$_} } sort keys %{ $_[0] } }

sub without_failures {
    my ($self) = @_;
    return bless { map { $_ => $self->{$_} } grep { !$FAILURE{$_} } keys %$self }, ref $self;
}


package Genflow::FakeProvider::Picture;

use Compress::Zlib qw(compress crc32);

use constant {
    SIGNATURE => "\x89PNG\r\n\x1a\n",
    SIDE      => 64,
    FRAME     => 12,                      # bytes of a chunk around its data
    PAD_MAX   => 1024 * 1024,
};

# A seed has always the same picture, and no two seeds share one: the colour comes from the seed,
# and so does a text chunk. Compressing is the dear part; colours are coarse, so that their pixels
# can be kept.
my %pixels;

sub of_seed {
    my ($seed) = @_;
    return png(SIDE, SIDE, pixels_of_seed($seed), seed_chunk($seed));
}

sub blurred {
    my ($seed) = @_;
    return png(SIDE, SIDE, compress(fading(colour_of_seed($seed))), seed_chunk($seed));
}

# Sound, and of the wanted length: private chunks fill it up, several because readers refuse very long
# ones.
sub of_size {
    my ($seed, $bytes) = @_;
    my $missing = $bytes - length of_seed($seed);
    my $padding = '';
    while ($missing > 0) {
        my $take = $missing > PAD_MAX + 2 * FRAME ? PAD_MAX
                 : $missing > FRAME               ? $missing - FRAME
                 :                                  0;
        $padding .= chunk('paDd', "\0" x $take);
        $missing -= $take + FRAME;
    }
    return png(SIDE, SIDE, pixels_of_seed($seed), seed_chunk($seed) . $padding);
}

sub of_claimed_size {
    my ($width, $height) = @_;
    return png($width, $height, compress(checkered(255, 255, 255)), '');
}

sub png {
    my ($width, $height, $pixels, $extra) = @_;
    my $header = pack 'NNCCCCC', $width, $height, 8, 2, 0, 0, 0;    # 8 bit, RGB, not interlaced
    return SIGNATURE . chunk('IHDR', $header) . $extra . chunk('IDAT', $pixels) . chunk('IEND', '');
}

sub chunk {
    my ($type, $data) = @_;
    return pack('N', length $data) . $type . $data . pack('N', crc32($type . $data));
}

sub seed_chunk {
    my ($seed) = @_;
    return chunk('tEXt', "seed\0$seed");
}

sub pixels_of_seed {
    my ($seed) = @_;
    my @colour = colour_of_seed($seed);
    return $pixels{"@colour"} //= compress(checkered(@colour));
}

# Never near black: a black picture is what safety filters send.
sub colour_of_seed {
    my ($seed) = @_;
    my $mix = crc32("$seed");
    return map { 64 + 12 * (($mix >> $_) & 15) } 0, 8, 16;
}

sub checkered {
    my @colour = @_;
    my $light = pack 'C3', @colour;
    my $dark  = pack 'C3', map { int $_ / 2 } @colour;
    my @rows  = map { "\0" . $_ x (SIDE / 16) } $light x 8 . $dark x 8, $dark x 8 . $light x 8;
    return ($rows[0] x 8 . $rows[1] x 8) x (SIDE / 16);
}

sub fading {
    my @colour = @_;
    my $rows = '';
    for my $y (0 .. SIDE - 1) {
        my $pixel = pack 'C3', map { int $_ * ($y + SIDE) / (2 * SIDE) } @colour;
        $rows .= "\0" . $pixel x SIDE;
    }
    return $rows;
}

# Width and height of a PNG that a client sent. Nothing for the other formats: their size is not
# checked.
sub size {
    my ($bytes) = @_;
    return if substr($bytes, 0, 8) ne SIGNATURE || length $bytes < 24;
    return unpack 'NN', substr $bytes, 16, 8;
}

sub is_picture {
    my ($bytes) = @_;
    return $bytes =~ /\A(?:\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF....WEBP)/s;
}


package Genflow::FakeProvider::Stability;

# The Stability v2beta API as its reference describes it. Two liberties: a picture is PNG whatever
# output_format says, and a field that an endpoint does not know is an error, because it would be a
# mistake of ours.

use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(encode_base64);

use constant {
    SOURCE_BIG  => 12 * 1024 * 1024,
    SOURCE_HEAVY => 6_000_000,
    REQUEST_MAX => 10 * 1024 * 1024,
    SEED_MAX    => 4_294_967_294,
    RECORD_MAX  => 20_000,                # a benchmark must not fill the memory
    FIRST_FUNDS => 1_000_000,
    DRIP        => 0.2,
    SETTLE      => 0.05,                  # seconds for the client to read what came before a reset
    SLOW        => 1.5,
};

my @COMMON   = qw(prompt negative_prompt seed output_format);
my %ENDPOINT = (
    'generate/core' => {
        price    => 3,
        required => [qw(prompt)],
        fields   => [ @COMMON, qw(aspect_ratio style_preset) ],
    },
    'generate/ultra' => {
        price    => 8,
        required => [qw(prompt)],
        fields   => [ @COMMON, qw(aspect_ratio image strength) ],
    },
    'generate/sd3' => {
        price    => 6.5,
        required => [qw(prompt)],
        fields   => [ @COMMON, qw(aspect_ratio mode model image strength cfg_scale) ],
    },
    'control/structure' => {
        price    => 3,
        required => [qw(prompt image)],
        fields   => [ @COMMON, qw(image control_strength) ],
    },
    'control/style' => {
        price    => 4,
        required => [qw(prompt image)],
        fields   => [ @COMMON, qw(image fidelity aspect_ratio) ],
    },
);
my %PRICE_OF_MODEL = ('sd3.5-large' => 6.5, 'sd3.5-large-turbo' => 4, 'sd3.5-medium' => 3.5);

my $NUMBER  = qr/\d+(?:\.\d+)?/;
my %SAYS_NO = (    # field => [what the error says, does the value break it]
    prompt           => [ 'must be 1 to 10000 characters', \&no_prompt ],
    negative_prompt  => [ 'must be at most 10000 characters', sub { length $_[0] > 10_000 } ],
    seed             => [ 'must be a number from 0 to 4294967294', \&no_seed ],
    strength         => [ 'must be between 0 and 1', \&no_share ],
    control_strength => [ 'must be between 0 and 1', \&no_share ],
    fidelity         => [ 'must be between 0 and 1', \&no_share ],
    cfg_scale        => [ 'must be between 1 and 10', \&no_scale ],
    image            => [ 'must be a PNG, JPEG or WebP picture', \&no_picture ],
    mode             => one_of(qw(text-to-image image-to-image)),
    model            => one_of(qw(sd3.5-large sd3.5-large-turbo sd3.5-medium
                                  sd3-large sd3-large-turbo sd3-medium)),
    output_format    => one_of(qw(png jpeg webp)),
    aspect_ratio     => one_of(qw(16:9 1:1 21:9 2:3 3:2 4:5 5:4 9:16 9:21)),
    style_preset     => one_of(qw(enhance anime photographic digital-art comic-book fantasy-art
                                  line-art analog-film neon-punk isometric low-poly origami
                                  modeling-compound cinematic 3d-model pixel-art tile-texture)),
);

# The first of these words that a script holds decides the answer.
my @BEHAVIOURS = (
    [ 'hang'        => \&answer_never ],
    [ 'cut-before'  => \&reset_now ],
    [ 'cut-during'  => \&reset_now ],     # the body was so short that it came in one piece
    [ 'status'      => \&answer_status ],
    [ 'payment'     => sub { $_[0]->fail($_[1], 402, 'payment_required') } ],
    [ 'moderation'  => sub { $_[0]->fail($_[1], 403, 'content_moderation') } ],
    [ 'denied'      => sub { $_[0]->fail($_[1], 403, 'permission_denied') } ],
    [ 'html'        => \&answer_page ],
    [ 'json-error'  => \&answer_broken_json ],
    [ 'gateway'     => \&answer_gateway ],
    [ 'redirect'    => \&answer_redirect ],
    [ 'poll'        => \&start_async ],
    [ 'poll-status' => \&start_async ],
    [ 'poll-hang'   => \&start_async ],
    [ 'poll-gate'   => \&start_async ],
    [ 'poll-lost'   => \&start_async ],
    [ 'poll-filter' => \&start_async ],
    [ 'filter'      => \&answer_filtered ],
    [ 'empty'       => sub { $_[0]->answer_bytes($_[1], '') } ],
    [ 'garbage'     => sub { $_[0]->answer_bytes($_[1], "\x00<<this is no picture>>" x 20) } ],
    [ 'huge-image'  => \&answer_huge ],
    [ 'cut-after'   => \&answer_half_and_reset ],
    [ 'half'        => \&answer_half_and_close ],
    [ 'drip'        => \&answer_drop_by_drop ],
);

sub new {
    my ($class, $server) = @_;
    my $self = bless {
        server      => $server,
        submissions => [],      # records, oldest first
        recorded    => 0,
        seen        => {},      # prompt => how often it failed, where times=N limits that
        jobs        => {},      # id => asynchronous job
        polls       => [],      # the prompt of each poll,
        poll_times  => [],      # ... and when it came,
        fetches     => [],      # ... of each picture fetched by address,
        cancels     => [],      # ... of each cancellation
        peers       => [],      # the other providers
        hooks       => [],      # what webhooks answered
        funds       => {},      # key => credits left
        last_id     => 0,
        quick       => Genflow::FakeProvider::Picture::of_seed(0),
    }, $class;
    $self->add_routes;
    return $self;
}

sub add_routes {
    my ($self) = @_;
    my $server    = $self->{server};
    my $endpoints = join '|', map { quotemeta } sort keys %ENDPOINT;
    $server->add_route(POST => qr{/v2beta/stable-image/($endpoints)},
                       sub { $self->submit(@_) }, sub { $self->cut_during(@_) });
    $server->add_route(GET => qr{/v2beta/results/([^/]+)},  sub { $self->poll(@_) });
    $server->add_route(GET => qr{/v1/user/balance},         sub { $self->balance(@_) });
    $server->add_route(GET => qr{/_submissions},            sub { $self->answer_submissions(@_) });
    $server->add_route(GET => qr{/_(polls|fetches|cancels)}, sub { $self->answer_count(@_) });
    $server->add_route(GET => qr{/_poll_times},             sub { $self->answer_poll_times(@_) });
    $server->add_route(GET => qr{/_forget},                 sub { $self->forget_pictures(@_) });
    $server->add_route(GET => qr{/_open},                   sub { $self->open_gate(@_) });
    $server->add_route(GET => qr{/_hooks},                  sub { $self->answer_hooks(@_) });
    $server->add_route(GET => qr{/_private},                sub { $self->private_visit(@_) });
    $server->add_route(GET => qr{/_source/([a-z]+)/\w+},    sub { $self->send_source(@_) });
}

# ---- a submission ----

sub submit {
    my ($self, $request, $endpoint) = @_;
    my $form = read_form($request);
    my $job  = {
        request  => $request,
        endpoint => $endpoint,
        form     => $form || {},
    };
    $job->{key}    = key_of($request);
    $job->{prompt} = as_text($job->{form}{prompt} // '');
    $job->{seed}   = $job->{form}{seed} || 1 + int rand SEED_MAX;
    $job->{script} = $self->script_of($job->{prompt});
    $self->record($job, $request->{length});

    return $self->unauthorized($request) if !defined $job->{key};
    return $self->fail($job, 413) if $request->{length} > REQUEST_MAX;
    my @problems = $form ? problems($job) : 'body: must be multipart/form-data';
    return $self->fail($job, 400, 'bad_request', @problems) if @problems;

    $self->when_due($job->{script}, sub { $self->perform($job) });
}

# Calls it when the script's delay is over, or its gate is open.
sub when_due {
    my ($self, $script, $code) = @_;
    my $gate = $script->value('gate');
    return push @{ $self->{gates}{$gate} }, $code if defined $gate && !$self->{opened}{$gate};
    my $delay = $script->value('delay') or return $code->();
    $self->{server}->later($delay / 1000, $code);
}

sub perform {
    my ($self, $job) = @_;
    for my $behaviour (@BEHAVIOURS) {
        my ($word, $act) = @$behaviour;
        return $act->($self, $job) if $job->{script}->has($word);
    }
    $self->answer_picture($job);
}

sub script_of {
    my ($self, $prompt) = @_;
    my $script = Genflow::FakeProvider::Script->of_prompt($prompt);
    return $script->without_failures if $self->has_failed_enough($script, $prompt);
    $self->{seen}{$prompt}++ if $script->has('times');
    return $script;
}

sub has_failed_enough {
    my ($self, $script, $prompt) = @_;
    return $script->has('times') && ($self->{seen}{$prompt} // 0) >= $script->value('times');
}

# The form is still on its way; its prompt may already be here and order a cut. Only the
# beginning is searched: our forms have the prompt before the picture.
sub cut_during {
    my ($self, $request, $bytes) = @_;
    my $beginning = substr $$bytes, 0, 65_536;
    return if index($beginning, 'cut-during') < 0;
    return if $beginning !~ /name="prompt"[^\r]*\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--/s;

    my $prompt = as_text($1);
    my $script = Genflow::FakeProvider::Script->of_prompt($prompt);
    return if !$script->has('cut-during') || $self->has_failed_enough($script, $prompt);
    $self->{seen}{$prompt}++;
    $self->record({ request => $request, prompt => $prompt, form => {} }, length $$bytes);
    $self->{server}->reset_connection($request->{connection});
}

# ---- reading ----

# The form as field => content; nothing when this is not a complete multipart/form-data body. What
# came as a file stands in $request->{files} as field => its content type.
sub read_form {
    my ($request) = @_;
    my ($boundary) = ($request->{header}{'content-type'} // '')
        =~ m{\Amultipart/form-data\s*;.*?\bboundary=("[^"]+"|[^\s;]+)}i or return;
    $boundary =~ tr/"//d;

    # The body is large and not needed again: from here on it is the form.
    my $body = "\r\n" . delete $request->{body};
    my ($preamble, @parts) = split /\r\n--\Q$boundary\E/, $body, -1;
    my $epilogue = pop @parts;
    return if !defined $epilogue || $epilogue !~ /\A--/;

    my %form;
    for my $part (@parts) {
        my ($head, $content) = split /\r\n\r\n/, $part, 2;
        return if ($head // '') !~ /content-disposition:\s*form-data;.*?\bname="([^"]*)"/i;
        my $name = $1;
        my ($type) = ($head =~ /^content-type:\s*(\S+)/mi, 'none');
        if ($name =~ /\[\]\z/) {                   # a list of files
            return if $head !~ /;\s*filename="[^"]+"/i;
            push @{ $form{$name} }, $content // return;
            push @{ $request->{files}{$name} }, $type;
            next;
        }
        $form{$name} = $content // return;
        $request->{files}{$name} = $type if $head =~ /;\s*filename="[^"]+"/i;
    }
    return \%form;
}

# Fields arrive as bytes; what is compared, measured or shown is characters.
sub as_text {
    my ($bytes) = @_;
    utf8::decode($bytes);
    return $bytes;
}

# The key, if there is one and the provider knows it.
sub key_of {
    my ($request) = @_;
    my ($key) = ($request->{header}{authorization} // '') =~ /\ABearer (\S+)\z/;
    return if !defined $key || $key =~ /\Awrong/;
    return $key;
}

# ---- checking ----

sub problems {
    my ($job) = @_;
    my ($form, $endpoint) = @$job{qw(form endpoint)};
    my $rules = $ENDPOINT{$endpoint};
    my @problems = map { "$_: is required" } grep { !defined $form->{$_} } @{ $rules->{required} };

    my %known = map { $_ => 1 } @{ $rules->{fields} };
    for my $field (sort keys %$form) {
        if (!$known{$field}) {
            push @problems, "$field: is not known here";
            next;
        }
        my ($text, $breaks) = @{ $SAYS_NO{$field} };
        my $value = $field eq 'prompt' ? $job->{prompt} : $form->{$field};
        push @problems, "$field: $text" if $breaks->($value);
    }

    push @problems, 'image: must be sent as a file of a picture\'s type'
        if defined $form->{image} && !is_picture_file($job->{request}, 'image');
    push @problems, problems_of_sd3($form)           if $endpoint eq 'generate/sd3';
    push @problems, problems_of_ultra($form)         if $endpoint eq 'generate/ultra';
    push @problems, problems_of_control_image($form) if $endpoint =~ /\Acontrol/;
    push @problems, 'accept: must be image/* or application/json'
        if accept_of($job->{request}, 'image/*') !~ m{\A(?:image/\*|application/json)\z};
    push @problems, map { "script: the fake provider does not know the word '$_'" }
        $job->{script}->unknown;
    return @problems;
}

sub problems_of_sd3 {
    my ($form) = @_;
    my @problems;
    push @problems, 'output_format: must be one of png, jpeg'
        if ($form->{output_format} // 'png') eq 'webp';
    push @problems, 'negative_prompt: not with sd3-large-turbo'
        if defined $form->{negative_prompt} && ($form->{model} // '') eq 'sd3-large-turbo';

    my @of_image = qw(image strength);
    if (($form->{mode} // '') eq 'image-to-image') {
        push @problems, map { "$_: is required in mode image-to-image" }
            grep { !defined $form->{$_} } @of_image;
        push @problems, 'aspect_ratio: not in mode image-to-image' if defined $form->{aspect_ratio};
    }
    else {
        push @problems, map { "$_: only in mode image-to-image" }
            grep { defined $form->{$_} } @of_image;
    }
    return @problems;
}

sub problems_of_ultra {
    my ($form) = @_;
    return if !defined $form->{image} || defined $form->{strength};
    return 'strength: is required with an image';
}

sub problems_of_control_image {
    my ($form) = @_;
    my ($width, $height) = Genflow::FakeProvider::Picture::size($form->{image} // '') or return;
    return 'image: each side must have 64 pixels at least' if $width < 64 || $height < 64;
    return 'image: must have 4096 to 9437184 pixels'       if $width * $height > 9_437_184;
    return 'image: the ratio must be between 1:2.5 and 2.5:1'
        if $width > 2.5 * $height || $height > 2.5 * $width;
    return;
}

sub is_picture_file {
    my ($request, $name) = @_;
    return ($request->{files}{$name} // '') =~ m{\Aimage/(?:png|jpeg|webp)\z};
}

sub no_prompt  { return length $_[0] < 1 || length $_[0] > 10_000 }
sub no_seed    { return $_[0] !~ /\A\d{1,10}\z/ || $_[0] > SEED_MAX }
sub no_share   { return $_[0] !~ /\A$NUMBER\z/ || $_[0] > 1 }
sub no_scale   { return $_[0] !~ /\A$NUMBER\z/ || $_[0] < 1 || $_[0] > 10 }
sub no_picture { return !Genflow::FakeProvider::Picture::is_picture($_[0]) }

sub one_of {
    my @words = @_;
    my %known = map { $_ => 1 } @words;
    return [ 'must be one of ' . join(', ', @words), sub { !$known{ $_[0] } } ];
}

sub accept_of {
    my ($request, $default) = @_;
    return lc($request->{header}{accept} // $default);
}

# ---- answers ----

sub answer_never { }

sub answer_status {
    my ($self, $job) = @_;
    $self->fail($job, $job->{script}->value('status'));
}

sub answer_picture {
    my ($self, $job) = @_;
    $self->charge($job);
    $self->answer_bytes($job, $self->picture($job));
}

sub answer_filtered {
    my ($self, $job) = @_;
    my $blurred = Genflow::FakeProvider::Picture::blurred($job->{seed});
    $self->answer_bytes($job, $blurred, 'CONTENT_FILTERED');
}

sub answer_huge {
    my ($self, $job) = @_;
    $self->answer_bytes($job, Genflow::FakeProvider::Picture::of_claimed_size(60_000, 60_000));
}

sub answer_bytes {
    my ($self, $job, $bytes, $finish) = @_;
    $self->{server}->answer($job->{request}, 200, $self->shape($job, $bytes, $finish));
}

sub answer_half_and_reset {
    my ($self, $job) = @_;
    $self->answer_half($job);
    $self->{server}->later(SETTLE, sub { $self->reset_now($job) });
}

sub answer_half_and_close {
    my ($self, $job) = @_;
    $self->answer_half($job);
    $self->{server}->end_connection($job->{request}{connection});
}

sub answer_half {
    my ($self, $job) = @_;
    my ($headers, $body) = $self->shape($job, $self->picture($job));
    $self->{server}->answer_part($job->{request}, 200, $headers, $body, int length($body) / 2);
}

sub answer_drop_by_drop {
    my ($self, $job) = @_;
    my ($headers, $body) = $self->shape($job, $self->picture($job));
    $self->{server}->answer_part($job->{request}, 200, $headers, $body, 0);
    $self->drip($job->{request}, $body, 0);
}

sub drip {
    my ($self, $request, $body, $at) = @_;
    return if $request->{connection}{gone};
    return $self->{server}->finish($request) if $at == length $body;
    $self->{server}->send_bytes($request->{connection}, substr $body, $at, 1);
    $self->{server}->later(DRIP, sub { $self->drip($request, $body, $at + 1) });
}

sub answer_page {
    my ($self, $job) = @_;
    $self->{server}->answer($job->{request}, 200, [ 'Content-Type' => 'text/html' ],
                            "<html><body>A page of somebody in between</body></html>\n");
}

sub answer_broken_json {
    my ($self, $job) = @_;
    $self->{server}->answer($job->{request}, 500, [ 'Content-Type' => 'application/json' ],
                            '{"id":"1f","name":"inter');
}

# It answers for the provider, which goes on with the run.
sub answer_gateway {
    my ($self, $job) = @_;
    $self->charge($job) if $job->{endpoint};
    my $gateway = Genflow::Gateways::answer($job->{script}->value('gateway'))
        or return $self->fail($job, 400, 'bad_request', 'script: no such gateway');
    $self->{server}->answer($job->{request}, @$gateway{qw(status headers body)});
}

# The target is private, as any loopback address, and it is ours: a follower shows up among
# the submissions.
sub answer_redirect {
    my ($self, $job) = @_;
    my $prompt = $job->{prompt};
    utf8::encode($prompt);
    $prompt =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ge;
    my $port   = $self->{server}->port;
    my $target = "http://127.0.0.1:$port/_private?prompt=$prompt";
    $self->{server}->answer($job->{request}, 302, [ Location => $target ], '');
}

sub private_visit {
    my ($self, $request) = @_;
    my $prompt = Genflow::FakeProvider::query_value($request, 'prompt') // '';
    $self->record({ request => $request, prompt => $prompt, form => {} }, 0);
    $self->{server}->answer($request, 200, [ 'Content-Type' => 'image/png' ], $self->{quick});
}

# Source pictures, for requests that bring one by address.
sub send_source {
    my ($self, $request, $kind) = @_;
    my $server = $self->{server};
    my $port   = $server->port;
    my ($name) = $request->{path} =~ m{(\w+)\z};
    my @type   = ('Content-Type' => 'image/png');
    my $moved  = sub {
        my ($kind, $host) = @_;
        redirect($server, $request, "http://" . ($host // '127.0.0.1') . ":$port/_source/$kind/$name");
    };
    push @{ $self->{fetches} }, $request->{path};
    my %answer = (
        slow    => sub {
            $server->later(SLOW, sub { $server->answer($request, 200, \@type, source_of($name)) });
        },
        picture => sub { $server->answer($request, 200, \@type, source_of($name)) },
        moved   => sub { $moved->('picture') },
        twice   => sub { $moved->('moved') },
        thrice  => sub { $moved->('twice') },
        private => sub { $moved->('picture', '127.0.0.2') },
        page    => sub { $server->answer($request, 200, \@type, '<html>no picture</html>' x 9) },
        cut     => sub { $server->answer($request, 200, \@type, substr source_of($name), 0, 100) },
        heavy   => sub {
            my $bytes = Genflow::FakeProvider::Picture::of_size($name, SOURCE_HEAVY);
            $server->answer($request, 200, \@type, $bytes);
        },
        big     => sub {
            my $bytes = Genflow::FakeProvider::Picture::of_size($name, SOURCE_BIG);
            $server->answer($request, 200, \@type, $bytes);
        },
        huge    => sub {
            my $bytes = Genflow::FakeProvider::Picture::of_claimed_size(60_000, 60_000);
            $server->answer($request, 200, \@type, $bytes);
        },
    );
    return $answer{$kind}->() if $answer{$kind};
    $server->answer_json($request, 404, { message => 'no such picture' });
}

sub source_of { return Genflow::FakeProvider::Picture::of_seed($_[0]) }

sub redirect {
    my ($server, $request, $to) = @_;
    $server->answer($request, 302, [ Location => $to ], '');
}

sub reset_now {
    my ($self, $job) = @_;
    $self->{server}->reset_connection($job->{request}{connection});
}

sub picture {
    my ($self, $job) = @_;
    my ($script, $seed) = @$job{qw(script seed)};
    return $self->{quick} if $script->has('quick');
    my $bytes = $script->value('big') or return Genflow::FakeProvider::Picture::of_seed($seed);
    return Genflow::FakeProvider::Picture::of_size($seed, $bytes);
}

# Headers and body of a picture in the form that the client requested.
sub shape {
    my ($self, $job, $bytes, $finish) = @_;
    $finish //= 'SUCCESS';
    if (accept_of($job->{request}, '') eq 'application/json') {
        my $body = sprintf '{"image":"%s","finish_reason":"%s","seed":%d}',
            encode_base64($bytes, ''), $finish, $job->{seed};
        return ([ 'Content-Type' => 'application/json; type=image/png' ], $body);
    }
    my @headers = (
        'Content-Type'  => 'image/png',
        'finish-reason' => $finish,
        'seed'          => $job->{seed},
        'x-request-id'  => $self->new_id,
    );
    return (\@headers, $bytes);
}

my %NAME = (
    400 => 'bad_request',
    401 => 'unauthorized',
    402 => 'payment_required',
    403 => 'permission_denied',
    404 => 'not_found',
    413 => 'payload_too_large',
    422 => 'invalid_language',
    429 => 'rate_limit_exceeded',
    500 => 'internal_error',
    502 => 'bad_gateway',
    503 => 'service_unavailable',
    504 => 'gateway_timeout',
);

sub fail {
    my ($self, $job, $status, $name, @errors) = @_;
    my $wait    = $job->{script}->value('retry-after');
    my @headers = defined $wait ? ('Retry-After' => $wait) : ();
    @errors = ('x' . "\x{6f22}" x 100) if $job->{script}->has('kanji');
    $self->answer_error($job->{request}, $status, $name, \@errors, @headers);
}

sub answer_error {
    my ($self, $request, $status, $name, $errors, @headers) = @_;
    $name   //= $NAME{$status} // 'error';
    $errors   = ["the fake provider says $name"] if !$errors || !@$errors;
    my $body  = { id => $self->new_id, name => $name, errors => $errors };
    $self->{server}->answer_json($request, $status, $body, @headers);
}

sub unauthorized {
    my ($self, $request) = @_;
    $self->answer_error($request, 401, 'unauthorized', ['authorization: is missing or not valid']);
}

sub new_id {
    my ($self) = @_;
    return sprintf '%08x%024x', $$, ++$self->{last_id};
}

# ---- asynchronous jobs ----

sub start_async {
    my ($self, $job) = @_;
    my $id = $self->new_id;
    delete $job->{form}{image};
    $job->{left} = $job->{script}->value('poll') || 0;
    $self->{jobs}{$id} = $job;
    $self->{server}->answer_json($job->{request}, 200, { id => $id });
}

sub poll {
    my ($self, $request, $id) = @_;
    my $key = key_of($request) // return $self->unauthorized($request);
    my $job = $self->{jobs}{$id};
    $self->note_poll($job) if $job;

    # Results belong to the key: who comes with a new one does not find them.
    return $self->answer_error($request, 404) if !$job || $job->{key} ne $key;
    my $problem = 'accept: must be */* or application/json';
    return $self->answer_error($request, 400, 'bad_request', [$problem])
        if accept_of($request, '*/*') !~ m{\A(?:\*/\*|application/json)\z};

    my $script = $job->{script};
    return $self->answer_error($request, $script->value('poll-status'))
        if $script->has('poll-status') && !$job->{stumbled}++;
    return $self->{server}->answer_json($request, 202, { id => $id, status => 'in-progress' })
        if $script->has('poll-hang') || $self->is_shut($script->value('poll-gate'))
        || $job->{left}-- > 0;

    my $result = { %$job, request => $request };
    return $self->answer_error($request, 404) if $script->has('poll-lost');
    return $self->answer_filtered($result)    if $script->has('poll-filter');
    $self->answer_picture($result);
}

# ---- money ----

sub charge {
    my ($self, $job) = @_;
    my $model = $job->{form}{model} // '';
    my $price = $PRICE_OF_MODEL{$model} // $ENDPOINT{ $job->{endpoint} }{price};
    $self->{funds}{ $job->{key} } //= FIRST_FUNDS;
    $self->{funds}{ $job->{key} } -= $price;
}

sub balance {
    my ($self, $request) = @_;
    my $key = key_of($request) // return $self->unauthorized($request);
    $self->{server}->answer_json($request, 200, { credits => $self->{funds}{$key} // FIRST_FUNDS });
}

# ---- what the tests read ----

# Requests are recorded as they came: fields are bytes here, and text only in the answer to a test. A
# picture is recorded by its size and its hash, without its bytes.
sub record {
    my ($self, $job, $received) = @_;
    my $request = $job->{request};
    my %fields  = %{ $job->{form} };
    $fields{image} = facts_of($fields{image}) if defined $fields{image} && !ref $fields{image};

    my $records = $self->{submissions};
    push @$records, {
        number      => ++$self->{recorded},
        time        => Time::HiRes::time(),
        connection  => $request->{connection}{serial},
        method      => $request->{method},
        path        => $request->{path},
        prompt      => $job->{prompt},
        seed        => $fields{seed},
        fields      => \%fields,
        headers     => $request->{header},
        body_length => $received + 0,
        complete    => $received == $request->{length} ? JSON::PP::true() : JSON::PP::false(),
    };
    shift @$records if @$records > RECORD_MAX;
}

sub facts_of {
    my ($bytes) = @_;
    return { bytes => length $bytes, sha256 => sha256_hex($bytes) };
}

sub answer_submissions {
    my ($self, $request) = @_;
    my $match = Genflow::FakeProvider::query_value($request, 'match') // '';
    my @found = grep { index($_->{prompt}, $match) >= 0 } @{ $self->{submissions} };
    $self->{server}->answer_json($request, 200, [ map { readable_record($_) } @found ]);
}

sub readable_record {
    my ($record) = @_;
    my %fields = %{ $record->{fields} };
    for my $name (grep { !ref $fields{$_} } keys %fields) {
        $fields{$name} = as_text($fields{$name});
    }
    return { %$record, fields => \%fields };
}

sub answer_count {
    my ($self, $request, $what) = @_;
    my $match = Genflow::FakeProvider::query_value($request, 'match') // '';
    $self->answer_number($request, scalar grep { index($_, $match) >= 0 } @{ $self->{$what} });
}

sub note_poll {
    my ($self, $job) = @_;
    push @{ $self->{polls} }, $job->{prompt};
    push @{ $self->{poll_times} }, Time::HiRes::time();
}

sub answer_poll_times {
    my ($self, $request) = @_;
    my $match = Genflow::FakeProvider::query_value($request, 'match') // '';
    my ($polls, $times) = @$self{qw(polls poll_times)};
    my @found = @$times[grep { index($polls->[$_], $match) >= 0 } 0 .. $#$polls];
    $self->{server}->answer_json($request, 200, \@found);
}

sub answer_number {
    my ($self, $request, $number) = @_;
    $self->{server}->answer($request, 200, [ 'Content-Type' => 'application/json' ], $number);
}

sub forget_pictures {
    my ($self, $request) = @_;
    my $match = Genflow::FakeProvider::query_value($request, 'match') // '';
    my $count = 0;
    for my $jobs ($self->{jobs}, map { $_->{files} } @{ $self->{peers} }) {
        my @old = grep { index($jobs->{$_}{prompt}, $match) >= 0 } keys %$jobs;
        delete @$jobs{@old};
        $count += @old;
    }
    $self->answer_number($request, $count);
}

sub open_gate {
    my ($self, $request) = @_;
    my $gate    = Genflow::FakeProvider::query_value($request, 'match') // '';
    my $waiting = delete $self->{gates}{$gate} // [];
    $self->{opened}{$gate} = 1;
    $_->() for @$waiting;
    $self->answer_number($request, scalar @$waiting);
}

sub is_shut {
    my ($self, $gate) = @_;
    return defined $gate && !$self->{opened}{$gate};
}

sub answer_hooks {
    my ($self, $request) = @_;
    my $match = Genflow::FakeProvider::query_value($request, 'match') // '';
    my @found = grep { index($_->{prompt}, $match) >= 0 } @{ $self->{hooks} };
    $self->{server}->answer_json($request, 200, \@found);
}


Genflow::FakeProvider->run(@ARGV) if !caller;

1;

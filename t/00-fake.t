#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The fake provider does what its head promises: it speaks Stability v2beta, and it misbehaves
# exactly as a prompt orders. What the other tests conclude from it rests on this file.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use FindBin;
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Genflow::Png;

my $SOURCE = "$FindBin::Bin/lib/Genflow/FakeProvider.pm";
my $SUBMIT = '/v2beta/stable-image';
my $folder = tempdir(CLEANUP => 1);

my ($fake, $port) = start_fake("$folder/port");

# HTTP::Tiny writes head and body apart; on a connection kept alive the second waits for an ACK.
my $http = HTTP::Tiny->new(timeout => 60, max_redirect => 0, keep_alive => 0);

# ---- the API as documented ----

my $res = submit('generate/core', { prompt => 'a plain cat', seed => 343 });
is $res->{status}, 200, 'a sound request gets a picture';
is $res->{headers}{'content-type'},  'image/png', 'its type is image/png';
is $res->{headers}{'finish-reason'}, 'SUCCESS',   'its finish reason is a header';
is $res->{headers}{seed},            343,         'its seed is a header';
like $res->{headers}{'x-request-id'}, qr/\A[0-9a-f]{32}\z/, 'its request id is a header';
is sound_png($res->{content}), '64x64', 'its bytes are a sound PNG';

my $again = submit('generate/core', { prompt => 'a plain cat', seed => 343 });
is $again->{content}, $res->{content}, 'the same seed makes the same picture';
my $other = submit('generate/core', { prompt => 'a plain cat', seed => 344 });
isnt $other->{content}, $res->{content}, 'another seed makes another picture';

my $json = submit('generate/core', { prompt => 'a plain cat', seed => 343 },
                  accept => 'application/json');
is $json->{headers}{'content-type'}, 'application/json; type=image/png',
    'who accepts JSON gets JSON, and its type says of what';
ok !exists $json->{headers}{'finish-reason'}, 'the facts are no headers then';
my $answer = decode_json($json->{content});
is_deeply [ @$answer{qw(finish_reason seed)} ], [ 'SUCCESS', 343 ], 'they are members';
is decode_base64($answer->{image}), $res->{content}, 'the picture is base64';

my $picture = $res->{content};
my %sent    = (prompt => 'x', image => $picture, strength => '0.6');
my %to_sd3  = (%sent, mode => 'image-to-image');
my @rules   = (
    # endpoint, form, headers, status, what the first error says, the test's name
    [ 'generate/ultra', {%sent},     {}, 200, undef, 'ultra takes a picture with its strength' ],
    [ 'generate/sd3',   {%to_sd3},   {}, 200, undef, 'sd3 takes a picture with mode and strength' ],
    [ 'control/style', { prompt => 'x', image => $picture, fidelity => 1 }, {}, 200, undef,
      'style takes a picture with its fidelity' ],
    [ 'control/structure', { prompt => 'x', image => $picture }, {}, 200, undef,
      'structure takes a picture' ],
    [ 'generate/core', { prompt => 'x' }, { authorization => undef }, 401, qr/authorization/,
      'no key, no picture' ],
    [ 'generate/core', { prompt => 'x' }, { authorization => 'Bearer wrong-key' }, 401,
      qr/authorization/, 'a wrong key is refused' ],
    [ 'generate/core', { prompt => 'x' }, { accept => 'text/html' }, 400, qr/^accept/,
      'only pictures and JSON can be accepted' ],
    [ 'generate/core', { prompt => 'x' }, { 'content-type' => 'application/json' }, 400,
      qr/^body.*multipart/, 'the body must be a form' ],
    [ 'generate/core', { seed => 1 }, {}, 400, qr/^prompt: is required/, 'a prompt is required' ],
    [ 'generate/core', { prompt => "\xc3\xa9" x 10_000 }, {}, 200, undef,
      'a prompt is measured in characters' ],
    [ 'generate/core', { prompt => 'x' x 10_001 }, {}, 400, qr/^prompt/, 'a prompt has a limit' ],
    [ 'generate/core', { prompt => 'x', seed => 4294967295 }, {}, 400, qr/^seed/,
      'a seed has a limit' ],
    [ 'generate/core', { prompt => 'x', output_format => 'webp' }, {}, 200, undef,
      'core knows webp' ],
    [ 'generate/sd3', { prompt => 'x', output_format => 'webp' }, {}, 400, qr/^output_format/,
      'sd3 does not know webp' ],
    [ 'generate/sd3', { prompt => 'x', mode => 'image-to-image', strength => 1 }, {}, 400,
      qr/^image: is required/, 'image-to-image needs the image' ],
    [ 'generate/sd3', { prompt => 'x', mode => 'image-to-image', image => $picture }, {}, 400,
      qr/^strength: is required/, 'image-to-image needs the strength' ],
    [ 'generate/sd3', { %to_sd3, aspect_ratio => '1:1' }, {}, 400, qr/^aspect_ratio/,
      'image-to-image has no aspect ratio' ],
    [ 'generate/sd3', {%sent}, {}, 400, qr/^image: only/, 'text-to-image has no image' ],
    [ 'generate/sd3', { %to_sd3, strength => '1.2' }, {}, 400, qr/^strength/,
      'a strength is at most 1' ],
    [ 'generate/ultra', { prompt => 'x', image => $picture }, {}, 400, qr/^strength/,
      'ultra wants the strength of an image' ],
    [ 'control/structure', { prompt => 'x' }, {}, 400, qr/^image/, 'structure needs an image' ],
    [ 'control/structure', { prompt => 'x', image => 'text' }, {}, 400, qr/^image/,
      'an image must be one' ],
    [ 'control/structure', { prompt => 'x', image => $picture }, { form => 'no-file' }, 400,
      qr/^image: must be sent as a file/, 'an image must be a file' ],
    [ 'control/structure', { prompt => 'x', image => claimed_png(63, 100) }, {}, 400, qr/^image/,
      'a control image must not be small' ],
    [ 'control/style', { prompt => 'x', image => claimed_png(64, 161) }, {}, 400, qr/^image/,
      'a control image must not be narrow' ],
    [ 'generate/core', { prompt => 'x', strength => 1 }, {}, 400, qr/^strength.*known/,
      'an endpoint refuses fields of another' ],
    [ 'generate/core', { prompt => 'x {{dealy=5}}' }, {}, 400, qr/'dealy'/,
      'a misspelt script is refused' ],
    [ 'generate/none', { prompt => 'x' }, {}, 404, undef, 'other endpoints do not exist' ],
);
for my $rule (@rules) {
    my ($endpoint, $form, $headers, $status, $says, $name) = @$rule;
    my $got = submit($endpoint, $form, %$headers);
    is $got->{status}, $status, $name;
    next if !$says;
    my $error = decode_json($got->{content});
    ok $error->{id} && $error->{name}, '... with id and name';
    like $error->{errors}[0], $says, '... and says why';
}

# ---- OpenAI's edits ----

my $EDITS = '/openai/v1/images/edits';
my %edit  = (prompt => 'an edit', image => $picture, model => 'gpt-image-1');
my @edits = (
    # what differs from a sound form, headers, status, code of the error, the test's name
    [ {}, {}, 200, undef, 'an edit takes a picture' ],
    [ { image => undef }, {}, 400, 'invalid_image', 'an edit needs a picture' ],
    [ { image => 'text' }, {}, 400, 'invalid_image', 'it must be one' ],
    [ {}, { form => 'no-file' }, 400, 'invalid_image', 'it must be a file' ],
    [ { prompt => undef }, {}, 400, 'missing_prompt', 'an edit needs a prompt' ],
    [ { strength => 1 }, {}, 400, 'unknown_parameter', 'an edit refuses what it does not know' ],
    [ { response_format => 'b64_json' }, {}, 400, 'unknown_parameter',
      'GPT image models choose no format' ],
    [ { size => 'wide' }, {}, 400, 'invalid_size', 'a size is two numbers' ],
    [ {}, { authorization => 'Bearer wrong' }, 401, undef, 'a wrong key is refused' ],
);
for my $case (@edits) {
    my ($differs, $headers, $status, $code, $name) = @$case;
    my %form = (%edit, %$differs);
    delete @form{ grep { !defined $form{$_} } keys %form };
    my $got = submit($EDITS, \%form, %$headers);
    is $got->{status}, $status, $name;
    is decode_json($got->{content})->{error}{code}, $code, '... and says why' if $code;
}
is control_fake('_submissions', 'an edit')->[0]{fields}{image}{sha256}, sha256_hex($picture),
    'the record has the hash of an edited picture';

# ---- source pictures ----

my %source = map { $_ => $http->get("http://127.0.0.1:$port/_source/$_/7") }
    qw(picture moved private gone page cut big huge);
is sound_png($source{picture}{content}), '64x64', 'a source is a picture';
is $source{moved}{headers}{location}, "http://127.0.0.1:$port/_source/picture/7", 'moved is moved';
like $source{private}{headers}{location}, qr{\Ahttp://127\.0\.0\.2:}, 'private is moved there';
is $source{gone}{status}, 404, 'gone is gone';
is sound_png($source{page}{content}), '', 'a page is no picture';
is $source{cut}{content}, substr($source{picture}{content}, 0, 100), 'cut is its beginning';
cmp_ok length $source{big}{content}, '>', 10_485_760, 'big is big';
is sound_png($source{huge}{content}), '60000x60000', 'huge claims to be huge';

# ---- behaviours that are an answer ----

my @answers = (
    # script, status, content type, name in the body, the test's name
    [ 'status=503', 503, 'application/json', 'service_unavailable', 'status=CODE answers it' ],
    [ 'payment',    402, 'application/json', 'payment_required',    'payment is a 402' ],
    [ 'moderation', 403, 'application/json', 'content_moderation',  'moderation is a 403' ],
    [ 'denied',     403, 'application/json', 'permission_denied',   'denied is another 403' ],
    [ 'html',       200, 'text/html',        undef,                 'html is a page with 200' ],
    [ 'empty',      200, 'image/png',        undef,                 'empty has the type of one' ],
    [ 'garbage',    200, 'image/png',        undef,                 'garbage says it is one' ],
    [ 'json-error', 500, 'application/json', undef,                 'json-error is a 500' ],
    [ 'gateway=nginx-504',   504, 'text/html',        undef, 'gateway=NAME is that gateway\'s answer' ],
    [ 'gateway=aws-api-gateway-504', 504, 'application/json', undef, '... with its type' ],
    [ 'gateway=nobody-504',  400, 'application/json', 'bad_request', '... of one that is listed' ],
);
my %body;
for my $case (@answers) {
    my ($script, $status, $type, $name, $says) = @$case;
    my $got = submit('generate/core', { prompt => "x {{$script}}" });
    is "$got->{status} $got->{headers}{'content-type'}", "$status $type", $says;
    is decode_json($got->{content})->{name}, $name, '... with that name' if $name;
    $body{$script} = $got->{content};
}
is $body{empty}, '', 'empty has no byte';
is $body{'gateway=aws-api-gateway-504'}, '{"message": "Endpoint request timed out"}', 'a gateway has its words';
is sound_png($body{garbage}), '', 'garbage is no picture';
ok !eval { decode_json($body{'json-error'}) }, 'json-error is not JSON';

$res = submit('generate/core', { prompt => 'x {{status=429 retry-after=7}}' });
is $res->{headers}{'retry-after'}, 7, 'retry-after=S is a header of the error';

$res = submit('generate/core', { prompt => 'x {{filter}}', seed => 343 });
is "$res->{status} $res->{headers}{'finish-reason'}", '200 CONTENT_FILTERED', 'filter says so';
is sound_png($res->{content}), '64x64', 'filter still sends a picture';
isnt $res->{content}, $picture, 'filter sends a blurred one';

$res = submit('generate/core', { prompt => 'x {{big=3000000}}' });
is length $res->{content}, 3_000_000, 'big=BYTES has that many bytes';
is sound_png($res->{content}), '64x64', 'big=BYTES is a sound picture';

$res = submit('generate/core', { prompt => 'x {{huge-image}}' });
is sound_png($res->{content}), '60000x60000', 'huge-image claims to be huge';
cmp_ok length $res->{content}, '<', 10_000, 'huge-image is small all the same';

$res = submit('generate/core', { prompt => 'follow me {{redirect}}' });
is $res->{status}, 302, 'redirect is a 302';
is scalar @{ control_fake('_submissions', 'follow me') }, 1, 'no request followed yet';
$http->get($res->{headers}{location});
is control_fake('_submissions', 'follow me')->[1]{path}, '/_private', 'who follows is recorded';

sub status_of { submit('generate/core', { prompt => $_[0] })->{status} }
is join(' ', map { status_of('x {{status=500 times=2}}') } 1 .. 4), '500 500 200 200',
    'times=N ends the failure after N submissions of that prompt';
is status_of('y {{status=500 times=2}}'), 500, 'another prompt has its own count';

# ---- behaviours of the connection ----

my $began = time;
my $slow  = open_submission('x {{delay=400}} slow');
like read_all($slow, 5, qr/IEND/)->{bytes}, qr{\AHTTP/1.1 200 }, 'delay=MS answers';
cmp_ok time - $began, '>', 0.35, '... but later';

$slow = open_submission('x {{gate=one}} slow');
is status_of('meanwhile'), 200, 'a shut gate delays no other request';
my $waiting = read_all($slow, 0.1);
is "$waiting->{bytes}|$waiting->{end}", '|open', '... and lets no answer pass';
is control_fake('_open', 'one'), 1, '... until it is opened';
like read_all($slow, 5, qr/IEND/)->{bytes}, qr{\AHTTP/1.1 200 }, '... then the answer comes';
is control_fake('_open', 'one'), 0, '... for all who waited';
is status_of('x {{gate=one}} late'), 200, 'a gate that is open stays open';

my $cut = read_all(open_submission('x {{cut-before}}'));
is "$cut->{bytes}|$cut->{end}", '|reset', 'cut-before resets without a byte';

$cut = read_all(open_submission('x {{cut-after}}'));
is part_of_body($cut->{bytes}), 'half', 'cut-after sends half of the picture';
is $cut->{end}, 'reset', '... and resets';

$cut = read_all(open_submission('x {{half}}'));
is part_of_body($cut->{bytes}), 'half', 'half sends half of the picture';
is $cut->{end}, 'closed', '... and closes';

is read_all(open_submission('x {{hang}}'), 0.4)->{end}, 'open', 'hang neither answers nor closes';

my $drip = read_all(open_submission('x {{drip}}'), 10, qr/\r\n\r\n../s);
my ($dripped) = $drip->{bytes} =~ /\r\n\r\n(.*)\z/s;
ok length $dripped >= 2 && length $dripped <= 50, 'drip sends a byte now and then';
is $drip->{end}, 'open', '... and stays';

my $partly = open_submission('x {{cut-during}} partly', announce_more => 1_000_000);
is read_all($partly)->{end}, 'reset', 'cut-during resets while the body arrives';
$cut = read_all(open_submission('x {{cut-during}} short'));
is $cut->{end}, 'reset', 'a short body is no way out';
my ($seen) = @{ control_fake('_submissions', '{{cut-during}} partly') };
ok !$seen->{complete} && $seen->{body_length} < 1_000_000, 'the cut submission is recorded as a part';

my $waits = open_submission('x', expect => 1);
ok $waits, 'who expects 100-continue gets it';
like read_all($waits, 5, qr/IEND/)->{bytes}, qr{\AHTTP/1.1 200 }, '... and then the picture';

my $two = open_submission('x {{delay=100}} first', then => 'x second');
my $both = read_all($two, 5, qr/IEND.*IEND/s)->{bytes};
is join(' ', $both =~ m{HTTP/1.1 (\d+)}g), '200 200',
    'two requests on one connection are both answered';

my $chunked = IO::Socket::INET->new("127.0.0.1:$port");
print {$chunked} "POST $SUBMIT/generate/core HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n";
like read_all($chunked, 5, qr/\r\n\r\n/)->{bytes}, qr{\AHTTP/1.1 411 }, 'a body needs a length';

# ---- asynchronous jobs ----

my $id = async_id('later {{poll=2}}', { seed => 343 });
is join(' ', map { result($id)->{status} } 1 .. 3), '202 202 200', 'poll=N is ready after N polls';
is result($id)->{content}, $picture, 'the result is the picture of the seed';
is result($id, accept => 'application/json')->{headers}{'content-type'},
    'application/json; type=image/png', 'the result can be JSON';
my $gated = async_id('{{poll-gate=two}}');
is result($gated)->{status}, 202, 'poll-gate=NAME is on its way while the gate is shut';
is control_fake('_open', 'two'), 0, '... at which no request waits';
is result($gated)->{status}, 200, '... and ready when it is open';
is decode_json(result(async_id('{{poll-hang}}'))->{content})->{status}, 'in-progress',
    'a job on its way says so';
is control_fake('_polls', 'later'), 5, 'polls are counted by prompt';
is control_fake('_polls', 'no such prompt'), 0, 'no poll, no count';
my @times = @{ control_fake('_poll_times', 'later') };
is_deeply \@times, [sort { $a <=> $b } @times], 'the times of polls are in order';
is scalar @times, 5, '... one for each';
is result($id, accept => 'image/*')->{status}, 400, 'results do not accept image/*';
is result($id, authorization => 'Bearer other-key')->{status}, 404, 'another key finds no result';
is result('0' x 32)->{status}, 404, 'an unknown job is not found';
is result(async_id('x {{poll-lost}}'))->{status}, 404, 'poll-lost loses the result';
is result(async_id('x {{poll-filter}}'))->{headers}{'finish-reason'}, 'CONTENT_FILTERED',
    'poll-filter filters the result';
$id = async_id('x {{poll=1 poll-status=503}}');
is join(' ', map { result($id)->{status} } 1 .. 3), '503 202 200',
    'poll-status=CODE fails one poll';

# ---- records and money ----

my $prompt = "caf\xc3\xa9 & {{status=503}} tag77";
submit('generate/sd3', { prompt => $prompt, seed => 5, mode => 'image-to-image', strength => '0.5',
                         image => $picture }, 'stability-client-id' => 'genflow');
my ($record, @more) = @{ control_fake('_submissions', $prompt) };
is scalar @more, 0, 'a submission is recorded once';
is $record->{prompt}, "caf\xe9 & {{status=503}} tag77", 'with its prompt';
is "$record->{method} $record->{path} $record->{seed}", "POST $SUBMIT/generate/sd3 5",
    'with its method, path and seed';
is $record->{fields}{strength}, '0.5', 'with its fields';
is_deeply $record->{fields}{image}, { bytes => length $picture, sha256 => sha256_hex($picture) },
    'with the size and hash of its picture';
is $record->{headers}{'stability-client-id'}, 'genflow', 'with its headers';
ok $record->{complete} && abs($record->{time} - time) < 5, 'it is complete, with its time';

sub funds { decode_json(fetch('/v1/user/balance', 'Bearer sk-rich')->{content})->{credits} }
my $funds = funds();
submit('generate/core', { prompt => $_ }, authorization => 'Bearer sk-rich')
    for 'x', 'x {{moderation}}', 'x {{status=500}}', 'x {{filter}}';
is $funds - funds(), 3, 'only a delivered picture costs credits';
is fetch('/v1/user/balance')->{status}, 401, 'the balance needs a key';

# ---- the end ----

kill TERM => $fake;
is wait_for_end($fake), 1, 'the fake ends on TERM';

my $orphan = start_orphan("$folder/orphan");
ok wait_until(sub { !IO::Socket::INET->new("127.0.0.1:$orphan") }), 'the fake ends with its parent';

done_testing;

# ---- what the tests read ----

sub start_fake {
    my ($port_file) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        exec $^X, $SOURCE, $port_file or die "exec: $!";
    }
    wait_until(sub { -e $port_file }) or die "the fake provider does not start\n";
    return ($pid, port_in($port_file));
}

sub port_in {
    my ($port_file) = @_;
    open my $file, '<', $port_file or die "$port_file: $!";
    chomp(my $number = <$file>);
    return $number;
}

# A parent that starts a fake and dies. It is a process of its own, so that no process adopts its child
# but the system.
sub start_orphan {
    my ($port_file) = @_;
    my $parent = fork // die "fork: $!";
    if (!$parent) {
        start_fake($port_file);
        POSIX::_exit(0);
    }
    waitpid $parent, 0;
    return port_in($port_file);
}

sub wait_until {
    my ($true) = @_;
    for (1 .. 250) {
        return 1 if $true->();
        sleep 0.02;
    }
    return 0;
}

sub wait_for_end {
    my ($pid) = @_;
    return wait_until(sub { waitpid($pid, 1) == $pid });
}

sub form_of {
    my (%field) = @_;
    return form_with('; filename="in.png"', %field);
}

sub form_with {
    my ($filename, %field) = @_;
    my $body = '';
    # The prompt comes first, as in every form of ours: cut-during looks for it at the beginning.
    for my $name (sort { ($b eq 'prompt') <=> ($a eq 'prompt') || $a cmp $b } keys %field) {
        my $file = $name eq 'image' ? "$filename\r\nContent-Type: image/png" : '';
        $body .= "--edge\r\nContent-Disposition: form-data; name=\"$name\"$file\r\n\r\n"
            . "$field{$name}\r\n";
    }
    return "$body--edge--\r\n";
}

sub submit {
    my ($endpoint, $form, %headers) = @_;
    my %all = (
        'content-type' => 'multipart/form-data; boundary=edge',
        authorization  => 'Bearer sk-test',
        accept         => 'image/*',
        %headers,
    );
    my $content = delete $all{form} ? form_with('', %$form) : form_of(%$form);
    delete @all{ grep { !defined $all{$_} } keys %all };
    my $url = $endpoint =~ m{\A/} ? $endpoint : "$SUBMIT/$endpoint";
    return $http->post("http://127.0.0.1:$port$url", { headers => \%all, content => $content });
}

sub fetch {
    my ($path, $key, %headers) = @_;
    $headers{authorization} = $key if $key;
    return $http->get("http://127.0.0.1:$port$path", { headers => \%headers });
}

sub async_id {
    my ($text, $form) = @_;
    my $got = submit('generate/core', { prompt => $text, %{ $form || {} } });
    return decode_json($got->{content})->{id};
}

sub result {
    my ($job, %headers) = @_;
    my $key = delete $headers{authorization} // 'Bearer sk-test';
    return fetch("/v2beta/results/$job", $key, accept => '*/*', %headers);
}

sub control_fake {
    my ($what, $match) = @_;
    $match =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ge;
    return JSON::PP->new->utf8->allow_nonref->decode(fetch("/$what?match=$match")->{content});
}

# A request by hand, for what HTTP::Tiny hides: how a connection ends.
sub open_submission {
    my ($text, %how) = @_;
    my $socket = IO::Socket::INET->new("127.0.0.1:$port") or die "connect: $!";
    my @bodies = map { form_of(prompt => $_) } $text, $how{then} // ();
    for my $body (@bodies) {
        my $length = length($body) + ($how{announce_more} // 0);
        my $head   = "POST $SUBMIT/generate/core HTTP/1.1\r\nAuthorization: Bearer sk-test\r\n"
            . "Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: $length\r\n";
        if ($how{expect}) {
            syswrite $socket, "${head}Expect: 100-continue\r\n\r\n";
            sysread $socket, my $go, 1000;
            return if $go !~ m{\AHTTP/1.1 100 };
            syswrite $socket, $body;
        }
        else {
            syswrite $socket, "$head\r\n$body";
        }
    }
    return $socket;
}

# Everything that comes within some seconds or until it is enough, and how that ended: closed,
# reset, or still open.
sub read_all {
    my ($socket, $seconds, $enough) = @_;
    my $until = time + ($seconds // 5);
    my $bytes = '';
    while ((my $left = $until - time) > 0) {
        vec(my $bits = '', fileno $socket, 1) = 1;
        next if !select $bits, undef, undef, $left;
        my $got = sysread $socket, $bytes, 65_536, length $bytes;
        return { bytes => $bytes, end => 'reset' }  if !defined $got;
        return { bytes => $bytes, end => 'closed' } if !$got;
        last if $enough && $bytes =~ $enough;
    }
    return { bytes => $bytes, end => 'open' };
}

sub part_of_body {
    my ($bytes) = @_;
    my ($head, $body) = split /\r\n\r\n/, $bytes, 2;
    my ($length) = $head =~ /^Content-Length: (\d+)/m;
    return abs(length($body) - $length / 2) <= 1 ? 'half' : length($body) . " of $length";
}

sub claimed_png {
    my ($width, $height) = @_;
    return "\x89PNG\r\n\x1a\n" . pack('N', 13) . 'IHDR' . pack('NN', $width, $height) . "\0" x 9;
}

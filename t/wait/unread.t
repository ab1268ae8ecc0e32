#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Clients that ask for large responses and do not read them: source pictures, long lists, packed or not, over TLS.
# They hold no thread and little memory, one user has but so many of them under way, and who reads gets
# every byte.
use Genflow::Test;
use Genflow::Wait;

use Digest::SHA qw(sha256_hex);
use List::Util qw(sum0);
use Time::HiRes qw(time);

use Genflow::Tls ();

plan(skip_all => 'only the event MPM sends without a thread') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 4, CLIENTS => 12, PLACES => 26, BYTES => 7_000_000, PROMPTS => 100, WORDS => 990 };

my ($user, $other) = (account(PROMPTS), account(0));
my $tls   = Genflow::Tls->new;
my $httpd = wait_site(THREADS, ($tls ? $tls->lines : '') . "ServerLimit 1\nTimeout 600\nGenflowLimitResponses " . PLACES . "\n"
        . "<IfModule !deflate_module>\nLoadModule deflate_module \"\${GENFLOW_LIBEXEC}/mod_deflate.so\"\n</IfModule>\n"
        . "<IfModule !filter_module>\nLoadModule filter_module \"\${GENFLOW_LIBEXEC}/mod_filter.so\"\n</IfModule>\n"
        . '<GenflowType ' . wait_type() . ">\n    GenflowTypePromptMax 10000\n</GenflowType>\n"
        . "AddOutputFilterByType DEFLATE application/json\n");

# ---- source pictures ----

my $picture = png(3, 2, BYTES);
my $asset   = data(upload($user, $picture))->{id};
my $path    = "/api/assets/$asset";
my @readers = map { Genflow::Wait->get($path, $user) } 1 .. 2 * THREADS;
is scalar(grep { $_->answer->{status} == 200 && $_->{body} eq $picture } @readers), 2 * THREADS, 'clients that read get all of a picture';
$_->close for @readers;
my $before = memory();                           # each thread has had one in its memory
my @unread   = map { Genflow::Wait->get_slowly($path, $user) } 1 .. CLIENTS;
is scalar(grep { $_->has_answer(HANG_LIMIT) } @unread), CLIENTS, CLIENTS . ' clients get the begin of a picture, and do not read on';
answers_soon('while they do not read');
cmp_ok memory() - $before, '<', CLIENTS * BYTES / 4, 'little memory waits for them';

# ---- long lists ----

cancel_generation(later($user, { type => wait_type(), prompt => words($_) })) for 1 .. PROMPTS;
my $list = '/api/generations?limit=100';
push @unread, map { Genflow::Wait->get_slowly($list, $user) } 1 .. 4;
push @unread, map { slowly_packed($list) } 1 .. 4;
is scalar(grep { $_->has_answer(HANG_LIMIT) } @unread), PLACES - 6, 'long lists begin, too, packed or not';
push @unread, map { $tls ? $tls->connection->request($path, $user) : Genflow::Wait->get_slowly($path, $user) } 1 .. 6;
is scalar(grep { $_->has_answer(HANG_LIMIT) } @unread), PLACES, 'so do pictures over TLS';
answers_soon('while nobody reads them');

# ---- the bound ----

my $refused = api(GET => $path, user => $user);
error_is($refused, 429, 'TOO_MANY_CONCURRENT', 'one more large response');
ok $refused->{headers}{'retry-after'}, '... says when to come again';
is $refused->{headers}{etag}, undef, '... and is no state of the picture';
is api(GET => $list, user => $user)->{status}, 429, '... a list is none less';
is api(GET => '/api/getQuota', user => $user)->{status}, 200, 'small responses need no place';
is data(upload($other, $picture))->{bytes}, BYTES, 'another user brings the picture';
is data(api(GET => '/api/generations', user => $other))->{success}, JSON::PP::true(), '... and reads';

# ---- who reads gets all ----

my ($first, $last) = @unread[0, -1];
for my $one ($first, $last) {
    is $one->answer->{status}, 200, $one == $last ? 'one over TLS, too' : 'one reads on';
    is sha256_hex($one->{body}), sha256_hex($picture), '... and gets the whole picture';
}
ok wait_for { api(GET => $path, user => $user)->{status} == 200 }, '... then its place is free';
my $range = api(GET => $path, user => $user, headers => { Range => 'bytes=100-199' });
is_deeply [$range->{status}, $range->{content}], [206, substr $picture, 100, 100], 'a part of the picture';
is api(HEAD => $path, user => $user)->{headers}{'content-length'}, BYTES, 'its head';
$_->close for @unread;
ok wait_for { no_places_taken() }, 'who hangs up leaves the place';
is scalar(glob "$ENV{GENFLOW_WORK}/store/.spool/response.*"), undef, 'no file is left';

$httpd->stop;
talk_to();
finish;

# Another request finds a thread. What it took and what the child has are for the reader.
sub answers_soon {
    my ($when) = @_;
    my $begin = time;
    is api(GET => '/api/health')->{status}, 200, "health answers $when";
    return diag sprintf '%s: health %.0f ms, memory of httpd %.1f MB', $when, 1000 * (time - $begin), memory() / 1e6;
}

# Anonymous memory of the children, in bytes.
sub memory {
    return sum0 map {
        open my $file, '<', "/proc/$_/status" or die "/proc/$_/status: $!\n";
        map { /^RssAnon:\s+(\d+) kB/ ? 1024 * $1 : () } <$file>
    } $httpd->children;
}

# Words that cannot be packed well.
sub words {
    my ($seed) = @_;
    return join ' ', map { substr sha256_hex("$seed $_"), 0, 9 } 1 .. WORDS;
}

sub slowly_packed {
    my ($address) = @_;
    my $client = Genflow::Wait->connection_slowly;
    $client->{socket}->syswrite("GET $address HTTP/1.1\r\nHost: x\r\nX-User: $user\r\nAccept-Encoding: gzip\r\n\r\n");
    return $client;
}

sub no_places_taken {
    my @all = map { Genflow::Wait->get_slowly($path, $user) } 1 .. PLACES;
    my $good = grep { $_->has_answer(HANG_LIMIT) && $_->reads(qr/\AHTTP\S+ 200/, 1) } @all;
    $_->close for @all;
    return $good == PLACES;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The events of a generation: each state once, as the object of its status, as it comes, to
# the end; with signs of life between. A client that comes back gets no state twice. Streams are bounded
# in number and time.
use Genflow::Test;

use IO::Select ();
use IO::Socket::INET ();
use Time::HiRes qw(time);

use Genflow::Httpd ();

my $PATIENCE = $ENV{GENFLOW_TEST_PATIENCE} || 1;
my $user = account(30);

# ---- from the beginning to the end ----

my $id     = later($user, { type => 'echo-fal', prompt => "{{poll=1 poll-gate=$user}} watched" });
my $stream = Stream->open($id);
$stream->read_until(qr/\ndata: [^\n]*drawing/, 60);
open_gate($user);
my $got    = $stream->read_to_end;
like $stream->{head}, qr{\AHTTP/1.1 200 .*^Content-Type: text/event-stream\r$}ms, 'a stream of events';
like $stream->{head}, qr/^Cache-Control: no-store\r$/m, '... which no cache stores';
like $stream->{head}, qr/^X-Accel-Buffering: no\r$/m, '... or holds back';
like $got, qr/\Aretry: \d+\n\n/, '... says when to come back';
my @events = events($got);
cmp_ok scalar @events, '>=', 2, '... has several states';
is_deeply [map { $_->{event} } @events], [('status') x @events], '... each as an event of status';
my %ids = map { $_->{id} => 1 } @events;
is keys %ids, scalar @events, '... each once';
is $events[0]{data}{status}, 'processing', '... the first as it is now';
is $events[-1]{data}{status}, 'completed', '... the last at its end';
is_deeply $events[-1]{data}, status_of($user, $id, 'echo-fal'), '... as in its status';
ok((grep { @{ $_->{data}{logs} } } @events), '... and between them what the provider says');

# ---- who comes back ----

my $last = $events[-1]{id};
my %back = (headers => { 'Last-Event-ID' => $last }, user => $user);
my $over = api(GET => "/api/generation/$id/events", %back);
is $over->{status}, 204, 'a client that has the end gets 204';
is $over->{content} // '', '', '... and nothing else';
my $again = api(GET => "/api/generation/$id/events", user => $user);
is_deeply [map { $_->{id} } events($again->{content})], [$last], 'who has nothing gets the end at once';
$again = api(GET => "/api/generation/$id/events", user => $user,
    headers => { 'Last-Event-ID' => $events[0]{id} });
is_deeply [map { $_->{id} } events($again->{content})], [$last], 'who has an old state, too';
my $head = api(HEAD => "/api/generation/$id/events", user => $user);
is "$head->{status} $head->{headers}{'content-type'}", '200 text/event-stream', 'the head is to be had';
is api(GET => "/api/generation/$id/events?names=both", user => $user)->{content} =~ /"image_url"/, 1,
    'with twins where they are wanted';

# ---- one that takes its time: signs of life, cancel ----

my $slow = later($user, { type => 'hook-replicate', prompt => '{{poll-hang}} slow' });
wait_for { status_of($user, $slow, 'hook-replicate')->{replicateId} };
$stream = Stream->open($slow);
my ($first) = events($stream->read_until(qr/\ndata: [^\n]*\n\n/, 60));
is $first->{data}{status}, 'processing', 'its first state comes at once';
my $second = Stream->open($slow, 'Last-Event-ID' => $first->{id});
$stream->read_until(qr/\n:\n\n/, 60);
like $stream->{body}, qr/\n:\n\n\z/, 'then a sign of life';
is_deeply [map { $_->{id} } events($stream->{body})], [$first->{id}], 'and nothing twice';
is_deeply [events($second->read_until(qr/\n\n:\n\n/, 60))], [], 'nor to who came with that state';
my $begin = time;
api(POST => "/api/generation/$slow/cancel", user => $user);
for ($stream, $second) {
    my @end = events($_->read_to_end);
    is $end[-1]{data}{status}, 'cancelled', 'a cancel comes as an event, and ends the stream';
}
cmp_ok time - $begin, '<', 12, 'before the next sign of life';

# ---- bounds ----

my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/site.conf"
StartServers 1
ServerLimit 1
MaxRequestWorkers 24
GenflowDispatch Off
GenflowWatchMax 2
GenflowWatchUser 2
GenflowWatchEvents 10s
<GenflowType hook-replicate>
    GenflowTypeProviders local
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
my $long = later($user, { type => 'hook-replicate', prompt => '{{poll-hang}} long' });
talk_to($httpd);
$begin = time;
my @streams = map { Stream->open($long) } 1 .. 2;
$_->read_until(qr/\ndata: /, 60) for @streams;
my $full = api(GET => "/api/generation/$long/events", user => $user);
error_is($full, 503, 'QUEUE_FULL', 'a stream more than may wait is refused');
ok $full->{headers}{'retry-after'}, '... for now';
is api(GET => "/api/generation/$long", user => $user)->{status}, 200, '... but not a look';
$_->read_to_end for @streams;
cmp_ok time - $begin, '>=', 9.9, 'a stream ends at its time';
is_deeply [map { (events($_->{body}))[-1]{data}{status} } @streams], [('processing') x 2],
    '... though the generation goes on';
my $went = wait_for { Stream->open($long)->{head} =~ / 200 / };
ok $went, '... and there is room again';
talk_to();

# A client that goes away does not keep its place.
my $gone = Stream->open($slow = later($user, { type => 'hook-replicate', prompt => '{{poll-hang}} gone' }));
$gone->read_until(qr/\ndata: /, 60);
undef $gone;
api(POST => "/api/generation/$_/cancel", user => $user) for $slow, $long;
is $httpd->alarms, '', 'the log has no warning';
credits_are $user, 29, 0, 'watching costs nothing';

finish;

# The events in a stream's text: id, event, data.
sub events {
    my ($text) = @_;
    my @events;
    for my $block (split /\n\n/, $text) {
        my %field = $block =~ /^(id|event|data): (.*)$/mg;
        next if !exists $field{data};
        $field{data} = JSON::PP->new->utf8->decode($field{data});
        push @events, \%field;
    }
    return @events;
}

# A stream that is read piece by piece.
package Stream;

sub open {
    my ($class, $id, %headers) = @_;
    my ($address) = Genflow::Test::base() =~ m{//(.*)};
    my $socket = IO::Socket::INET->new(PeerAddr => $address, Timeout => 60) or die "connect: $!\n";
    my %all = (Host => $address, 'X-User' => $user, Connection => 'close', %headers);
    print $socket "GET /api/generation/$id/events HTTP/1.1\r\n",
        (map { "$_: $all{$_}\r\n" } sort keys %all), "\r\n";
    $socket->flush;
    my $self = bless { socket => $socket, raw => '', body => '', head => '' }, $class;
    $self->read_until(qr/\n\n/, 60);
    return $self;
}

# Reads until the body matches, the stream ends, or time is over; the body so far.
sub read_until {
    my ($self, $pattern, $seconds) = @_;
    my $end = Time::HiRes::time() + $seconds * $PATIENCE;
    my $select = IO::Select->new($self->{socket});
    until ($self->{body} =~ $pattern) {
        my $left = $end - Time::HiRes::time();
        last if $left <= 0 || !$select->can_read($left) || !sysread $self->{socket}, my $piece, 65536;
        $self->{raw} .= $piece;
        $self->unwrap;
    }
    return $self->{body};
}

sub read_to_end { return $_[0]->read_until(qr/\0/, 60) }

# Head and body of what came, which comes in chunks.
sub unwrap {
    my ($self) = @_;
    my ($head, $rest) = $self->{raw} =~ /\A(.*?\r\n\r\n)(.*)\z/s or return;
    $self->{head} = $head;
    $self->{body} = '';
    while ($rest =~ s/\A([0-9a-f]+)\r\n//i && length $rest >= hex $1) {
        $self->{body} .= substr $rest, 0, hex $1, '';
        $rest =~ s/\A\r\n//;
    }
    return;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The fake provider sends the webhooks that a prompt orders, signed as Replicate and fal sign: by the
# published vectors. What t/provider/provider-webhook.t concludes rests on this file.

use strict;
use warnings;

use HTTP::Tiny ();
use IO::Socket::INET ();
use JSON::PP qw(decode_json encode_json);
use Test::More;

use Genflow::FakeProvider ();
use Genflow::FakeProvider::Fal ();
use Genflow::FakeProvider::Replicate ();

use constant PATIENCE => 5;

my $fake = $ENV{GENFLOW_FAKE} or plan skip_all => 'runs in a site: t/run.pl';
my $http = HTTP::Tiny->new(timeout => PATIENCE, keep_alive => 0);
my $hook = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 9, Timeout => PATIENCE) or die;
my $HOOK = 'http://127.0.0.1:' . $hook->sockport . '/hook?x=1';

# ---- signatures ----

my %signed = Genflow::FakeProvider::Replicate->signature('{"id":"p1","status":"succeeded"}',
    id => '1', kind => 'end', time => 1_700_000_000);
is $signed{'Webhook-Id'}, 'msg_1', 'Replicate names the report';
is $signed{'Webhook-Signature'}, 'v1,Fx3EI75U65WpS+0JAX2ydwBlGOHVb0wh85dovyn6vXo=',
    'its signature is the published one';

%signed = Genflow::FakeProvider::Fal->signature(
    '{"request_id":"r-1","status":"OK","payload":null}',
    id => 'r-1', kind => 'end', time => 1_700_000_000);
is $signed{'X-Fal-Webhook-Signature'}, '64b61915b99326f2956a88721b83fe29fd3e968d695ce32d8a5ae5daf'
    . '966b3d34070ca9689e6b7f7c22de0bced972a00489f6cb0077e2939172bc8bda1b1cd01',
    'fal\'s signature is the published one';

my $before = read_json('/_keys');
my @keys  = map { $_->{x} } @{ read_json('/fal/jwks.json')->{keys} };
is_deeply [ grep { $_ eq 'A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg' } @keys ], [ $keys[1] ],
    'fal\'s public key is among others';
cmp_ok read_json('/_keys'), '>', $before, 'each request for them is counted';

# ---- what is sent ----

for my $peer (qw(replicate fal)) {
    my $id  = submit($peer, "{{hook}} $peer once");
    my $got = answer_hook(200);
    is $got->{body}{ $peer eq 'fal' ? 'request_id' : 'id' }, $id, "$peer names the run";
    like $got->{head}, qr{\APOST /hook\?x=1 HTTP/1\.1\r\n}, '... at the given address';
    is status($peer, $id), $peer eq 'fal' ? 'COMPLETED' : 'succeeded', '... which is over then';

    submit($peer, "{{hook=other,forged,stale,blank,end}} $peer all");
    my %sent = map { $_ => answer_hook($_ eq 'end' ? 503 : 200) } qw(other forged stale blank end);
    my $again = answer_hook(200);
    isnt $sent{other}{body}{status}, $sent{end}{body}{status}, '... something else, too';
    isnt $sent{forged}{signature}, $sent{end}{signature}, '... and of another key';
    cmp_ok $sent{end}{time} - $sent{stale}{time}, '>=', 600, '... and of long ago';
    is_deeply [ sort keys %{ $sent{blank}{body} } ], ['status'], '... and of no run';
    is $again->{id}, $sent{end}{id}, '... and again what was not taken';
    my @record = @{ wait_for_record("$peer all", 6) };
    is_deeply [ map { "$_->{kind} $_->{status}" } @record ],
        [ 'other 200', 'forged 200', 'stale 200', 'blank 200', 'end 503', 'end 200' ],
        '... and keeps the answers';

    my $waiting = open_submission($peer, "{{hook early}} $peer early");
    answer_hook(200, sub {
        vec(my $bits = '', fileno $waiting, 1) = 1;
        is select($bits, undef, undef, 0.2), 0, "$peer sends early: before it answers";
    });
    like scalar <$waiting>, qr{\AHTTP/1\.1 20[01] }, '... and answers then';
    is submit($peer, '{{hook}} nowhere', undef), undef, '... and refuses where there is no webhook';
}

done_testing;

# ---- parts ----

sub read_json {
    my ($path) = @_;
    my $got = $http->get("$fake$path", { headers => { Authorization => 'Key k' } });
    return JSON::PP->new->allow_nonref->decode($got->{content});
}

# Target and document of a submission; without a webhook if that is undef.
sub submission {
    my ($peer, $prompt, $to) = @_;
    my %hook = defined $to ? (webhook => $to, webhook_events_filter => ['completed']) : ();
    return ('/replicate/v1/models/a/b/predictions', { input => { prompt => $prompt }, %hook })
        if $peer eq 'replicate';
    my $query = defined $to ? '?fal_webhook=' . $to =~ s/([^\w.])/sprintf '%%%02x', ord $1/ger : '';
    return ("/fal/a/b$query", { prompt => $prompt });
}

# The run's id.
sub submit {
    my ($peer, $prompt, @to) = @_;
    my ($target, $document) = submission($peer, $prompt, @to ? @to : $HOOK);
    my $key = $peer eq 'fal' ? 'Key k' : 'Bearer k';
    my $got = $http->post("$fake$target",
        { headers => { Authorization => $key }, content => encode_json($document) });
    my $answer = decode_json($got->{content});
    return $answer->{request_id} // $answer->{id};
}

sub open_submission {
    my ($peer, $prompt) = @_;
    my ($target, $document) = submission($peer, $prompt, $HOOK);
    my $body   = encode_json($document);
    my $socket = IO::Socket::INET->new($fake =~ s{http://}{}r) or die "connect: $!\n";
    my $key    = $peer eq 'fal' ? 'Key k' : 'Bearer k';
    print $socket "POST $target HTTP/1.1\r\nHost: x\r\nAuthorization: $key\r\nContent-Length: ",
        length $body, "\r\n\r\n$body";
    return $socket;
}

sub status {
    my ($peer, $id) = @_;
    my ($path, $key) = $peer eq 'fal' ? ("/fal/a/b/requests/$id/status", 'Key k')
                                      : ("/replicate/v1/predictions/$id", 'Bearer k');
    my $got = $http->get("$fake$path", { headers => { Authorization => $key } });
    return decode_json($got->{content})->{status};
}

# Takes the next request of the webhook and answers it, after doing what `before` says.
sub answer_hook {
    my ($status, $before) = @_;
    my $client = $hook->accept or die "nothing was sent\n";
    my $head   = '';
    while (defined(my $line = <$client>)) {
        $head .= $line;
        last if $line eq "\r\n";
    }
    my ($length) = $head =~ /^Content-Length: (\d+)/m;
    read $client, my ($body), $length;
    $before->() if $before;
    print $client "HTTP/1.1 $status Said\r\nContent-Length: 0\r\n\r\n";
    close $client;
    my %got = (head => $head, body => decode_json($body));
    for my $name (qw(id time signature)) {
        ($got{$name}) = $head =~ /^[\w-]*Webhook-(?:Request-)?$name(?:stamp)?: (\S+)/im;
    }
    return \%got;
}

sub wait_for_record {
    my ($text, $count) = @_;
    my $match = $text =~ s/ /%20/gr;
    for (1 .. 100) {
        my $record = read_json("/_hooks?match=$match");
        return $record if @$record >= $count;
        select undef, undef, undef, 0.05;
    }
    return read_json("/_hooks?match=$match");
}

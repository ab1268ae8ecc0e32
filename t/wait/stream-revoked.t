#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A stream that an API key opened sends nothing more once the key was revoked for 5 s, and ends; that of
# another key, and one without a key, go on.
use Genflow::Test;
use Genflow::Keys;
use Genflow::Wait;

use Time::HiRes qw(sleep);

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { SOON => 60, KNOWN => 5.5 };

my $user  = account(10);
my $httpd = wait_site(4, <<'END');
<Location "/keyed">
    SetHandler genflow-api
    AuthType GenflowKey
    AuthName "pictures"
    Require valid-user
</Location>
END
my ($gone, $good) = map { new_key($user) } 1 .. 2;
my $id      = waiting_generation($user);
my $path    = "generation/$id/events";
my %stream  = (gone => with_key("/keyed/$path", $gone), good => with_key("/keyed/$path", $good), plain => Genflow::Wait->get("/api/$path", $user),
    all => with_key('/keyed/events', $gone));
$stream{$_}->streams(qr/\n\n/, SOON) for sort keys %stream;        # each has begun
change_generation($id, 'before');
ok $stream{$_}->streams(qr/before/, SOON), "$_: a stream has events" for sort keys %stream;
is api(DELETE => "/api/keys/$gone->{id}", user => $user)->{status}, 200, 'a key is revoked';
sleep KNOWN;
change_generation($id, 'after');
ok $stream{$_}->streams(qr/after/, SOON), "$_: its stream goes on" for qw(good plain);
for my $name (qw(gone all)) {
    ok $stream{$name}->reads(qr/(?:\A|\n)0\r\n\r\n\z/, SOON), "$name: that of the revoked key ends";
    unlike $stream{$name}{stream} . $stream{$name}{bytes}, qr/after/, '... without the news';
}
cancel_generation($id);
is $httpd->alarms, '', 'nothing is wrong in the log';
talk_to();
finish;

sub with_key {
    my ($where, $key) = @_;
    my ($name, $value) = %{ bearer($key) };
    return Genflow::Wait->get_with($where, 'nobody', "$name: $value");
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The stream of a user's events is the same where it cannot be parked: over HTTP/2, in the threads of the
# event MPM (GenflowWatchMode block), in the processes of prefork; and over TLS. Where it holds a thread,
# GenflowWatchThreads bounds it, and a client that leaves makes room.
use Genflow::Test;
use Genflow::Wait;

use Genflow::Tab ();
use Genflow::Tls ();

use constant { PLACES => 2, SOON => 60 };

my $modules = $ENV{GENFLOW_LIBEXEC};
my $bound   = 'GenflowWatchThreads ' . PLACES . "\nGenflowWatchUser 100\n";
my $threads = "ThreadsPerChild 8\nThreadLimit 8\nMaxRequestWorkers 8\nServerLimit 1\n$bound";
my $has_h2  = -e "$modules/mod_http2.so" && `curl --version 2>&1` =~ /\bHTTP2\b/;
my $tls     = Genflow::Tls->new;
my @WAYS    = (
    {
        name    => 'HTTP/2',
        mpm     => 'event',
        lines   => "LoadModule http2_module $modules/mod_http2.so\nProtocols h2c http/1.1\nH2MaxWorkers 64\n$threads",
        options => ['--http2-prior-knowledge'],
        blocks  => 1,
        missing => !$has_h2 && 'there is no mod_http2, or no curl that speaks it',
    },
    {
        name   => 'threads of the event MPM',
        mpm    => 'event',
        lines  => "GenflowWatchMode block\n$threads",
        blocks => 1,
    },
    {
        name    => 'threads of the worker MPM',
        mpm     => 'worker',
        lines   => $threads,
        blocks  => 1,
        missing => !-e "$modules/mod_mpm_worker.so" && 'there is no worker MPM',
    },
    {
        name    => 'processes of prefork',
        mpm     => 'prefork',
        lines   => "MaxRequestWorkers 24\nGenflowWatchUser 100\n",
        missing => !-e "$modules/mod_mpm_prefork.so" && 'there is no prefork MPM',
    },
    {
        name    => 'TLS',
        mpm     => 'event',
        lines   => ($tls ? $tls->lines : '') . "GenflowWatchUser 100\n",
        options => ['-k', '--http1.1'],
        base    => $tls && $tls->base,
        missing => !$tls && 'there is no mod_ssl, or no openssl',
    },
);

for my $way (@WAYS) {
    SKIP: {
        skip "$way->{name}: $way->{missing}", 1 if $way->{missing};
        stream_over($way);
    }
}
talk_to();
finish;

sub stream_over {
    my ($way) = @_;
    my $name  = $way->{name};
    my $user  = account(50);
    my $httpd = do {
        local $ENV{GENFLOW_MPM} = $way->{mpm};
        wait_site(0, $way->{lines});
    };
    my $open = sub {
        my ($last) = @_;
        return Genflow::Tab->by_curl(($way->{base} // $httpd->base) . '/api/events', $user, $last,
            @{ $way->{options} // [] });
    };

    my ($one, $other) = ($open->(), $open->());
    is $_->next_event->{event}, 'balance', "$name: a stream begins" for $one, $other;
    is api(GET => '/api/health')->{status}, 200, '... beside which other requests are served';
    my $id = waiting_generation($user);
    is_deeply [map { $one->next_event->{event} } 1 .. 2], [qw(generation balance)], '... a generation begins';
    change_generation($id, 'half of it');
    my $half = $one->next_event;
    is_deeply $half->{data}{logs}, ['half of it'], '... its progress';
    cancel_generation($id);
    my @end = map { $one->next_event } 1 .. 2;
    is_deeply [$end[0]{data}{status}, $end[1]{data}{held}], ['cancelled', 0], '... its end, and the credits';
    my $there;
    do { $there = $other->event_of($id) } while %$there && $there->{data}{status} ne 'cancelled';
    is_deeply [map { $_->{data} } $there, $other->next_event], [map { $_->{data} } @end],
        '... which another client gets, too';
    is_full($name, $user, $open, @{ $way->{options} // [] }) if $way->{blocks};
    Genflow::Tab->close_all;

    my ($back, $first) = begun($open, $half->{id});
    is_deeply [map { @$_{qw(event data)} } $first, $back->next_event], [map { @$_{qw(event data)} } @end],
        '... a client that comes back gets what came since';
    grant($user, 1);
    is $back->next_event->{data}{balance}, 51, '... and what comes next';
    is +(begun($open, "$half->{id}-1-x"))[1]{event}, 'reset', '... an id that is none is a reset';
    Genflow::Tab->close_all;
    is $httpd->alarms, '', '... nothing is wrong in the log';
    $httpd->stop;
    return;
}

# A stream, and its first event: at once, or when one that was closed has made room.
sub begun {
    my ($open, $last) = @_;
    my ($tab, $event);
    wait_for { $tab = $open->($last); $event = $tab->next_event; %$event };
    return ($tab, $event);
}

# All places are taken; a client that leaves makes room.
sub is_full {
    my ($name, $user, $open, @options) = @_;
    my @get = ('curl', '-s', '-m', SOON, '-w', '%{http_code}', @options, '-H', "X-User: $user", base() . '/api/events');
    open my $curl, '-|', @get or die "curl: $!\n";
    my $answer = do { local $/ = undef; <$curl> };
    like $answer, qr/QUEUE_FULL.*503\z/s, "$name: one more than its threads is refused";
    close $curl;
    Genflow::Tab->close_all;
    is +(begun($open))[1]{event}, 'balance', '... a client that leaves makes room';
    return;
}

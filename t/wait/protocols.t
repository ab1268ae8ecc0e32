#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Requests wait over TLS as over plain HTTP, without a thread. Those of HTTP/2 hold one each: they are
# bounded by GenflowWatchThreads, and the others are answered at once.
use Genflow::Test;
use Genflow::Wait;
use POSIX ();

use Genflow::Tls ();

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 8, MANY => 30 };

my $user   = account(50);
my $status = '/api/' . wait_type() . '/status';

# ---- TLS ----

SKIP: {
    my $tls = Genflow::Tls->new or skip 'there is no mod_ssl, or no openssl', 4;
    my $httpd = wait_site(THREADS, $tls->lines . "GenflowWatchUser 100\n");
    my $id  = waiting_generation($user);
    my $out = curl($tls->base . "$status?id=$id", '-k', '--http1.1');
    ok all_wait(MANY), MANY . ' requests over TLS wait in a child of ' . THREADS . ' threads';
    is api(GET => '/api/health')->{status}, 200, '... another one is served';
    cancel_generation($id);
    is_deeply [codes($out)], [(200) x MANY], '... all are answered';
    is $httpd->alarms, '', '... nothing is wrong in the log';
    $httpd->stop;
}

# ---- HTTP/2 ----

SKIP: {
    my $module = "$ENV{GENFLOW_LIBEXEC}/mod_http2.so";
    skip 'there is no mod_http2, or no curl that speaks it', 3
        if !-e $module || `curl --version 2>&1` !~ /\bHTTP2\b/;
    my $httpd = wait_site(THREADS, <<"END");
LoadModule http2_module $module
Protocols h2c http/1.1
H2MaxWorkers 64
GenflowWatchThreads 6
GenflowWatchUser 100
END
    my $id  = waiting_generation($user);
    my $out = curl($httpd->base . "$status?id=$id", '--http2-prior-knowledge');
    my @early = map { scalar <$out> } 1 .. MANY - 6;
    is_deeply [map { 0 + $_ } @early], [(200) x (MANY - 6)], 'of streams of HTTP/2 6 wait';
    is api(GET => '/api/health')->{status}, 200, '... another request is served';
    cancel_generation($id);
    is_deeply [codes($out)], [(200) x 6], '... all are answered';
    $httpd->stop;
}
talk_to();
finish;

# MANY requests side by side, which prefer to wait; their status codes come as they end.
sub curl {
    my ($url, @options) = @_;
    pipe my $out, my $codes or die "pipe: $!\n";
    defined(my $pid = fork) or die "fork: $!\n";
    return $out if $pid;
    open STDERR, '>&', $codes or POSIX::_exit(127);      # curl writes to it without a buffer
    exec 'curl', '--no-progress-meter', '-Z', '--parallel-immediate', '--parallel-max', MANY, @options,
        '-H', "X-User: $user", '-H', 'Prefer: wait=60', '-w', '%{stderr}%{http_code}\n',
        map { ('-o', '/dev/null', $url) } 1 .. MANY
        or POSIX::_exit(127);
}

sub codes {
    my ($out) = @_;
    return map { 0 + $_ } grep { /\A\d+\n\z/ } <$out>;
}

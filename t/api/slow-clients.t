#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# 200 clients send their headers byte by byte, more of them than httpd has worker threads. With the
# RequestReadTimeout line that README gives (its times shortened) others are still answered.
use Genflow::Test;

use IO::Socket::INET;
use Time::HiRes qw(sleep time);

use Genflow::Httpd qw(small_site);
use Genflow::Site ();

use constant { CLIENTS => 200, HEADER_TIME => 3 };

my ($line) = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/README.md") =~ /^ +(RequestReadTimeout .*)$/m;
ok $line, 'README has a line against slow clients';
my $time = HEADER_TIME . '-' . 2 * HEADER_TIME;
ok $line =~ s/header=\d+-\d+/header=$time/, '... with a time for headers';
my $httpd = Genflow::Httpd->start(small_site() . <<"END");
Include "\${GENFLOW_WORK}/t/conf/api.conf"
<IfModule !mpm_prefork_module>
    ServerLimit 2
    StartServers 2
    ThreadsPerChild 25
    MaxRequestWorkers 50
</IfModule>
$line
END

my ($address) = $httpd->base =~ m{http://(.*)};
my @slow = map { IO::Socket::INET->new(PeerAddr => $address, Timeout => 5) // () } 1 .. CLIENTS;
is scalar @slow, CLIENTS, CLIENTS . ' clients connect';
$_->autoflush(1) for @slow;
local $SIG{PIPE} = 'IGNORE';
$_->syswrite("GET /api/health HTTP/1.1\r\nX-Slow: ") for @slow;

# They go on for as long as they are let, in a process of their own.
my $pid = fork // die "fork: $!\n";
if (!$pid) {
    my $end = time + 60;
    while (time < $end) {
        $_->syswrite('x') for @slow;
        sleep 0.5;
    }
    POSIX::_exit(0);
}
my $begun  = time;
my $client = HTTP::Tiny->new(timeout => 10 * HEADER_TIME, keep_alive => 0);
my @answers = map { $client->get($httpd->base . '/api/health')->{status} } 1 .. 3;
is_deeply \@answers, [200, 200, 200], 'health answers';
diag sprintf '%d slow clients, 50 threads, headers may take %s s: 3 answers after %.1f s', CLIENTS, $time, time - $begun;
kill KILL => $pid;
waitpid $pid, 0;
$httpd->stop;
finish;

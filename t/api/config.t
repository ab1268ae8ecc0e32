#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A value that a directive cannot take stops `httpd -t`, and the message names the directive, the
# value and what it may be; so does a directive at the wrong place. The smallest and the largest
# values pass.
use Genflow::Test;

use Genflow::Httpd qw(accepted refused);

# Where a directive stands.
my %AROUND = (
    server   => "%s\n",
    provider => "<GenflowProvider local>\n%s\n</GenflowProvider>\n",
    type     => "<GenflowType sketch>\n%s\n</GenflowType>\n",
    host     => "<VirtualHost *:1>\n%s\n</VirtualHost>\n",
);

my $DAYS   = '9223372036854775807h';      # more than 64 bits of microseconds
my @VALUES = (    # where, directive, bounds as the message tells them, wrong values
    [server => 'GenflowDispatch',        'On or Off',       qw(1 maybe)],
    [server => 'GenflowDispatchJobs',    '1 to 10000',      qw(0 10001 -1 many 5s 1e3), '9' x 20],
    [server => 'GenflowDispatchWriters', '1 to 32',         qw(0 33 2.5)],
    [server => 'GenflowDispatchLease',   '1s to 10m',       qw(999ms 601s 1d -1s 1.5s s), $DAYS],
    [server => 'GenflowDispatchPoll',    '50ms to 1m',      qw(49ms 61s)],
    [server => 'GenflowDispatchDrain',   '0s to 10m',       qw(-1s 601s)],
    [server => 'GenflowBodyMax',         '1k to 100m',      qw(1023 101m 1t), '9' x 18 . 'g'],
    [server => 'GenflowWatchWait',       '0s to 10m',       qw(-1s 601s)],
    [server => 'GenflowWatchMode',       'park, block or off', qw(1 on suspend)],
    [server => 'GenflowWatchMax',        '0 to 100000',     qw(-1 100001)],
    [server => 'GenflowWatchThreads',    '0 to 10000',      qw(-1 10001)],
    [server => 'GenflowWatchUser',       '1 to 100000',     qw(0 100001)],
    [server => 'GenflowPendingLifetime', '1s to 24h',       qw(999ms 25h soon)],
    [server => 'GenflowStoreMaxBytes',   '1k to 1g',        qw(1023 2g)],
    [server => 'GenflowStoreMaxPixels',  '1 to 1073741824', qw(0 1073741825 1m)],
    [server => 'GenflowCreditReserveLifetime', '1s to 24h',     qw(999ms 25h)],
    [server => 'GenflowCreditDay', 'a time zone like UTC or Europe/Berlin, or rolling',
                                                        qw(Mars/Phobos Europe ../UTC Rolling 24h)],
    [server => 'GenflowStoreUrl', 'a path like /generated or an http(s) address',
                                                            qw(generated ftp://a.example/)],
    [provider => 'GenflowProviderUrl', 'an http(s) address', qw(a.example /path ftp://a https://)],
    [provider => 'GenflowProviderConnectTimeout', '10ms to 5m',  qw(9ms 301s)],
    [provider => 'GenflowProviderDeadline',       '100ms to 1h', qw(99ms 61m)],
    [provider => 'GenflowProviderPoll',           '10ms to 5m',  qw(9ms 301s)],
    [provider => 'GenflowProviderListWait',       '1s to 5m',    qw(999ms 301s)],
    [provider => 'GenflowProviderBackoff',        '0s to 5m',    qw(-1s 301s)],
    [provider => 'GenflowProviderBackoffMax',     '0s to 1h',    qw(-1s 61m)],
    [type => 'GenflowTypeCost',      '0 to 1000000', qw(-1 1000001 two)],
    [type => 'GenflowTypeRetries',   '0 to 10',      qw(-1 11)],
    [type => 'GenflowTypeLifetime',  '1s to 24h',    qw(999ms 25h)],
    [type => 'GenflowTypePromptMin', '0 to 1000',    qw(-1 1001)],
    [type => 'GenflowTypePromptMax', '1 to 10000',   qw(0 10001)],
    [type => 'GenflowTypeTwoStep',   'On or Off',    qw(1 yes)],
    [type => 'GenflowTypePriorityMax', 'low, normal or high', qw(1 highest)],
);
for my $row (@VALUES) {
    my ($where, $directive, $bounds, @wrong) = @$row;
    refused("$directive $_", sprintf($AROUND{$where}, "$directive $_"),
        "$directive $_: must be $bounds") for @wrong;
    refused("$directive elsewhere", "$directive 1\n", "$directive belongs inside <")
        if $where ne 'server';
    refused("$directive in a virtual host",
        sprintf($AROUND{host}, sprintf $AROUND{$where}, "$directive 1"),
        'cannot occur within <VirtualHost>');
}
for my $end (0, 1) {
    my $lines = join '', threads(14_000), map {
        my ($where, $directive, $bounds) = @$_;
        my @bounds = $bounds =~ /\A(\S+) (?:to|or) (\S+)\z/;
        @bounds ? sprintf $AROUND{$where}, "$directive $bounds[$end]" : ();
    } @VALUES;
    accepted($end ? 'each largest value' : 'each smallest value', $lines);
}

accepted("a day of $_", "GenflowCreditDay $_\n") for qw(UTC rolling Europe/Berlin Etc/GMT+12);

# A request that waits may hold a thread; a few are left for the others. Under prefork each is a process.
if ($ENV{GENFLOW_MPM} ne 'prefork') {
    for my $threads (64, 24, 3, 1) {
        my $most = int $threads * 3 / 4;
        accepted("$most waiters of $threads threads", threads($threads) . "GenflowWatchThreads $most\n");
        refused('one more', threads($threads) . 'GenflowWatchThreads ' . ($most + 1) . "\n",
            'GenflowWatchThreads ' . ($most + 1) . ": must be 0 to $most, three quarters of ThreadsPerChild"
                . " $threads");
    }
    accepted('one thread, and nothing said of waiters', threads(1));
}

sub threads {
    my ($count) = @_;
    return <<"END";
<IfModule !mpm_prefork_module>
    ServerLimit 1
    ThreadLimit $count
    ThreadsPerChild $count
    MaxRequestWorkers $count
</IfModule>
END
}

finish;

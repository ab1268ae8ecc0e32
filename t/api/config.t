#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A value that a directive cannot take stops `httpd -t`, and the message names the directive, the
# value and its bounds; so does a directive at the wrong place. The smallest and the largest values
# pass. Every row of httpd/conf.c is tested here or in the file that %ELSEWHERE names.
use Genflow::Test;

use Genflow::Httpd qw(accepted refused);

# Where a directive stands.
my %AROUND = (
    server   => "%s\n",
    provider => "<GenflowProvider local>\n%s\n</GenflowProvider>\n",
    type     => "<GenflowType sketch>\n%s\n</GenflowType>\n",
    host     => "<VirtualHost *:1>\nGenflowRealm shop\n%s\n</VirtualHost>\n",
);

my $DAYS   = '9223372036854775807h';      # more than 64 bits of microseconds
my @HTTP   = ('an http(s) address', qw(a.example /path ftp://a https://));
my @VALUES = (    # where, directive, bounds as in the message, wrong values
    [server => 'GenflowDispatch',        'On or Off',       qw(1 maybe)],
    [server => 'GenflowPrepare',         'On or Off',       qw(1 transaction)],
    [server => 'GenflowCreditInitial',   '0 to 1000000',    qw(-1 1000001)],
    [server => 'GenflowCreditDaily',     '0 to 1000000',    qw(-1 1000001)],
    [server => 'GenflowCreditDailyMax',  '0 to 1000000000', qw(-1 1000000001)],
    [server => 'GenflowCreditDayLimit',  '0 to 1000000000', qw(-1 1000000001)],
    [server => 'GenflowCreditWeekLimit', '0 to 1000000000', qw(-1 1000000001)],
    [server => 'GenflowFeedOpen',        'On or Off',       qw(1 public)],
    [server => 'GenflowDispatchJobs',    '1 to 10000',      qw(0 10001 -1 many 5s 1e3), '9' x 20],
    [server => 'GenflowDispatchWriters', '1 to 32',         qw(0 33 2.5)],
    [server => 'GenflowDispatchLease',   '1s to 10m',       qw(999ms 601s 1d -1s 1.5s s), $DAYS],
    [server => 'GenflowDispatchPoll',    '50ms to 1m',      qw(49ms 61s)],
    [server => 'GenflowDispatchDrain',   '0s to 10m',       qw(-1s 601s)],
    [server => 'GenflowBodyMax',         '1k to 100m',      qw(1023 101m 1t), '9' x 18 . 'g'],
    [server => 'GenflowWatchWait',       '0s to 10m',       qw(-1s 601s)],
    [server => 'GenflowFrontWait',       '100ms to 10m',    qw(99ms 11m)],
    [server => 'GenflowPollAfter',       '100ms to 10m',    qw(99ms 11m)],
    [server => 'GenflowPollAfterMax',    '100ms to 10m',    qw(99ms 11m)],
    [server => 'GenflowWatchMode',       'park, block or off', qw(1 on suspend)],
    [server => 'GenflowWatchMax',        '0 to 100000',     qw(-1 100001)],
    [server => 'GenflowWatchThreads',    '0 to 10000',      qw(-1 10001)],
    [server => 'GenflowWatchUser',       '1 to 100000',     qw(0 100001)],
    [server => 'GenflowLimitResponses',  '1 to 10000',      qw(0 10001)],
    [server => 'GenflowWatchEvents',     '1s to 24h',       qw(999ms 25h)],
    [server => 'GenflowLimitConcurrent', '0 to 100000',     qw(-1 100001)],
    [server => 'GenflowLimitQueue',      '0 to 1000000',    qw(-1 1000001)],
    [server => 'GenflowJanitorInterval', '0s to 24h',       qw(-1s 25h)],
    [server => 'GenflowJanitorJobs',     '1s to 8760h',     qw(999ms 8761h)],
    [server => 'GenflowJanitorKeys',     '1s to 8760h',     qw(999ms 8761h)],
    [server => 'GenflowJanitorCheck',    '0s to 8760h',     qw(-1s 8761h)],
    [server => 'GenflowJanitorMedia',    '0s to 87600h',    qw(-1s 87601h)],
    [server => 'GenflowAssetMaxBytes',   '1k to 100m',      qw(1023 101m)],
    [server => 'GenflowAssetMaxPixels',  '1 to 1073741824', qw(0 1073741825)],
    [server => 'GenflowAssetMaxTotal',   '1k to 1g',        qw(1023 2g)],
    [server => 'GenflowAssetLifetime',   '1m to 8760h',     qw(59s 8761h)],
    [server => 'GenflowWebhookTimeout',  '100ms to 5m',     qw(99ms 301s)],
    [server => 'GenflowWebhookShared',   'On or Off',       qw(1 yes)],
    [server => 'GenflowPendingLifetime', '1s to 24h',       qw(999ms 25h soon)],
    [server => 'GenflowStoreMaxBytes',   '1k to 1g',        qw(1023 2g)],
    [server => 'GenflowStoreMaxPixels',  '1 to 1073741824', qw(0 1073741825 1m)],
    [server => 'GenflowStoreOverwrite',  'On or Off',       qw(1 yes)],
    [server => 'GenflowStorePublicId',   'generation, run or bare', qw(On runId)],
    [server => 'GenflowStoreCacheTime',  '0s to 8760h',     qw(-1s 8761h soon)],
    [server => 'GenflowStoreStrict',     'On or Off',       qw(1 yes)],
    [server => 'GenflowCreditReserveLifetime', '1s to 24h',     qw(999ms 25h)],
    [server => 'GenflowCreditDay', 'a time zone like UTC or Europe/Berlin, or rolling',
                                                        qw(Mars/Phobos Europe ../UTC Rolling 24h)],
    [server => 'GenflowPublicUrl',      'an http(s) address', qw(a.example ftp://a https://)],
    [server => 'GenflowStoreApi',       'an http(s) address', qw(a.example ftp://a https://)],
    [server => 'GenflowStorePublicUrl', 'an http(s) address', qw(a.example ftp://a https://)],
    [server => 'GenflowStoreUrl', 'a path like /generated or an http(s) address',
                                                            qw(generated ftp://a.example/)],
    [provider => 'GenflowProviderUrl',      @HTTP],
    [provider => 'GenflowProviderHookKeys', @HTTP],
    [provider => 'GenflowProviderConnectTimeout', '10ms to 5m',  qw(9ms 301s)],
    [provider => 'GenflowProviderDeadline',       '100ms to 1h', qw(99ms 61m)],
    [provider => 'GenflowProviderPoll',           '10ms to 5m',  qw(9ms 301s)],
    [provider => 'GenflowProviderListWait',       '1s to 5m',    qw(999ms 301s)],
    [provider => 'GenflowProviderBackoff',        '0s to 5m',    qw(-1s 301s)],
    [provider => 'GenflowProviderBackoffMax',     '0s to 1h',    qw(-1s 61m)],
    [provider => 'GenflowProviderBreakerFailures', '0 to 1000',  qw(-1 1001)],
    [provider => 'GenflowProviderBreakerOpen',    '0s to 24h',   qw(-1s 25h)],
    [provider => 'GenflowProviderPrice', '1 to 1000000000000', qw(0 1000000000001)],
    [type => 'GenflowTypeCost',      '0 to 1000000', qw(-1 1000001 two)],
    [type => 'GenflowTypeFallbackCost', '0 to 1000000', qw(-1 1000001)],
    [type => 'GenflowTypeUnknown',   'fail or next', qw(On retry)],
    [type => 'GenflowTypeRetries',   '0 to 10',      qw(-1 11)],
    [type => 'GenflowTypeLifetime',  '1s to 24h',    qw(999ms 25h)],
    [type => 'GenflowTypePromptMin', '0 to 1000',    qw(-1 1001)],
    [type => 'GenflowTypePromptMax', '1 to 10000',   qw(0 10001)],
    [type => 'GenflowTypeTwoStep',   'On or Off',    qw(1 yes)],
    [type => 'GenflowTypeEmptyFails', 'On or Off',   qw(1 yes)],
    [type => 'GenflowTypePresetWindow', '0 to 100', qw(-1 101)],
    [type => 'GenflowTypeSource', 'none, optional or required', qw(maybe On)],
    [type => 'GenflowTypePriorityMax', 'low, normal or high', qw(1 highest)],
);
my @SECRETS = (
    (map { [server => $_] } qw(GenflowStoreKey GenflowStoreSecret GenflowWebhookSecret
        GenflowWebhookSecretOld GenflowAdminPassword)),
    (map { [provider => $_] } qw(GenflowProviderKey GenflowProviderHookSecret)),
);
my %ELSEWHERE = (    # what has no bounds, or a setter of its own: the test of its values
    (map { $_ => 't/api/limits.t' } qw(GenflowLimitRate GenflowLimitAddressRate)),
    GenflowLimitKeyRate => 't/api/keys-authn.t',
    (map { $_ => 't/api/config-sections.t' } qw(GenflowFetchAllow GenflowSourceAllow
        GenflowProviderKind GenflowTypeProviders GenflowStoreFolder
        GenflowUser GenflowBase)),
    (map { $_ => 't/lib/Genflow/Shelf.pm' } qw(GenflowStoreKind GenflowStoreAccount
        GenflowStoreRegion GenflowStorePrefix)),
    (map { $_ => 't/provider/store-shipped.t' } qw(GenflowStoreAssetFolder GenflowStoreUploadPreset
        GenflowStoreThumbnail)),
    GenflowCloudinarySign => 't/legacy/sign.t',
    GenflowWebhookAllow   => 't/api/webhook-bad.t',
    GenflowRealm          => 't/api/config-site.t',
    GenflowAdminDatabase  => 't/api/roles.t',
    (map { $_ => 't/api/config.t' } qw(GenflowProviderHeader GenflowTypeFallback)),
    GenflowProviderBudget => 't/api/budget.t',
    (map { $_ => 't/api/admin-money.t' } qw(GenflowProviderCost GenflowCreditValue)),
    GenflowTypeParameter  => 't/api/price.t',
    GenflowTypePrice      => 't/api/type-price.t',
    (map { $_ => 't/api/type-list.t' } qw(GenflowTypeLabel GenflowTypeText)),
    GenflowSignOutUrl     => 't/api/me.t',
    GenflowPath           => 't/api/config-site.t',
    GenflowLegacyNames    => 't/api/legacy.t',
    GenflowBodyUnknown    => 't/api/known.t',
    GenflowCorsOrigin     => 't/api/cors.t',
    GenflowModel          => 't/front/models.t',
    (map { $_ => 't/api/studio.t' } qw(GenflowStudioFolder GenflowStudioApi GenflowStudioTitle GenflowStudioLogo
        GenflowStudioLink)),
);

# ---- every directive has a test ----

my %bounds = map { $_->[1] => $_->[2] } @VALUES;
my %secret = map { $_->[1] => 1 } @SECRETS;
my $table  = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/mod_genflow/httpd/conf.c");
my @rows;
push @rows, [$1, $2, $3]
    while $table =~ /\bROW\("(\w+)",\s*IN_\w+,\s*IS_(\w+),[^"]*"([^"]*)"/g;
my %whole = map { $_ => 1 } $table =~ /\bROW\("(\w+)",\s*IN_HTTPD,/g;
cmp_ok scalar(keys %whole), '>', 10, '... some of the whole httpd';
my @setters = $table =~ /\bAP_INIT_\w+\("(Genflow\w+)"/g;
cmp_ok scalar(@rows), '>', 50, 'httpd/conf.c has rows';
for my $row (@rows) {
    my ($directive, $kind, $bounds) = @$row;
    next if $kind eq 'SECRET' ? $secret{$directive} : $ELSEWHERE{$directive};
    is $bounds{$directive}, $bounds || $bounds{$directive} || 'a row in @VALUES',
        "$directive has a test of its bounds";
}
for my $directive (@setters, sort keys %ELSEWHERE) {
    my $test = $ELSEWHERE{$directive} || 'none';
    ok Genflow::Site::read_text("$ENV{GENFLOW_WORK}/$test") =~ /\b$directive\b/,
        "$directive has a test: $test";
}

# ---- values and places ----

for my $row (@VALUES) {
    my ($where, $directive, $bounds, @wrong) = @$row;
    refused("$directive $_", sprintf($AROUND{$where}, "$directive $_"),
        "$directive $_: must be $bounds") for @wrong;
    refused("$directive elsewhere", "$directive 1\n", "$directive belongs inside <")
        if $where ne 'server';
    refused("$directive in a virtual host", sprintf($AROUND{host}, "$directive 1"),
        "$directive is of the whole httpd") if $whole{$directive};
}
for my $row (@SECRETS) {
    my ($where, $directive) = @$row;
    refused("$directive with the secret itself", sprintf($AROUND{$where}, "$directive hunter2"),
        "$directive: must be env:NAME or file:PATH");
}
for my $end (0, 1) {
    my $lines = join '', threads(14_000), map {
        my ($where, $directive, $bounds) = @$_;
        my @bounds = $bounds =~ /\A(\S+) (?:to|or) (\S+)\z/;
        @bounds ? sprintf $AROUND{$where}, "$directive $bounds[$end]" : ();
    } @VALUES;
    accepted($end ? 'each largest value' : 'each smallest value', $lines);
    my $own = join '', map {
        my ($where, $directive, $bounds) = @$_;
        my @bounds = $bounds =~ /\A(\S+) (?:to|or) (\S+)\z/;
        @bounds && !$whole{$directive} ? sprintf $AROUND{$where}, "$directive $bounds[$end]" : ();
    } @VALUES;
    $own =~ s/(<GenflowType sketch>\n)/$1GenflowTypeProviders local\n/;
    accepted('... and of a virtual host', sprintf $AROUND{host}, $own);
}

# A header would replace the one that carries the key.
for my $name (qw(Authorization content-type Content-Length host), 'X_Key', 'X Key') {
    refused("GenflowProviderHeader $name",
        sprintf($AROUND{provider}, qq(GenflowProviderHeader "$name" x)),
        "GenflowProviderHeader $name: must be a header's name of A-Z a-z 0-9 and -");
}
refused('GenflowProviderHeader with the header of the provider\'s key',
    "LoadModule genflow_sample_module \"\${GENFLOW_WORK}/modules/mod_genflow_sample.so\"\n"
        . sprintf($AROUND{provider}, 'GenflowProviderHeader X-Key y') =~ s/local/sample/r,
    'GenflowProviderHeader x-key: this header carries its key; use GenflowProviderKey');
refused("GenflowTypeFallback $_", sprintf($AROUND{type}, "GenflowTypeFallback $_"),
    "GenflowTypeFallback $_: needs a <GenflowProvider> that draws here") for qw(absent stability/sd3);
accepted('a header of another name', sprintf $AROUND{provider}, 'GenflowProviderHeader X-Site a');

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

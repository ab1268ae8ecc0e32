#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A host that cannot connect to a provider, which others reach, leaves its jobs to them: it does not
# use up their retries, nor opens the breaker for all.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;

my $JOBS = 20;

# Two hosts of a type of their own; one of them reaches no provider.
sub host {
    my ($url) = @_;
    return Genflow::Httpd->start(<<"END");
Include "\${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
GenflowStoreFolder "\${GENFLOW_WORK}/store"
GenflowDispatchPoll 50ms
<GenflowProvider far>
    GenflowProviderKind stability
    GenflowProviderUrl $url
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderConnectTimeout 1s
    GenflowProviderBackoff 1s
    GenflowProviderBreakerFailures 5
</GenflowProvider>
<GenflowType far>
    GenflowTypeProviders far/sd3
    GenflowTypeCost 1
    GenflowTypeRetries 1
</GenflowType>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END
}

sql("SELECT genflow.create_type('far')");
my $cut  = host('http://127.0.0.1:1');
my $good = host($ENV{GENFLOW_FAKE});

my @made;
for my $i (1 .. $JOBS) {
    my $user = account(10);
    talk_to($i % 2 ? $cut : $good);
    push @made, [$user, later($user, { type => 'far', prompt => "job $i [$user]" })];
}
talk_to($good);
my @ends = map { ended(@$_, 'far') } @made;
is_deeply [grep { $_->{status} ne 'completed' } @ends], [], 'every generation completes';
is_deeply [grep { submissions("[$_->[0]]") != 1 } @made], [], '... and was sent once';
my $retries = 0;
$retries += $_->{retryCount} for @ends;
cmp_ok $retries, '<=', $JOBS / 2, 'what fails before the host notices costs a retry, what comes later none';
is sql1("SELECT state FROM genflow.breakers() WHERE provider = 'far' AND state <> 'closed'"), undef,
    'the breaker stays closed for all';
my @lines = $cut->log_text =~ /GF0620: .*cannot reach far: /g;
is scalar @lines, 1, 'the log of the host says so, once';
unlike $good->log_text, qr/GF0620/, '... and of no other';
my $user = account(10);
talk_to($cut);
my $id = later($user, { type => 'far', prompt => 'later' });
my $left = wait_for { $cut->log_text =~ /GF0622: job=\Q$id\E / || $cut->log_text =~ /GF0415: job=\Q$id\E / };
ok $left, 'what is begun there is left to others';
is ended($user, $id, 'far')->{status}, 'completed', '... who complete it';

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A model that its provider does not know is logged once, not at each attempt of its breaker,
# and once more after it was known in between. Waits between attempts stay within their cap.
use Genflow::Test;

use Genflow::Httpd ();

sql("SELECT genflow.create_type('unknown-model')");
my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowFetchAllow 127.0.0.1
GenflowDispatchPoll 50ms
<GenflowProvider odd>
    GenflowProviderKind replicate
    GenflowProviderUrl "${GENFLOW_FAKE}/replicate/v1"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 50ms
    GenflowProviderBackoff 100ms
    GenflowProviderBackoffMax 100ms
    GenflowProviderBreakerFailures 0
    GenflowProviderBreakerOpen 500ms
</GenflowProvider>
<GenflowType unknown-model>
    GenflowTypeProviders odd/black-forest-labs/flux-dev
    GenflowTypeCost 1
    GenflowTypeRetries 8
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($httpd);

my $user = account(20);

sub made {
    my ($script) = @_;
    my $id = later($user, { type => 'unknown-model', prompt => "{{$script}} [$user]" });
    return ended($user, $id, 'unknown-model')->{status};
}

sub lines { my @lines = $httpd->log_text =~ /GF0407: /g; return scalar @lines }

sub try_when_it_may {
    wait_for {
        !sql1("SELECT 1 FROM genflow.breakers() WHERE provider = 'odd' AND state = 'open'");
    };
    return made(@_);
}

is made('status=404'), 'failed', 'a model that is not known fails';
is lines(), 1, '... and the log says why';
is try_when_it_may('status=404'), 'failed', 'the attempt after a while fails, too' for 1, 2;
is lines(), 1, '... and the log has said it';
is try_when_it_may(''), 'completed', 'one that is known again completes';
is try_when_it_may('status=404'), 'failed', 'and when it is not once more';
is lines(), 2, '... the log says so';

sql("DELETE FROM genflow.breakers WHERE provider = 'odd'");
is made('status=503 untaken'), 'failed', 'failures to the end are retried';
my @waits = $httpd->log_text =~ /GF0415: .* retry queued in (\d+) ms/g;
is scalar @waits, 8, '... as often as they may be';
is_deeply [grep { $_ > 100 } @waits], [], '... never after more than GenflowProviderBackoffMax';

finish;

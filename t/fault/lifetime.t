#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation that ends before its provider does: the module cancels the run. No wait, however
# long, goes past a deadline.
use Genflow::Fault;
use Genflow::Test;

expect_log 'GF0201';

sql("SELECT genflow.create_type(:'type')", type => $_) for qw(brief slow-poller);
ok configure(<<'END'), 'a life shorter than what the provider gets, and questions rarer than its end';
<GenflowProvider fal>
    GenflowProviderDeadline 60s
</GenflowProvider>
<GenflowType brief>
    GenflowTypeProviders fal/fal-ai/fast-sdxl
    GenflowTypeLifetime 10s
</GenflowType>
<GenflowProvider slow-poller>
    GenflowProviderKind replicate
    GenflowProviderUrl "${GENFLOW_FAKE}/replicate/v1"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderDeadline 3s
    GenflowProviderPoll 30s
</GenflowProvider>
<GenflowType slow-poller>
    GenflowTypeProviders slow-poller/a/b
</GenflowType>
END

my $user = account(10);
my $id   = later($user, { type => 'brief', prompt => "{{poll-hang}} [$user]" });
is ended($user, $id, 'brief')->{errorCode}, 'TIMEOUT', 'a brief life ends';
ok wait_for(sub { cancels("[$user]") }), '... and the run is cancelled at the provider';
credits_are $user, 10, 0, '... for nothing';

for my $script ('poll-hang', 'cut-before') {
    $user = account(10);
    my $start = time;
    $id = later($user, { type => 'slow-poller', prompt => "{{$script}} [$user]" });
    is ended($user, $id, 'slow-poller')->{errorCode}, 'TIMEOUT', "$script: rare polls end, too";
    cmp_ok time - $start, '<', 28, '... at the deadline, and not with the next poll after 30 s';
    credits_are $user, 10, 0, '... for nothing';
}
ok configure(''), 'all is as before';

finish;

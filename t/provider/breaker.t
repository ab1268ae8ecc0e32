#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The breaker of a provider's model: failures in a row open it, then nothing is sent, the next
# entry is used, and one generation probes after a while. A refused key opens it at once.
use Genflow::Test;

expect_log qw(GF0203 GF0205 GF0209 GF0403 GF0408);

my $user = account(40);

# Its end, and how often it was sent.
sub made {
    my ($type, $script, %more) = @_;
    my $mark = 'mark' . int(1e9 * rand);
    my $res  = generate($user, { type => $type, prompt => "{{$script}} $mark", %more },
        Prefer => 'wait=60');
    my $generation = ended($user, data($res)->{id}, $type);
    my $end  = $generation->{errorCode} // $generation->{provider};
    return join ' ', $end, submissions($mark);
}

sub breaker {
    my ($model) = @_;
    return sql1("SELECT state || ' ' || failures FROM genflow.breakers() WHERE provider = 'shaky'"
        . " AND model = :'model'", model => $model) // 'none';
}

my $mark = log_mark();
is made('shaky', 'status=503 times=2'), 'shaky 3', 'two failures in a row are retried';
is breaker('sd3'), 'none', '... and forgotten after a success';
is made('shaky', 'status=503', maxRetries => 0), 'MAX_RETRIES_EXCEEDED 1', 'one failure';
is breaker('sd3'), 'closed 1', '... is counted';
is made('shaky', 'status=503'), 'PROVIDER_UNAVAILABLE 2', 'the third in a row opens the breaker';
is breaker('sd3'), 'open 3', '... for all hosts';
is made('shaky', ''), 'PROVIDER_UNAVAILABLE 0', 'then nothing is sent';
like log_since($mark), qr{GF0408: job=\S+ .*breaker of shaky/sd3 opened}, '... and the log said why';
ok wait_for(sub { breaker('sd3') eq 'half-open 3' }), 'after a while one attempt is let through';
is made('shaky', 'status=503', maxRetries => 0), 'MAX_RETRIES_EXCEEDED 1', 'if it fails';
is breaker('sd3'), 'open 4', '... the time begins again';
ok wait_for(sub { breaker('sd3') eq 'half-open 4' }), 'and after it';
$mark = log_mark();
is made('shaky', ''), 'shaky 1', 'one that goes well';
is breaker('sd3'), 'none', '... closes it';
like log_since($mark), qr{GF0409: .*breaker of shaky/sd3 closed}, '... as the log says';

$mark = log_mark();
is made('shaky-relay', 'denied'), 'local 1', 'a refused key goes to the next provider';
is breaker('core'), 'open 1', '... and opens the breaker at once';
like log_since($mark), qr{GF0403: .*GenflowProviderKey}, '... with an alarm';
is made('shaky-relay', ''), 'local 0', 'the next generation goes there without a request to the provider';

is made('shaky', 'status=400'), 'API_ERROR 1', 'a refused request';
is made('shaky', 'filter'), 'CONTENT_FILTERED 1', '... or a filtered one';
is made('shaky', 'status=429 retry-after=0', maxRetries => 0), 'MAX_RETRIES_EXCEEDED 1', '... or one too many';
is breaker('sd3'), 'none', '... says nothing against the model';

my $spent = sql1("SELECT sum(cost) FROM (SELECT cost FROM public.shaky_media WHERE user_id = genflow.account_of(:'user')"
    . " AND status = 'completed' UNION ALL SELECT cost FROM public.shaky_relay_media"
    . " WHERE user_id = genflow.account_of(:'user') AND status = 'completed') AS made", user => $user);
credits_are $user, 40 - $spent, 0, 'pictures cost what they cost, the rest nothing';

finish;

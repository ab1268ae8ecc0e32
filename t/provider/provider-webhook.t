#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Replicate and fal send a webhook at the end of a run, long before the next poll. A webhook makes us poll, and
# only the answer counts: repeated, out of order, early or forged, there is one picture, one charge.
use Genflow::Cases;
use Genflow::Test;

use Genflow::FakeProvider ();
use Genflow::FakeProvider::Fal ();

my @CASES  = (
    # script, errorCode, what the reports were answered, the test's name
    ['hook', '', '200', 'a report'],
    ['hook=end,end', '', '200 200', 'a repeated report'],
    ['hook=end,other', '', '200 200', 'another one after the end'],
    ['hook=other,end', '', '200 200', 'another one before the end'],
    ['hook=forged,end', '', '401 200', 'a forged one before the genuine'],
    ['hook=end,forged', '', '200 401', 'a forged one after the genuine'],
    ['hook=stale,end', '', '401 200', 'one of ten minutes ago'],
    ['hook=blank,end', '', '400 200', 'one that names no run'],
    ['hook early', '', '200', 'one before we know the run\'s id'],
    ['hook=end,end early', '', '200 200', 'two before we know the run\'s id'],
    ['hook cut-before', '', '200', 'one of a run whose answer was lost'],
    ['hook early cut-before', '', '200', 'an early one of a run whose answer was lost'],
    ['hook early status=503 times=1', '', '200', 'one of a run whose submission seemed to fail'],
    ['hook empty', 'EMPTY_RESULT', '200', 'one of a run without a picture'],
);

expect_log qw(GF0124 GF0126 GF0206);

# ---- what is reported ----

for my $peer (qw(replicate fal)) {
    run_cases(type => "hook-$peer", id => 'provider_ref', cases => [
        map { [@$_[0, 1], $_->[1] || 'completed', "$peer: $_->[3]"] } @CASES ]);
    for my $case (@CASES) {
        my ($script, undef, $answers, $name) = @$case;
        my @sent = wait_for_webhooks("echo-hook-$peer", $script, $answers);
        is join(' ', map { $_->{status} } @sent), $answers, "$peer: $name: $answers";
    }
}

my @late = grep { $_->{status} == 503 } webhooks_sent('echo-hook-fal', "[provider-webhook-$$-");
ok @late, 'until its keys are here, fal has to come again';
is_deeply [ grep { !/\A\d+\z/ } map { $_->{retry_after} } @late ], [], '... and gets Retry-After';

# ---- and polled at the same time ----

for my $peer (qw(replicate fal)) {
    my $script = 'hook=end,end poll=1';
    run_cases(type => "echo-$peer", id => 'provider_ref', cases => [
        map { [$script, '', 'completed', "$peer: reported and polled, $_"] } 1 .. 6 ]);
    my @sent = wait_for_webhooks($peer, $script, '200 ' x 12);
    is_deeply [ grep { $_ != 200 } map { $_->{status} } @sent ], [], '... all of them are taken';
}

# ---- what comes from elsewhere ----

for my $peer (qw(replicate fal)) {
    my ($genuine) = wait_for_webhooks("echo-hook-$peer", 'hook', '200');
    my $url    = $genuine->{url};
    my $unknown_id = '0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b';
    my @rows   = (
        # how it differs from the genuine one, status, the test's name
        [{}, 200, 'repeated after the end'],
        [{ url => $url =~ s{[^/]+\z}{'0' x length $&}er }, 404, 'another token'],
        [{ url => $url =~ s{[^/]+\z}{'0' x length $&}er, headers => {} }, 404,
            'another token, before anybody looks at a signature'],
        [{ url => $url =~ s{[^/]+\z}{'0' x length $&}er, body => 'x' x (2 * 1024 * 1024) }, 404,
            'another token, before anybody reads the body'],
        [{ url => $url =~ s{[^/]+/\K[^/]+(?=/[^/]+\z)}{$unknown_id}r }, 404, 'another generation'],
        [{ url => $url =~ s{/hook/\K[^/]+}{nobody}r }, 404, 'a provider that is not there'],
        [{ url => $url =~ s{/hook/\K[^/]+}{stability}r }, 404, 'a provider that never reports'],
        [{ url => $url =~ s{/[^/]+\z}{}r }, 404, 'no token'],
        [{ headers => {} }, 401, 'no signature'],
        [{ body => "$genuine->{body} " }, 401, 'another body'],
        [{ body => 'x' x (10 * 1024 * 1024 + 1) }, 413, 'a body without end'],
    );
    for my $row (@rows) {
        my ($change, $status, $name) = @$row;
        is post(%$genuine, %$change), $status, "$peer: $name: $status";
    }
}

# ---- many forged ones ----

my ($genuine) = wait_for_webhooks('echo-hook-fal', 'hook', '200');
my $before  = key_requests();
my @answers = map {
    my %forged = Genflow::FakeProvider::Fal->signature($genuine->{body}, id => "forged$_",
        kind => 'forged', time => time);
    post(%$genuine, headers => \%forged);
} 1 .. 30;
is_deeply [ grep { $_ != 401 } @answers ], [], 'forged ones are refused, however many';
cmp_ok key_requests() - $before, '<=', 4, '... and do not make us request the keys each time';

# ---- parts ----

# The answers to the provider's webhooks about runs whose prompt contains this.
sub webhooks_sent {
    my ($provider, $text) = @_;
    my $match = $text =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger;
    my $res   = HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_hooks?match=$match");
    return grep { $_->{url} =~ m{/hook/$provider/} } @{ data($res) };
}

# ... which have exactly this script, when there are as many as answers; without what had to come
# again.
sub wait_for_webhooks {
    my ($provider, $script, $answers) = @_;
    my @sent;
    wait_for {
        @sent = grep { $_->{status} != 503 } webhooks_sent($provider, "{{$script}} [provider-webhook-$$-");
        @sent >= split ' ', $answers;
    };
    return @sent;
}

# The status that a report is answered with, when keys are there.
sub post {
    my (%report) = @_;
    my $status;
    wait_for {
        $status = api(POST => $report{url} =~ s{\Ahttp://[^/]+}{}r, headers => $report{headers},
            body => $report{body})->{status};
        $status != 503;
    };
    return $status;
}

sub key_requests {
    return HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_keys")->{content};
}

finish;

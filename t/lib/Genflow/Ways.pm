# SPDX-License-Identifier: Apache-2.0
#
# Every way in which the fake providers can answer, or not, as scripts to draw from
# (Genflow::FakeProvider says what the words do), and how often each may be sent at most.
#
#     my $script = draw("replicate");
#     is_sent_again("replicate", $script);          # then as often as there are retries

package Genflow::Ways;

use strict;
use warnings;

use parent 'Exporter';

our @EXPORT = qw(draw is_sent_again);

my @LOST       = qw(cut-before cut-after half);
my @REFUSED    = map { "status=$_" } qw(400 401 403 404 413 422);
my @BY_ADDRESS = map { "result=$_" } qw(gone private big slow empty garbage moved moved-private loop
    flaky cut once file);
my @RUNS = ('poll=2', 'poll=1 poll-status=500', 'poll=1 poll-status=404', 'poll-hang', 'html',
    'cut-before poll=2', 'json-error', 'gateway=cloudflare-522-json', 'gateway=envoy-503 poll=2');

# What is sent once, whatever the retries.
my %ONCE = (
    stability => ['', @LOST, @REFUSED,
        qw(delay=700 big=900000 poll=2 poll-hang poll-lost poll-filter payment moderation denied
            filter empty garbage html json-error gateway=cloudflare-524-html cut-during hang drip huge-image redirect big=52428801),
        'poll=1 poll-status=500', 'poll=1 poll-status=429'],
    aiml => ['', @LOST, @BY_ADDRESS,
        qw(delay=700 data b64 datauri nsfw empty html json-error gateway=aws-alb-502 hang), 'cut-before untaken'],
    openai => ['', @LOST, @REFUSED, @BY_ADDRESS,
        qw(delay=700 url datauri empty garbage html json-error gateway=aws-api-gateway-504 hang), 'status=400 type=moderation_blocked',
        'status=404 type=model_not_found', 'status=429 type=insufficient_quota'],
    replicate => ['', @LOST, @REFUSED, @BY_ADDRESS, @RUNS, 'hook=forged poll=2', 'hook=end poll=1',
        qw(delay=700 plain datauri nsfw empty failed=broken)],
    fal => ['', @LOST, @REFUSED, @BY_ADDRESS, @RUNS,
        qw(delay=700 single datauri nsfw empty hang), 'cut-before untaken',
        map { "failed=422,$_" } qw(content_policy_violation image_too_small no_media_generated)],
    hooks => ['hook', (map { "hook=$_" } 'end,end', 'end,other', 'other,end', 'forged,end',
            'end,forged', 'stale,end', 'blank,end'), 'hook early', 'hook=end,end early',
        'hook cut-before', 'hook early cut-before', 'hook empty', 'hook nsfw', 'hook delay=900'],
    local => [''],
);

# What has failed for sure, or was never taken.
my @AGAIN = ((map { "status=$_ times=1" } qw(500 502 503 504)), 'status=503',
    'status=429 retry-after=1 times=1');
my %AGAIN = (
    stability => \@AGAIN,
    openai    => \@AGAIN,
    aiml      => [@AGAIN, 'cut-before failed times=1', @REFUSED],    # lost: by its log
    replicate => [@AGAIN, 'failed=E1000 times=1', 'aborted times=1', 'cut-before untaken times=1',
        'hang untaken times=1'],
    fal   => [@AGAIN, 'failed=500,internal_server_error times=1'],
    hooks => [],
    local => [],
);

# A script for that provider: by chance.
sub draw {
    my ($provider) = @_;
    my @scripts = (@{ $ONCE{$provider} }, @{ $AGAIN{$provider} });
    return $scripts[rand @scripts];
}

sub is_sent_again {
    my ($provider, $script) = @_;
    return scalar grep { $_ eq $script } @{ $AGAIN{$provider} };
}

1;

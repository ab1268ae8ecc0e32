#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# genflow-metrics: closed until its own section requires something, in two formats, and counting
# what requests and generations did.
use Genflow::Metrics;
use Genflow::Test;

# ---- the door ----

expect_log 'GF0860';
my $user = account(10);
my $closed = api(GET => "/metrics-closed/$user");
is $closed->{status}, 403, 'without a Require of its own section the metrics are closed';
like $closed->{content}, qr/`Require ip /, '... and the answer says what to configure';
unlike $closed->{content}, qr/^genflow_/m, '... and nothing else';
is api(GET => '/metrics-around')->{status}, 403, 'a Require around the section does not open them';
is api(GET => '/metrics-around', headers => { Accept => 'application/openmetrics-text' })->{status}, 403,
    '... in any format';
is api(GET => '/metrics-denied')->{status}, 403, 'its own Require decides';
is api(GET => '/metrics')->{status}, 200, '... and may admit';
is api(GET => '/metrics-inside')->{status}, 200, 'a Require that a later section adds counts';
is api(POST => '/metrics', json => {})->{status}, 405, 'there is nothing to post';

# ---- the formats ----

my $text = api(GET => '/metrics');
is $text->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8',
    'the text of Prometheus is usual';
is $text->{headers}{'cache-control'}, 'no-store', '... and not cached';
my $open = api(GET => '/metrics', headers =>
        { Accept => 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' });
is $open->{headers}{'content-type'}, 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    'OpenMetrics comes by Accept';
like $open->{content}, qr/\n# EOF\n\z/, '... with its end';
is_deeply [grep { !/\A(?:# (?:HELP|TYPE) genflow_\w+ .+|genflow_\w+(?:\{(?:\w+="[^"]*",?)+\})? -?[\d.]+)\z/ }
        split /\n/, $text->{content}], [], 'each line is one of the format';
is_deeply wrong_histograms($text->{content}), [], 'buckets are cumulative and end with the count';
is_deeply promtool($text->{content}), [], 'promtool finds nothing wrong' if has_promtool();
note 'no promtool: support/packages metrics installs it' if !has_promtool();

# ---- requests ----

my %before = metrics();
api(GET => '/api/me', user => $user) for 1 .. 3;
api(GET => '/api/generation/none', user => $user);
api(GET => '/api/no-such-place', user => $user);
my %after = metrics();
is_grown(\%before, \%after, 'genflow_http_requests_total{route="api/me",method="GET",code="2xx"}', 3,
    'requests count by route');
is_grown(\%before, \%after,
    'genflow_http_requests_total{route="api/generation/{id}",method="GET",code="4xx"}', 1,
    '... as the table has it, with its code');
is_grown(\%before, \%after, 'genflow_http_requests_total{route="other",method="GET",code="4xx"}', 1,
    '... and unknown addresses under one name');
is_grown(\%before, \%after,
    'genflow_http_request_duration_seconds_count{route="api/me",code="2xx"}', 3, 'so do their times');
is_grown(\%before, \%after, 'genflow_http_requests_total{route="metrics",method="GET",code="2xx"}', 1,
    'the metrics themselves are a route');

# ---- generations ----

%before = metrics();
is data(generate($user, { type => 'neo-glitch', prompt => 'a lighthouse' }))->{status}, 'completed',
    'a picture is made';
%after = metrics();
is_grown(\%before, \%after, 'genflow_generation_duration_seconds_count{type="neo-glitch",outcome="completed"}',
    1, 'its time counts');
is_grown(\%before, \%after, 'genflow_provider_submissions_total{provider="stability"}', 1,
    '... its submission');
is_grown(\%before, \%after, 'genflow_provider_cost_total{provider="stability"}', 1, '... and its price');
is_grown(\%before, \%after,
    'genflow_provider_attempt_duration_seconds_count{provider="stability",result="succeeded"}', 1,
    '... and its attempt');
expect_log qw(GF0205);
%before = metrics();
generate($user, { type => 'neo-glitch', prompt => '{{status=503}} a lighthouse', maxRetries => 1 });
%after = metrics();
is_grown(\%before, \%after, 'genflow_provider_retries_total{provider="stability"}', 1, 'retries count');
is_grown(\%before, \%after,
    'genflow_provider_attempt_duration_seconds_count{provider="stability",result="failed"}', 2,
    '... and failed attempts');
is_grown(\%before, \%after, 'genflow_generation_duration_seconds_count{type="neo-glitch",outcome="failed"}',
    1, '... and failures');
cmp_ok $after{genflow_database_statement_duration_seconds_count}, '>',
    $before{genflow_database_statement_duration_seconds_count}, 'statements count';

# ---- what the database has ----

my $made = 'genflow_generations_created_total{type="neo-glitch"}';
my $read = wait_for { %after = metrics(); ($after{$made} // 0) >= 2 };
ok $read, 'the global values are read once someone looks';
cmp_ok $after{genflow_global_age_seconds}, '<', 3600, '... and say how old they are';
my $last = $after{genflow_credits_granted_total};
account(7);
my $fresh = wait_for { my %now = metrics(); $now{genflow_credits_granted_total} >= $last + 7 };
ok $fresh, 'they are read again while someone looks';
cmp_ok $after{genflow_store_free_bytes}, '>', 0, 'the disk has room';
my @help = api(GET => '/metrics')->{content} =~ /^# HELP genflow_credits_\w+ (.*)$/mg;
is_deeply [grep { !/Global: the same at every host/ } @help], [], 'global values say that they are';
cmp_ok scalar @help, '>=', 7, '... all of them';
is_deeply promtool(api(GET => '/metrics')->{content}), [], 'promtool finds nothing wrong with these'
    if has_promtool();
like((join ' ', %after), qr/genflow_info\{version="\d+\.\d+\.\d+\S*"\} 1/, 'the version is there');

finish;

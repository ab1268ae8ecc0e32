#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Our section of server-status: a table for people, and with ?auto a line for each value.
use Genflow::Metrics;
use Genflow::Test;

my $user = account(10);
is data(generate($user, { type => 'neo-glitch', prompt => 'a lighthouse' }))->{status}, 'completed',
    'a picture is made';
my %status = auto();
cmp_ok $status{GenflowHttpRequests}, '>', 0, 'server-status?auto has the requests';
cmp_ok $status{GenflowProviderSubmissions}, '>', 0, '... the submissions';
cmp_ok $status{GenflowGenerationDurationSeconds}, '>', 0, '... how many generations ended';
like $status{GenflowGenerationDurationSecondsMean}, qr/\A\d+(?:\.\d+)?\z/, '... after what time';
like $status{GenflowInfo}, qr/\A1\z/, '... and that the module is there';
is $status{ServerMPM} =~ /\w/, 1, '... beside what httpd says';
my $is_read = wait_for { my %now = auto(); ($now{GenflowGenerationsCreated} // 0) > 0 };
ok $is_read, 'a look at it has the global values read';

my %names = map { s/\{.*//r => 1 } keys %{ { metrics() } };
my %known = map { (keyed(s/_(?:total|count)\z//r) => 1) } keys %names;
%status = auto();
is_deeply [grep { !exists $status{$_} } grep { !/(?:Bucket|Sum)\z/ } sort keys %known], [],
    'it has every metric, under its name';

my $page = api(GET => '/server-status');
like $page->{content}, qr{<h2>mod_genflow \d}, 'the page has a section';
like $page->{content}, qr{<td title="Requests by route[^"]*">genflow_http_requests</td><td>\d+</td><td>route=&quot;},
    '... with sums and parts';

finish;

sub auto {
    my $res = api(GET => '/server-status?auto');
    return map { /\A(\w+): (.*)\z/ ? ($1 => $2) : () } split /\n/, $res->{content};
}

sub keyed {
    my ($name) = @_;
    return join '', map { ucfirst } split /_/, $name;
}

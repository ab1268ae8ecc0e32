#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The health endpoint shows a load balancer whether this server can work, and an operator what it is
# running. It needs no user.
use Genflow::Test;

my $res = api(GET => '/api/health');
is $res->{status}, 200, 'a server with its database is healthy';
like $res->{headers}{'content-type'}, qr{\Aapplication/json\b}, 'the answer is JSON';

my $health = data($res);
like $health->{status}, qr/\A(?:ok|degraded)\z/, 'the status is ok, or tests beside this one spend budgets and open breakers';
is $health->{status} eq 'ok', !@{ $health->{faults} }, '... which faults say';
is $health->{database}, 'ok', 'the database is ok';
is $health->{schema}, sql1('SELECT schema_version FROM genflow.health()'),
    'the schema is the version that was applied';
like $health->{version}, qr/\A\d+\.\d+\.\d+/, 'the version is the module\'s';

my $providers = $health->{providers};
is $providers->{usable}, $providers->{configured}, 'all providers have a key and a type';
sql("INSERT INTO genflow.breakers (provider, model, failures, reason, opened_at, open_until) VALUES"
    . " ('ill', 'm', 3, 'HTTP 503', now(), now() + interval '1 min'),"
    . " ('ill', '', 3, 'HTTP 503', now(), now() + interval '1 min'),"
    . " ('ill', 'mended', 3, 'HTTP 503', now(), now() - interval '1 min'),"
    . " ('ill', 'counted', 1, 'HTTP 503', NULL, NULL),"
    . " ('stability', 'ill', 3, 'HTTP 503', now(), now() + interval '1 min')");
my $ill = data(api(GET => '/api/health'));
is_deeply [grep { /^ill/ } @{ $ill->{providers}{open} }], ['ill', 'ill/m'], 'those that are, are named';
is $ill->{status}, 'degraded', '... and an open breaker of a provider that is in use is not ok';
ok scalar(grep { $_ eq 'provider_down' } @{ $ill->{faults} }), '... by a word';
sql("DELETE FROM genflow.breakers WHERE provider = 'ill' OR (provider, model) = ('stability', 'ill')");

is api(POST => '/api/health', json => {})->{status}, 405, 'there is nothing to post';

finish;

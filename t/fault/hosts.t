#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# DBDParams names two hosts. The one that all connections went to dies for good, and the other takes
# over some time later, as a standby that is promoted does: children that were there before find it.
use Genflow::Httpd ();
use Genflow::Proxy ();
use Genflow::Test;

my @hosts = (Genflow::Proxy->postgres, Genflow::Proxy->postgres);
$hosts[1]->refuse;
my $names = join ',', map { $_->host } @hosts;
my $site  = Genflow::Httpd->start(Genflow::Httpd::small_site() . <<"END");
DBDParams "host=$names dbname=$ENV{PGDATABASE} user=genflow_app application_name=mod_genflow \\
    connect_timeout=10 options='-c statement_timeout=5000 -c lock_timeout=5000'"
ServerLimit 1
MaxRequestWorkers 25
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($site);
my $user = account(5);
is api(GET => '/api/getQuota', user => $user)->{status}, 200, 'the first host answers';

$hosts[1]->cut;
$hosts[0]->stop;
ok wait_for { api(GET => '/api/getQuota', user => $user)->{status} == 503 },
    'it dies, and the other is no server yet';
ok wait_for { $site->log_text =~ /GF0121/ }, '... and the log says it';

$hosts[1]->admit;
ok wait_for { api(GET => '/api/getQuota', user => $user)->{status} == 200 },
    'the second host answers, and is found';
talk_to(undef);
$site->stop;

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Health and provider webhooks need no user where everything else requires one. What httpd
# refuses for another reason (an address, Require all denied) it refuses there, too.
use Genflow::Test;

use Genflow::Httpd;

my $BASIC = <<'END';
    SetHandler genflow-api
    AuthType Basic
    AuthName genflow
    AuthUserFile "${GENFLOW_WORK}/t/conf/users"
END
my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . <<"END");
LoadModule authz_host_module "\${GENFLOW_LIBEXEC}/mod_authz_host.so"
<Location "/user">
$BASIC
    Require valid-user
    GenflowPath up health
</Location>
<Location "/closed">
$BASIC
    Require all denied
</Location>
<Location "/elsewhere">
$BASIC
    Require ip 192.0.2.1
</Location>
<Location "/here">
$BASIC
    <RequireAll>
        Require ip 127.0.0.1
        Require valid-user
    </RequireAll>
</Location>
<Location "/user-elsewhere">
$BASIC
    <RequireAll>
        Require ip 192.0.2.1
        Require valid-user
    </RequireAll>
</Location>
<Location "/admin">
    SetHandler genflow-admin
    AuthType Basic
    AuthName genflow
    AuthUserFile "\${GENFLOW_WORK}/t/conf/users"
    Require user admin
</Location>
<Location "/generated">
    SetHandler genflow-result
    AuthType Basic
    AuthName genflow
    AuthUserFile "\${GENFLOW_WORK}/t/conf/users"
    Require valid-user
</Location>
END

my $HOOK  = 'hook/stability/01a1fc7d-bbf5-7c3a-8e9f-0100824fa663/' . 'a' x 32;
my @CASES = (    # method, path, status without a user
    [GET  => '/user/health',            200],
    [HEAD => '/user/health',            200],
    [GET  => '/user/up',                200],
    [POST => "/user/$HOOK",             404],
    [GET  => '/here/health',            200],
    [POST => "/here/$HOOK",             404],
    [GET  => '/user/getQuota',          401],
    [GET  => '/user/presets',           401],
    [GET  => '/user/nothing',           401],
    [GET  => '/user/health/',           401],
    [GET  => '/user/hook',              401],
    [POST => '/user/health',            401],
    [GET  => "/user/$HOOK",             401],
    [GET  => '/here/getQuota',          401],
    [GET  => '/closed/health',          403],
    [POST => "/closed/$HOOK",           403],
    [GET  => '/elsewhere/health',       403],
    [POST => "/elsewhere/$HOOK",        403],
    [GET  => '/user-elsewhere/health',  403],
    [POST => "/user-elsewhere/$HOOK",   403],
    [GET  => '/admin/health',           401],
    [GET  => '/admin/jobs',             401],
    [GET  => '/generated/health',       401],
);
for my $case (@CASES) {
    my ($method, $path, $status) = @$case;
    is Genflow::Test::client()->request($method, $httpd->base . $path)->{status}, $status,
        "$method $path without a user gets $status";
}
is $httpd->alarms, '', 'nothing is wrong about it';

finish();

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Administration has a database role of its own (GenflowAdminDatabase). Its connections are opened for
# an administrator's request, are few, and are closed with it; what serves the API never opens one.
# Without the directive, or where the role of requests has the same rights, administration is closed.
use Genflow::Admin;
use Genflow::Test;
use Time::HiRes qw(sleep time);

use Genflow::Database ();
use Genflow::Httpd qw(accepted configtest refused small_site);

use constant { LINKS => 4, MANY => 12 };    # GF_LINKS_MAX; requests at once

my $NAME  = "roles-$$";
my $WHERE = 'host=${GENFLOW_WORK} dbname=${PGDATABASE}';
my $MOUNT = <<'END';
Include "${GENFLOW_WORK}/t/conf/admin.conf"
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
my $user = account(9);

# ---- the configuration ----

my $PASSWORD = 'GenflowAdminPassword "file:${GENFLOW_WORK}/admin-password"' . "\n";
accepted('a role of its own', qq(GenflowAdminDatabase "$WHERE user=genflow_admin"\n$PASSWORD$MOUNT));
refused('a connection without a role', qq(GenflowAdminDatabase "$WHERE"\n), 'must name user=');
refused('a password in httpd.conf', qq(GenflowAdminDatabase "$WHERE user=a password=b"\n),
    'must not contain a password');
refused('no connection string', qq(GenflowAdminDatabase "nonsense"\n),
    'must be a connection string of libpq');
refused('a password for nothing', $PASSWORD, 'GenflowAdminPassword is given without');
my ($good, $says) = configtest(small_of('genflow_app') . $MOUNT);
ok $good, 'genflow-admin without GenflowAdminDatabase does not stop the start';
like $says, qr/GF0684: SetHandler genflow-admin \(\S+:\d+\) is closed.*sql\/apply --role.*--admin-role/,
    '... but httpd -t says where it is and what to do';

# ---- closed ----

my @CLOSED = (    # what, lines, role of requests, status, tags
    ['without the directive', '', 'genflow_app', 403, qw(GF0170 GF0684)],
    ['where requests have all rights', administer('genflow_admin'), 'genflow', 503, qw(GF0121 GF0683)],
    ['where both have one role', administer('genflow_app'), 'genflow_app', 503, qw(GF0121 GF0683)],
    ['without the password', administer('genflow_admin', ''), 'genflow_app', 503, qw(GF0121 GF0681)],
);
for my $case (@CLOSED) {
    my ($how, $lines, $requests, $status, @tags) = @$case;
    my $httpd = Genflow::Httpd->start(small_of($requests) . $lines . $MOUNT);
    talk_to($httpd);
    is admin(GET => '/stats')->{status}, $status, "administration is closed $how";
    like $httpd->log_text, qr/$_: /, "... and the log says why ($_)" for @tags;
    is api(GET => '/api/getQuota', user => $user)->{status}, 200, '... while requests are served';
    $httpd->stop;
}

# ---- open ----

my $httpd = Genflow::Httpd->start(small_of('genflow_app') . administer('genflow_admin') . $MOUNT);
talk_to($httpd);
my $made = ended($user, later($user, {}));
is $made->{status}, 'completed', 'a generation is made';
is api(GET => '/api/generations', user => $user)->{status}, 200, '... and listed';
is connections(), 0, 'requests and the background open no connection of administration';
is admin(GET => '/stats')->{status}, 200, 'an administrator gets an answer';
ok wait_for { connections() == 0 }, '... whose connection is closed behind it';

is data(admin(POST => '/credits', json => { userId => $user, amount => 1, reason => 'a gift',
    reference => "gift of $user" }))->{applied}, JSON::PP::true(), 'credits are given over it';
is $httpd->alarms, '', 'nothing was complained about';
$httpd->stop;

# ---- many at once ----

# In a database of their own, where a lock holds all of them up.
my $db = Genflow::Database->new;
$httpd = Genflow::Httpd->start(one_child() . (small_of('genflow_app') . administer('genflow_admin')
    . $MOUNT) =~ s/\$\{PGDATABASE\}/$db->name/ger);
talk_to($httpd);
is admin(GET => '/users')->{status}, 200, 'another site is administered';
$db->sql('BEGIN', 'LOCK TABLE genflow.accounts');
my $blocker = $db->sql('SELECT pg_backend_pid()');
my $bound   = $ENV{GENFLOW_MPM} eq 'prefork' ? MANY : LINKS;
my ($most, @answers) = in_parallel(MANY + 1, sub {
    my ($i) = @_;
    return admin(GET => '/users')->{status} if $i > 0;
    wait_for { connections("AND wait_event_type = 'Lock'") >= $bound };
    my $many = most_connections(0.5);
    sql("SELECT pg_terminate_backend($blocker)");
    return $many;
}, MANY + 1);
is $most, $bound, 'many administrators at once share a few connections';
is_deeply \@answers, [(200) x MANY], '... and each gets an answer';
ok wait_for { connections() == 0 }, '... which are closed behind them';
$httpd->stop;

finish;

# A site whose requests connect as that role.
sub small_of {
    my ($role) = @_;
    return small_site() =~ s{Include "\S+/database\.conf"}{
        qq(DBDriver pgsql\nDBDParams "$WHERE user=$role"\nDBDMin 0\nDBDKeep 2\nDBDMax 8\n)}er;
}

sub administer {
    my ($role, $password) = @_;
    return qq(GenflowAdminDatabase "$WHERE user=$role application_name=$NAME)
        . qq( options='-c lock_timeout=60000'"\n)
        . ($password // $PASSWORD);
}

sub connections {
    my ($which) = @_;
    return sql1("SELECT count(*) FROM pg_stat_activity WHERE application_name = :'name' "
        . ($which // ''), name => $NAME);
}

sub one_child {
    return "<IfModule !mpm_prefork_module>\nServerLimit 1\nThreadsPerChild 64\n"
        . "MaxRequestWorkers 64\n</IfModule>\n";
}

sub most_connections {
    my ($seconds) = @_;
    my $end  = time + $seconds;
    my $most = 0;
    while (time < $end) {
        my $now = connections();
        $most = $now if $now > $most;
    }
    return $most;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# After a start the error log warns, once, when all children together may open more connections than
# the database takes: Postgres itself, or the role of DBDParams by its CONNECTION LIMIT.
use Genflow::Test;

use Genflow::Httpd qw(small_site);
use Genflow::Site ();

my $FEW   = 7;
my $ROLE  = "genflow_few_$$";
my ($all) = sql1(q{SELECT current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)});
my $SMALL = <<'END';
<IfModule !mpm_prefork_module>
    ServerLimit 3
    StartServers 3
    ThreadsPerChild 25
    MaxRequestWorkers 75
    MinSpareThreads 75
    MaxSpareThreads 100
</IfModule>
<IfModule mpm_prefork_module>
    StartServers 3
    MaxRequestWorkers 3
</IfModule>
END
my $API = qq(Include "\${GENFLOW_WORK}/t/conf/api.conf"\n);
sql("CREATE ROLE $ROLE LOGIN CONNECTION LIMIT $FEW");
sql("GRANT genflow_module TO $ROLE");

# ---- more than Postgres takes ----

my $big = Genflow::Httpd->start(small_site() . $API . "$SMALL\nDBDMax $all\n");
ok wait_for { is_warned($big) }, 'a pool for more than Postgres takes is logged';
my $needed = 3 * $all;
like $big->alarms, qr/GF0190: 3 children x DBDMax $all may open $needed database connections, but the database takes $all \(max_connections of PostgreSQL, less those that it reserves\)/,
    '... with all numbers and what limits them';
like $big->alarms, qr/Lower DBDMax or MaxRequestWorkers, or raise that limit$/m, '... and what to do';
is scalar(split /\n/, $big->alarms), 1, '... in one line' or diag $big->alarms;
like $big->log_text, qr/\[genflow:warn\][^\n]*GF0190/, '... as a warning';

# The child that counted ends; another one has its place.
my ($first) = counters($big);
kill KILL => $first;
ok wait_for { 1 < (my @pids = counters($big)) }, 'when the child that queried ends, another one queries';
is scalar(() = $big->log_text =~ /GF0190/g), 1, '... and the line is not repeated';
$big->stop;

# ---- more than the role may have ----

# Neither a janitor nor a dispatcher: such a server opens connections, too.
my $idle   = "GenflowDispatch Off\nGenflowJanitorInterval 0s\n";
my $narrow = Genflow::Httpd->start(small_of($ROLE) . $API . "$SMALL\nDBDKeep 2\nDBDMax 5\n$idle");
ok wait_for { is_warned($narrow) }, 'a pool for more than its role may have is logged';
like $narrow->alarms, qr/GF0190: 3 children x DBDMax 5 may open 15 database connections, but the database takes $FEW \(the CONNECTION LIMIT of role $ROLE\)/,
    '... with the limit of the role';
$narrow->stop;

# ---- what fits ----

for my $case (["DBDKeep 2\nDBDMax 5\n", 5], ["DBDKeep 2\nDBDMax 5\n$idle", 5], ['', 16]) {
    my ($lines, $size) = @$case;
    my $fits = Genflow::Httpd->start(small_site() . $API . "$SMALL\n$lines");
    ok wait_for { 0 < (my @pids = counters($fits)) }, 'one child of a pool that fits queries, too';
    my $most = 3 * $size;
    like $fits->log_text, qr/GF0191: 3 children x DBDMax $size: up to $most database connections of $all\b/,
        '... and finds room';
    is $fits->alarms, '', '... without a warning';
    $fits->stop;
}

sql("DROP OWNED BY $ROLE");
sql("DROP ROLE $ROLE");
finish;

sub is_warned { return $_[0]->log_text =~ /GF0190/ }

# The children that queried the database for its connections.
sub counters {
    my ($httpd) = @_;
    return $httpd->log_text =~ /\[pid (\d+):[^\n]*GF0191/g;
}

sub small_of {
    my ($role) = @_;
    return small_site() =~ s{Include "\S+/database\.conf"}{
        qq(DBDriver pgsql\nDBDParams "host=\${GENFLOW_WORK} dbname=\${PGDATABASE} user=$role"\nDBDMin 0\nDBDKeep 2\n)}er;
}

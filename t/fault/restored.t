#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A database that was restored from a backup submits nothing that its backup knew: a dump in another
# database, createdb -T, and a copy of the cluster's files older than the picture folder. It says so in
# health, doctor and error log until an operator resumes it. A site that was switched off goes on.
use Genflow::Httpd;
use Genflow::Test;

my $TYPE = 'restored';
my $DUMP = "$ENV{GENFLOW_WORK}/tmp/restored.sql";
my $made = 0;
my ($httpd, $folder);

sql("SELECT genflow.create_type('$TYPE')");
my $user = account(20);

# ---- a dump in another database ----

my ($queued, $sending) = map { queued("$_ of $user") } qw(queued sending);
sql(<<'SQL', id => $sending);
    UPDATE genflow.work SET lease_owner = 'gone', epoch = 1 WHERE job_id = :'id';
    SELECT genflow.attempt_begin(:'id', 1, 1::smallint, 'stability', 'sd3', 7, NULL, '1 s')
SQL
run("pg_dump -f '$DUMP' $ENV{PGDATABASE}");
restore($_) for qw(restored_end restored_continue);
sql("SELECT genflow.$_") for map { "restored_settle('$_', NULL, 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)" }
    $queued, $sending;                                   # here they are over: only the copies have them

start_httpd('restored_end');
my $health = api(GET => '/api/health');
is $health->{status}, 503, 'a restored dump: health is not ok';
like data($health)->{restored}, qr/copy of another database/, '... and has the reason';
my $res = generate_new();
error_is($res, 503, 'SITE_RESTORED', '... a request that would begin work is refused');
is $res->{headers}{'retry-after'}, 60, '... with the time to come back';
ok wait_for(sub { $httpd->log_text =~ /GF0641.*genflow\.resume/ }), '... the error log says what to do';
is scalar(() = $httpd->log_text =~ /GF0641/g), 1, '... once';
is in_db('restored_end', "SELECT finding FROM genflow.doctor_stuck() WHERE finding LIKE 'the database%'"),
    'the database was restored', '... and so does the doctor';
is submissions("of $user"), 0, '... nothing was submitted';
is in_db('restored_end', "SELECT genflow.resume('end')"), 'resumed: 2 generations were ended', 'end: what was started ends';
is in_db('restored_end', "SELECT string_agg(DISTINCT status || ' ' || error_code, ',') FROM public.restored_media"),
    'failed SITE_RESTORED', '... as failed';
is in_db('restored_end', "SELECT balance, held FROM genflow.accounts WHERE name = '$user'"), '20|0', '... and costs nothing';
ok wait_for(sub { $httpd->log_text =~ /GF0642/ }), '... the site goes on';
is generate_new()->{status}, 200, '... and makes pictures';
is submissions("of $user"), 1, '... of the requests since then';
is in_db('restored_end', "SELECT genflow.restored() IS NULL"), 't', '... without a word';

start_httpd('restored_continue');
ok wait_for(sub { $httpd->log_text =~ /GF0641/ }), 'another copy';
is in_db('restored_continue', "SELECT genflow.resume('continue')"), 'resumed: 0 generations were ended',
    'continue: nothing ends';
my $went_on = wait_for { in_db('restored_continue', "SELECT status FROM public.restored_media WHERE id = '$queued'") eq 'completed' };
ok $went_on, '... what was queued is made';
is submissions("queued of $user"), 1, '... submitted once';
is submissions("sending of $user"), 0, '... and what may have been sent is not sent again';
$httpd->stop;

# ---- createdb -T ----

run('createdb -T restored_continue restored_template');
like in_db('restored_template', 'SELECT genflow.restored()'), qr/copy of another database/, 'createdb -T: the copy is noticed';
in_db('restored_template', "SELECT genflow.resume('continue')");
is in_db('restored_template', 'SELECT genflow.restored() IS NULL'), 't', '... until it is resumed';
run("dropdb $_") for qw(restored_template);

# ---- files of a cluster ----

my $cluster = "$ENV{GENFLOW_WORK}/tmp/c$$";
mkdir $cluster or die "$cluster: $!\n";
run("initdb -D $cluster/data -U genflow -A trust -E UTF8 --locale=C --no-sync");
open my $conf, '>>', "$cluster/data/postgresql.conf" or die "postgresql.conf: $!\n";
print $conf "listen_addresses = ''\nunix_socket_directories = '$cluster'\nfsync = off\n";
close $conf or die "postgresql.conf: $!\n";
{
    local @ENV{qw(PGHOST PGDATABASE)} = ($cluster, 'postgres');
    cluster('data', 'start');
    run('sql/apply --role genflow_app');
    sql("SELECT genflow.create_type('$TYPE'); UPDATE genflow.site SET mark_every = '0'");
    start_httpd('postgres', $cluster);
    ok wait_for(sub { mark() >= 2 }), 'the folder gets marks';
    $httpd->stop;
    cluster('data', 'stop');
    run("cp -a $cluster/data $cluster/old");

    cluster('data', 'start');
    start_httpd('postgres', $cluster, $folder);
    ok healthy(), 'a site that was switched off goes on';
    my $before = mark();
    ok wait_for(sub { mark() > $before + 2 }), '... and moves its mark';
    $httpd->stop;
    cluster('data', 'stop');

    cluster('old', 'start');
    start_httpd('postgres', $cluster, $folder);
    my $noticed = wait_for { $httpd->log_text =~ /GF0641: this database was restored: the picture folder has seen later work/ };
    ok $noticed, 'a file-level copy that is older than the folder is noticed';
    ok !healthy(), '... and begins nothing';
    sql("SELECT genflow.resume('end')");
    ok wait_for(sub { healthy() }), '... until it is resumed';
    $httpd->stop;
    cluster('old', 'stop');
}
undef $httpd;
talk_to undef;
run("dropdb --force $_") for qw(restored_end restored_continue);

finish;

# A generation that waits for a host of its type; none is there.
sub queued {
    my ($prompt) = @_;
    return sql1(<<'SQL', user => $user, prompt => $prompt, key => ++$made);
        SELECT id FROM genflow.restored_create(:'user', :'key', '\x01', NULL, 'base', :'prompt', NULL, '{}', 7, 1, 3::smallint,
                                               '10 min', NULL, NULL)
SQL
}

sub restore {
    my ($name) = @_;
    run("createdb $name");
    run("psql -Xqo /dev/null -v ON_ERROR_STOP=1 -d $name -f '$DUMP'");
    return;
}

# An httpd of one child on that database, with a picture folder of its own.
sub start_httpd {
    my ($database, $host, $old_folder) = @_;
    $host //= $ENV{GENFLOW_WORK};
    $folder = $old_folder // "$ENV{GENFLOW_WORK}/restored-" . ++$made;
    $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() =~ s/neo-glitch/$TYPE/r . <<"END");
DBDParams "host=$host dbname=$database user=genflow_app connect_timeout=10"
ServerLimit 1
MaxRequestWorkers 25
GenflowStoreFolder "$folder"
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END
    talk_to $httpd;
    return;
}

sub generate_new {
    return generate($user, { type => $TYPE, prompt => "new of $user" }, Prefer => 'wait=60');
}

sub healthy { return api(GET => '/api/health')->{status} == 200 }

sub mark {
    my ($file) = glob "$folder/.mark-*";
    return $file ? Genflow::Site::read_text($file) : 0;
}

sub in_db {
    my ($database, $statement) = @_;
    local $ENV{PGDATABASE} = $database;
    return join "\n", sql($statement);
}

sub cluster {
    my ($data, $action) = @_;
    return run("$ENV{PG_BINDIR}/pg_ctl -D $cluster/$data -w -m fast -l $cluster/log $action");
}

sub run {
    my ($command) = @_;
    system("PATH='$ENV{PG_BINDIR}:$ENV{PATH}'; $command >>'$ENV{GENFLOW_WORK}/tmp/restored.log' 2>&1") == 0
        or die "$command failed: " . Genflow::Site::read_text("$ENV{GENFLOW_WORK}/tmp/restored.log");
    return;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Each fault that a site may have is induced, and named three times: by a word of health, by the doctor
# with a remedy, by a line of the error log. docs/troubleshooting.md has the same table. Mended, health
# is ok again.
use Genflow::Database;
use Genflow::Httpd;
use Genflow::Test;

use Genflow::Proxy ();

my $WORK = $ENV{GENFLOW_WORK};
my ($LIBRARY) = glob '/usr/lib/*/faketime/libfaketimeMT.so.1';
my $made = 0;
my ($site, $db, $folder, $lock, @kept, @databases);

my @FAULTS = (    # fault, health's word, its status, the doctor's finding, what the log says; it is induced by, and mended by
    ['the role is not granted', 'database_role', 503, 'the role of DBDParams is not granted', 'GF0122',
        qr/run sql\/apply with --role/,
        sub { role('REVOKE', 'FROM') }, sub { role('GRANT', 'TO') }],
    ['wrong dbname, none is there', 'database_missing', 503, 'DBDParams names a database that is not there', 'GF0121',
        qr/the database that DBDParams names does not exist/,
        sub { another(name => 'none_such') }],
    ['wrong dbname, of something else', 'database_empty', 503, 'DBDParams names a database without the schema', 'GF0122',
        qr/this database has no schema genflow/,
        sub { another(name => 'postgres') }],
    ['the schema is old', 'schema_old', 503, 'the schema is older than the module', 'GF0874', qr/run sql\/apply/,
        sub { my $old = new_database();
            $old->sql('DELETE FROM genflow.migrations WHERE version = (SELECT max(version) FROM genflow.migrations)');
            another(db => $old) }],
    ['the folder is full', 'store_full', 200, 'the folder is full', 'GF0600', qr/make room/,
        sub { file_size(1_000_000) }, sub { file_size('unlimited') }],
    ['the folder is read-only', 'store_read_only', 200, 'the folder cannot be written', 'GF0600', qr/read-only/,
        sub { chmod 0555, "$folder/.spool" }, sub { chmod 0755, "$folder/.spool" }],
    ['the folder belongs to root', 'store_read_only', 200, 'the folder belongs to another user', 'GF0600', qr/its owner/,
        sub { rename "$folder/neo-glitch", "$folder/away"; symlink '/usr/lib', "$folder/neo-glitch" },
        sub { unlink "$folder/neo-glitch"; rename "$folder/away", "$folder/neo-glitch" }],
    ['the folder is gone', 'store_missing', 200, 'the folder is not there', 'GF0600', qr/No such file/,
        sub { rename "$folder/.spool", "$folder/away" }, sub { rename "$folder/away", "$folder/.spool" }],
    ['a wrong key of a provider', 'provider_refuses', 200, 'it refuses our key, account or model', 'GF0403', qr/GenflowProviderKey/,
        sub { made('named-key') }, sub { $db->sql('DELETE FROM genflow.breakers') }],
    ['a provider is down', 'provider_down', 200, 'its breaker is open', 'GF0408', qr/the breaker of/,
        sub { made('named-down') }, sub { $db->sql('DELETE FROM genflow.breakers') }],
    ['the budget is spent', 'budget_spent', 200, 'the budget of a provider is spent', 'GF0720', qr/GenflowProviderBudget/,
        sub { is join(' ', map { made('named-spent') } 1 .. 2), '200 200', '... two pictures' }, sub { $db->sql('DELETE FROM genflow.budgets') }],
    ['a wrong secret of S3', 'store_refuses', 200, 'the store refuses our key', 'GF0410', qr/GenflowStoreSecret/,
        sub { another(lines => s3()); made('neo-glitch') }],
    ['PostgreSQL is not available', 'database_unreachable', 503, 'httpd does not reach its database', 'GF0121',
        qr/no connection|SQLSTATE/,
        sub { my $proxy = Genflow::Proxy->postgres; push @kept, $proxy; another(host => $proxy->host); $proxy->refuse; $proxy->cut }],
    ['PostgreSQL was upgraded while it runs', 'database_upgraded', 503, 'PostgreSQL was upgraded while it runs', 'GF0121',
        qr/restart PostgreSQL.*SQLSTATE 58P01/,
        sub { library('$libdir/plpgsql-of-another-version') }, sub { library('$libdir/plpgsql') }],
    ['no host works on jobs', 'no_dispatcher', 200, 'no host works on jobs', 'GF0873', qr/GenflowDispatch On/,
        sub { my $idle = new_database(); $idle->sql("UPDATE genflow.site SET marked_at = marked_at - interval '1 hour'");
            another(db => $idle, lines => "GenflowDispatch Off\n") }],
    ['generations live past their deadline', 'late', 200, 'past its deadline', 'GF0875', qr/run genflow-doctor stuck/,
        sub { late_generation() }, sub { $lock->sql('COMMIT') }],
    ['two hosts have different prices', 'hosts_differ', 200, 'hosts have different settings', 'GF0872', qr/prices \(not as/,
        sub { my $shared = new_database(); another(db => $shared); push @kept, $site; wait_for { seen($shared) };
            another(db => $shared, lines => "<GenflowType neo-glitch>\nGenflowTypeCost 7\n</GenflowType>\n", folder => $folder) }],
    ['the database grants other credits than the directives state', 'amounts_differ', 200, 'the amounts of credits are others than the directives state',
        'GF0876', qr/sql\/apply --credits 'initial=30'/, sub { another(lines => "GenflowCreditInitial 30\n") }],
    ['a clock is wrong', 'clock_wrong', 200, 'a clock is wrong', 'GF0871', qr/run an NTP service/,
        sub { local @ENV{qw(LD_PRELOAD FAKETIME FAKETIME_DONT_FAKE_MONOTONIC)} = ($LIBRARY, '+1h', 1); another() }],
    ['the database was restored from a dump', 'database_restored', 503, 'the database was restored', 'GF0641',
        qr/call genflow.resume/,
        sub { my $copy = new_database(empty => 1); run("pg_dump '@{[$db->name]}' | psql -Xqo /dev/null -d '@{[$copy->name]}'");
            another(db => $copy) }],
);

is_deeply [table_of("$WORK/docs/troubleshooting.md")], [map { join ' | ', @$_[0 .. 4] } @FAULTS],
    'docs/troubleshooting.md has a row for each fault';

$db = new_database();
run("psql -Xq -d @{[$db->name]} -c 'DROP ROLE IF EXISTS named_app'");
run("sql/apply --connect dbname=@{[$db->name]} --role named_app");
my ($home, $home_folder) = start(user => 'named_app');
talk_to($home);
is made('neo-glitch'), 200, 'a picture is made';
for my $fault (@FAULTS) {
    my ($name, $word, $status, $finding, $tag, $line, $induce, $mend) = @$fault;
    SKIP: {
        skip 'there is no libfaketime', 1 if $word eq 'clock_wrong' && (!$LIBRARY || $ENV{GENFLOW_TEST_PATIENCE});
        ($site, $folder) = ($home, $home_folder);
        talk_to($site);
        ok wait_for { health()->{status} eq 'ok' }, "$name: before, all is well" or diag explain health();
        my $mark = length $site->log_text;
        $mark = 0 if !$mend;
        $induce->();
        talk_to($site);
        ok wait_for { grep { $_ eq $word } @{ health()->{faults} } }, "... health has the word $word" or diag explain health();
        is api(GET => '/api/health')->{status}, $status, "... with status $status";
        is health()->{status}, $status == 200 ? 'degraded' : 'unavailable', '... in a word, too';
        ok wait_for { substr($site->log_text, $mark) =~ /$tag: .*$line|$line.*$tag: /s }, "... the log says it ($tag)"
            or diag substr $site->log_text, $mark;
        my $says = doctor();
        like $says, qr/^  WRONG: \Q$finding\E: .*\n.*\n      -> \S/m, '... the doctor finds it and has a remedy';
        like $says, qr/WRONG: \d+ in all|cannot be reached/, '... and counts it';
        if ($mend) {
            $mend->();
            ok wait_for { health()->{status} eq 'ok' }, '... mended, health is ok' or diag explain health();
        }
        else {
            $site->stop;
        }
        $_->stop for splice @kept;
    }
}
($site, $folder) = ($home, $home_folder);
talk_to($site);
like doctor(), qr/^Nothing is wrong\.$/m, 'a site without a fault: the doctor finds none';
talk_to(undef);
$home->stop;
undef $_ for $site, $home, $lock;
run("psql -Xq -d @{[$db->name]} -c 'DROP OWNED BY named_app' -c 'DROP ROLE named_app'");

finish;

# ---- sites ----

# Starts an httpd: (it, its folder). Options: db, or the name of a database; user, host, folder; lines.
sub start {
    my (%option) = @_;
    my $place = $option{folder} // "$WORK/named-" . ++$made;
    my $name  = $option{name} // ($option{db} // $db)->name;
    my $user  = $option{user} // 'genflow_app';
    my $host  = $option{host} // $WORK;
    my $lines = $option{lines} // '';
    local $ENV{WRONG_KEY}  = 'wrong key of the tests' =~ s/ /-/gr;
    local $ENV{PGDATABASE} = $name =~ /\Agenflow_t_/ ? $name : 'genflow_t_none';
    my $httpd = Genflow::Httpd->start(<<"END");
DBDriver pgsql
DBDParams "host=$host dbname=$name user=$user connect_timeout=2 options='-c statement_timeout=5000'"
DBDMin 0
DBDMax 16
<IfModule !mpm_prefork_module>
    ServerLimit 1
    MaxRequestWorkers 25
</IfModule>
GenflowStoreFolder "$place"
GenflowDispatchPoll 100ms
GenflowFetchAllow 127.0.0.1
<GenflowProvider fal>
    GenflowProviderUrl "\${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 100ms
</GenflowProvider>
<GenflowProvider wrong>
    GenflowProviderKind stability
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:WRONG_KEY
</GenflowProvider>
<GenflowProvider down>
    GenflowProviderKind stability
    GenflowProviderUrl http://127.0.0.1:1
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderBreakerFailures 1
</GenflowProvider>
<GenflowProvider spent>
    GenflowProviderKind fal
    GenflowProviderUrl "\${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 100ms
    GenflowProviderBudget 1/day
</GenflowProvider>
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeProviders fal/fal-ai/fast-sdxl
    GenflowTypeCost 1
</GenflowType>
<GenflowType named-key>
    GenflowTypeProviders wrong/sd3 local
</GenflowType>
<GenflowType named-down>
    GenflowTypeProviders down/sd3 local
</GenflowType>
<GenflowType named-spent>
    GenflowTypeProviders spent/fal-ai/fast-sdxl local
</GenflowType>
<Location "/generated">
    SetHandler genflow-result
</Location>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
$lines
END
    return ($httpd, $place);
}

# The site of the fault is another one.
sub another {
    my (%option) = @_;
    ($site, $folder) = start(db => new_database(), %option);
    return talk_to($site);
}

sub new_database {
    my $new = Genflow::Database->new(@_);
    push @databases, $new;
    return $new if @_;
    $new->sql("SELECT genflow.grant_credits('ann', 1000, 'for a test')",
        map { "SELECT genflow.create_type('named-$_')" } qw(key down spent));
    return $new;
}

sub s3 {
    return <<'END';
GenflowStoreKind s3
GenflowStoreApi "${GENFLOW_STORE}/s3"
GenflowStoreAccount pictures
GenflowStoreKey env:STORE_KEY
GenflowStoreSecret env:STABILITY_API_KEY
GenflowStoreRegion eu-central-1
END
}

# ---- faults ----

sub made {
    my ($type) = @_;
    my $res = generate('ann', { type => $type, prompt => "of $type" }, Prefer => 'wait=20');
    return $res->{status};
}

sub role {
    my ($what, $word) = @_;
    return $db->sql("$what genflow_module $word named_app");
}

# What plpgsql is in: another file than the one that a running server knows.
sub library {
    my ($path) = @_;
    run("psql -Xq -d @{[$db->name]} -c \"UPDATE pg_proc SET probin = '\\$path' WHERE proname LIKE 'plpgsql\\_%'\"");
    return;
}

sub file_size {
    my ($limit) = @_;
    return grep { system('prlimit', "--pid=$_", "--fsize=$limit:") } $home->pid, $home->children;
}

# One that no host can end: another session has locked its row.
sub late_generation {
    $db->grant_credits(1);
    my $id = $db->new_job('1 hour');
    $lock = $db->session;
    $lock->sql('BEGIN', "SELECT FROM genflow.work WHERE job_id = '$id' FOR KEY SHARE");
    return $db->sql("UPDATE genflow.work SET (due_at, deadline_at) = (SELECT t, t FROM (SELECT clock_timestamp() - interval '3 minutes' t) v)
        WHERE job_id = '$id'");
}

sub seen { return $_[0]->sql('SELECT count(*) FROM genflow.hosts') > 0 }

# ---- who names them ----

sub health { return data(api(GET => '/api/health')) // { status => 'none', faults => [] } }

# On the database of the site that has the fault, or of the first one where that is none.
sub doctor {
    my ($name) = Genflow::Site::read_text($site->conf) =~ /dbname=(\S+)/;
    my ($host) = Genflow::Site::read_text($site->conf) =~ /host=(\S+)/;
    ($host, $name) = ($WORK, $db->name) if $name !~ /\Agenflow_t_/;
    my @command = ("$WORK/support/genflow-doctor", '--connect', "host=$host dbname=$name user=genflow",
        '--url', base() . '/api', '--conf', $site->conf, '--httpd', $ENV{HTTPD});
    local $ENV{WRONG_KEY} = 'wrong-key-of-the-tests';
    open my $pipe, '-|', 'sh', '-c', 'exec "$0" "$@" 2>&1', @command or die "sh: $!\n";
    local $/ = undef;
    my $says = <$pipe>;
    close $pipe;
    return $says;
}

# The rows of the table of faults: fault, word, status, finding, tag.
sub table_of {
    my ($path) = @_;
    my ($table) = Genflow::Site::read_text($path) =~ /^## Faults\n(.*?)^## /ms or return;
    return map { tr/`//dr } $table =~ /^\| (.*? \| \d{3} \| .*?) \|$/mg;
}

sub run {
    my ($command) = @_;
    system("$command >>'$WORK/tmp/named.log' 2>&1") == 0
        or die "$command failed: " . Genflow::Site::read_text("$WORK/tmp/named.log");
    return;
}


#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The primary dies for good while clients request generations, and its synchronous standby is promoted.
# DBDParams names both hosts with target_session_attrs=read-write. Nothing that was acknowledged is
# lost, nothing is submitted or charged twice, and the site is not taken for a restored one.
use Genflow::Httpd;
use Genflow::Site ();
use Genflow::Test;
use Time::HiRes qw(sleep time);

my $CLIENTS = 3;
my $AFTER   = 3;              # answers that each client wants from the promoted standby
my $PATIENT = 90;             # seconds that a client repeats one request

my $folder = "$ENV{GENFLOW_WORK}/tmp/r$$";
my $owner  = $$;
END { stop_clusters() if $owner && $$ == $owner }
mkdir $_ or die "$_: $!\n" for $folder, "$folder/store", "$folder/one", "$folder/two";

# ---- two clusters ----

run("initdb -D $folder/one/data -U genflow -A trust -E UTF8 --locale=C --no-sync");
add("$folder/one/data/postgresql.conf", "listen_addresses = ''\nfsync = off\n");
cluster('one', 'start');
my @of_site = @ENV{qw(PGHOST PGDATABASE)};
@ENV{qw(PGHOST PGDATABASE)} = ("$folder/one", 'postgres');
run('sql/apply --role genflow_app');
sql("SELECT genflow.create_type('neo-glitch'); UPDATE genflow.site SET mark_every = '0'");
run("pg_basebackup -D $folder/two/data -X stream -c fast --no-sync");
add("$folder/two/data/postgresql.conf",
    "primary_conninfo = 'host=$folder/one user=genflow application_name=two'\n");
add("$folder/two/data/standby.signal", '');
cluster('two', 'start');
sql(q(ALTER SYSTEM SET synchronous_standby_names = 'two'));
sql('SELECT pg_reload_conf()');
my $is_synchronous = wait_for { (sql1('SELECT sync_state FROM pg_stat_replication') // '') eq 'sync' };
ok $is_synchronous, 'a standby has all that the primary acknowledges';

# Leases and the provider's deadline outlast the change, however slow the machine is: what has lost its lease, or
# has waited for the deadline, may fail without a charge.
my $site  = Genflow::Httpd::small_site() =~ s/DispatchLease \K2s/15s/r =~ s/ProviderDeadline \K30s/300s/r;
my $httpd = Genflow::Httpd->start($site . <<"END");
DBDParams "host=$folder/one,$folder/two dbname=postgres user=genflow_app target_session_attrs=read-write \\
    connect_timeout=10 options='-c statement_timeout=5000 -c lock_timeout=5000'"
ServerLimit 1
MaxRequestWorkers 25
GenflowStoreFolder "$folder/store"
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to $httpd;

# ---- clients send requests, and the primary dies ----

my @users  = map { account(1000) } 1 .. $CLIENTS;
my $waits  = account(10);
my $gated  = later($waits, { prompt => "{{gate=$waits}} [$waits]" });
ok wait_for(sub { submissions("[$waits]") }), 'one generation is at its provider when the primary dies';
my ($harm, @journals) = in_parallel(1 + $CLIENTS, sub { $_[0] == 0 ? harm() : client($users[ $_[0] - 1 ]) },
    1 + $CLIENTS);
is $harm, 'promoted', 'the primary is killed, and its standby promoted';
$ENV{PGHOST} = "$folder/two";
open_gate($waits);

my @journal = map { @$_ } @journals;
my @refused = grep { $_->{refused} } @journal;
ok scalar @refused, 'some requests were refused meanwhile, and repeated with their keys';
is_deeply([grep { $_ != 503 && $_ != 409 } map { @{ $_->{refused} } } @refused], [],
    '... by a 503, or a 409 while what was committed runs')
    or diag grep { /\[genflow:(?:warn|error|crit)\]/ } $httpd->log_text =~ /^.*\n/mg;
is_deeply [grep { !$_->{id} && !$_->{failed} } @journal], [], '... all are answered in the end';
diag @journal . ' generations, ' . @refused . ' of them refused at first';

# ---- what the promoted standby has ----

my $drained = wait_for { !sql1('SELECT count(*) FROM genflow.work') };
ok $drained, 'all generations end';
is ended($waits, $gated)->{status}, 'completed', '... the one that was at its provider completes';
credits_are $waits, 9, 0, '... for one charge';
is submissions("[$waits]"), 1, '... after one submission';
my %row = map { split /\|/ } sql('SELECT id, status FROM public.neo_glitch_media');
# The primary may die over the answer of a create that it has committed: no host knows whether that one was sent, so it fails
# without a charge (docs/decisions/0052-create-records-the-first-intent.md).
for my $one (grep { $_->{failed} } @journal) {
    my ($end) = sql(q(SELECT id, status, error_code FROM public.neo_glitch_media WHERE strpos(prompt, :'key') > 0), key => "[$one->{key}]");
    ($one->{id}, my @why) = split /\|/, $end;
    is "@why", 'failed NETWORK_ERROR', 'a generation fails of which nobody knows whether it was sent';
}
is_deeply [grep { !$row{ $_->{id} } } @journal], [], 'no generation that was acknowledged is lost';
is scalar keys %row, 1 + @journal, '... and each key made one';
is_deeply [grep { submissions("[$_->{key}]") > 1 } @journal], [], 'nothing is submitted twice';
for my $user (@users) {
    my $done = grep { $_->{user} eq $user && $row{ $_->{id} } eq 'completed' } @journal;
    credits_are $user, 1000 - $done, 0, "$done pictures cost $done credits";
}
is sql1('SELECT genflow.restored() IS NULL'), 't', 'the promoted site is not taken for a restored one';
is api(GET => '/api/health')->{status}, 200, '... and is healthy';
unlike $httpd->log_text, qr/GF064[01]/, '... and the log says nothing of a backup';
is_deeply [broken_rules()], [], '... and its books are sound';
$httpd->stop;
talk_to;

@ENV{qw(PGHOST PGDATABASE)} = @of_site;
finish;

# Kills the primary when each client has had some answers, and promotes the standby some time later.
sub harm {
    wait_for { sql1('SELECT count(*) FROM genflow.idempotency_keys') > 2 * $CLIENTS } or return 'no clients';
    my ($pid, $shared) = (split /\n/, Genflow::Site::read_text("$folder/one/data/postmaster.pid"))[0, 6];
    kill KILL => $pid, Genflow::Site::children_of($pid);
    my ($segment) = ($shared // '') =~ /(\d+)\s*\z/;
    wait_for { $httpd->log_text =~ /GF0121/ } or return 'not noticed';
    system 'ipcrm', '-m', $segment if $segment;            # the server did not clear up
    cluster('two', 'promote');
    add("$folder/promoted", '');
    return 'promoted';
}

# One generation after the other, each repeated with its key until it is acknowledged.
sub client {
    my ($user) = @_;
    my (@made, $after);
    for (my $n = 1; ($after // 0) < $AFTER; $n++) {
        my %one = (user => $user, key => "promoted-$user-$n");
        my $end = time + $PATIENT;
        while (!$one{id} && time < $end) {
            my $is_after = -e "$folder/promoted";
            my $res = generate($user, { prompt => "[$one{key}]" }, 'Idempotency-Key' => $one{key},
                Prefer => 'respond-async');
            if ($res->{status} =~ /\A20[02]\z/) {
                $one{id} = data($res)->{id};
                $after++ if $is_after;
            }
            elsif ($res->{status} == 500) {
                $one{failed} = 1;
                return [@made, \%one];
            }
            else {
                push @{ $one{refused} }, $res->{status};
                sleep 0.2;
            }
        }
        push @made, \%one;
        last if !$one{id};
        sleep 0.05;
    }
    return \@made;
}

sub cluster {
    my ($name, $action) = @_;
    my $settings = $action eq 'start' ? qq(-o "-c unix_socket_directories='$folder/$name'") : '';
    return run("$ENV{PG_BINDIR}/pg_ctl -D $folder/$name/data -w $settings -l $folder/$name/log $action");
}

sub stop_clusters {
    local $?;
    for my $data (grep { -e "$_/postmaster.pid" } map { "$folder/$_/data" } qw(one two)) {
        system "$ENV{PG_BINDIR}/pg_ctl -D $data -m immediate stop >/dev/null 2>&1";
    }
    return;
}

sub add {
    my ($path, $text) = @_;
    open my $file, '>>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
    return;
}

sub run {
    my ($command) = @_;
    system("PATH='$ENV{PG_BINDIR}:$ENV{PATH}'; $command >>'$folder/log' 2>&1") == 0
        or die "$command failed: " . Genflow::Site::read_text("$folder/log");
    return;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The janitor cleans up by itself, in one child at a time: when that one is killed or restarted,
# another goes on, and after a restart of the database it is back. Pictures, rows and what lives stay.
use Genflow::Database;
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;

expect_log 'GF0121';

my $SITE = qq(Include "\${GENFLOW_WORK}/t/conf/test.conf"\n);
my $httpd = Genflow::Httpd->start($SITE . <<'END');
GenflowJanitorInterval 1s
GenflowJanitorJobs 1s
<Location "/server-status">
    SetHandler server-status
</Location>
END
talk_to $httpd;

my $user = account(1000);
my $old  = "$ENV{GENFLOW_WORK}/store/.spool/left-by-the-dead";
open my $file, '>', $old or die "$old: $!\n";
close $file;
utime 0, 0, $old or die "$old: $!\n";

my $live = later($user, { prompt => "{{poll=200}} $user lives", type => 'hook-fal' });
my ($first) = janitors();
ok $first, 'the janitor has cleaned up after a generation';
is_deeply [map { janitors() } 1 .. 3], [($first) x 3], 'and goes on in the same child, alone';
ok wait_for(sub { !-e $old }), 'what a dead child left in the store\'s folder is gone';
is attempts_of($live), 1, 'what lives keeps its records';

my $id = one_more();
ok wait_for(sub { !attempts_of($id) }), 'an ended generation loses its records';
my $generation = status_of($user, $id);
is $generation->{status}, 'completed', '... and is still there';
is api(GET => $generation->{imageUrl} =~ s{\Ahttp://[^/]+}{}r)->{status}, 200, '... with its picture';
is sql1("SELECT string_agg(kind, ' ' ORDER BY kind) FROM genflow.ledger WHERE ref = :'id'", id => $id),
    'capture hold', '... and its ledger';

# ---- the child goes ----

kill KILL => $first;
my ($second) = janitors();
ok $second && $second != $first, 'when its child is killed, another one goes on';
is_deeply [map { janitors() } 1 .. 2], [($second) x 2], '... alone again';

kill USR1 => httpd_of($httpd);
ok wait_for(sub { !kill 0, $second }), 'on a graceful restart its child goes';
my ($third) = janitors();
ok $third && $third != $second, '... and one of the new ones goes on';

# ---- the database goes ----

pg('restart', 'immediate');
is scalar(my @back = janitors()), 1, 'after a restart of the database the janitor is back';

# ---- many hosts ----

my $other = Genflow::Httpd->start($SITE . "GenflowJanitorInterval 1s\nGenflowJanitorJobs 1s\n");
my @ids = in_parallel(20, \&one_more, 5);
ok wait_for(sub { !grep { attempts_of($_) } @ids }), 'several hosts clean up side by side';
is $other->alarms, '', '... without a complaint';
is status_of($user, $live, 'hook-fal')->{status}, 'processing', 'what lived all the while still does';
is attempts_of($live), 1, '... and has its records';
end_by_hand($live);
talk_to undef;

# ---- the ledger is checked ----

my $db = Genflow::Database->new;
my ($here, $there) = $db->sessions(2);
my $conf = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/t/conf/database.conf") =~ s/\$\{PGDATABASE\}/$db->name/ger;
my $checks = Genflow::Httpd->start($conf =~ s/statement_timeout=\K\d+/1000/r . <<'END');
StartServers 1
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowJanitorCheck 2s
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeProviders local
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
ok wait_for { $checks->log_text =~ /GF0511/ }, 'the ledger is checked';
is $db->sql(q(SELECT at > clock_timestamp() - interval '5 minutes', broken FROM genflow.checks)), 't|0', '... which metrics and administration see';
my $at = $db->sql('SELECT at FROM genflow.checks');
ok wait_for { $db->sql('SELECT at FROM genflow.checks') ne $at }, '... again and again';
$here->sql('BEGIN', q(SELECT pg_advisory_xact_lock(hashtextextended('genflow check', 0))));
is $there->sql(q(SELECT outcome FROM genflow.check_run('0 s'))), 'not_due', 'while one host checks it, no other does';
$here->sql('COMMIT');
is $there->sql(q(SELECT outcome FROM genflow.check_run('1 h'))), 'not_due', 'nor soon afterwards';

$db->sql(q(CREATE FUNCTION genflow.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); RETURN NEW; END'),
    'CREATE TRIGGER slow BEFORE UPDATE ON genflow.checks FOR EACH ROW EXECUTE FUNCTION genflow.slow()');
my $mark = () = $checks->log_text =~ /GF0511/g;
ok wait_for { (() = $checks->log_text =~ /GF0511/g) > $mark + 1 }, 'a check may take longer than statement_timeout of DBDParams';
is $checks->alarms, '', '... without a word of it';
$db->sql('DROP TRIGGER slow ON genflow.checks');

$db->sql(q(SELECT genflow.grant_credits('ann', 5, 'a grant', NULL)), 'SET session_replication_role = replica',
    'UPDATE genflow.accounts SET balance = balance + 1', 'SET session_replication_role = DEFAULT');
ok wait_for { $checks->log_text =~ /GF0512: .*\(1\).*Run genflow-doctor charges/ }, 'a broken rule is logged, with what to do';
isnt $db->sql('SELECT broken FROM genflow.checks'), 0, '... and recorded';
$checks->stop;

sub end_by_hand {
    my ($job) = @_;
    return sql("SELECT genflow.hook_fal_settle(:'id', (SELECT epoch FROM genflow.work WHERE job_id = :'id'),
        'cancelled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)", id => $job);
}

# A generation with records that has ended: its id. Children that lost the database take a moment.
sub one_more {
    return wait_for {
        my $made = data(generate($user, {}, Prefer => 'wait=60')) // {};
        ($made->{status} // '') eq 'completed' && $made->{id};
    };
}

# The children that clean up after one generation more.
sub janitors {
    my $mark = length $httpd->log_text;
    one_more();
    wait_for { substr($httpd->log_text, $mark) =~ /GF0510: janitor: \d+ of attempts/ };
    my %pids = map { $_ => 1 }
        substr($httpd->log_text, $mark) =~ /\[pid (\d+):[^\n]*GF0510: janitor: \d+ of attempts/g;
    return sort keys %pids;
}

sub attempts_of {
    my ($job) = @_;
    return sql1("SELECT count(*) FROM genflow.attempts WHERE job_id = :'id'", id => $job);
}

sub httpd_of {
    my ($of) = @_;
    open my $pid, '<', $of->{pid_file} or die "no pid file\n";
    return <$pid> + 0;
}

finish;

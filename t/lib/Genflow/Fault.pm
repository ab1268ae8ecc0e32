# SPDX-License-Identifier: Apache-2.0
#
# What the files in t/fault share beyond Genflow::Test: which process works on a generation and how
# it ended, and httpd stopped, started and configured otherwise. They run one after another on a site
# of their own: each leaves it as it found it.

package Genflow::Fault;

use strict;
use warnings;

use Genflow::Site ();
use Genflow::Test;
use parent -norequire, 'Exporter';

our @EXPORT = qw(leader_of lease_end lengthen_grace normal_grace hold_up is_held_up break_up
    freeze stop_httpd start_httpd kill_httpd kill_parent configure);

my $CONF     = "$ENV{GENFLOW_WORK}/t/conf/test.conf";
my $original = Genflow::Site::read_text($CONF);
my $changed;
my @command;

# ---- generations ---------------------------------------------------------------------------------

# The process that holds the generation's lease (host:pid:random), or nothing.
sub leader_of {
    my ($id) = @_;
    my $owner = sql1("SELECT lease_owner FROM genflow.work WHERE job_id = :'id'", id => $id);
    return $owner ? (split /:/, $owner)[1] : undef;
}

# When its lease ends, in seconds since 1970; 0: no host leads it.
sub lease_end {
    my ($id) = @_;
    return sql1(<<'SQL', id => $id) || 0;
        SELECT extract(epoch FROM genflow.lease_end(w)) FROM genflow.work w
         WHERE job_id = :'id' AND lease_owner IS NOT NULL
SQL
}

# A process that was sending when its lease expired has one more lease to come back (sql/types/claim.sql).
# From lengthen_grace() to normal_grace() this time is a minute longer, so that a test can wake a
# process within it on any machine.
my $grace_lengthened;

sub lengthen_grace {
    $grace_lengthened = 1;
    return sql(<<'SQL');
        CREATE FUNCTION genflow.test_grace() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.due_at := least(NEW.due_at + interval '1 minute', NEW.deadline_at);
            RETURN NEW;
        END $$;
        CREATE TRIGGER test_grace BEFORE UPDATE ON genflow.work FOR EACH ROW
            WHEN (OLD.phase = 'sending' AND OLD.lease_owner IS NOT NULL AND NEW.lease_owner IS NULL)
            EXECUTE FUNCTION genflow.test_grace();
SQL
}

sub normal_grace {
    $grace_lengthened = 0;
    return sql('DROP FUNCTION genflow.test_grace() CASCADE');
}

# Locks what settling, and noting an attempt, write to: claiming a generation does not, nor does making
# one, unless its child sends it at once and notes its attempt with it. Closing what it returns lets
# them go on.
sub hold_up {
    open my $lock, '|-', 'psql', '-Xqo', '/dev/null' or die "psql: $!\n";
    $lock->autoflush(1);
    print $lock "BEGIN; LOCK TABLE genflow.attempts IN SHARE MODE;\n";
    wait_for { sql1(<<'SQL') };
        SELECT 1 FROM pg_locks WHERE relation = 'genflow.attempts'::regclass AND mode = 'ShareLock'
           AND granted
SQL
    return $lock;
}

my $HELD_UP = "FROM pg_stat_activity WHERE usename = 'genflow_app' AND wait_event_type = 'Lock'";

# Does a statement of ours wait for the lock?
sub is_held_up { return sql1("SELECT 1 $HELD_UP") }

# Ends the statements that wait: they are rolled back.
sub break_up { return sql("SELECT pg_terminate_backend(pid) $HELD_UP") }

# ---- httpd ---------------------------------------------------------------------------------------

# Stops a process in its tracks; returns when all its threads stand, so that none of them takes a
# request any more.
sub freeze {
    my ($pid) = @_;
    kill STOP => $pid;
    return wait_for {
        !grep { Genflow::Site::read_text($_) !~ /\A\d+ \(.*\) [Tt] / } glob "/proc/$pid/task/*/stat";
    };
}

# Stops it by that signal (TERM: now, WINCH: gracefully); true when all its processes are gone.
sub stop_httpd {
    my ($signal) = @_;
    my @processes = processes();
    kill $signal => $processes[0];
    return gone(@processes);
}

# As when the machine's memory runs out: without a warning.
sub kill_httpd {
    my @processes = processes();
    kill KILL => @processes;
    return gone(@processes);
}

# Kills the parent alone; true when it is gone.
sub kill_parent {
    my ($parent) = processes();
    kill KILL => $parent;
    return gone($parent);
}

# Starts it as it was started before.
sub start_httpd {
    system(@command) == 0 or return;
    return wait_for { api(GET => '/api/health')->{status} == 200 };
}

# Replaces what was added to the configuration before by this text, and waits until no child works by
# the old one any more. configure('') makes it what it was.
sub configure {
    my ($text) = @_;
    my @old = children();
    open my $file, '>', $CONF or die "$CONF: $!\n";
    print $file $original, $text;
    close $file or die "$CONF: $!\n";
    $changed = $text ne '';
    return restart_httpd('USR1') && gone(@old);
}

# The parent, then its children.
sub processes {
    my $parent = httpd_pid();
    @command = grep { $_ ne '' } split /\0/, Genflow::Site::read_text("/proc/$parent/cmdline");
    # Perhaps under a wrapper of t/run.pl: that is what is started again, with httpd's own arguments.
    shift @command while @command && $command[0] ne '-d';
    unshift @command, $ENV{HTTPD};
    return ($parent, children());
}

sub gone {
    my @processes = @_;
    return wait_for { !grep { -e "/proc/$_" } @processes };
}

END {
    local $?;
    normal_grace() if $grace_lengthened;
    configure('') if $changed;
}

1;

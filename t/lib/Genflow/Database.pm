# SPDX-License-Identifier: Apache-2.0
#
# A database of a test's own, and sessions in it that work side by side: for races, and for what
# changes a whole database. The server is the one that PGHOST and PGUSER name. The database goes
# when the object goes, or at the end of the program. In a site it is a copy of one that sql/apply has
# made once: a copy takes a tenth of the time.
#
#     my $db = Genflow::Database->new;
#     my ($one, $two) = $db->sessions(2);
#     $one->sql('BEGIN', "SELECT genflow.neo_glitch_settle(...)");
#     $two->start("SELECT genflow.neo_glitch_settle(...)");
#     ok $db->waits($two), 'the second waits for the first';
#     $one->sql('COMMIT');
#     is $two->answer, 'same', 'and learns what it did';
#
# A statement's answer is its lines, with bars between columns; or, if it failed, its SQLSTATE as in
# "!23505".

package Genflow::Database;

use strict;
use warnings;

use Cwd qw(abs_path);
use Fcntl qw(LOCK_EX);
use File::Basename qw(dirname);
use Time::HiRes qw(sleep time);

use parent 'Exporter';

use Genflow::Limit;
use Genflow::Schema ();
use Genflow::Session ();

use constant { GATE => 4711, BLANK => 'genflow_blank' };

our @EXPORT_OK = qw(begin_sql accepted_sql settle_sql claim_sql);

my $SQL = dirname(abs_path(__FILE__)) . '/../../../sql';
my $databases = 0;

# Options: empty (leave sql/apply to the test), owner (a role; the superuser otherwise).
sub new {
    my ($class, %option) = @_;
    my $name = 'genflow_t_' . $$ . '_' . ++$databases;
    my $self = bless { name => $name, pid => $$ }, $class;
    my $owner = $option{owner} ? "OWNER $option{owner}" : '';
    my $copy  = $ENV{GENFLOW_WORK} && !$option{empty} && !$owner;
    make_blank() if $copy;
    psql('postgres', "CREATE DATABASE $name TEMPLATE " . ($copy ? BLANK : "template0 $owner"));
    $self->{made} = 1;
    if ($copy) {
        psql($name, q(SELECT genflow.resume('continue')));      # it is a copy
    }
    elsif (!$option{empty}) {
        $self->must_apply;
    }
    return $self;
}

# The database that the others of this site are copies of, if it is not there yet.
sub make_blank {
    open my $lock, '>', "$ENV{GENFLOW_WORK}/tmp/blank-database" or die "blank-database: $!\n";
    flock $lock, LOCK_EX or die "flock: $!\n";
    return if psql('postgres', q(SELECT 1 FROM pg_database WHERE datname = ') . BLANK . q('));
    my $unfinished = bless { name => BLANK . '_unfinished' }, __PACKAGE__;
    psql('postgres', "DROP DATABASE IF EXISTS $unfinished->{name}");
    psql('postgres', "CREATE DATABASE $unfinished->{name} TEMPLATE template0");
    $unfinished->must_apply;
    return psql('postgres', "ALTER DATABASE $unfinished->{name} RENAME TO " . BLANK);
}

sub name { return $_[0]{name} }

# Runs sql/apply and returns what it says; $? is its exit status. Options: folder (another than
# sql), user (who runs it), role (the module's).
sub apply {
    my ($self, %option) = @_;
    my $run  = $self->start_apply(%option);
    my $said = do { local $/; <$run> };
    close $run;
    return $said;
}

sub must_apply {
    my ($self) = @_;
    my $said = $self->apply;
    die "sql/apply failed:\n$said" if $?;
    return;
}

# The same, under way: a pipe to read and close.
sub start_apply {
    my ($self, %option) = @_;
    my $folder = $option{folder} // $SQL;
    my $role   = $option{role}   // 'genflow_app';
    local $ENV{PGDATABASE} = $self->{name};
    local $ENV{PGUSER}     = $option{user} // $ENV{PGUSER};
    open my $run, '-|', "exec '$folder/apply' --role '$role' 2>&1" or die "sql/apply: $!\n";
    return $run;
}

# The schema in SQL's words, the same under every minor version of PostgreSQL.
sub schema { return Genflow::Schema::describe($_[0]{name}, $_[1]) }

# What sql/schema.sql has to be: the schema, and where it comes from.
sub described {
    my ($self) = @_;
    my $major = server_major();
    return <<"END" . $self->schema('one');
-- SPDX-License-Identifier: Apache-2.0
-- The schema that sql/apply makes of an empty database: tables with their constraints, indexes,
-- triggers and rights, then functions, each kind by name. Written by support/schema from the
-- catalogs of PostgreSQL $major for the eyes of a reviewer. It describes, and is not there to be run:
-- a database is made by sql/apply. t/sql/020-schema.t compares it. Of the types only the first is
-- shown: the others are the same but for their names.

END
}

sub server_major {
    my ($version) = psql('postgres', 'SHOW server_version_num');
    return int($version / 10000);
}

# ---- sessions ------------------------------------------------------------------------------------

sub session { return Genflow::Session->new($_[0]{name}) }

sub sessions {
    my ($self, $count) = @_;
    return map { $self->session } 1 .. $count;
}

# One statement or more in the database's own session, none of which may fail: the last answer.
sub sql {
    my ($self, @statements) = @_;
    $self->{session} //= $self->session;
    my $answer;
    for my $statement (@statements) {
        $answer = $self->{session}->sql($statement);
        die "$answer: $statement\n" if $answer =~ /\A!/;
    }
    return $answer;
}

# Whether the session comes to wait for a lock.
sub waits {
    my ($self, $session) = @_;
    my $query = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $session->{backend}";
    return $self->soon(sub { $self->sql($query) eq 'Lock' });
}

# Lets every session run its statements, all beginning at the same moment: at_once([$session, @sql],
# ...). Returns the answers, one list per session.
sub at_once {
    my ($self, @parts) = @_;
    my $queue = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    $self->sql('SELECT pg_advisory_lock(' . GATE . ')');
    for my $part (@parts) {
        my ($session, @statements) = @$part;
        $session->start('SELECT pg_advisory_xact_lock_shared(' . GATE . ')', @statements);
    }
    $self->soon(sub { $self->sql($queue) == @parts }) or die "the sessions did not get ready\n";
    $self->sql('SELECT pg_advisory_unlock(' . GATE . ')');
    return map { my (undef, @answers) = $_->[0]->answers; \@answers } @parts;
}

sub soon {
    my ($self, $condition) = @_;
    my $end = time + HANG_LIMIT;
    until ($condition->()) {
        return 0 if time > $end;
        sleep 0.01;
    }
    return 1;
}

# ---- what sessions race for: generations of "user" -----------------------------------------------

sub grant_credits {
    my ($self, $credits) = @_;
    return $self->sql("SELECT genflow.grant_credits('user', $credits, 'for a test')");
}

# The id of a new generation for one credit, leased to the host of epoch 1: for 30 seconds, or as long.
sub new_job {
    my ($self, $lease) = @_;
    my $key = ++$self->{jobs};
    $lease //= '30 seconds';
    return $self->sql("SELECT id FROM genflow.neo_glitch_create('user', '$key', '\\x01', NULL, 'base',
        'a cat', NULL, '{}', 7, 1, 3::smallint, '10 minutes', 'host', '$lease')");
}

# ---- statements of hosts about such a generation -------------------------------------------------

# The host of this epoch records the intent of that attempt, with the token of its webhook or NULL.
sub begin_sql {
    my ($id, $epoch, $number, $token) = @_;
    $token = defined $token ? "'$token'" : 'NULL';
    return "SELECT genflow.attempt_begin('$id', $epoch, ${number}::smallint, 'acme', 'acme-1', 7, $token, '30 s')";
}

# It has the provider's id of that attempt's run.
sub accepted_sql {
    my ($id, $epoch, $number, $ref) = @_;
    return "SELECT genflow.neo_glitch_accepted('$id', $epoch, ${number}::smallint, 'acme', 'fal', '$ref', '30 s')";
}

# It ends the generation with that status.
sub settle_sql {
    my ($id, $epoch, $status) = @_;
    my $image = $status eq 'completed' ? "'/a.png'" : 'NULL';
    my $error = $status eq 'failed'    ? "'X'"      : 'NULL';
    return "SELECT genflow.neo_glitch_settle('$id', $epoch, '$status', 'acme', 'acme-1', false, $image, NULL, true,"
        . " '{}', $error, NULL, NULL)";
}

# Another host claims whatever is due: how many that is.
sub claim_sql {
    return "SELECT count(*) FROM genflow.neo_glitch_claim('other', 100, '30s', '-infinity',
        p_call => gen_random_uuid())";
}

# ---- the end -------------------------------------------------------------------------------------

sub DESTROY {
    my ($self) = @_;
    return if !$self->{made} || $self->{pid} != $$;
    local ($?, $@);
    delete $self->{session};
    psql('postgres', "DROP DATABASE IF EXISTS $self->{name} WITH (FORCE)");
    return;
}

# A statement in a connection of its own.
sub psql {
    my ($database, $statement) = @_;
    my @psql = qw(psql -XqAt -v ON_ERROR_STOP=1 -d);
    open my $answer, '-|', @psql, $database, '-c', $statement or die "psql: $!\n";
    my @lines = <$answer>;
    close $answer or die "psql failed: $statement\n";
    chomp @lines;
    return @lines;
}

1;

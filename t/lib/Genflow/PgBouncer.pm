# SPDX-License-Identifier: Apache-2.0
#
# A PgBouncer of a test's own before the site's PostgreSQL. It ends with the object.
#
#     my $pooler = Genflow::PgBouncer->start('transaction');
#     my $params = $pooler->params;      # for DBDParams

package Genflow::PgBouncer;

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(sleep time);

use Genflow::Limit;
use Genflow::Site ();

use constant { SESSIONS => 5 };

my $PATIENCE = $ENV{GENFLOW_TEST_PATIENCE} || 1;
my $made = 0;

# Pools SESSIONS sessions in pool_mode $mode.
sub start {
    my ($class, $mode) = @_;
    my $name = "$ENV{GENFLOW_WORK}/tmp/pgbouncer-$$-" . ++$made;
    my $self = bless { log => "$name.log", port => Genflow::Site::free_port(), owner => $$ }, $class;
    Genflow::Site::write_text("$name.users", qq("genflow_app" ""\n));
    Genflow::Site::write_text("$name.ini", <<"END");
[databases]
* = host=$ENV{GENFLOW_WORK}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $self->{port}
unix_socket_dir =
auth_type = trust
auth_file = $name.users
pool_mode = $mode
default_pool_size = @{[SESSIONS]}
max_client_conn = 200
logfile = $self->{log}
END
    $self->{pid} = fork // die "fork: $!\n";
    if (!$self->{pid}) {
        open STDOUT, '>', '/dev/null' or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
        exec '/usr/sbin/pgbouncer', "$name.ini" or POSIX::_exit(127);
    }
    my $end = time + HANG_LIMIT;
    sleep 0.05 while $self->log_text !~ /process up/ && time < $end;
    $self->log_text =~ /process up/ or die "pgbouncer did not start:\n" . $self->log_text;
    return $self;
}

# What leads to it.
sub params {
    my ($self) = @_;
    return "host=127.0.0.1 port=$self->{port} dbname=$ENV{PGDATABASE} user=genflow_app connect_timeout=10";
}

sub log_text { return Genflow::Site::read_text($_[0]{log}) }

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill INT => $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $@);
    $self->stop if $self->{owner} == $$;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# A private PostgreSQL on a unix socket, without a port. Apache::TestGenflow starts one for the suite of a site, and our own tests
# (Genflow::Site) start theirs by it, too.
#
#     my $postgres = Apache::TestGenflow::Postgres->new(data => "$folder/pg", sockets => $folder, log => "$folder/postgres.log");
#     $postgres->create;                       # initdb
#     $postgres->ctl('start') or die;          # ctl('stop' or 'restart', 'fast' or 'immediate')
#
# PostgreSQL refuses to run as root.

package Apache::TestGenflow::Postgres;

use strict;
use warnings;

use File::Spec ();
use POSIX ();

use constant PATH_MAX => 107;                 # bytes of a socket's path

# Options: data (its folder, which must not be there), sockets (a folder), log (a file), bin (of initdb and pg_ctl), durable
# (writes to disk as in production), owner (the superuser: genflow), connections (100).
sub new {
    my ($class, %option) = @_;
    my $self = bless { owner => 'genflow', connections => 100, %option }, $class;
    $self->{bin} //= programs() // die "PostgreSQL's initdb not found: install postgresql, or set PG_BINDIR to its folder\n";
    die "the folder $self->{sockets} has a name too long for a unix socket\n"
        if length("$self->{sockets}/.s.PGSQL.5432.lock") > PATH_MAX;
    return $self;
}

# The folder of initdb and pg_ctl, of the newest PostgreSQL that is found; or undef.
sub programs {
    my @folders = grep { length } $ENV{PG_BINDIR} // '';
    for my $config (map { "$_/pg_config" } File::Spec->path) {
        push @folders, map { s/\s+\z//r } `$config --bindir` if !@folders && -x $config;
    }
    push @folders, sort { version_of($b) <=> version_of($a) } glob '/usr/lib/postgresql/*/bin /usr/pgsql-*/bin';
    return (grep { -x "$_/initdb" } @folders, File::Spec->path)[0];
}

sub version_of { return $_[0] =~ /(\d+)/ ? $1 : 0 }

sub create {
    my ($self) = @_;
    my @how = (qw(-A trust -E UTF8 --locale=C -U), $self->{owner}, $self->{durable} ? () : '--no-sync');
    $self->run("$self->{bin}/initdb", '-D', $self->{data}, @how) or die 'initdb failed: its words are in ', $self->{log}, "\n";

    open my $conf, '>>', "$self->{data}/postgresql.conf" or die "$self->{data}: $!\n";
    print $conf "listen_addresses = ''\n",
        "unix_socket_directories = '$self->{sockets}'\n",
        "max_connections = $self->{connections}\n",
        "log_min_messages = warning\n";
    print $conf "fsync = off\nfull_page_writes = off\n" if !$self->{durable};
    close $conf or die "$self->{data}: $!\n";
    return;
}

# True when it is done.
sub ctl {
    my ($self, $action, $mode) = @_;
    my @how = defined $mode ? ('-m', $mode) : ();
    return $self->run("$self->{bin}/pg_ctl", '-D', $self->{data}, '-w', @how, '-l', $self->{log}, $action);
}

# What it says goes to the log.
sub run {
    my ($self, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<',  '/dev/null' or POSIX::_exit(127);
        open STDOUT, '>>', $self->{said} // $self->{log} or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT    or POSIX::_exit(127);
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    1 while waitpid($pid, 0) == -1 && $!{EINTR};
    return $? == 0;
}

# Runs SQL and returns its lines. :'name' in the text stands for a value given as name => value, properly quoted. Where: by the
# PG* variables of the environment.
sub sql {
    my ($bin, $text, %value) = @_;
    $value{ON_ERROR_STOP} = 1;
    open my $script, '+>', undef or die "temporary file: $!\n";
    binmode $script, ':utf8';
    print $script $text;
    seek $script, 0, 0;

    my $pid = open(my $answer, '-|') // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<&', $script or POSIX::_exit(127);
        my @values = map { ('-v', "$_=$value{$_}") } sort keys %value;
        exec "$bin/psql", '-XqAt', @values, '-f', '-' or POSIX::_exit(127);
    }
    binmode $answer, ':utf8';
    my @lines = <$answer>;
    close $answer or die "psql failed: $text\n";
    chomp @lines;
    return @lines;
}

1;

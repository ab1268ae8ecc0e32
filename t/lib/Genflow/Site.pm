# SPDX-License-Identifier: Apache-2.0
#
# A private site in a folder of its own: PostgreSQL on a unix socket, the schema, httpd on a free
# port of the loopback address. It needs no root, touches nothing outside of that folder and leaves
# nothing behind. The tests, the demo and the benchmark all start their servers through this class.
#
#     my $site = Genflow::Site->new(source => $checkout, module => "$build/.libs/mod_genflow.so");
#     exit $site->run(sub {
#         $site->start_postgres;
#         $site->create_database;
#         $site->start_httpd('demo.conf');
#         ...                                     # inside: an unprivileged user, in the folder
#         return 0;                               # the exit code; then all is stopped
#     });
#
# Several sites may run side by side, each with a folder, an environment and servers of its own:
#
#     exit Genflow::Site->run_together(sub {
#         my ($one, $two) = @_;
#         for my $site ($one, $two) {
#             $site->enter;                       # %ENV and the current folder are those of $site
#             $site->start_postgres;
#         }
#         return 0;
#     }, $one, $two);
#
# A process that run() has started (a test) finds its site again by Genflow::Site->attach.

package Genflow::Site;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Spec ();
use File::Temp qw(tempdir);
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(sleep time);

use lib dirname(abs_path(__FILE__)) . '/../../../perl';
use Apache::TestGenflow::Postgres ();
use Genflow::Limit;

use constant {
    SOCKET_ROOM => 70,        # a unix socket's path holds 107 bytes: so many for the folder
    PORT_TRIES  => 10,
};

# Options: source (the checkout), module (the .so), durable (PostgreSQL as an operator runs it, for
# crash tests and benchmarks; otherwise without fsync), programs (files that go to t/unit), keep
# (leave the folder).
sub new {
    my ($class, %option) = @_;
    my $self = bless {%option, stops => []}, $class;
    $self->find_tools;
    return $self;
}

# The site that this process was started in.
sub attach {
    my ($class) = @_;
    return bless {folder => $ENV{GENFLOW_WORK}, pg_bindir => $ENV{PG_BINDIR}}, $class;
}

sub folder { return $_[0]{folder} }

# ---- tools ---------------------------------------------------------------------------------------

sub find_tools {
    my ($self) = @_;
    my $apxs      = $ENV{APXS} || first_executable(qw(apxs apxs2)) || missing('apxs', 'APXS');
    my $pg_config = first_executable('pg_config');
    my $httpd     = join '/', map { output_of($apxs, '-q', $_) } qw(SBINDIR PROGNAME);

    $self->{apxs}      = $apxs;
    $self->{libexec}   = output_of($apxs, '-q', 'LIBEXECDIR');
    $self->{httpd}     = $ENV{HTTPD} || $httpd;
    $self->{pg_bindir} = $ENV{PG_BINDIR} || ($pg_config && output_of($pg_config, '--bindir')) || '';

    -x $self->{httpd}              or missing($self->{httpd}, 'HTTPD');
    -x "$self->{pg_bindir}/initdb" or missing("PostgreSQL's initdb", 'PG_BINDIR');
    return;
}

sub missing {
    my ($what, $variable) = @_;
    die "$what not found: run support/packages, or set $variable\n";
}

sub first_executable {
    my @names = @_;
    for my $name (@names) {
        for my $dir (File::Spec->path, '/usr/sbin', '/usr/local/bin') {
            return "$dir/$name" if -x "$dir/$name";
        }
    }
    return;
}

sub output_of {
    my @command = @_;
    open my $pipe, '-|', @command or die "$command[0]: $!\n";
    my $line = <$pipe>;
    close $pipe;
    chomp $line if defined $line;
    return $line;
}

# ---- the folder and who works in it --------------------------------------------------------------

# Makes the folder, calls $inside in a child process of an unprivileged user that lives there, stops
# what that started, removes the folder. Returns the exit code.
sub run {
    my ($self, $inside) = @_;
    return ref($self)->run_together($inside, $self);
}

# The same for several sites. $inside is called with all of them, and has entered the first.
sub run_together {
    my ($class, $inside, @sites) = @_;
    $_->make_folder for @sites;

    my $pid = fork // die "fork: $!\n";
    exit work_inside($inside, @sites) if !$pid;

    local @SIG{qw(INT TERM HUP)} = (sub { kill TERM => $pid }) x 3;
    my $code = exit_code_of($pid);
    for my $site (@sites) {
        if ($site->{keep}) {
            print "Kept: $site->{folder}\n";
        }
        else {
            remove_tree($site->{folder});
        }
    }
    return $code;
}

# A copy of the sources, because the checkout may be unreadable to the user below, or read-only
# (make distcheck).
sub make_folder {
    my ($self) = @_;
    my $tmp = File::Spec->tmpdir;
    $tmp = '/tmp' if length $tmp > SOCKET_ROOM;
    my $folder = $self->{folder} = tempdir('gf.XXXXXX', DIR => $tmp);
    chmod 0755, $folder;

    my $source = abs_path($self->{source});
    my @files  = grep { -f } glob "$source/* $source/.clang-format";
    my @dirs   = grep { -d "$source/$_" } qw(conf docs js mod_genflow mod_genflow_local perl sql studio support t);
    system('cp', @files, "$folder/") == 0 or die "cannot copy $source\n";
    system(qq{tar -C '$source' -c --exclude=node_modules @dirs | tar -C '$folder' -x}) == 0
        or die "cannot copy $source\n";
    system('chmod', '-R', 'u+w', $folder);
    my @scripts = glob "$folder/js/*.js";      # as make install has them
    !@scripts || system('cp', @scripts, "$folder/studio/") == 0 or die "cannot copy $folder/js\n";
    for my $place (qw(t/clients t/js t/studio)) {
        my $modules = abs_path("$source/$place/node_modules");
        symlink $modules, "$folder/$place/node_modules" if $modules && -d $modules;
    }

    make_path(map { "$folder/$_" } qw(inject modules store tmp t/logs t/htdocs));
    chmod 0700, "$folder/inject";             # else a process takes no orders from it
    my $local = $self->{module} =~ s/\.so\z/_local.so/r;
    for my $module ($self->{module}, $local, @{ $self->{modules} // [] }) {
        system('cp', $module, "$folder/modules/") == 0
            or die "cannot copy the module $module: run support/build\n";
    }

    my @programs = @{ $self->{programs} // [] };
    return if !@programs;
    for my $program (@programs) {
        my ($place) = $program =~ m{(t/(?:unit|fuzz))/[^/]+\z};
        make_path("$folder/$place");
        system('cp', $program, "$folder/$place/") == 0 or die "cannot copy $program\n";
    }
    return;
}

sub work_inside {
    my ($inside, @sites) = @_;
    my $code = eval {
        POSIX::setpgid(0, 0);
        local @SIG{qw(INT TERM HUP)} = (sub { die "interrupted\n" }) x 3;
        become_unprivileged(@sites) if $> == 0;
        $_->make_environment for @sites;
        $sites[0]->enter;
        $inside->(@sites);
    };
    if (!defined $code) {
        print STDERR $@ if $@ ne "interrupted\n";
        $code = 1;
    }
    local $SIG{TERM} = 'IGNORE';
    kill TERM => -$$;                       # this process group: a prove that was interrupted
    $_->stop_all for reverse @sites;
    return $code;
}

# PostgreSQL and Apache::Test refuse to run as root.
sub become_unprivileged {
    my @sites = @_;
    my $name = $ENV{GENFLOW_TEST_USER} || 'nobody';
    my (undef, undef, $uid, $gid) = getpwnam $name or die "no user $name: set GENFLOW_TEST_USER\n";

    for my $folder (map { $_->{folder} } @sites) {
        system('chown', '-R', "$uid:$gid", $folder) == 0 or die "cannot give $folder to $name\n";
    }
    $) = "$gid $gid";
    POSIX::setgid($gid);
    POSIX::setuid($uid);
    die "cannot become $name\n" if $> == 0 || $< == 0;
    return;
}

# The caller's environment and what belongs to this site.
sub make_environment {
    my ($self) = @_;
    my $folder = $self->{folder};

    # Neither the caller's database nor a proxy may get between the parts.
    my @kept = grep { !/\APG[A-Z]/ && !/_proxy\z/i } keys %ENV;

    $self->{environment} = {
        map({ $_ => $ENV{$_} } @kept),
        HOME            => $folder,
        TMPDIR          => "$folder/tmp",
        PATH            => "$self->{pg_bindir}:$ENV{PATH}",
        LC_ALL          => 'C.UTF-8',
        PERL5LIB        => "$folder/t/lib:$folder/perl",
        PGHOST          => $folder,
        PGUSER          => 'genflow',
        PGDATABASE      => 'postgres',
        PGOPTIONS       => '-c client_min_messages=warning',
        APXS            => $self->{apxs},
        HTTPD           => $self->{httpd},
        PG_BINDIR       => $self->{pg_bindir},
        GENFLOW_WORK    => $folder,
        GENFLOW_LIBEXEC => $self->{libexec},
        GENFLOW_INJECT  => "$folder/inject",
        GENFLOW_MPM     => $ENV{GENFLOW_MPM} || 'event',
    };
    unshift @INC, "$folder/t/lib";
    return;
}

my $entered;                                # the site whose environment and folder this process has

# From here on %ENV and the current folder are those of this site. What is set in %ENV stays with the
# site that was entered last.
sub enter {
    my ($self) = @_;
    $entered->{environment} = {%ENV} if $entered;
    $entered = $self;
    %ENV = %{ $self->{environment} };
    chdir $self->{folder} or die "$self->{folder}: $!\n";
    return;
}

# For a shell that enters this site: `cd FOLDER && . ./environment`.
sub write_environment {
    my ($self) = @_;
    $self->enter;
    open my $file, '>', 'environment' or die "environment: $!\n";
    for my $name (grep { /\A[A-Za-z_]\w*\z/ } sort keys %ENV) {
        print $file "export $name='", $ENV{$name} =~ s/'/'\\''/gr, "'\n";
    }
    close $file or die "environment: $!\n";
    return;
}

# ---- starting and stopping -----------------------------------------------------------------------

# What was started last is stopped first.
sub stop_all {
    my ($self) = @_;
    $self->enter if $self->{environment};
    while (my $stop = pop @{ $self->{stops} }) {
        eval { $stop->(); 1 } or warn $@;
    }
    return;
}

# Calls this when all is stopped.
sub at_end {
    my ($self, $stop) = @_;
    push @{ $self->{stops} }, $stop;
    return;
}

# Runs a command and keeps what it says in the folder's setup.log; true when it succeeded.
sub try_command {
    my ($self, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<',  '/dev/null'                 or POSIX::_exit(127);
        open STDOUT, '>>', "$self->{folder}/setup.log" or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT                    or POSIX::_exit(127);
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    return exit_code_of($pid) == 0;
}

sub command {
    my ($self, @command) = @_;
    return if $self->try_command(@command);
    die "$command[0] failed; its last words:\n" . $self->tail('setup.log', 20);
}

sub exit_code_of {
    my ($pid) = @_;
    1 while waitpid($pid, 0) == -1 && $!{EINTR};
    return $? & 127 ? 1 : $? >> 8;
}

# ---- PostgreSQL ----------------------------------------------------------------------------------

sub start_postgres {
    my ($self) = @_;
    if (!-d "$self->{folder}/pg") {
        $self->postgres->create;
        require_password("$self->{folder}/pg/pg_hba.conf");
    }
    push @{ $self->{stops} }, sub {
        $self->pg_ctl('stop', 'immediate') if -e "$self->{folder}/pg/postmaster.pid";
    };
    $self->pg_ctl('start') or die "PostgreSQL did not start:\n" . $self->tail('postgres.log', 20);
    return;
}

# Before start_postgres: with the databases of that site, whose PostgreSQL is stopped meanwhile.
sub copy_postgres {
    my ($self, $from) = @_;
    my ($old, $new) = ($from->{folder}, $self->{folder});
    $self->command('cp', '-R', "$old/pg", $self->admin_password_file =~ s/\A\Q$new\E/$old/r, $new);
    my $settings = "$new/pg/postgresql.conf";
    write_text($settings, read_text($settings) =~ s/\Q$old\E/$new/gr);
    $ENV{PGDATABASE} = $from->{environment}{PGDATABASE};
    return;
}

# As the suites of sites start theirs.
sub postgres {
    my ($self) = @_;
    my $folder = $self->{folder};
    return Apache::TestGenflow::Postgres->new(data => "$folder/pg", sockets => $folder, log => "$folder/postgres.log",
        said => "$folder/setup.log", bin => $self->{pg_bindir}, durable => $self->{durable}, connections => 500);
}

# The role of administration has to give its password, all others are trusted: a holder of only
# DBDParams can name that role and not become it.
sub require_password {
    my ($path) = @_;
    my $rules = read_text($path);
    open my $file, '>', $path or die "$path: $!\n";
    print $file "local all genflow_admin scram-sha-256\n", $rules;
    close $file or die "$path: $!\n";
    return;
}

# pg_ctl('start'), pg_ctl('stop' or 'restart', 'fast' or 'immediate'): true when it is done.
sub pg_ctl {
    my ($self, @how) = @_;
    return $self->postgres->ctl(@how);
}

# A database as sql/apply makes it, which PGDATABASE names from now on. Requests are genflow_app
# there, administration is genflow_admin, this process is the owner.
sub create_database {
    my ($self, $name) = @_;
    $name //= 'genflow';
    $self->command('createdb', $name);
    $ENV{PGDATABASE} = $name;
    $self->command(qw(sql/apply --role genflow_app --admin-role genflow_admin));
    $self->set_admin_password if !-e $self->admin_password_file;
    return;
}

# The role of administration needs a password (pg_hba.conf); httpd reads it from this file.
sub admin_password_file { return "$_[0]{folder}/admin-password" }

sub set_admin_password {
    my ($self) = @_;
    my $password = join '', map { sprintf '%02x', int rand 256 } 1 .. 16;
    my $path = $self->admin_password_file;
    $self->sql("ALTER ROLE genflow_admin PASSWORD :'password'", password => $password);
    open my $file, '>', $path or die "$path: $!\n";
    print $file "$password\n";
    close $file or die "$path: $!\n";
    chmod 0600, $path;
    return;
}

# Runs SQL and returns its lines. :'name' in the text stands for a value given as name => value,
# properly quoted.
sub sql {
    my ($self, $text, %value) = @_;
    return Apache::TestGenflow::Postgres::sql($self->{pg_bindir}, $text, %value);
}

# ---- httpd ---------------------------------------------------------------------------------------

# Starts httpd with a configuration from t/conf. $start says how (true when it runs); without it,
# directly. The port is the kernel's choice; in the moment until httpd takes it somebody else may,
# therefore the tries.
sub start_httpd {
    my ($self, $conf, $start) = @_;
    $start //= sub { $self->try_command($self->httpd_command) };
    $ENV{GENFLOW_CONF} = $conf;
    $ENV{GENFLOW_PORT} = free_port();
    $self->command($self->httpd_command, '-t');
    $self->set_amounts;

    push @{ $self->{stops} }, sub { $self->stop_httpd };
    for (1 .. PORT_TRIES) {
        return if $start->();
        $self->stop_httpd;
        $ENV{GENFLOW_PORT} = free_port();
    }
    die "httpd did not start:\n", $self->tail('setup.log', 20), $self->tail('t/logs/error_log', 20);
}

sub httpd_command {
    my ($self) = @_;
    my $root = "$self->{folder}/t";
    return ($self->{httpd}, '-d', $root, '-f', "$root/conf/httpd.conf.in");
}

# The database grants what the directives state, as genflow-setup does it.
sub set_amounts {
    my ($self) = @_;
    my @command = ($self->httpd_command, '-t', '-D', 'DUMP_GENFLOW');
    open my $dump, '-|', 'sh', '-c', 'exec "$0" "$@" 2>/dev/null', @command or die "$command[0]: $!\n";
    my @amounts = map { /^genflow amounts (.*=.*)$/ ? $1 : () } <$dump>;
    close $dump;
    $self->sql(q(SELECT genflow.admin_amounts(:'amounts')), amounts => $_) for @amounts;
    return;
}

# Puts a script in httpd's place, for instance to start it under valgrind; $text runs the real one
# as "$HTTPD".
sub wrap_httpd {
    my ($self, $text) = @_;
    my $script = "$self->{folder}/httpd";
    open my $file, '>', $script or die "$script: $!\n";
    print $file "#!/bin/sh\nHTTPD='$self->{httpd}'\n$text";
    close $file or die "$script: $!\n";
    chmod 0755, $script;
    $self->{httpd} = $ENV{HTTPD} = $script;
    return;
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)
        or die "no free port: $!\n";
    return $socket->sockport;
}

sub base { return "http://127.0.0.1:$ENV{GENFLOW_PORT}" }

sub stop_httpd {
    my ($self) = @_;
    my $pid = $self->httpd_pid or return;
    kill TERM => $pid;
    my $end = time + HANG_LIMIT;
    sleep 0.05 while kill(0, $pid) && time < $end;
    if (kill 0, $pid) {
        warn "httpd did not end within " . HANG_LIMIT . " s and was killed\n";
        kill KILL => -$pid;                 # it leads a process group of its own
    }
    unlink "$self->{folder}/t/logs/httpd.pid";
    return;
}

sub httpd_pid {
    my ($self) = @_;
    open my $file, '<', "$self->{folder}/t/logs/httpd.pid" or return;
    my ($pid) = (<$file> // '') =~ /(\d+)/;
    return $pid;
}

# The processes that serve requests.
sub httpd_children {
    my ($self) = @_;
    my $parent = $self->httpd_pid or return;
    return children_of($parent);
}

sub children_of {
    my ($parent) = @_;
    my @children;
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $file, '<', $stat or next;
        my ($pid, $state, $ppid) = (<$file> // '') =~ /\A(\d+) \(.*\) (\S) (\d+)/ or next;
        push @children, $pid if $ppid == $parent && $state ne 'Z';
    }
    return @children;
}

# ---- the fakes: somebody to talk to --------------------------------------------------------------

sub start_provider {
    my ($self) = @_;
    return $self->start_fake(provider => 'Genflow::FakeProvider', 'GENFLOW_FAKE');
}

sub start_store {
    my ($self) = @_;
    return $self->start_fake(remote => 'Genflow::FakeStore', 'GENFLOW_STORE');
}

# A process of its own, whose address is announced in that variable of the environment.
sub start_fake {
    my ($self, $name, $class, $variable) = @_;
    my $announced = "$self->{folder}/$name.port";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>>', "$self->{folder}/$name.log" or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT                    or POSIX::_exit(127);
        exec $^X, "-M$class", '-e', "$class->run(shift)", $announced or POSIX::_exit(127);
    }
    push @{ $self->{stops} }, sub { kill TERM => $pid; waitpid $pid, 0 };

    my $end = time + HANG_LIMIT;
    sleep 0.02 while !-s $announced && time < $end;
    my ($port) = read_text($announced) =~ /(\d+)/
        or die "$class did not start:\n" . $self->tail("$name.log", 20);
    $ENV{$variable} = "http://127.0.0.1:$port";
    return;
}

# ---- files of the folder -------------------------------------------------------------------------

# Has this test a site to itself? Those of t/fault and t/chaos have; all other tests share one.
sub is_alone { return $0 =~ m{(?:\A|/)t/(?:fault|chaos)/} }

sub error_log { return "$_[0]{folder}/t/logs/error_log" }

# Of some lines of the error log, our own at warning or above: pairs of tag and line. Httpds that
# tests start beside the site have other settings on purpose (GF0872), and how late a generation is
# says how fast the machine is (GF0875).
sub alarms {
    my @lines = grep { !/\bGF087[25]\b/ } @_;
    my $alarm = qr/\[genflow:(?:warn|error|crit|alert|emerg)\].*?\b(GF\d{4})\b/;
    return map { /$alarm/ ? [$1, $_] : () } @lines;
}

# Empty where there is no such file.
sub read_text {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    local $/ = undef;
    return <$file> // '';
}

# Of a file that is there.
sub slurp {
    my ($path) = @_;
    -e $path or die "$path: $!\n";
    return read_text($path);
}

sub write_text {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
    return;
}

# The last lines of a file, indented.
sub tail {
    my ($self, $name, $count) = @_;
    my @lines = split /^/, read_text("$self->{folder}/$name");
    splice @lines, 0, @lines - $count if @lines > $count;
    return join '', map { "    $_" } @lines;
}

1;

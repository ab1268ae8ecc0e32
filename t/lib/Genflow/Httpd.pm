# SPDX-License-Identifier: Apache-2.0
#
# Further httpds of a test, beside the one of the site: with a configuration of the test's own, only
# checked, or started. They share the site's database, store and modules, and end with the test. So
# they leave the types of the site to the site, which logs what it makes: they say GenflowDispatch Off,
# or have types of their own, or a database of their own (Genflow::Database, in PGDATABASE). Tests in
# t/fault have a site to themselves.
#
#     refused('a body of nothing', "GenflowBodyMax 0\n", 'must be 1k to 100m');
#     accepted('a small body', "GenflowBodyMax 1k\n");
#     my $httpd = Genflow::Httpd->start("GenflowDispatch Off\n...");
#     client()->get($httpd->base . '/api/health');
#     is $httpd->alarms, '', 'it had nothing to complain about';

package Genflow::Httpd;

use strict;
use warnings;

use parent 'Exporter';
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Genflow::Limit;
use Genflow::Site ();

our @EXPORT_OK = qw(configtest refused accepted small_site fake_provider);

my $made = 0;

# Where the fake provider is each of them.
my %PATH = (stability => '', fal => '/fal', replicate => '/replicate/v1', openai => '/openai/v1');

# The least that a site with a type needs.
my $SITE = <<'END';
DBDriver pgsql
DBDParams "host=${GENFLOW_WORK} dbname=${PGDATABASE} user=genflow_app"
GenflowStoreFolder "${GENFLOW_WORK}/store"
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType sketch>
    GenflowTypeProviders local
</GenflowType>
END

# ---- only checked --------------------------------------------------------------------------------

# Behind what a site needs, these lines stop `httpd -t` with a message that contains $message.
sub refused {
    my ($what, $lines, $message) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($good, $says) = configtest($SITE . $lines);
    my $passed = !$good && index($says, $message) >= 0;
    ok $passed, "$what is refused" or diag "the message should be: $message\nit is: $says";
    return $passed;
}

# Behind what a site needs, these lines pass.
sub accepted {
    my ($what, $lines) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($good, $says) = configtest($SITE . $lines);
    ok $good, "$what is accepted" or diag $says;
    return $good;
}

# (whether httpd takes this configuration, what it says about it)
sub configtest {
    my ($text) = @_;
    my $path = write_conf(frame('configtest', 1) . $text);
    my $pid  = open(my $output, '-|') // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
        exec $ENV{HTTPD}, '-t', '-f', $path or POSIX::_exit(127);
    }
    local $/ = undef;
    my $says = <$output> // '';
    close $output;
    unlink $path;
    return ($? == 0, $says);
}

# ---- started -------------------------------------------------------------------------------------

# An httpd on a free port, with this text behind its frame. without => 'genflow_local': that module of
# ours is not loaded.
sub start {
    my ($class, $text, %option) = @_;
    leave_work($text);
    my $name = "httpd-$$-" . ++$made;
    my $port = Genflow::Site::free_port();
    my $self = bless {
        pid_file => "$ENV{GENFLOW_WORK}/t/logs/$name.pid",
        log      => "$ENV{GENFLOW_WORK}/t/logs/$name.log",
        base     => "http://127.0.0.1:$port",
        owner    => $$,
    }, $class;
    $SIG{$_} //= sub { exit 1 } for qw(INT TERM);      # so that DESTROY is called then, too
    my $without = $option{without} // '-';
    my $path = $self->{conf} = write_conf(frame($name, $port) =~ s/^LoadModule \Q$without\E_module.*\n//mr . $text);
    system($ENV{HTTPD}, '-f', $path, '-k', 'start') == 0 or die "httpd did not start: $path\n";

    my $end = time + HANG_LIMIT;
    sleep 0.05 while !-s $self->{pid_file} && time < $end;
    -s $self->{pid_file} or die "httpd did not start:\n" . $self->log_text;
    return $self;
}

sub base     { return $_[0]{base} }
sub conf     { return $_[0]{conf} }
sub log_text { return Genflow::Site::read_text($_[0]{log}) }

# The pid of its parent process, while it runs or ends.
sub pid {
    my ($self) = @_;
    ($self->{pid}) = Genflow::Site::read_text($self->{pid_file}) =~ /(\d+)/ if !$self->{pid};
    return $self->{pid};
}

# The pids of its processes that serve requests.
sub children {
    my ($self) = @_;
    return Genflow::Site::children_of($self->pid);
}

# Its log lines at warning or above, as one text.
sub alarms {
    my ($self) = @_;
    return join "\n", map { $_->[1] } Genflow::Site::alarms(split /\n/, $self->log_text);
}

sub stop {
    my ($self) = @_;
    my ($pid) = Genflow::Site::read_text($self->{pid_file}) =~ /(\d+)/ or return;
    kill TERM => $pid;
    my $end = time + HANG_LIMIT;
    sleep 0.05 while kill(0, $pid) && time < $end;
    kill KILL => $pid;
    unlink $self->{pid_file};
    return;
}

# The processes of in_parallel have a copy, but it is not theirs.
sub DESTROY {
    my ($self) = @_;
    local ($?, $@);
    $self->stop if $self->{owner} == $$;
}

# What an httpd needs that has one type, neo-glitch, at the fake provider; or another, which it makes.
sub small_site {
    my ($type) = @_;
    Genflow::Test::sql("SELECT genflow.create_type(:'type')", type => $type) if $type;
    my $text = <<'END' . ($type || Genflow::Site::is_alone() ? '' : "GenflowDispatch Off\n");
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowStoreThumbnail Off
GenflowDispatchLease 2s
GenflowDispatchPoll 100ms
<GenflowProvider stability>
    GenflowProviderUrl "${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderDeadline 30s
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeProviders stability/sd3
    GenflowTypeCost 1
</GenflowType>
END
    return $type ? $text =~ s/neo-glitch/$type/r : $text;
}

# The section of a provider at the fake one, with more lines.
sub fake_provider {
    my ($name, @lines) = @_;
    my $key = $name eq 'stability' ? 'STABILITY_API_KEY' : 'PEERS_API_KEY';
    my $path = $PATH{$name} // die "the fake provider has no '$name'\n";
    return join("\n    ", "<GenflowProvider $name>", "GenflowProviderUrl \"\${GENFLOW_FAKE}$path\"", "GenflowProviderKey env:$key",
        @lines) . "\n</GenflowProvider>\n";
}

# An httpd of one child, which alone works on this type of the test's own; the test talks to it. `chain` is the type's one entry,
# stability/sd3 without it, `provider` more lines of its provider's section, `lines` more of the server's.
sub one_child {
    my ($class, $type, %more) = @_;
    my $chain = $more{chain} // 'stability/sd3';
    my ($name) = $chain =~ m{\A(\w+)};
    Genflow::Test::sql("SELECT genflow.create_type(:'type')", type => $type);
    my $self = $class->start(<<'END' . ($more{lines} // '') . fake_provider($name, @{ $more{provider} // [] }) . <<"END");
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
GenflowStoreFolder "${GENFLOW_WORK}/store"
GenflowDispatchPoll 100ms
END
<GenflowType $type>
    GenflowTypeProviders $chain
    GenflowTypeCost 1
</GenflowType>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END
    Genflow::Test::talk_to($self);
    return $self;
}

# Dies if the httpd would take work of other tests, which look for it in the log of the site.
sub leave_work {
    my ($text) = @_;
    return if Genflow::Site::is_alone() || $text =~ /^GenflowDispatch Off$/m;
    return if $ENV{PGDATABASE} =~ /\Agenflow_t_/;     # a Genflow::Database
    my $site  = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/t/conf/test.conf");
    my $theirs = join '|', map { quotemeta } $site =~ /<GenflowType (\S+)>/g;
    $text =~ m{t/conf/(?:site|test)\.conf|<GenflowType (?:$theirs)>}
        && $text !~ /dbname=(?!\$\{PGDATABASE\})/
        and die "this httpd would take work of the site: GenflowDispatch Off, or types of its own\n";
    return;
}

# ---- the frame -----------------------------------------------------------------------------------

# What every httpd needs; its own names for what no two may share. OWN_PORT is its port. No client may read files: what we
# serve is none.
sub frame {
    my ($name, $port) = @_;
    return <<"END";
Include "\${GENFLOW_WORK}/t/conf/modules.conf"
LoadModule genflow_module "\${GENFLOW_WORK}/modules/mod_genflow.so"
LoadModule genflow_local_module "\${GENFLOW_WORK}/modules/mod_genflow_local.so"
Define OWN_PORT $port
Listen 127.0.0.1:$port
ServerName 127.0.0.1:$port
ServerRoot "\${GENFLOW_WORK}/t"
DocumentRoot "\${GENFLOW_WORK}/t/htdocs"
DefaultRuntimeDir "\${GENFLOW_WORK}/t/logs"
PidFile "\${GENFLOW_WORK}/t/logs/$name.pid"
ErrorLog "\${GENFLOW_WORK}/t/logs/$name.log"
TypesConfig "\${GENFLOW_WORK}/t/conf/types"
LogLevel info genflow:debug
<IfModule mpm_prefork_module>
    MaxRequestWorkers 24
</IfModule>
<Directory "/">
    Require all denied
</Directory>
END
}

sub write_conf {
    my ($text) = @_;
    my $path = "$ENV{GENFLOW_WORK}/tmp/conf-$$-" . ++$made;
    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
    return $path;
}

1;

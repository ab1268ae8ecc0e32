# SPDX-License-Identifier: Apache-2.0
package Apache::TestGenflow;

use strict;
use warnings;

use Cwd qw(abs_path getcwd);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Spec ();
use File::Temp qw(tempdir);
use HTTP::Tiny ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

use parent 'Exporter';

# Both are in one folder; a link to this file may stand in a folder of Perl.
use lib dirname(dirname(abs_path(__FILE__)));
use Apache::TestGenflow::Postgres ();
use Apache::TestGenflow::Recorded ();

our @EXPORT = qw(generate generate_ok wait_ended credits credits_are grant_credits books_ok picture_ok use_api suite_url suite_sql);

use constant {
    END_TIME   => 120,          # seconds that a generation may take
    STOP_TIME  => 30,           # ... and httpd to end
    LOCATION   => '/genflow-suite',
    NOWHERE    => 'http://127.0.0.1:1',
    LOG_LINES  => 8,
};

# sql/, conf/ and mod_genflow's other files: the tree's, or those that make install puts beside perl/.
my $SHARE = dirname(dirname(dirname(abs_path(__FILE__))));
my $JSON  = JSON::PP->new->utf8->canonical->allow_nonref;

# ---- t/TEST: the suite ---------------------------------------------------------------------------

my @MODULES = qw(authn_core authn_file authz_core authz_host authz_user auth_basic alias mime dir setenvif headers dbd reqtimeout);

# Apache::TestGenflow->run(conf => [...], providers => {...}, ...): called by t/TEST, and never returns.
sub run {
    my ($class, %option) = @_;
    my @arguments = @ARGV;
    my $top  = dirname(dirname(abs_path($0)));
    my $self = bless { %option, top => $top, folder => "$top/t/genflow" }, $class;
    chdir $top or die "$top: $!\n";
    eval { $self->leave_root; 1 } or stop_with($@);
    eval { require Apache::TestRun; require Apache::TestConfig; 1 }
        or stop_with("no Apache::Test here. Debian has it in libapache2-mod-perl2, Fedora in perl-Apache-Test, CPAN as Apache::Test\n");
    exit $self->pass_on(@arguments) if grep { /\A-(?:help|clean|run-tests|ping)\b/ } @arguments;
    if (grep { $_ eq '-stop-httpd' } @arguments) {
        my $code = $self->pass_on(@arguments);
        $self->stop_all;
        exit $code;
    }
    eval { $self->check_options; 1 } or stop_with($@);
    $self->begin;
    my $code = eval { $self->pass_on($self->httpd_arguments(@arguments), @arguments) };
    print STDERR words_of($@) if !defined $code;
    $code //= 1;
    $self->end($code == 0 && grep { $_ eq '-start-httpd' } @arguments);
    exit $code;
}

sub words_of { return 'Apache::TestGenflow: ' . $_[0] =~ s/\s+\z/\n/r }

sub stop_with {
    my ($says) = @_;
    print STDERR words_of($says);
    exit 1;
}

# PostgreSQL and Apache::Test refuse root: the owner of the folder t/ runs them.
sub leave_root {
    my ($self) = @_;
    return if $> != 0;
    my ($uid, $gid) = (stat "$self->{top}/t")[4, 5];
    die "PostgreSQL and Apache::Test do not run as root. Run $0 as another user, or give that user the folder (chown -R USER "
        . "$self->{top}/t): $0 becomes its owner\n" if !$uid;
    $) = "$gid $gid";
    POSIX::setgid($gid);
    POSIX::setuid($uid);
    die "cannot become the user $uid\n" if $> == 0 || $< == 0;
    $ENV{HOME} = "$self->{top}/t";
    return;
}

sub check_options {
    my ($self) = @_;
    $self->{conf} = [map { File::Spec->rel2abs($_, $self->{top}) } ref $self->{conf} ? @{ $self->{conf} } : $self->{conf} // ()];
    die "`conf` is missing: name the files with the <GenflowType> and <GenflowProvider> sections of your site\n" if !@{ $self->{conf} };
    for my $file (@{ $self->{conf} }) {
        my $text = slurp($file) // die "$file: $!\n";
        die "$file has DBDParams: keep the database of your site in another file than its types, so that no test can reach it\n"
            if $text =~ /^\s*DBDParams\b/mi;
    }
    my %providers = %{ $self->{providers} // {} };
    for my $name (sort keys %providers) {
        next if $providers{$name} =~ m{\Alocal(?:/|\z)};
        my $folder = $providers{$name} = File::Spec->rel2abs($providers{$name}, $self->{top});
        die "the provider $name: `$folder` is no folder of recorded answers, and neither `local` nor `local/EFFECT`\n" if !-d $folder;
        my @wrong = Apache::TestGenflow::Recorded::faults($folder);
        die join "\n", "the recorded answers of the provider $name:", @wrong, '' if @wrong;
    }
    $self->{providers} = \%providers;
    $self->{httpd} //= $ENV{APACHE_TEST_HTTPD} || find_program(qw(apache2 httpd))
        // die "httpd not found: install it, or set APACHE_TEST_HTTPD\n";
    $self->{libexec} //= libexec();
    return;
}

sub find_program {
    my @names = @_;
    for my $name (@names) {
        for my $folder (File::Spec->path, qw(/usr/sbin /usr/local/sbin /usr/local/bin)) {
            return "$folder/$name" if -x "$folder/$name" && !-d _;
        }
    }
    return;
}

# httpd's folder of modules. GENFLOW_MODULES is that of mod_genflow, where it is another one.
sub libexec {
    my $apxs = $ENV{APXS} || find_program(qw(apxs apxs2));
    my @said = $apxs ? map { s/\s+\z//r } `$apxs -q LIBEXECDIR 2>/dev/null` : ();
    my ($folder) = grep { -e "$_/mod_dbd.so" } @said, qw(/usr/lib/apache2/modules /usr/lib64/httpd/modules /usr/libexec/apache2);
    return $folder // die "the folder of httpd's modules (mod_dbd.so) not found: name it by `libexec`\n";
}

# ---- what is started, and ends in any case -------------------------------------------------------

# The guard is a process of its own, in a session of its own. When this process ends, however it does, the pipe between the two
# closes, and the guard stops whatever t/genflow/started names.
sub begin {
    my ($self) = @_;
    $self->stop_all;
    remove_tree($self->{folder});
    make_path("$self->{folder}/store", map { "$self->{top}/t/$_" } qw(conf logs htdocs));
    unlink map { "$self->{top}/t/$_" } qw(conf/apache_test_config.pm conf/httpd.conf logs/error_log logs/recorded.log);
    $self->{sockets} = tempdir('genflow.XXXXXX', DIR => length(File::Spec->tmpdir) > 70 ? '/tmp' : File::Spec->tmpdir);
    $self->note("folder $self->{sockets}");

    pipe my $watched, $self->{alive} or die "pipe: $!\n";
    $self->{guard} = fork // die "fork: $!\n";
    if (!$self->{guard}) {
        POSIX::setsid();
        @SIG{qw(INT TERM HUP PIPE)} = ('IGNORE') x 4;
        close $self->{alive};
        # Otherwise a pipe of the caller stays open as long as this process lives.
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        my $said = <$watched>;
        $self->stop_all if ($said // '') ne "stays\n";
        POSIX::_exit(0);
    }
    close $watched;
    $SIG{$_} = sub { $self->interrupted } for qw(INT TERM HUP);
    return;
}

sub interrupted {
    my ($self) = @_;
    $self->end;
    print STDERR "\nApache::TestGenflow: interrupted; everything is stopped.\n";
    POSIX::_exit(1);
}

# The end, or with t/TEST -start-httpd not yet.
sub end {
    my ($self, $stays) = @_;
    my $guard = delete $self->{guard} or return;
    syswrite $self->{alive}, "stays\n" if $stays;
    close $self->{alive};
    waitpid $guard, 0;
    return;
}

# A line of the file that says what is to be stopped.
sub note {
    my ($self, $line) = @_;
    open my $file, '>>', "$self->{folder}/started" or die "$self->{folder}: $!\n";
    print $file "$line\n";
    close $file or die "$self->{folder}: $!\n";
    return;
}

# The processes by their pids, if they still are what they were; then the folder of sockets goes.
sub stop_all {
    my ($self) = @_;
    my $started = slurp("$self->{folder}/started") // return;
    my ($tests)    = $started =~ /^tests (\d+)$/m;
    my ($httpd)    = (slurp("$self->{top}/t/logs/httpd.pid") // '') =~ /(\d+)/;
    my ($postgres) = (slurp("$self->{folder}/pg/postmaster.pid") // '') =~ /\A(\d+)/;
    kill TERM => -$tests if $tests && command_of($tests) =~ /\bTEST\b/;
    stop_process($httpd, 'TERM') if $httpd && command_of($httpd) =~ /\Q$self->{top}\E/;
    stop_process($_, 'TERM') for grep { command_of($_) =~ /recorded answers/ } $started =~ /^recorded (\d+)$/mg;
    stop_process($postgres, 'QUIT') if $postgres && command_of($postgres) =~ /\Q$self->{folder}\E/;
    remove_tree($1) if $started =~ m{^folder (/\S+/genflow\.\w{6})$}m;
    remove_tree("$self->{folder}/pg", "$self->{folder}/store");
    unlink "$self->{folder}/started", "$self->{folder}/state.json", "$self->{top}/t/logs/httpd.pid";
    return;
}

sub command_of {
    my ($pid) = @_;
    return -d '/proc/self' ? (slurp("/proc/$pid/cmdline") // '') =~ tr/\0/ /r : `ps -o command= -p $pid`;
}

# A process that has ended, but was not waited for, has no command any more.
sub stop_process {
    my ($pid, $signal) = @_;
    kill $signal => $pid;
    my $end = time + STOP_TIME;
    sleep 0.05 while command_of($pid) ne '' && time < $end;
    kill KILL => $pid if command_of($pid) ne '';
    return;
}

# ---- database and recorded answers ---------------------------------------------------------------

sub start_servers {
    my ($self) = @_;
    my $folder   = $self->{folder};
    my $postgres = Apache::TestGenflow::Postgres->new(data => "$folder/pg", sockets => $self->{sockets}, log => "$folder/postgres.log");
    $postgres->create;
    $postgres->ctl('start') or die "PostgreSQL did not start:\n" . tail("$folder/postgres.log");
    delete @ENV{ grep { /\APG[A-Z]/ } keys %ENV };
    @ENV{qw(PGHOST PGUSER PGDATABASE)} = ($self->{sockets}, 'genflow', 'genflow');
    $ENV{PATH} = "$postgres->{bin}:$ENV{PATH}";
    $postgres->run("$postgres->{bin}/createdb", 'genflow')
        && $postgres->run("$SHARE/sql/apply", qw(--role genflow_app --admin-role genflow_admin))
        or die "sql/apply failed:\n" . tail("$folder/postgres.log");
    spew("$folder/state.json", $JSON->encode({ sockets => $self->{sockets}, bin => $postgres->{bin}, top => $self->{top} }), 0644);
    suite_sql(q(ALTER ROLE genflow_admin PASSWORD 'suite'));

    for my $name (sort keys %{ $self->{providers} }) {
        my $answers = $self->{providers}{$name};
        next if $answers !~ m{\A/};
        my ($pid, $port) = Apache::TestGenflow::Recorded->start($answers, "$self->{top}/t/logs/recorded.log");
        $self->{url}{$name} = "http://127.0.0.1:$port";
        $self->note("recorded $pid");
    }
    return;
}

# ---- httpd ---------------------------------------------------------------------------------------

sub httpd_arguments {
    my ($self, @arguments) = @_;
    my $modules = "$self->{folder}/modules.conf";
    my @mpm     = grep { -e "$self->{libexec}/mod_mpm_$_.so" } $self->{mpm} // (), qw(event worker prefork);
    my @named   = ($mpm[0] ? "mpm_$mpm[0]" : (), @MODULES, @{ $self->{modules} // [] });
    my $ours    = $ENV{GENFLOW_MODULES} || $self->{libexec};
    spew($modules, join('', map({ -e "$self->{libexec}/mod_$_.so" ? qq(LoadModule ${_}_module "$self->{libexec}/mod_$_.so"\n) : () } @named),
        map { qq(LoadModule ${_}_module "$ours/mod_$_.so"\n) } qw(genflow genflow_local)), 0644);
    my $given = grep { $_ eq '-port' } @arguments;
    $ENV{GENFLOW_SUITE_KEY} = 'recorded';
    spew("$self->{folder}/admin-password", "suite\n", 0600);
    $ENV{APACHE_TEST_NO_STICKY_PREFERENCES} = 1;
    $ENV{APACHE_TEST_ULIMIT_SET}            = 1;
    $ENV{APACHE_TEST_STARTUP_TIMEOUT} //= 120;
    return ('-httpd' => $self->{httpd}, '-httpd_conf' => $modules, '-servername' => '127.0.0.1',
        $given ? () : ('-port' => free_port()));
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1) or die "no free port: $!\n";
    return $socket->sockport;
}

# Apache::Test itself, in a process of its own: it ends its process. Its exit code.
our $suite;

sub pass_on {
    my ($self, @arguments) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        POSIX::setpgid(0, 0);
        @SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
        close $self->{alive} if $self->{alive};
        $suite = $self;
        @Apache::TestGenflow::Run::ISA = 'Apache::TestRun';
        my $template = \&Apache::TestConfig::httpd_conf_template;
        no warnings 'redefine';         # its own listens on all addresses
        *Apache::TestConfig::httpd_conf_template = sub { $self->template($_[1]) // $template->(@_) };
        Apache::TestGenflow::Run->new->run(@arguments);
        exit 0;
    }
    $self->note("tests $pid") if $self->{guard};
    1 while waitpid($pid, 0) == -1 && $!{EINTR};
    return $? & 127 ? 1 : $? >> 8;
}

# Called by Apache::Test when it has written its configuration.
sub Apache::TestGenflow::Run::start {
    my ($run) = @_;
    if ($run->{opts}{'start-httpd'} && !eval { $suite->replace_providers($run->{test_config}{vars}); 1 }) {
        print STDERR words_of($@);
        exit 1;
    }
    return $run->Apache::TestRun::start;
}

# Instead of Apache::Test's template, unless the suite has one.
sub template {
    my ($self, $own) = @_;
    return if -e $own;
    my $includes = join '', map { qq(Include "$_"\n) } @{ $self->{conf} };
    open my $text, '<', \ <<"END" or die "template: $!\n";
Listen 127.0.0.1:\@Port\@
ServerRoot "\@ServerRoot\@"
DocumentRoot "\@DocumentRoot\@"
DefaultRuntimeDir "\@t_logs\@"
PidFile "\@t_pid_file\@"
ErrorLog "\@t_logs\@/error_log"
LogLevel info genflow:debug
TypesConfig "\@t_conf\@/mime.types"
Define GENFLOW_SHARE "$SHARE"
<Directory />
    Require all denied
</Directory>
<Directory "\@DocumentRoot\@">
    Require all granted
</Directory>
$includes
END
    return $text;
}

# Behind all that the suite and Apache::Test have written: what no test may leave to the site's configuration. It is made of what
# httpd itself has read, and httpd reads it once more before it starts.
sub replace_providers {
    my ($self, $vars) = @_;
    my $conf = $vars->{t_conf_file};
    my $ours = "$self->{folder}/replaced.conf";
    spew($ours, join('', $self->server_lines($vars), map { provider_lines($_, NOWHERE) } sort keys %{ $self->{providers} }), 0644);
    open my $file, '>>', $conf or die "$conf: $!\n";
    print $file qq(\nInclude "$ours"\n);
    close $file or die "$conf: $!\n";

    my $site  = $self->dump_of($conf);
    my %known = map { $_->{name} => $_ } @{ $site->{providers} };
    die "no <GenflowType> in @{ $self->{conf} }\n" if !@{ $site->{types} };
    my ($chains, %used) = '';
    for my $type (@{ $site->{types} }) {
        my @chain = $self->replaced_chain($type, \%known, \%used);
        $chains .= "<GenflowType $type->{name}>\n    GenflowTypeProviders @chain\n</GenflowType>\n" if "@chain" ne "@{ $type->{chain} }";
    }
    my ($unused) = grep { !$used{$_} } sort keys %{ $self->{providers} };
    die "`providers` of t/TEST names $unused, and no <GenflowType> of your site uses it\n" if defined $unused;

    $self->start_servers;
    my $lines = $self->server_lines($vars);
    $lines .= provider_lines($_, $self->{url}{$_} // NOWHERE) for grep { $known{$_}{kind} ne 'local' } sort keys %known;
    $lines .= "<GenflowProvider local>\n    GenflowProviderKind local\n</GenflowProvider>\n$chains";
    spew($ours, $lines, 0644);

    my $now  = $self->dump_of($conf);
    my @paid = grep { $_->{kind} ne 'local' && $_->{url} !~ m{\Ahttp://127\.0\.0\.1:\d+\z} } @{ $now->{providers} };
    die "the provider $paid[0]{name} would still get requests at $paid[0]{url}: a section of another file, or of a virtual host, names it again\n"
        if @paid;
    die "the database would be `$now->{database}`: another file names it again\n" if $now->{database} !~ /\Q$self->{sockets}\E/;
    suite_sql(q(SELECT genflow.create_type(:'type')), type => $_->{name}) for @{ $now->{types} };
    suite_sql(q(SELECT genflow.admin_amounts(:'amounts')), amounts => $_) for grep { /=\d/ } @{ $now->{amounts} };
    return;
}

# Its chain, with what takes the place of each provider.
sub replaced_chain {
    my ($self, $type, $known, $used) = @_;
    my @chain;
    for my $named (@{ $type->{chain} }) {
        my $entry = $named;
        my ($name) = split m{/}, $entry;
        $used->{$name} = 1;
        my $instead = $self->{providers}{$name};
        if (!defined $instead && $known->{$name}{kind} ne 'local') {
            die "the type $type->{name} uses the provider $name ($known->{$name}{url}), and a test must not pay it. "
                . "Say in t/TEST what takes its place:\n"
                . "    providers => { $name => 'local' }              # this server draws the pictures\n"
                . "    providers => { $name => 't/recorded/$name' }   # recorded answers (perldoc Apache::TestGenflow)\n";
        }
        $entry = $instead if defined $instead && $instead !~ m{\A/};
        push @chain, $entry if !grep { $_ eq $entry } @chain;
    }
    return @chain;
}

sub provider_lines {
    my ($name, $url) = @_;
    my @times = map { "    GenflowProvider$_\n" } 'Key env:GENFLOW_SUITE_KEY', 'Poll 100ms', 'Backoff 50ms', 'BackoffMax 1s', 'BreakerOpen 0s';
    return join '', "<GenflowProvider $name>\n    GenflowProviderUrl \"$url\"\n", @times, "</GenflowProvider>\n";
}

sub server_lines {
    my ($self, $vars) = @_;
    my $folder   = $self->{folder};
    my $database = "host=$self->{sockets} dbname=genflow";
    return <<"END";
# Written by Apache::TestGenflow.
DBDriver pgsql
DBDParams "$database user=genflow_app connect_timeout=10 options='-c statement_timeout=20000 -c lock_timeout=15000'"
DBDMin 0
DBDKeep 4
DBDMax 8
GenflowAdminDatabase "$database user=genflow_admin connect_timeout=10"
GenflowAdminPassword "file:$folder/admin-password"
GenflowStoreKind folder
GenflowStoreFolder "$folder/store"
GenflowPublicUrl "http://127.0.0.1:$vars->{port}@{[LOCATION]}"
GenflowFetchAllow 127.0.0.1
GenflowDispatch On
GenflowDispatchPoll 100ms
<Location "@{[LOCATION]}">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-Genflow-User}"
    AuthType None
    Require local
</Location>
END
}

# The configuration as httpd has read it: { database, types => [{ name, chain }], providers => [{ name, kind, url }] }.
sub dump_of {
    my ($self, $conf) = @_;
    my @command = ($self->{httpd}, '-t', '-D', 'DUMP_GENFLOW', '-f', $conf);
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
        exec @command or POSIX::_exit(127);
    }
    local $/ = undef;
    my $said = <$out> // '';
    my $good = close $out;
    die "`providers` of t/TEST names $1, and there is no <GenflowProvider $1>\n"
        if $said =~ /<GenflowProvider (\S+)>: GenflowProviderKind \(missing\)/ && $self->{providers}{$1};
    die "httpd refuses the configuration of your site:\n$said"
        . "A module that it needs is named by `modules` in t/TEST: modules => [qw(rewrite session)]\n" if !$good;
    my %site = (types => [], providers => []);
    $site{amounts} = [$said =~ /^genflow amounts (.+)$/mg];
    ($site{database}) = $said =~ /^genflow database (.*)$/m;
    push @{ $site{types} }, { name => $1, chain => [split ' ', $2] } while $said =~ /^genflow type (\S+) cost \d+ (.*?)(?: \(closed\))?$/mg;
    push @{ $site{providers} }, { name => $1, kind => $2, url => $3 } while $said =~ /^genflow providerKind (\S+) (\S+) ?(.*)$/mg;
    return \%site;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or return;
    local $/ = undef;
    return <$file> // '';
}

sub spew {
    my ($path, $text, $mode) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    chmod $mode, $path;
    print $file $text;
    close $file or die "$path: $!\n";
    return;
}

sub tail {
    my ($path) = @_;
    my @lines = split /^/, slurp($path) // '';
    splice @lines, 0, @lines - 20 if @lines > 20;
    return join '', map { "    $_" } @lines;
}

# ---- t/*.t: the checks ---------------------------------------------------------------------------

my $user = 'tester';            # unless a test names another one
our ($place, $headers) = (LOCATION, {});
my %shown;                       # lines of t/logs/recorded.log that a check has shown
my $state;

# From t/ or above it, wherever prove runs.
sub suite {
    return $state //= do {
        my ($file) = grep { -e } map { "$_/genflow/state.json" } 't', '.', dirname(abs_path($0));
        $file // die "no suite runs here: start it by t/TEST\n";
        $JSON->decode(slurp($file));
    };
}

sub suite_sql {
    my ($text, %value) = @_;
    local @ENV{qw(PGHOST PGUSER PGDATABASE PGOPTIONS)} = (suite()->{sockets}, 'genflow', 'genflow', '-c client_min_messages=warning');
    return Apache::TestGenflow::Postgres::sql(suite()->{bin}, $text, %value);
}

sub suite_url {
    my ($path) = @_;
    my ($port) = (slurp(suite()->{top} . '/t/conf/httpd.conf') // '') =~ /^Listen 127\.0\.0\.1:(\d+)/m;
    return "http://127.0.0.1:$port" . ($path // '');
}

sub builder { require Test::Builder; return Test::Builder->new }

# From here on requests go to that place of the site, with these headers: its own sign-in. Without any, to the suite's again.
sub use_api {
    ($place, my %given) = @_ ? @_ : (LOCATION);
    $headers = \%given;
    return;
}

sub call {
    my ($method, $path, $who, $body) = @_;
    my %header = %$headers;
    $header{Prefer} //= 'respond-async' if $method eq 'POST';
    $header{'X-Genflow-User'} = $who               if $place eq LOCATION;
    $header{'Content-Type'}   = 'application/json' if defined $body;
    my $res = HTTP::Tiny->new(timeout => END_TIME, max_redirect => 0)->request($method, suite_url("$place/$path"),
        { headers => \%header, defined $body ? (content => $JSON->encode($body)) : () });
    return ($res, eval { $JSON->decode($res->{content}) });
}

sub generate {
    my ($type, $input, %option) = @_;
    return call(POST => "$type/generate", $option{user} // $user, $input);
}

sub generate_ok {
    my ($type, $input, $name, %option) = @_;
    my $test = builder();
    $name //= "$type makes a picture";
    my $who = $option{user} // $user;
    my ($res, $made) = generate($type, $input, user => $who);
    if ($res->{status} !~ /\A20[0-2]\z/) {
        $test->ok(0, $name);
        $test->diag(advice($res, $made, $type, $who));
        return;
    }
    my $end = wait_ended($made, user => $who);
    my $status = ($end // $made)->{status} // '';
    return $end if $test->ok($status eq 'completed', $name);
    $test->diag($end ? "It ended as `$status`: " . ($end->{error}{message} // $end->{errorMessage} // $JSON->encode($end))
        : unanswered() ? 'A recorded provider got a request that it has no answer for.' : "It has not ended within ${\END_TIME} s.");
    $test->diag(log_of($made->{id}));
    $shown{$_} = 1 for unanswered();
    return;
}

# Waits until a generation (its object, or its id) has ended, and returns its object; undef: it has not.
sub wait_ended {
    my ($made, %option) = @_;
    my $id  = ref $made ? $made->{id} // $made->{generationId} : $made;
    my $end = time + END_TIME;
    while (time < $end && !unanswered()) {
        my ($res, $now) = call(GET => "generation/$id", $option{user} // $user);
        return $now if $now && ($now->{status} // '') =~ /\A(?:completed|failed|cancelled)\z/;
        sleep 0.1;
    }
    return;
}

sub advice {
    my ($res, $body, $type, $who) = @_;
    my $code = (ref $body eq 'HASH' ? $body->{code} // $body->{error} : undef) // '';
    my $says = "HTTP $res->{status} $code: " . ((ref $body eq 'HASH' ? $body->{message} : undef) // $res->{content}) . "\n";
    return $says . "Give the user credits before: grant_credits('$who', 10);" if $code eq 'INSUFFICIENT_CREDITS';
    return $says . 'httpd answers, the site does not: see t/logs/error_log.' . "\n" . log_of('GF') if $res->{status} =~ /\A5/;
    return $says . "The types of your site: " . join(', ', suite_sql('SELECT name FROM genflow.types ORDER BY 1')) if $res->{status} == 404;
    return $says;
}

# The last lines of the error log with that word, and the requests without a recorded answer.
sub log_of {
    my ($word) = @_;
    my $top   = suite()->{top};
    my @lines = grep { /\Q$word\E/ && /:(?:warn|error|crit|notice|info)\]/ } split /^/, slurp("$top/t/logs/error_log") // '';
    my @missing = unanswered();
    return join '', "t/logs/error_log:\n", map({ "  $_" } @lines > LOG_LINES ? @lines[-LOG_LINES .. -1] : @lines),
        @missing ? ("t/logs/recorded.log:\n", map { "  $_" } @missing) : ();
}

# Requests to recorded providers that have no answer, each once, without those that an earlier check has shown.
sub unanswered {
    my %seen;
    my $log = slurp(suite()->{top} . '/t/logs/recorded.log') // '';
    return grep { /no answer is recorded/ && !$shown{$_} && !$seen{$_}++ } split /^/, $log;
}

# The balance as getQuota gives it: what is held counts until it is charged.
sub credits {
    my ($who) = @_;
    my ($balance) = suite_sql(q(SELECT balance FROM genflow.quota(:'user')), user => $who);
    return $balance;
}

sub credits_are {
    my ($who, $wanted, $name) = @_;
    my $test = builder();
    my $is   = credits($who);
    return 1 if $test->is_num($is, $wanted, $name // "$who has $wanted credits");
    $test->diag("The ledger of $who:\n", map { "  $_\n" } ledger_of($who));
    $test->diag('What a type costs is GenflowTypeCost and GenflowTypePrice of its section.');
    return 0;
}

sub ledger_of {
    my ($who) = @_;
    my ($res, $body) = do { local ($place, $headers) = (LOCATION, {}); call(GET => 'credits', $who) };
    my @entries = ref $body eq 'HASH' ? @{ (grep { ref $_ eq 'ARRAY' } values %$body)[0] // [] } : ();
    return map { $JSON->encode($_) } @entries;
}

sub grant_credits {
    my ($who, $amount) = @_;
    suite_sql(q(SELECT genflow.grant_credits(:'user', :'amount', 'for a test', NULL)), user => $who, amount => $amount);
    return;
}

sub books_ok {
    my ($name) = @_;
    my $test  = builder();
    my @wrong = suite_sql('SELECT rule, n, sample FROM genflow.check()');
    $test->diag("genflow.check() finds:\n", map { "  $_\n" } @wrong) if !$test->ok(!@wrong, $name // 'the books are sound');
    return !@wrong;
}

# The picture of a generation (its object) can be had, and is one.
sub picture_ok {
    my ($made, $name) = @_;
    my $test = builder();
    my $url  = (ref $made eq 'HASH' ? $made->{imageUrl} // $made->{outputUrl} : undef) // '';
    my $path = $url =~ s{\Ahttps?://[^/]+}{}r;
    my $res  = HTTP::Tiny->new(timeout => END_TIME)->get(suite_url($path), { headers => $headers });
    my $good = $url ne '' && $res->{status} == 200
        && $res->{content} =~ /\A(?:\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF....WEBP|GIF8)/s;
    $test->diag($url eq '' ? 'The generation has no imageUrl: it has not completed.'
        : "GET $path: $res->{status} " . ($res->{headers}{'content-type'} // '') . ', ' . length($res->{content})
            . " bytes.\nThe address of GenflowStoreUrl needs <Location> with SetHandler genflow-result, and a Require that lets "
            . 'the test in.') if !$test->ok($good, $name // 'the picture can be had');
    return $good;
}

1;

__END__

=head1 NAME

Apache::TestGenflow - tests of your own for a site of mod_genflow

=head1 SYNOPSIS

t/TEST:

    use Apache::TestGenflow ();

    Apache::TestGenflow->run(
        conf      => 'conf/pictures.conf',
        providers => { stability => 'local', fal => 't/recorded/fal' },
    );

t/generate.t:

    use Test::More;
    use Apache::TestGenflow;

    grant_credits('ann', 10);
    my $made = generate_ok('poster', { prompt => 'a lighthouse' }, 'a poster is made', user => 'ann');
    picture_ok($made, 'its picture can be had');
    credits_are('ann', 7, 'a poster costs 3 credits');
    books_ok('the books are sound');
    done_testing;

=head1 DESCRIPTION

C<t/TEST> starts a private PostgreSQL in F<t/genflow>, applies mod_genflow's schema, starts httpd by L<Apache::Test> on a free port
of the loopback address with the types, the providers and the C<< <Location> >> sections of your site, and runs F<t/*.t>. It changes
nothing else on the host, and needs neither root nor a running PostgreSQL. F<example-suite> beside mod_genflow's configuration is a
complete suite.

B<No request reaches a provider that costs money.> Each provider of a chain must have something in its place; otherwise C<t/TEST>
stops before httpd starts, and names the type and the provider. All other providers get an address of this host where no server listens.
C<t/TEST> then lets httpd read the whole configuration once more, and stops if any provider has an address that is not of this host.

It stops what it started: at the end, when it is interrupted, and when it is killed.

=head1 t/TEST

C<< Apache::TestGenflow->run(OPTIONS) >> takes these options, and all arguments of Apache::Test: C<-verbose>, C<t/generate.t>,
C<-start-httpd> (all stays up, for C<prove t/generate.t>), C<-stop-httpd>, C<-port NUMBER>.

=over

=item conf

A file of httpd, or several: those with C<< <GenflowType> >>, C<< <GenflowProvider> >> and C<< <Location> >>. C<${GENFLOW_SHARE}> in
them is mod_genflow's folder (C<Include "${GENFLOW_SHARE}/conf/genflow-types.conf">). Relative paths begin at F<t/>. They must not have
DBDParams. The database, the store (a folder of F<t/genflow>), administration's database and the address of the site are the suite's,
whatever these files say.

=item providers

What takes the place of each provider: C<local> (this server draws the pictures), C<local/EFFECT> (C<local/glitch>), or a folder of
recorded answers.

=item modules

Further modules of httpd, as in C<[qw(rewrite session)]>.

=item httpd, libexec

httpd's program, and the folder of its modules, where they are not found. GENFLOW_MODULES in the environment is the folder of
mod_genflow.so, where it is another one; PG_BINDIR that of initdb.

=back

What else your suite configures stands in F<t/conf/extra.conf.in>, as L<Apache::Test> has it: for instance the sign-in of F</api>.

=head1 RECORDED ANSWERS

Each F<*.answer> of the folder is one answer: a method and a path (C<*> stands for anything), a status and a type, further headers, an
empty line, the body. The first file by name that fits a request is its answer. C<{base}> in a body is the address of this server;
addresses of other hosts are refused. A body C<< < picture.png >> is that file of the folder.

    GET /fal-ai/fast-sdxl/requests/*
    200 application/json

    {"images": [{"url": "{base}/picture.png"}]}

F<t/logs/recorded.log> says what was requested and which file answered. A request without an answer gets 400.

=head1 CHECKS

All are for L<Test::More>. A failed one says what the site answered and what to do.

=over

=item generate_ok(TYPE, { FIELDS }, NAME, user => USER)

Requests a picture, waits for its end, and passes when it has completed. Returns the generation as the API shows it. Without C<user> it
is C<tester>.

=item generate(TYPE, { FIELDS }, user => USER)

The request alone: returns the answer of L<HTTP::Tiny> and its JSON. For what the site must refuse.

=item wait_ended(GENERATION, user => USER)

Waits until a generation has ended: its object. undef: not within two minutes, or a recorded provider has no answer for it.

=item picture_ok(GENERATION, NAME)

The picture can be had from the site, and is one.

=item grant_credits(USER, NUMBER)

=item credits_are(USER, NUMBER, NAME), credits(USER)

The balance. Where it is another one, the user's ledger is shown.

=item books_ok(NAME)

genflow.check() finds nothing.

=item use_api(PLACE, HEADER => VALUE, ...)

From here on requests go to that C<< <Location> >> of your site, with these headers. By default they go to a place of the suite's own,
where the suite names the user; only this host can reach it. C<use_api()> goes back to that one.

=item suite_url(PATH)

The address of a path of the site.

=item suite_sql(TEXT, NAME => VALUE, ...)

Runs SQL as the owner of the suite's database, and returns the lines; C<:'NAME'> in the text stands for a quoted value. The tables of
mod_genflow may change with every version; its functions are documented.

=back

=head1 SEE ALSO

L<Apache::Test>, docs/manual/testing.md

=cut

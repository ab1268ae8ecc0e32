#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# `make check`: starts a private site (Genflow::Site), the fakes and, through Apache::Test, httpd;
# runs all tests under one prove; then looks through the logs for what no test may leave there.
#
#     t/run.pl --source DIR --build DIR [--jobs N] [-v] [--keep] [--durable]
#              [--sanitize|--valgrind|--prism DIR] [TESTS...]
#
#   TESTS        names as prove shows them (t/api/health.t, t/unit/text_test); without any, all
#   --keep       leave the work folder (also GENFLOW_TEST_KEEP=1)
#   --durable    PostgreSQL writes to disk as in production
#   --sanitize   the module was built with --enable-sanitizers
#   --valgrind   httpd and the unit tests run under valgrind
#   --prism DIR  Prism (in the node_modules of DIR) judges what httpd answers

use strict;
use warnings;

use File::Find qw(find);
use File::Temp qw(tempdir);
use FindBin ();
use Getopt::Long qw(GetOptions);
use lib "$FindBin::Bin/lib";

use Genflow::Prism ();
use Genflow::Site ();

# In the order in which they are shown; t/conf/testrules.yml says what runs side by side.
my @ALL_TESTS = qw(t/*.t t/sql/*.pg t/sql/*.t t/unit/*_test t/fuzz/*_fuzz t/api/*.t t/provider/*.t t/fault/*.t);

my %option = (jobs => 2, keep => $ENV{GENFLOW_TEST_KEEP});
GetOptions(\%option, qw(source=s build=s jobs=i verbose|v keep durable sanitize valgrind prism=s))
    && $option{source}
    && $option{build}
    or die "usage: t/run.pl --source DIR --build DIR [OPTIONS] [TESTS...]\n";
my @named_tests = map { clean_name($_) } @ARGV;

my $site = Genflow::Site->new(
    source   => $option{source},
    module   => "$option{build}/.libs/mod_genflow.so",
    programs => [map { glob "$option{build}/t/$_" } qw(unit/*_test fuzz/*_fuzz)],
    keep     => $option{keep},
    durable  => $option{durable},
);
release_lists();
exit $site->run(\&run_tests);

sub run_tests {
    prepare_database();
    prepare_fakes();
    prepare_sanitizers() if $option{sanitize};
    prepare_valgrind()   if $option{valgrind};
    start_httpd();
    my @missed = $option{prism} ? prepare_prism() : ();

    my $passed = prove(@named_tests ? @named_tests : all_tests());
    print "# The end of the error log:\n", $site->tail('t/logs/error_log', 40) if !$passed;

    $site->stop_httpd;
    my @logged   = (crashes(), undeclared_alarms(), valgrind_errors());
    my ($summary, @wrong) = $option{prism} ? prism_says() : '';
    my @findings = (@missed, @logged, @wrong);
    print "# FAILED, whatever prove says, for these lines in the logs:\n" if @findings;
    print map { "    $_\n" } @findings;
    print $summary;
    return $passed && !@findings ? 0 : 1;
}

# For t/00-release.t: a folder with what git has and what the release archive would have, one name per
# line. Made here, because the tests run as somebody who may not be allowed to read the checkout.
# Outside of a git checkout there are none.
sub release_lists {
    return if !-e "$option{source}/.git" || @named_tests && !grep { m{/00-release} } @named_tests;
    my $folder = tempdir(CLEANUP => 1);
    my $git    = "git -C '$option{source}' ls-files --cached --others --exclude-standard";
    system("$git 2>/dev/null | while read -r name; do"
        . " test -f '$option{source}'/\"\$name\" && echo \"\$name\"; done >$folder/git");
    return if !-s "$folder/git";
    system("make -s -C '$option{build}' distdir distdir='$folder/dist' >$folder/log 2>&1");
    open my $list, '>', "$folder/archive" or die "$folder: $!\n";
    find({ no_chdir => 1, wanted => sub { print $list substr($_, length "$folder/dist/"), "\n" if -f } },
        "$folder/dist") if -d "$folder/dist";
    close $list or die "$folder: $!\n";
    chmod 0755, $folder;
    $ENV{GENFLOW_RELEASE_LISTS} = $folder;
    return $folder;
}

# ---- what the tests stand on ---------------------------------------------------------------------

# Types that only tests have, as t/conf/test.conf opens their sections.
sub test_types {
    return Genflow::Site::read_text('t/conf/test.conf') =~ /^<GenflowType (\S+)>/mg;
}

sub prepare_database {
    $site->start_postgres;
    $site->create_database;
    $site->sql("SELECT genflow.create_type(:'type')", type => $_) for test_types();

    # pgTAP files work in a copy, so that neither they nor the running site meet each other's locks.
    $site->command(qw(createdb -T genflow genflow_sql));
    $site->command(qw(psql -Xq -d genflow_sql -c), 'CREATE EXTENSION pgtap');
    $site->command(qw(psql -Xq -d genflow_sql -c), q(SELECT genflow.resume('continue')));
    return;
}

sub prepare_fakes {
    $ENV{STABILITY_API_KEY} = 'key-of-the-tests';
    $ENV{PEERS_API_KEY}     = 'key-of-the-peers';
    $ENV{PEERS_HOOK_SECRET} = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
    $ENV{STORE_KEY}         = 'KEYOFTHESTORE';
    $ENV{WEBHOOK_SECRET}    = 'whsec_cmVjZWl2ZXJzIG9mIHRoZSB0ZXN0cyBrbm93IGl0';
    $ENV{STORE_SECRET}      = 'se/cret+of=the&store';
    $site->start_provider;
    $site->start_store;
    return;
}

sub start_httpd {
    $ENV{APACHE_TEST_NO_STICKY_PREFERENCES} = 1;      # no file in the home folder
    $ENV{APACHE_TEST_ULIMIT_SET}            = 1;      # no second start for the sake of core files
    $ENV{APACHE_TEST_STARTUP_TIMEOUT}       = 120;

    my $modules = modules_for_apache_test();
    $site->start_httpd('test.conf', sub {
        return $site->try_command($^X, 't/TEST', '-start-httpd',
            '-httpd' => $ENV{HTTPD}, '-apxs' => $ENV{APXS}, '-httpd_conf' => $modules,
            '-servername' => '127.0.0.1', '-port' => $ENV{GENFLOW_PORT});
    });
    return;
}

# Apache::Test takes over the LoadModule lines of a given file, but does not expand ${} in it as
# httpd does.
sub modules_for_apache_test {
    my $path = $site->folder . '/modules.conf';
    my $text = Genflow::Site::read_text('t/conf/modules.conf');
    $text =~ s/\$\{(\w+)\}/$ENV{$1}/g;
    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
    return $path;
}

# httpd itself is not instrumented, so the runtime has to be loaded before it; what httpd leaks at
# exit is not ours.
sub prepare_sanitizers {
    chomp(my $runtime = `gcc -print-file-name=libasan.so`);
    $site->wrap_httpd(<<"END");
export LD_PRELOAD='$runtime'
export ASAN_OPTIONS=detect_leaks=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec "\$HTTPD" "\$@"
END
    $ENV{GENFLOW_TEST_PATIENCE} = 3;
    return;
}

sub prepare_valgrind {
    my $folder   = $site->folder;
    my $valgrind = 'valgrind --tool=memcheck --leak-check=full --show-leak-kinds=definite'
        . ' --errors-for-leak-kinds=definite --keep-debuginfo=yes --num-callers=30'
        . " --suppressions=$folder/t/conf/valgrind.supp";

    # Apache::Test asks httpd about itself a few times; those answers need no watching.
    $site->wrap_httpd(<<"END");
case \$1 in
    -V | -v | -l) exec "\$HTTPD" "\$@" ;;
    *)            exec $valgrind --log-file=$folder/t/logs/valgrind.%p "\$HTTPD" "\$@" ;;
esac
END
    $ENV{GENFLOW_UNIT_RUNNER}   = "$valgrind --quiet --error-exitcode=9";
    $ENV{GENFLOW_TEST_PATIENCE} = 10;
    return;
}

# Returns the faults that Prism does not find.
sub prepare_prism {
    my @missed = Genflow::Prism->control($site, $option{prism});
    Genflow::Prism->start($site, $option{prism});
    return map { "Prism did not notice: $_" } @missed;
}

# ---- the run -------------------------------------------------------------------------------------

sub all_tests { return map { sort glob } @ALL_TESTS }

# A test may be named by its path from anywhere, a unit test by its source.
sub clean_name {
    my ($name) = @_;
    $name =~ s{\A.*/(?=t/)}{};
    $name =~ s/_(test|fuzz)\.c\z/_$1/;
    return $name;
}

sub prove {
    my @files = @_;
    my @shown = $option{verbose} ? '--verbose' : qw(--failures --comments);
    my @how   = ('--norc', '-j', $option{jobs}, '--exec', 't/exec', @shown);
    $ENV{HARNESS_RULESFILE} = 't/conf/testrules.yml';
    return system($ENV{PROVE} || 'prove', @how, @files) == 0;
}

# ---- after the run: what the logs say ------------------------------------------------------------

# A child that a test killed is no crash.
sub crashes {
    my @lines = split /\n/, Genflow::Site::read_text($site->error_log);
    return grep { /exit signal (?!Killed|Terminated)|AddressSanitizer|runtime error:/ } @lines;
}

# Each test file checks the lines about its own users (Genflow::Test). Here are the lines about
# nobody: their tag has to be one that some file expected.
sub undeclared_alarms {
    my %expected = map { $_ => 1 } split ' ', Genflow::Site::read_text('t/logs/expected_tags');
    my @lines    = split /\n/, Genflow::Site::read_text($site->error_log);
    return map { $_->[1] } grep { !$expected{ $_->[0] } } Genflow::Site::alarms(@lines);
}

# Of valgrind's reports those with one of our functions on the stack. A report is a run of lines
# between empty ones.
sub valgrind_errors {
    my $ours = join '|', map { quotemeta s{.*/}{}r } glob 'mod_genflow/*.c mod_genflow/*/*.c';
    my @found;
    for my $log (glob 't/logs/valgrind.*') {
        my $text = Genflow::Site::read_text($log) =~ s/^==\d+== ?//gmr;
        push @found, grep { /^ +(?:at|by) 0x.*\((?:$ours):\d+\)/m } split /\n\s*\n/, $text;
    }
    return map { split /\n/ } @found;
}

# One line of how much Prism judged, and what is wrong.
sub prism_says {
    my ($judged, $wrong, $not_judged) = Genflow::Prism->verdicts;
    my @wrong = map { "$_ ($wrong->{$_}[0])" } sort keys %$wrong;
    my @not   = map { "$not_judged->{$_} $_" } sort keys %$not_judged;
    my $line  = sprintf "# Prism judged %d answers: %d violations. Not judged: %s.\n", $judged,
        scalar @wrong, @not ? join '; ', @not : 'none';
    return ($line, $judged ? () : 'Prism judged nothing', @wrong);
}

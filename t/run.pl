#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# `make check`: starts private sites (Genflow::Site), each with its fakes and, through Apache::Test,
# its httpd; runs all tests under one prove; then looks through the logs for what no test may leave
# there. The tests that break things for other tests have sites of their own, each one test at a time,
# and run while the others run (Genflow::Harness). t/exec enters the site of a test.
#
#     t/run.pl --source DIR --build DIR [--jobs N] [-v] [--keep] [--durable] [--times] [--shuffle SEED]
#              [--sanitize|--valgrind|--prism DIR] [TESTS...]
#
#   TESTS        names as prove shows them (t/api/health.t, t/unit/text_test); without any, all.
#                Starts only the sites that these need
#   --jobs N     so many tests side by side on the site where that is possible
#   --times      says at the end what each file costs (Genflow::Times)
#   --shuffle SEED  the tests in an order that follows from this number; 0: from a new one, which is said
#   --keep       leave the work folders (also GENFLOW_TEST_KEEP=1)
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
use List::Util qw(min shuffle);
use lib "$FindBin::Bin/lib";

use Genflow::Limit;
use Genflow::Prism ();
use Genflow::Site ();
use Genflow::Times ();

# Tests of t/fault wait for most of their time, for a lease that ends or for an httpd that begins anew.
use constant FAULT_SITES => 3;

# Each kind of site, whose tests it serves, and which these are.
my %KIND = (
    main => {
        serves   => qr{\A(?!t/(?:fault|chaos)/)},
        tests    => [qw(t/*.t t/sql/*.pg t/sql/*.t t/unit/*_test t/fuzz/*_fuzz t/api/*.t t/front/*.t t/legacy/*.t
            t/provider/*.t t/setup/*.t t/wait/*.t t/migrate/*.t t/clients/*.t t/js/*.t t/studio/*.t t/manual/*.t)],
        programs => [qw(unit/*_test fuzz/*_fuzz)],
    },
    fault => { serves => qr{\At/(?:fault|chaos)/}, tests => ['t/fault/*.t'] },
);

my %option = (jobs => 3, keep => $ENV{GENFLOW_TEST_KEEP});
GetOptions(\%option, qw(source=s build=s jobs=i verbose|v keep durable times shuffle=i sanitize valgrind prism=s))
    && $option{source}
    && $option{build}
    or die "usage: t/run.pl --source DIR --build DIR [OPTIONS] [TESTS...]\n";
my @named_tests = map { clean_name($_) } @ARGV;

release_lists();
call_list();
installed_module();
exit Genflow::Site->run_together(\&run_tests, needed_sites());

# Those that the named tests need; without names, all.
sub needed_sites {
    my %needed = map { $_ => FAULT_SITES } keys %KIND;
    for my $kind (@named_tests ? keys %KIND : ()) {
        $needed{$kind} = min FAULT_SITES, scalar grep { /$KIND{$kind}{serves}/ } @named_tests;
    }
    return (map({ new_site('main') } 1 .. !!$needed{main}), map { new_site('fault', $_) } 1 .. $needed{fault});
}

sub new_site {
    my ($kind, $number) = @_;
    return Genflow::Site->new(
        kind     => $kind,
        name     => $kind eq 'main' ? $kind : "${kind}_$number",
        source   => $option{source},
        module   => "$option{build}/.libs/mod_genflow.so",
        modules  => [glob "$option{build}/t/sample/*.so"],
        programs => [map { glob "$option{build}/t/$_" } @{ $KIND{$kind}{programs} // [] }],
        keep     => $option{keep},
        durable  => $option{durable},
    );
}

sub run_tests {
    my @sites  = @_;
    prepare_databases(@sites);
    my @missed = map { prepare($_) } @sites;
    announce(@sites);
    my @tests  = in_order(@named_tests ? @named_tests : map { tests_of($_) } qw(main fault));
    my $times  = $option{times} && Genflow::Times->begin(@sites);
    my $passed = prove(scalar(grep { $_->{kind} eq 'fault' } @sites), @tests);
    $times->report if $times;

    my (@findings, @summaries);
    for my $site (@sites) {
        $site->enter;
        print "# The end of the error log ($site->{name}):\n", $site->tail('t/logs/error_log', 40) if !$passed;
        push @findings, wrong_books($site, $passed);
        $site->stop_httpd;
        push @findings, crashes($site), undeclared_alarms($site), shown_keys(), valgrind_errors();
        my ($summary, @wrong) = $option{prism} ? prism_says() : '';
        push @findings,  @wrong;
        push @summaries, $summary;
    }
    unshift @findings, @missed;
    push @summaries, left_out($sites[0]->folder);
    push @findings, 'files of t/clients, t/js or t/studio were skipped (CI is set)' if $ENV{CI} && $summaries[-1];
    print "# FAILED, whatever prove says, for these lines in the logs:\n" if @findings;
    print map { "    $_\n" } @findings;
    print @summaries;
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

# For t/00-rooms.t, for the same reason: a file with what each object calls, as nm says it.
sub call_list {
    return if @named_tests && !grep { m{/00-rooms} } @named_tests;
    my $folder = tempdir(CLEANUP => 1);
    system("cd '$option{build}' && nm -A -u mod_genflow*/.libs/*.o mod_genflow/*/.libs/*.o >$folder/calls");
    chmod 0755, $folder;
    $ENV{GENFLOW_CALLS} = "$folder/calls";
    return $folder;
}

# For t/00-inject.t: the module as it is installed, which support/build --clang has made.
sub installed_module {
    my $module = "$option{build}/../_build-clang/.libs/mod_genflow.so";
    return if !-e $module || @named_tests && !grep { m{/00-inject} } @named_tests;
    my $folder = tempdir(CLEANUP => 1);
    system('cp', $module, "$folder/") == 0 or die "cannot copy $module\n";
    chmod 0755, $folder;
    $ENV{GENFLOW_INSTALLED_MODULE} = "$folder/mod_genflow.so";
    return $folder;
}

# ---- what the tests stand on ---------------------------------------------------------------------

# Starts all of a site, whose databases are made. Returns what is wrong with it already.
sub prepare {
    my ($site) = @_;
    $site->enter;
    $site->start_postgres;
    prepare_fakes($site);
    prepare_sanitizers($site) if $option{sanitize};
    prepare_valgrind($site)   if $option{valgrind};
    start_httpd($site);
    return $option{prism} ? prepare_prism($site) : ();
}

# Shows Genflow::Harness and t/exec where the sites are, and stays in the first one.
sub announce {
    my @sites = @_;
    $_->write_environment for @sites;
    $sites[0]->enter;
    $ENV{GENFLOW_SITES} = join ' ', map { "$_->{kind}=" . $_->folder } @sites;
    return;
}

# Types that only tests have, as t/conf/test.conf opens their sections.
sub test_types {
    return Genflow::Site::read_text('t/conf/test.conf') =~ /^<GenflowType (\S+)>/mg;
}

# To make them takes half a minute: it is done once, and the other sites have copies.
sub prepare_databases {
    my ($first, @others) = @_;
    $first->enter;
    prepare_database($first);
    $first->pg_ctl('stop', 'fast') or die "PostgreSQL did not stop:\n" . $first->tail('postgres.log', 20);
    for my $site (@others) {
        $site->enter;
        $site->copy_postgres($first);
    }
    return;
}

sub prepare_database {
    my ($site) = @_;
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
    my ($site) = @_;
    my $is_calm = $site->{name} eq 'main';    # nobody kills there
    $ENV{GENFLOW_LEASE}     = $is_calm ? '10s' : '2s';
    $ENV{GENFLOW_POLL}      = $is_calm ? '500ms' : '100ms';
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
    my ($site) = @_;
    $ENV{APACHE_TEST_NO_STICKY_PREFERENCES} = 1;      # no file in the home folder
    $ENV{APACHE_TEST_ULIMIT_SET}            = 1;      # no second start for the sake of core files
    $ENV{APACHE_TEST_STARTUP_TIMEOUT}       = 120;

    my $modules = modules_for_apache_test($site);
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
    my ($site) = @_;
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
    my ($site) = @_;
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
    my ($site)   = @_;
    my $folder   = $site->folder;
    my $valgrind = 'valgrind --tool=memcheck --leak-check=full --show-leak-kinds=definite'
        . ' --errors-for-leak-kinds=definite --keep-debuginfo=yes --num-callers=30'
        . " --suppressions=$folder/t/conf/valgrind.supp";

    # Apache::Test queries httpd itself a few times; those answers need no watching.
    $site->wrap_httpd(<<"END");
case \$1 in
    -V | -v | -l) exec "\$HTTPD" "\$@" ;;
    *)            exec $valgrind --log-file=$folder/t/logs/valgrind.%p "\$HTTPD" "\$@" ;;
esac
END
    $ENV{GENFLOW_UNIT_RUNNER}   = "$valgrind --quiet --error-exitcode=9";
    $ENV{CK_TIMEOUT_MULTIPLIER} = 10;
    $ENV{GENFLOW_TEST_PATIENCE} = 10;
    return;
}

# Returns the faults that Prism does not find.
sub prepare_prism {
    my ($site) = @_;
    my @missed = Genflow::Prism->control($site, $option{prism});
    Genflow::Prism->start($site, $option{prism});
    return map { "Prism did not notice: $_" } @missed;
}

# ---- the run -------------------------------------------------------------------------------------

# By name, in the order of its folders.
sub tests_of {
    my ($kind) = @_;
    return map { sort glob } @{ $KIND{$kind}{tests} };
}

sub in_order {
    my @tests = @_;
    return @tests if !defined $option{shuffle};
    my $seed = $option{shuffle} || 1 + int rand 1_000_000;
    print "# The order is that of --shuffle $seed.\n";
    srand $seed;
    return shuffle(@tests);
}

# A test may be named by its path from anywhere, a unit test by its source.
sub clean_name {
    my ($name) = @_;
    $name =~ s{\A.*/(?=t/)}{};
    $name =~ s/_(test|fuzz)\.c\z/_$1/;
    return $name;
}

# Each site of t/fault has one test at a time.
sub prove {
    my ($fault_sites, @files) = @_;
    my $jobs  = $option{jobs} + $fault_sites;
    my @shown = $option{verbose} ? '--verbose' : qw(--failures --comments);
    my @how   = ('--norc', '-j', $jobs, '--harness', 'Genflow::Harness', @shown);
    return system($ENV{PROVE} || 'prove', @how, @files) == 0;
}

# ---- after the run: what the ledger says -----------------------------------------------------------

# Each test file checks the books of its own users (Genflow::Test). Here is the whole ledger, when no
# generation lives any more; a failed test may have left one that nothing ends.
sub wrong_books {
    my ($site, $passed) = @_;
    my @alive = live_work($site);
    for (my $end = time + HANG_LIMIT; $passed && @alive && time < $end; @alive = live_work($site)) {
        sleep 1;
    }
    my @broken = eval { $site->sql('SELECT rule, n, sample FROM genflow.check()') };
    return map({ "$site->{name}: still alive: $_" } @alive), map({ "$site->{name}: broken rule: $_" } @broken),
        $@ ? "$site->{name}: the books cannot be checked: $@" : ();
}

sub live_work {
    my ($site) = @_;
    my @alive = eval { $site->sql(q(SELECT job_id, phase FROM genflow.work WHERE phase <> 'pending')) };
    return @alive;
}

# ---- after the run: what the logs say ------------------------------------------------------------

# A child that a test killed is no crash.
sub crashes {
    my ($site) = @_;
    my @lines = split /\n/, Genflow::Site::read_text($site->error_log);
    return grep { /exit signal (?!Killed|Terminated)|AddressSanitizer|runtime error:/ } @lines;
}

# Each test file checks the lines about its own users (Genflow::Test). Here are the lines about
# no subject: their tag has to be one that some file expected.
sub undeclared_alarms {
    my ($site) = @_;
    my %expected = map { $_ => 1 } split ' ', Genflow::Site::read_text('t/logs/expected_tags');
    my @lines    = split /\n/, Genflow::Site::read_text($site->error_log);
    return map { $_->[1] } grep { !$expected{ $_->[0] } } Genflow::Site::alarms(@lines);
}

# No API key stands in a log, of whatever httpd, of PostgreSQL or of the fakes.
sub shown_keys {
    my @found;
    for my $log (glob 't/logs/* *.log') {
        open my $file, '<', $log or next;
        while (<$file>) {
            push @found, "$log:$.: has an API key of gf_$1" if /gf_([0-9A-Za-z]{12})_[0-9A-Za-z]{38}/;
        }
    }
    return @found;
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

# One line of the files that npm's packages or Chromium would be needed for.
sub left_out {
    my ($site) = @_;
    my %count;
    m{\A(t/(?:clients|js|studio))/} && $count{$1}++ for split /\n/, Genflow::Site::read_text("$site/t/logs/skipped");
    return '' if !%count;
    my $files = join ', ', map { "$count{$_} of $_" } sort keys %count;
    return "# Left out, because npm, its packages or Chromium are not installed: $files. With them: .ci/run\n";
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

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# `support/check --mutants`: breaks one condition at a time and lists the tests that notice. A mutant
# that no test notices is a missing test. The mutants are data: t/mutants/*.list.
#
#     t/mutants/run.pl --source DIR --build DIR [--gone] [--first] [--resume] [--deep] [NAMES...]
#
#   NAMES    these mutants (* stands for anything); without any, all
#   --gone   only says which mutants have lost their text
#   --first  one test that notices a mutant is enough, and those of its list come first: three times as fast
#   --resume as --first, and what earlier runs found at the same commit, with the same changes to it, is taken as
#            it stands in _build-mutants/results: only mutants without a result there are run
#   --deep   every mutant meets the tests of its list, not only those that pgTAP did not notice
#
# A mutant of sql/ is put into a private database, where all pgTAP files run. One that they do not
# notice meets, like every mutant of C, the tests that its list names, and then the races of t/sql, in a
# site of its own, which is made from a copy of the sources.
#
# A mutant is killed if a test that ran on it failed, and has survived if some ran and all passed. It was not
# run if it cannot be built (then it needs another text), if no site starts with it, or if all its tests were
# skipped. Exit 1 for a mutant that survived, was not run, or has lost its text.
#
# A LIST has blocks; `mutant` begins the next one:
#     mutant  its name
#     file    from the top of the sources
#     text    what is replaced, at one place of the file; its spaces stand for spaces and ends of lines
#     with    what it becomes
#     tests   those that are to notice it where pgTAP does not
#     same    why no test can notice it: it counts as no survivor

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(sha1_hex);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use FindBin ();
use Getopt::Long qw(GetOptions);
use lib "$FindBin::Bin/../lib";

use Genflow::Site ();

$| = 1;
my %option;
GetOptions(\%option, qw(source=s build=s gone first resume deep)) && $option{source} && $option{build}
    or die "usage: t/mutants/run.pl --source DIR --build DIR [--gone] [--first] [--resume] [--deep] [NAMES...]\n";
$option{first} ||= $option{resume};
my $source  = abs_path($option{source});
my @mutants = grep { is_named($_->{mutant}) } map { mutants_of($_) } sort glob "$source/t/mutants/*.list";
@mutants or die "there is no such mutant\n";
-e "$source/$_" || -e "$source/$_.c" or die "there is no test $_\n" for map { split ' ', $_->{tests} // '' } @mutants;

my @gone = grep { defined } map { why_gone($_) } @mutants;
print "GONE      $_\n" for @gone;
exit !!@gone if $option{gone};
@mutants = grep { !defined why_gone($_) } @mutants;

# Each result is written down at once, and the last one of a mutant holds.
my $path    = "$source/_build-mutants/results";
my $version = version_of_sources();
make_path("$source/_build-mutants");
my %result  = $option{resume} ? results_of_file() : ();
my $begin   = -s $path // 0;
open my $results, '>>', $path or die "$path: $!\n";
$results->autoflush(1);
printf "# %d results of earlier runs are taken as they are.\n", scalar grep { is_over($_) } @mutants if $option{resume};

my %is_red;                                      # pgTAP files that fail without any mutant
my $copy;

# What pgTAP says of each mutant of SQL, from one private site.
my @of_sql = grep { $_->{file} =~ m{\Asql/} && !$result{ $_->{mutant} } } @mutants;
@of_sql    = grep { ($_->{tests} // '') !~ /\.t\b/ || $_->{tests} =~ /\.pg\b/ } @of_sql if $option{first};
if (@of_sql) {
    my $site = Genflow::Site->new(source => $source, module => "$option{build}/.libs/mod_genflow.so");
    exit 2 if $site->run(\&meet_pgtap);
    %result = (%result, results_of_file($begin));
}
my @deep = grep { !is_over($_) || $option{deep} && !$result{ $_->{mutant} }{deep} } @mutants;
meet_sites($_) for @deep;

my %count;
for my $mutant (@mutants) {
    my ($state, @by) = @{ $result{ $mutant->{mutant} }{says} };
    $state = 'same' if $state eq 'survived' && $mutant->{same};
    $count{$state}++;
    printf "%-9s %s (%s)%s\n", $state eq 'survived' ? uc $state : $state, @$mutant{qw(mutant file)},
        @by ? ": @by" : $state eq 'same' ? ": $mutant->{same}" : '';
}
my ($killed, $survived, $same, $not_run) = map { $count{$_} // 0 } qw(killed survived same not-run);
printf "%d mutants: %d run, %d killed, %d survived, %d of no effect, %d not run, %d gone\n", @mutants + @gone,
    $killed + $survived + $same, $killed, $survived, $same, $not_run, scalar @gone;
exit !!($survived || $not_run || @gone);

# ---- the results ---------------------------------------------------------------------------------

# Of the commit and of what differs from it.
sub version_of_sources {
    my $git = "git -C '$source'";
    return sha1_hex(join '', `$git rev-parse HEAD 2>/dev/null`, `$git diff HEAD 2>/dev/null`);
}

# 'killed' with the tests that failed, 'survived', 'not-run'; 'passed' while only pgTAP has met it.
sub remember {
    my ($mutant, $is_deep, @says) = @_;
    $result{ $mutant->{mutant} } = { deep => $is_deep, says => \@says };
    print $results join(' ', $version, $mutant->{mutant}, $is_deep ? 'deep' : 'pgtap', @says), "\n";
    printf "# %-9s %s%s\n", $says[0], $mutant->{mutant}, @says > 1 ? ": @says[1 .. $#says]" : '';
    return;
}

# Results of this version, from a place of the file on. What was not run is tried once more.
sub results_of_file {
    my ($place) = @_;
    open my $file, '<', $path or return;
    seek $file, $place // 0, 0;
    my %found;
    while (<$file>) {
        my ($of, $name, $how, @says) = split;
        next if $of ne $version;
        $found{$name} = { deep => $how eq 'deep', says => \@says };
        delete $found{$name} if !defined $place && $says[0] eq 'not-run';
    }
    return %found;
}

sub is_over {
    my ($mutant) = @_;
    my $result = $result{ $mutant->{mutant} };
    return $result && $result->{says}[0] ne 'passed';
}

# ---- the lists -----------------------------------------------------------------------------------

sub mutants_of {
    my ($list) = @_;
    my @found;
    for my $line (lines_of($list)) {
        my ($name, $value) = $line =~ /\A(\w+)\s+(.*?)\s*\n/ or next;
        push @found, {} if $name eq 'mutant';
        $found[-1]{$name} = $name =~ /\A(?:text|with)\z/ ? $value =~ s/\\n/\n/gr : $value;
    }
    return @found;
}

sub is_named {
    my ($name) = @_;
    return !@ARGV || grep { my $like = quotemeta s/\*/\0/gr; $name =~ /\A${\ ($like =~ s{\\\0}{.*}gr) }\z/ } @ARGV;
}

sub why_gone {
    my ($mutant) = @_;
    my $text = -f "$source/$mutant->{file}" ? join '', lines_of("$source/$mutant->{file}") : '';
    my $places = () = $text =~ /${\ pattern_of($mutant)}/g;
    return if $places == 1;
    return "$mutant->{mutant}: its text stands at $places places of $mutant->{file}: $mutant->{text}";
}

sub mutated {
    my ($mutant) = @_;
    my $text = join '', lines_of("$source/$mutant->{file}");
    my $with = $mutant->{with} // '';
    $text =~ s/${\ pattern_of($mutant)}/$with/;
    return $text;
}

# The layout of a line may change.
sub pattern_of {
    my ($mutant) = @_;
    my $pattern = join '\s+', map { quotemeta } split ' ', $mutant->{text};
    return qr/$pattern/;
}

# ---- pgTAP ---------------------------------------------------------------------------------------

sub meet_pgtap {
    my ($inside) = @_;
    $inside->start_postgres;
    $inside->create_database;
    $inside->command(qw(psql -Xq -c), 'CREATE EXTENSION pgtap');
    fresh_database($inside);
    my @red = pgtap_that_fails($inside);
    print "not run, they fail without any mutant: @red\n" if @red;
    $is_red{$_} = 1 for @red;
    grep { !$is_red{$_} } glob 't/sql/*.pg' or die "all pgTAP files fail without any mutant\n";
    for my $mutant (@of_sql) {
        my $is_in   = put_in($inside, $mutant);
        my @noticed = $is_in ? pgtap_that_fails($inside, $mutant) : ();
        remember($mutant, 0, !$is_in ? 'not-run' : @noticed ? ('killed', @noticed) : 'passed');
    }
    return 0;
}

# A fresh genflow_sql, the database of pgTAP files, with the mutant in it.
sub put_in {
    my ($inside, $mutant) = @_;
    fresh_database($inside);
    my $path = "$ENV{GENFLOW_WORK}/tmp/mutant.sql";
    write_to($path, mutated($mutant));
    my @psql = (qw(psql -Xq -v ON_ERROR_STOP=1 -d genflow_sql));
    return $inside->try_command(@psql, '-f', $path) if $mutant->{file} !~ m{\Asql/types/(\w+)\.sql\z};
    write_to("$ENV{GENFLOW_WORK}/tmp/put.sql", <<"SQL");
\\set body `cat '$path'`
UPDATE genflow.type_templates SET body = :'body' WHERE part = '$1';
SELECT genflow.create_type(name, media_schema) FROM genflow.types ORDER BY no;
SQL
    return $inside->try_command(@psql, '-f', "$ENV{GENFLOW_WORK}/tmp/put.sql");
}

# A copy is a restored database to the module, until it is resumed.
sub fresh_database {
    my ($inside) = @_;
    $inside->command(qw(dropdb --if-exists genflow_sql));
    $inside->command(qw(createdb -S file_copy -T genflow genflow_sql));
    $inside->command(qw(psql -Xq -d genflow_sql -c), q(SELECT genflow.resume('continue')));
    return;
}

# Each has two tries: on a busy machine one may fail by itself.
sub pgtap_that_fails {
    my ($inside, $mutant) = @_;
    my @failed;
    for my $file (likely_first($mutant, grep { !$is_red{$_} } sort glob 't/sql/*.pg')) {
        push @failed, $file if !is_passed($file) && !is_passed($file);
        last if $option{first} && @failed;
    }
    return sort @failed;
}

# The files of its list come first, then those that share a word with the mutant's file, then guards.pg.
sub likely_first {
    my ($mutant, @files) = @_;
    return @files if !$mutant;
    my %word  = map { $_ => 1 } $mutant->{file} =~ /([a-z]{4,})/g, $mutant->{mutant} =~ /([a-z]{4,})/g;
    my %likely = map { my $file = $_; $file => scalar grep { $word{$_} || $word{"${_}s"} } $file =~ /([a-z]{4,})/g } @files;
    $likely{'t/sql/guards.pg'} += 0.5;
    $likely{$_} += 9 for split ' ', $mutant->{tests} // '';
    return sort { ($likely{$b} // 0) <=> ($likely{$a} // 0) || $a cmp $b } @files;
}

sub is_passed {
    my ($file) = @_;
    open my $tap, '-|', 't/exec', $file or die "t/exec: $!\n";
    my ($plan, $good) = (-1, 0);
    while (<$tap>) {
        $plan = $1 if /\A1\.\.(\d+)/;
        $good++    if /\Aok \d/;
    }
    return close($tap) && $plan == $good;
}

# ---- whole sites ---------------------------------------------------------------------------------

# The tests of its list run first, and of SQL the races only if those pass. Of the programs only those that
# the list names are built: each is linked anew for each mutant.
sub meet_sites {
    my ($mutant) = @_;
    $copy //= copy_of_sources();
    my $is_sql = $mutant->{file} =~ m{\Asql/};
    my @named  = grep { !/\.pg\z/ } split ' ', $mutant->{tests} // '';
    my %named  = map { $_ => 1 } @named;
    my @races  = grep { !$named{$_} } map { s{\A\Q$source\E/}{}r } sort glob "$source/t/sql/[r]*.t";
    my ($state, @before) = @{ $result{ $mutant->{mutant} }{says} // ['not-run'] };
    my ($ran, @failed) = ($state ne 'not-run');
    write_to("$copy/$mutant->{file}", mutated($mutant));
    if ($is_sql || system("$copy/support/build", '--test', '--only', grep { m{\At/unit/} } @named) == 0) {
        for my $tests (grep { @$_ } \@named, $is_sql ? \@races : []) {
            next if @failed;
            (my $ran_now, @failed) = run_on_copy(@$tests);
            $ran ||= $ran_now;
        }
    }
    else {
        print "# $mutant->{mutant} cannot be built.\n";
    }
    write_to("$copy/$mutant->{file}", join '', lines_of("$source/$mutant->{file}"));
    my @by = (@before, @failed);
    remember($mutant, 1, !$ran ? 'not-run' : @by ? ('killed', @by) : 'survived');
    return;
}

sub copy_of_sources {
    my $folder = tempdir('genflow-mutants.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $folder;        # tests run as another user, and find node_modules there
    my @names = map { "$source/$_" } qw(Makefile.am configure.ac conf debian docs js mod_genflow
        mod_genflow_local packaging perl sql studio support t);
    push @names, grep { -f } map { "$source/$_" } qw(ARCHITECTURE.md CHANGES CONTRIBUTING.md LICENSE README.md
        SECURITY.md .clang-format);
    system('cp', '-R', @names, $folder) == 0 && system("$folder/support/build", '--test', '--only') == 0
        && system('make', '-s', '-C', "$folder/_build-test", 't/sample/built') == 0
        or die "cannot build a copy of the sources\n";
    return $folder;
}

# Whether a test ran, and what t/run.pl says has failed: these tests, or its look through the logs after them.
sub run_on_copy {
    my @tests = @_;
    open my $run, '-|', $^X, "$copy/t/run.pl", '--source', $copy, '--build', "$copy/_build-test", @tests
        or die "t/run.pl: $!\n";
    my (%failed, $ran);
    while (my $line = <$run>) {
        $failed{$1} = 1 if $line =~ m{\A(t/\S+) +\(Wstat: (?!0 )};
        my ($name, $says) = $line =~ m{\A(t/\S+) \.+ ?(.*)} or next;
        $says =~ /\Askipped/ ? print "# $name was skipped.\n" : ($ran = 1);
        $failed{$name} = 1 if $says =~ /\A(?:Failed|Dubious)/;
    }
    my $passed = close $run;
    return $ran if $passed || !$ran;
    return ($ran, %failed ? sort keys %failed : 't/run.pl');
}

# ---- files ---------------------------------------------------------------------------------------

sub lines_of {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    return <$file>;
}

sub write_to {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
    return;
}

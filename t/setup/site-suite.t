#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Apache::TestGenflow serves the suite of a site: conf/example-suite passes in a folder of its own, as in a stranger's checkout. It
# fails for a wrong price. It does not start while a provider that costs money could be reached. It leaves no process behind, however
# it ends.

use strict;
use warnings;

use Genflow::Site ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use constant PATIENCE => 120 * ($ENV{GENFLOW_TEST_PATIENCE} || 1);

my $work = $ENV{GENFLOW_WORK};
plan skip_all => 'Apache::Test is not installed' if !eval { require Apache::TestRun; 1 };

# ---- as it is ----

my $site = new_site('passes');
# Whatever the suite adds, or its author forgets: the replacement stands.
append("$site/t/conf/extra.conf.in", "<GenflowProvider stability>\n    GenflowProviderUrl https://api.stability.ai\n</GenflowProvider>\n");
my ($code, $said) = suite($site);
is $code, 0, 'the example passes' or diag $said, Genflow::Site::read_text("$site/t/logs/error_log");
like $said, qr/^All tests successful/m, '... and says so';
nothing_left($site, 'it');
my %url = provider_urls($site);
is_deeply [grep { !m{\Ahttp://127\.0\.0\.1:\d+\z} } values %url], [], 'no provider has an address of another host';
is $url{stability}, 'http://127.0.0.1:1', '... the one that is drawn here has none';
like Genflow::Site::read_text("$site/t/logs/recorded.log"), qr/^POST \S+: 1-submit\.answer\n(?:.*\n)*GET \S+: 4-picture\.answer\n/m,
    'the other one played its records';

# ---- wrong on purpose ----

$site = new_site('price');
edit("$site/conf/pictures.conf", qr/GenflowTypeCost      3/, 'GenflowTypeCost      4');
edit("$site/t/recorded/fal/3-result.answer", qr/^GET \S+/, 'GET /other');
($code, $said) = suite($site);
isnt $code, 0, 'with another price the suite fails';
like $said, qr/Failed test 'a poster costs 3 credits'.*?got: 6.*?expected: 7.*?The ledger of ann.*?GenflowTypeCost/s, '... and says where to look';
like $said, qr{Failed test 'a portrait is made'.*?t/logs/recorded\.log:\n\S*\s*GET /fal-ai/fast-sdxl/requests/0f3c2a: no answer is recorded}s,
    '... and which recorded answer is missing';
nothing_left($site, 'a suite that fails');

$site = new_site('unpaid');
edit("$site/t/TEST", qr/^ *fal .*\n/m, '');
($code, $said) = suite($site);
isnt $code, 0, 'with a provider that nothing replaces the suite stops';
like $said, qr{the type portrait uses the provider fal \(https://queue\.fal\.run\), and a test must not pay it\. Say in t/TEST}, '... and says which';
unlike $said, qr/^server .* started/m, '... before httpd starts';
nothing_left($site, 'it');

for my $case (
    ['t/recorded/fal/3-result.answer', qr/\{base\}/, 'https://v3.fal.media', qr{3-result\.answer: it names https://v3\.fal\.media/\S+, which a test must not fetch}],
    ['t/TEST', qr/fal /, 'foal ', qr{`providers` of t/TEST names foal, and there is no <GenflowProvider foal>}],
    ['t/TEST', qr{'local'}, "'t/records'", qr{t/records` is no folder of recorded answers, and neither `local`}],
    ['conf/pictures.conf', qr/\A/, "DBDParams dbname=production\n", qr/pictures\.conf has DBDParams/],
) {
    my ($file, $pattern, $text, $says) = @$case;
    $site = new_site('refused');
    edit("$site/$file", $pattern, $text);
    ($code, $said) = suite($site);
    ok $code != 0 && $said =~ $says, "$file with `$text` is refused" =~ s/\n//r or diag $said;
}
nothing_left($site, 'they');

# ---- interrupted, killed ----

for my $signal (qw(INT KILL)) {
    $site = new_site("sig$signal");
    append("$site/t/generate.t", "sleep ${\PATIENCE};\n");
    edit("$site/t/generate.t", qr/^done_testing;/m, "open my \$mark, '>', 't/here';\n");
    my $pid = start_suite($site);
    ok wait_until(sub { -e "$site/t/here" }), 'a suite runs' or diag Genflow::Site::read_text("$site/said");
    cmp_ok scalar processes_of($site), '>=', 4, '... with its servers';
    kill $signal => $pid;
    waitpid $pid, 0;
    nothing_left($site, "SIG$signal");
}

done_testing;

# ---- a stranger's folder ----

sub new_site {
    my ($name) = @_;
    my $folder = "$work/tmp/suite-$$-$name";
    system('rm', '-rf', $folder);
    system('cp', '-r', "$work/conf/example-suite", $folder) == 0 or die "cp: $folder\n";
    return $folder;
}

# Starts t/TEST with what make install would have given it.
sub start_suite {
    my ($folder) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    delete @ENV{ grep { /\APG|\AGENFLOW_(?!MPM)|\AAPACHE_TEST/ } keys %ENV };
    $ENV{PERL5LIB}          = "$work/perl";
    $ENV{GENFLOW_MODULES}   = "$work/modules";
    $ENV{APACHE_TEST_HTTPD} = $ENV{HTTPD};
    open STDIN,  '<', '/dev/null'    or exit 127;
    open STDOUT, '>', "$folder/said" or exit 127;
    open STDERR, '>&', \*STDOUT      or exit 127;
    POSIX::setpgid(0, 0);
    chdir $folder or exit 127;
    exec $^X, 't/TEST' or exit 127;
}

sub suite {
    my ($folder) = @_;
    my $pid = start_suite($folder);
    waitpid $pid, 0;
    return ($? & 127 ? "signal $?" : $? >> 8, Genflow::Site::read_text("$folder/said"));
}

# What runs in that folder, or for it.
sub processes_of {
    my ($folder) = @_;
    my @found;
    for my $process (grep { m{/\d+\z} } glob '/proc/*') {
        my $words = join ' ', split /\0/, Genflow::Site::read_text("$process/cmdline");
        push @found, $words if index($words, $folder) >= 0 || index(readlink("$process/cwd") // '', $folder) == 0;
    }
    return @found;
}

sub nothing_left {
    my ($folder, $who) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_until(sub { !processes_of($folder) && !-e "$folder/t/genflow/started" });
    is join("\n", processes_of($folder)), '', "$who leaves no process";
    return ok !-e "$folder/t/genflow/pg", '... and no database';
}

sub wait_until {
    my ($condition) = @_;
    my $end = time + PATIENCE;
    sleep 0.1 while !$condition->() && time < $end;
    return $condition->();
}

# As httpd read them last.
sub provider_urls {
    my ($folder) = @_;
    my $text = Genflow::Site::read_text("$folder/t/genflow/replaced.conf");
    return $text =~ /^<GenflowProvider (\S+)>\n    GenflowProviderUrl "(.*)"$/mg;
}

sub edit {
    my ($path, $pattern, $text) = @_;
    my $old = Genflow::Site::read_text($path);
    my $new = $old =~ s/$pattern/$text/r;
    die "$path: nothing to edit\n" if $new eq $old;
    Genflow::Site::write_text($path, $new);
    return;
}

sub append {
    my ($path, $text) = @_;
    open my $file, '>>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
    return;
}

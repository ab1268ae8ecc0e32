#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The manual as support/manual writes it: each directive in one group, each link of each page to a place that exists, in Markdown and
# in HTML, every page in the table of contents. t/manual runs what it shows. Read from the source folder, GENFLOW_SRCDIR or the one
# above this file.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Find qw(find);
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Genflow::Site ();

my $TOP     = abs_path($ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..");
my $FOLDER  = tempdir(CLEANUP => 1);
my $LOWDOWN = (grep { -x } map { "$_/lowdown" } split /:/, $ENV{PATH})[0];

# ---- groups ----

my @entries = Genflow::Site::read_text("$TOP/conf/genflow.conf") =~ /^# Directive: <?(\w+)/mg;
my @grouped = map { [split /\t/] } split /\n/, qx{perl '$TOP/support/manual' --source '$TOP' --groups};
is_deeply [sort map { $_->[0] } @grouped], [sort @entries], 'each directive has a group';
my %since;
for my $line (Genflow::Site::read_text("$TOP/CHANGES") =~ /^  - New directives?: ((?:.|\n(?!  - |\n|\d))+)/mg) {
    $since{$_}++ for $line =~ /\b(Genflow\w+)/g;
}
my %is_entry = map { $_ => 1 } @entries;
none('what CHANGES names as a new directive is one', grep { !$is_entry{$_} } sort keys %since);

# ---- Markdown ----

my @how = $LOWDOWN ? ('--lowdown', $LOWDOWN, '--man', "$FOLDER/man") : ();
is system($^X, "$TOP/support/manual", '--source', $TOP, @how, "$FOLDER/docs"), 0, 'the manual is written';
my @pages = files("$FOLDER/docs", qr/\.md\z/);
cmp_ok scalar @pages, '>', 20, '... with its pages';
my %stands;
for my $page (grep { m{/manual/directives/(?!README)} } @pages) {
    $stands{$_}++ for Genflow::Site::read_text($page) =~ /^## \\?<?(Genflow\w+)/mg;
}
is_deeply \%stands, { map { $_ => 1 } @entries }, 'each directive stands once in the reference';
none('every link leads to a place that exists', map { dead_links($_, $FOLDER, $TOP) } @pages);
none('... in the documents of the tree, too', map { dead_links($_, $TOP, $TOP) } files("$TOP/docs", qr/\.md\z/), glob "$TOP/*.md");

# ---- the table of contents ----

my $contents = Genflow::Site::read_text("$TOP/docs/manual/README.md");
my %listed   = map { $_ => 1 } $contents =~ /\]\(([\w-]+\.md)\)/g;
none('docs/manual/README.md lists every page', grep { !$listed{$_} && $_ ne 'README.md' } map { s{.*/}{}r } glob "$TOP/docs/manual/*.md");
ok index(Genflow::Site::read_text("$TOP/$_"), 'docs/manual/') >= 0, "$_ leads to the manual" for qw(README.md ARCHITECTURE.md);

# ---- HTML and man ----

SKIP: {
    skip 'lowdown is not installed', 5 if !$LOWDOWN;
    my @html = files("$FOLDER/docs", qr/\.html\z/);
    is scalar @html, scalar @pages, 'each page is there as HTML';
    none('every link of the HTML leads to a place that exists', map { dead_references($_) } @html);
    none('... and to HTML, where there is one',
        map { my $page = $_; map { "$page: $_" } Genflow::Site::read_text($page) =~ m{href="((?!\w+:|(?:\.\./)+[A-Z]+\.md")[^"]*\.md[#"])}g } grep { m{/manual/} } @html);
    none('it needs no script and nothing from elsewhere', grep { Genflow::Site::read_text($_) =~ /<script|(?:src|stylesheet" href)="\w+:/ } @html);
    my $man = Genflow::Site::read_text("$FOLDER/man/man5/genflow.conf.5");
    none('genflow.conf(5) has each directive', grep { $man !~ /^<?\Q$_\E>?$/m } @entries);
}
done_testing;

sub none {
    my ($says, @violations) = @_;
    ok !@violations, $says or diag(join "\n", @violations);
}

sub files {
    my ($folder, $pattern) = @_;
    my @found;
    find({ no_chdir => 1, wanted => sub { push @found, $_ if -f && $_ =~ $pattern } }, $folder);
    return sort @found;
}

# Links of a page below $root to files and headings. What is not below docs/ is looked for in the tree.
sub dead_links {
    my ($page, $root, $tree) = @_;
    my $text = Genflow::Site::read_text($page) =~ s/^```.*?^```$//msgr =~ s/^ {4}.*$//mgr =~ s/`[^`\n]*`//gr;
    my @dead;
    for my $target (grep { !/\A\w+:/ } $text =~ /\]\(([^)\s]+)\)/g) {
        my ($path, $anchor) = $target =~ /\A([^#]*)(?:#(.*))?\z/;
        my $file = $path eq '' ? $page : dirname($page) . "/$path";
        $file = normal($file) if !-e $file;
        $file =~ s/\A\Q$root\E/$tree/ if !-e $file;
        my $there = -e $file && (!defined $anchor || grep { $_ eq $anchor } anchors($file));
        push @dead, substr($page, length "$root/") . ": $target" if !$there;
    }
    return @dead;
}

sub normal {
    my ($path) = @_;
    1 while $path =~ s{/[^/]+/\.\./}{/};
    return $path;
}

# As GitHub and lowdown make them of headings.
sub anchors {
    my ($file) = @_;
    return map { lc =~ s/[^\w\- ]//gr =~ tr/ /-/r } Genflow::Site::read_text($file) =~ /^#+ (.+)$/mg;
}

sub dead_references {
    my ($page) = @_;
    my @dead;
    for my $target (grep { !/\A\w+:/ } Genflow::Site::read_text($page) =~ /(?:href|src)="([^"]+)"/g) {
        $target =~ s/&#47;/\//g;
        my ($path, $id) = $target =~ /\A([^#]*)(?:#(.*))?\z/;
        my $file = normal($path eq '' ? $page : dirname($page) . "/$path");
        my $in_tree = $file =~ s/\A\Q$FOLDER\E/$TOP/r;
        next if -e $in_tree && $in_tree !~ m{\A\Q$TOP/docs/\E};
        push @dead, substr($page, length "$FOLDER/") . ": $target" if !-e $file || defined $id && Genflow::Site::read_text($file) !~ / id="\Q$id\E"/;
    }
    return @dead;
}

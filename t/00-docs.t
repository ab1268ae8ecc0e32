#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What the code has and what the documents say are the same: directives and conf/genflow.conf, error
# rows and docs/errors.md, statements and SQL functions, unit tests and the Makefile. Read from the
# source folder, GENFLOW_SRCDIR or the one above this file.

use strict;
use warnings;

use File::Find qw(find);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Genflow::Site ();

my $TOP = $ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..";

# ---- directives ----

my %row     = directives_of_code();
my @entries = entries_of_reference();
my %entry   = map { $_->{name} => $_ } @entries;
my %in_conf = directives_used_in_conf();

ok %row, 'httpd/conf.c has directives';
ok @entries, 'conf/genflow.conf has entries';
none('every directive has its entry in conf/genflow.conf', only_in(\%row, \%entry));
none('every entry in conf/genflow.conf is a directive', only_in(\%entry, \%row));
none('no directive has two entries', repeated(map { $_->{name} } @entries));
none('every entry has syntax, default, context, text and an example',
     map { incomplete_entry($_) } @entries);
none('the reference changes nothing: all of it is commented out',
     active_lines('conf/genflow.conf'));
none('the files in conf/ use directives that exist', only_in(\%in_conf, \%row));
my @defaults = defaults_of_code();
cmp_ok scalar @defaults, '>', 60, 'httpd/conf.c has defaults';
none('every default is the one of conf/genflow.conf', map { other_default($_) } @defaults);
none('all bounds are those of conf/genflow.conf', map { other_bounds($_) } @defaults);

# ---- kinds ----

for my $of (['provider', 'GenflowProviderKind'], ['store', 'GenflowStoreKind']) {
    my ($room, $directive) = @$of;
    my @kinds = kinds($room);
    ok @kinds, "$room/kinds.h has rows";
    is_deeply [ kinds_of_reference($directive) ], \@kinds,
        "the manual of $directive names the kinds of $room/kinds.h";
}
my $readme = slurp('README.md');
none('README.md names every kind of provider', grep { $readme !~ /`$_`/ } kinds('provider'));

# ---- errors ----

my @errors     = error_rows();
my %code       = map { $_->{code} => 1 } @errors;
my @documented = documented_errors();
my %documented = map { $_->{code} => 1 } @documented;

ok @errors, 'base/err_table.h has rows';
none('every row of the error table is well formed', malformed_error_rows());
none('every error code is documented in docs/errors.md', only_in(\%code, \%documented));
none('every documented error code exists', only_in(\%documented, \%code));
none('no error code is documented twice', repeated(map { $_->{code} } @documented));
none('the documented statuses are those of the table', wrong_statuses());
none('no two error rows share a symbol', repeated(map { $_->{symbol} } @errors));

# ---- log tags ----

my %places = places_of_tags();
ok %places, 'there are log tags';
none('a log tag stands at one place only',
     map { "$_: @{ $places{$_} }" } grep { @{ $places{$_} } > 1 } sort keys %places);
my %line = lines_of_code();
my %advised;
my %listed = lines_of_list();
none('every log tag is in docs/log.md', only_in(\%places, \%listed));
none('every log tag in docs/log.md exists', only_in(\%listed, \%places));
none('docs/log.md has the level and the text of every line',
     map { "| $_ | $line{$_} |" } grep { ($listed{$_} // $line{$_}) ne $line{$_} } sort keys %line);
none('docs/log.md says what to do about every line of level warning and above',
     grep { $listed{$_} =~ /\A(?:crit|err|warning) / && !$advised{$_} } sort keys %listed);

# ---- statements ----

my @calls   = functions_called();
my @defined = functions_defined();
ok @calls, 'db/ calls functions';
none('every statement calls a function that sql/ defines',
     grep { !is_defined($_) } @calls);

# Migrations that were released before the check stay as they are.
none('no line of sql/ is wider than 100 columns', map { wide_lines($_) } files_below('sql/functions', qr/\.sql\z/),
     files_below('sql/types', qr/\.sql\z/),
     files_below('sql/migrate-media-assets', qr/\.sql\z/),
     grep { m{/(\d+)_} && $1 > 17 } files_below('sql/migrations', qr/\.sql\z/));

# ---- the doctor ----

my $troubles = slurp('docs/troubleshooting.md');
my $doctor   = slurp('sql/functions/doctor.sql') . slurp('sql/functions/doctor_site.sql') . slurp('support/genflow-doctor');
my %finding  = map { $_ => 1 } $doctor =~ /^ {4}(?:SELECT | {4}(?:\(\d, |look ))'([^'%]+)'/mg;
my %explained = map { $_ => 1 } $troubles =~ /`([^`\n]+)`/g;
ok %finding, 'sql/functions/doctor.sql has findings';
none('what the doctor finds is explained in docs/troubleshooting.md',
     only_in(\%finding, \%explained));
none('what is explained there as a finding is one',
     grep { $doctor !~ /'\Q$_\E'/ } $troubles =~ /^\| `([^`]+)` \|/mg);

# ---- tests ----

none('every unit test is listed in Makefile.am', unlisted_unit_tests());
none('every line of t/requirements.map is a number and paths', malformed_map_lines());
none('no requirement has two lines', repeated(map { (split)[0] } map_lines()));
none('every test that t/requirements.map names exists', missing_tests_of_map());
none('every line of t/requirements.map stands in docs/requirements.md', unknown_requirements());
none('the sources have the text of every mutant in t/mutants',
     split /\n/, `perl '$TOP/t/mutants/run.pl' --source '$TOP' --build . --gone 2>&1`);

done_testing;

sub none {
    my ($says, @violations) = @_;
    ok !@violations, $says or diag(join "\n", @violations);
}

sub wide_lines {
    my ($path) = @_;
    my $number = 0;
    my @wide;
    for my $line (split /\n/, slurp($path)) {
        $number++;
        push @wide, "$path:$number has " . length($line) . ' columns' if length $line > 100;
    }
    return @wide;
}

sub only_in {
    my ($these, $those) = @_;
    return grep { !$those->{$_} } sort keys %$these;
}

sub repeated {
    my %count;
    $count{$_}++ for @_;
    return grep { $count{$_} > 1 } sort keys %count;
}

# ---- reading ----

# A missing file is empty: the sentences about its content fail and say what they miss.
sub slurp { return Genflow::Site::read_text("$TOP/$_[0]") }

sub files_below {
    my ($folder, $pattern) = @_;
    return if !-d "$TOP/$folder";
    my @paths;
    my $keep = sub { push @paths, $_ if -f && $_ =~ $pattern };
    find({ no_chdir => 1, wanted => $keep }, "$TOP/$folder");
    return map { substr $_, length($TOP) + 1 } sort @paths;
}

# Comments become blanks, line ends stay. Literals are part of the pattern because they may hold
# what looks like a comment.
sub without_comments {
    my ($text) = @_;
    $text =~ s{( /\*.*?(?:\*/|\z) | //[^\n]* ) | ( "(?:[^"\\\n]|\\.)*+" | '(?:[^'\\\n]|\\.)*+' )}
              { defined $2 ? $2 : blanks($1) }gsex;
    return $text;
}

sub blanks {
    my ($text) = @_;
    $text =~ s/[^\n]/ /g;
    return $text;
}

sub code_of { return without_comments(slurp($_[0])) }

sub line_at {
    my ($text, $at) = @_;
    return 1 + (substr($text, 0, $at) =~ tr/\n//);
}

# ---- directives and their reference ----

# A section is the directive "<GenflowType"; here it is GenflowType, wherever it is written.
sub directives_of_code {
    my $code = code_of('mod_genflow/httpd/conf.c');
    return map { $_ => 1 } $code =~ /"<?(Genflow[A-Z]\w*)>?"/g;
}

# ROW(name, place, kind, member, min, max, bounds, default, help)
sub defaults_of_code {
    my $code = code_of('mod_genflow/httpd/conf.c');
    my @rows;
    push @rows, { name => $1, kind => $2, bounds => $3, value => $4 }
        while $code =~ /\bROW\("(\w+)",\s*IN_\w+,\s*IS_(\w+),[^"]*"([^"]*)",\s*(?:NULL|"([^"]*)")/g;
    return @rows;
}

# `Default: Name value`, or without a value in the code anything else.
sub other_default {
    my ($row) = @_;
    my ($says) = $entry{ $row->{name} }{text} =~ /^# Default:[ \t]*(.*?)[ \t]*$/m;
    my ($value) = $says =~ /\A\Q$row->{name}\E (\S+)\z/;
    $value = undef if $row->{name} eq 'GenflowProviderKind';
    return if ($value // '') eq ($row->{value} // '');
    return "$row->{name}: the reference says `$says`, the code " . ($row->{value} // 'nothing');
}

sub other_bounds {
    my ($row) = @_;
    my $text = join ' ', split /\s*\n# */, $entry{ $row->{name} }{text};
    return if $row->{kind} !~ /\A(?:INT|TIME|SIZE)\z/ || $text =~ /\b[Tt]akes \Q$row->{bounds}\E\b/;
    return "$row->{name}: the code takes $row->{bounds}";
}

# The rows of GF_PROVIDER_KINDS and the like, in their order.
sub kinds {
    my ($room) = @_;
    return code_of("mod_genflow/$room/kinds.h") =~ /^ +(?:FIRST|NEXT)\((\w+)/mg;
}

# Syntax:  GenflowStoreKind folder|cloudinary|s3
sub kinds_of_reference {
    my ($directive) = @_;
    my ($kinds) = slurp('conf/genflow.conf') =~ /^# Syntax:  $directive ([\w|]+)/m;
    return grep { $_ ne 'name' } split /\|/, $kinds // '';
}

# An entry begins with "# Directive: Name" and reaches to the next one.
sub entries_of_reference {
    my ($preface, @entries) = split /^#[ \t]*Directive:[ \t]*/m, slurp('conf/genflow.conf');
    return map { { name => /\A<?(Genflow\w+)/ ? $1 : '(no name)', text => $_ } } @entries;
}

sub incomplete_entry {
    my ($entry) = @_;
    my $name = $entry->{name};
    my ($heading, @lines) = grep { /\S/ } map { s/\A#?[ \t]*//r } split /\n/, $entry->{text};

    my @missing;
    for my $label ("Syntax:[ \t]*<?$name\\b", 'Default:[ \t]*\S', 'Context:[ \t]*\S') {
        if (@lines && $lines[0] =~ /\A$label/) { shift @lines }
        else                                   { push @missing, $label =~ s/:.*/:/r }
    }
    push @missing, 'text'    if !grep { /\A\w[^:]*\s\w/ && !/\AGenflow/ } @lines;
    push @missing, 'example' if !grep { /\A<?$name\b/ } @lines;
    return map { "$name: $_ is missing or not in its place" } @missing;
}

sub active_lines {
    my ($path) = @_;
    my @lines = split /\n/, slurp($path);
    return map { "$path:" . ($_ + 1) . ": $lines[$_]" }
        grep { $lines[$_] =~ /\A\s*[^#\s]/ } 0 .. $#lines;
}

sub directives_used_in_conf {
    my @texts = map { slurp($_) } files_below('conf', qr/\.conf\z/);
    return map { $_ => 1 } map { m{^[ \t]*(?:</?)?(Genflow\w+)}mg } @texts;
}

# ---- errors and their document ----

sub error_table { return code_of('mod_genflow/base/err_table.h') =~ s/^[ \t]*#.*//mgr }

sub error_rows {
    my $row = qr/\bGF_ERR\(
        \s* (\w+)       \s* ,    # symbol
        \s* "(\w+)"     \s* ,    # machine code
        \s* (\d{3})     \s* ,    # status
        \s* GF_\w+      \s* ,    # level
        \s* "GF\d{4}"   \s* ,    # tag
        \s* "[^"]/x;
    my @rows;
    my $table = error_table();
    push @rows, { symbol => $1, code => $2, status => $3 } while $table =~ /$row/g;
    return @rows;
}

# What error_rows() does not understand would be missing from every comparison without a sound.
sub malformed_error_rows {
    my $table = error_table();
    my @all   = $table =~ /\bGF_ERR\b/g;
    return if @all == @errors;
    return scalar(@all) . ' rows, ' . scalar(@errors) . ' of them readable here';
}

# Rows of a table whose first cell is a code: | `CODE` | 402 | ... Log tags may have rows as well.
sub documented_errors {
    my @rows;
    my $text = slurp('docs/errors.md');
    push @rows, { code => $1, rest => $2 } while $text =~ /^\|[ \t]*`(\w+)`[ \t]*\|([^\n]*)/mg;
    return grep { $_->{code} !~ /\AGF\d{4}\z/ } @rows;
}

# A code may have several rows in the table and with them several statuses; the second cell, where
# it holds nothing but statuses, names all of them.
sub wrong_statuses {
    my %statuses;
    $statuses{ $_->{code} }{ $_->{status} } = 1 for @errors;
    my @wrong;
    for my $row (grep { $statuses{ $_->{code} } } @documented) {
        my ($numbers) = $row->{rest} =~ /\A\s*(\d{3}(?:[,\s]+\d{3})*)\s*\|/ or next;
        my $says = join ' ', sort $numbers =~ /\d{3}/g;
        my $is   = join ' ', sort keys %{ $statuses{ $row->{code} } };
        push @wrong, "$row->{code}: the document says $says, the table $is" if $says ne $is;
    }
    return @wrong;
}

# ---- tags ----

# A place is a literal that begins with a tag; a comment that mentions one is none.
sub places_of_tags {
    my %found;
    for my $path (files_below('mod_genflow', qr/\.[ch]\z/)) {
        my $code = code_of($path);
        push @{ $found{$1} }, "$path:" . line_at($code, $-[0]) while $code =~ /"(GF\d{4})(?!\d)/g;
    }
    return %found;
}

# Tag => "level | `text`". The text is the format with `...` for its values; of an error it is the
# code, which gf_err_log() writes before the reason.
sub lines_of_code {
    my %found;
    my $text = qr/(?:"(?:[^"\\]|\\.)*"|APR_\w+_FMT|\s)++/;
    for my $path (grep { !/err_table/ } files_below('mod_genflow', qr/\.c\z/)) {
        my $code = code_of($path);
        while ($code =~ /\b(?:GF_LOG|APLOG)_(CRIT|ERR|WARNING|NOTICE|INFO|DEBUG)\b[^;"]*(?="GF\d{4})/g) {
            my $level = lc $1;
            my ($first, $second) = substr($code, pos $code) =~ /\A($text)(?:,\s*($text))?/;
            my ($tag, $rest) = $first =~ /\A"(GF\d{4})(?:: )?(.*)/s;
            $found{$tag} = "$level | `" . plain_text($first =~ /\A"GF\d{4}"/ ? $second : "\"$rest") . '`';
        }
    }
    my $table = error_table();
    $found{$3} = lc($2) . " | `$1: ...`"
        while $table =~ /\bGF_ERR\(\s*\w+,\s*"(\w+)",\s*\d+,\s*GF_LOG_(\w+),\s*"(GF\d{4})"/g;
    return %found;
}

sub plain_text {
    my ($pieces) = @_;
    my $text = join '', map { s/\A"|"\z//gr } $pieces =~ /"(?:[^"\\]|\\.)*"|APR_\w+_FMT/g;
    $text =~ s/%(?:APR_\w+_FMT|[dsu])/.../g;
    return $text =~ s/(?:\.{3}){2,}/.../gr;
}

# | GF0405 | notice | `text` |, of the lines to act on with a fourth cell.
sub lines_of_list {
    my %found;
    for (slurp('docs/log.md') =~ /^\| (GF\d{4} \| .*) \|$/mg) {
        my ($tag, $level, $text, $advice) = split / \| /;
        $found{$tag} = "$level | $text";
        $advised{$tag} = $advice if $advice;
    }
    return %found;
}

# ---- statements and functions ----

# A statement names its function without genflow. and, for the functions that every type has, as
# "%s_name".
sub functions_called {
    my %names;
    for my $path (files_below('mod_genflow/db', qr/\.c\z/)) {
        my $code = code_of($path);
        $names{$1} = 1 while $code =~ /\.function\s*=\s*"((?:%s_)?\w+)"/g;
    }
    return sort keys %names;
}

# What stands between FUNCTION and the parenthesis, as templates write it: genflow.{prefix}_create.
sub functions_defined {
    my $create = qr/\bCREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+genflow\.([^\s(]+)\s*\(/i;
    my @paths  = map { files_below($_, qr/\.sql\z/) } qw(sql/functions sql/types);
    return map { slurp($_) =~ s/--.*//gr =~ /$create/g } @paths;
}

sub is_defined {
    my ($called) = @_;
    my $pattern = quotemeta($called) =~ s/\A\\%s/\\S+/r;
    return scalar grep { /\A$pattern\z/ } @defined;
}

# ---- tests and where they are listed ----

# With or without .c: a program of its own is listed by its name.
sub unlisted_unit_tests {
    my $makefile = slurp('Makefile.am') =~ s/^\s*#.*//mgr;
    my @unlisted;
    for my $path (files_below('t/unit', qr/_test\.c\z/)) {
        my $program = $path =~ s/\.c\z//r;
        push @unlisted, $path if $makefile !~ m{\b\Q$program\E(?:\.c)?(?![\w./])};
    }
    return @unlisted;
}

sub map_lines { return grep { /\S/ && !/\A\s*#/ } split /\n/, slurp('t/requirements.map') }

sub malformed_map_lines {
    my @lines = map_lines() or return 't/requirements.map has no line';
    return grep { !/\A\d+(?:\s+[\w.\/-]+)+\s*\z/ } @lines;
}

sub unknown_requirements {
    my %known = map { $_ => 1 } slurp('docs/requirements.md') =~ /^(\d+)\. /mg;
    return grep { !$known{$_} } map { (split)[0] } map_lines();
}

sub missing_tests_of_map {
    my @missing;
    for my $line (map_lines()) {
        my ($number, @paths) = split ' ', $line;
        push @missing, map { "$number: $_" } grep { !-f "$TOP/$_" } @paths;
    }
    return @missing;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The sources keep the order that ARCHITECTURE.md draws: who may include whom, which file owns which
# library, what is not called at all, and how large things may grow. Read from the source folder,
# GENFLOW_SRCDIR or the one above this file; nothing is compiled or run.

use strict;
use warnings;

use Encode qw(decode);
use File::Find qw(find);
use FindBin;
use Test::More;

use constant { C_LINES => 600, H_LINES => 250, FUNCTION_LINES => 100, COLUMNS => 100 };

my $TOP = ($ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..") . '/mod_genflow';

# Whom a room may include beside itself: only downward, and never a neighbour on its own floor.
my %MAY = (
    door     => 'api work httpd base',
    api      => 'httpd db provider store hub model base genflow',
    work     => 'db net provider store hub model base genflow',
    httpd    => 'db provider store model base genflow',
    db       => 'model base genflow',
    net      => 'model base genflow',
    provider => 'model base genflow',
    store    => 'model base genflow',
    hub      => 'model base genflow',
    model    => 'base genflow',
    base     => 'genflow',
    genflow  => '',
    mod_genflow_local => 'genflow',       # a module of its own, on the public interface
);

my %KNOWS_HTTPD = map { $_ => 1 } qw(door api httpd);
my $OF_HTTPD    = qr/\A(?:httpd|http_\w+|ap_\w+|util_\w+|mod_\w+|mpm_common|scoreboard)\.h\z/;

# What a library's names look like, and the files that may use them.
my @OWNED = (
    [ 'json-c',    qr/\bjson_(?:object|tokener)_\w+/,             qr{\Abase/json\.c\z} ],
    [ 'libcurl',   qr/\bcurl_\w+/,                                qr{\Anet/net\.c\z} ],
    [ 'libpq',     qr/\bPQ[a-z]\w*/,                              qr{\Adb/(?:db|rows|admin_links|answer)\.c\z} ],
    [ 'mod_dbd',   qr/\bap_dbd_\w+/,                              qr{\Ahttpd/glue\.c\z} ],
    [ 'libgd',     qr/\bgd[A-Z]\w*(?=\s*\()/,                     qr{\A\.\./mod_genflow_local/} ],
    [ 'libcrypto', qr/\b(?:(?:EVP|CRYPTO|ERR)_\w+|HMAC\(|SHA(?:1|224|256|384|512)\w*)/, qr{\Abase/hash\.c\z} ],

    # Somebody sets the host's date, and no interval may notice: the date is for what others read.
    [ "the host's date", qr/\b(?:apr_time_now|gettimeofday|request_time)\b/,
        qr{\A(?:api/(?:denied|provider_webhook)|store/(?:store|cloudinary))\.c\z} ],
    [ 'the clock', qr/\b(?:clock_gettime|(?:apr_thread|pthread)_cond_(?:timed|clock)wait)\b/,
        qr{\Abase/clock\.c\z} ],
);

# Pools instead of the heap, bounds instead of hope, checked numbers, and nobody sleeps on a thread.
my @BANNED = qw(
    malloc calloc realloc strdup strndup alloca
    sprintf vsprintf strcpy strncpy stpcpy strcat strncat gets
    atoi atol atoll atof strtok strtok_r
    sleep usleep nanosleep apr_sleep
    system popen setjmp longjmp
    apr_dbd_transaction_start apr_dbd_transaction_end
);

my @sources = read_sources();
ok @sources, 'there are sources' or diag("no .c or .h below $TOP");

sentence('every file lives in a room, and its name does not repeat it', \&homeless);
sentence('the first line of every file is its licence', \&unlicensed);
sentence('includes are written "room/file.h" and name a file that exists', \&misspelt_includes);
sentence('nobody includes a room above or beside its own', \&upward_includes);
my @circles = circles();
ok !@circles, 'the files of a room do not go in a circle' or diag(join "\n", @circles);
sentence('only the front door, api and httpd know httpd', \&includes_of_httpd);
sentence('every library is called by its owner alone', \&foreign_calls);
sentence('banned functions are not called', \&banned_calls);
sentence('goto leads forward to done and nowhere else', \&wild_gotos);
sentence('no file is too long', \&long_files);
sentence('no function is too long', \&long_functions);
sentence('no line is too wide', \&wide_lines);
sentence('there are no tabs', \&tabs);
sentence('nothing is left to do', \&left_to_do);
sentence('the braces of every file pair up for this test', \&lost_braces);

done_testing;

sub sentence {
    my ($says, $violations_of) = @_;
    my @violations = map { $violations_of->($_) } @sources;
    ok !@violations, $says or diag(join "\n", @violations);
}

# ---- reading ----

# path is below mod_genflow/; text is the file; uncommented has no comments, bare neither these nor
# what stands in quotes. Every character keeps its place in all of them. functions have the position
# where they start and their bare text; depth counts the braces that are open at the end.
sub read_sources {
    my @paths;
    my @tops = grep { -d } $TOP, "$TOP/../mod_genflow_local";
    find({ no_chdir => 1, wanted => sub { push @paths, $_ if -f && /\.[ch]\z/ } }, @tops) if @tops;
    return map { read_source(substr $_, length($TOP) + 1) } sort @paths;
}

sub read_source {
    my ($path) = @_;
    open my $file, '<', "$TOP/$path" or die "$path: $!";
    my $text = decode('UTF-8', do { local $/; <$file> });
    my ($room, $name) = $path =~ m{\A(?:\.\./)?(\w+)/([^/]+)\z} ? ($1, $2) : ('door', $path);
    my $bare = blank($text, qr/./);
    my ($functions, $depth) = functions_in(without_preprocessor($bare));
    return {
        path        => $path,
        room        => $room,
        name        => $name,
        text        => $text,
        uncommented => blank($text, qr{\A/}),
        bare        => $bare,
        functions   => $functions,
        depth       => $depth,
    };
}

# Comments and literals are found in one pass, because each may hold what looks like another. The
# ones that $which matches become blanks; of a literal the quotes stay.
sub blank {
    my ($text, $which) = @_;
    $text =~ s{( /\*.*?(?:\*/|\z) | //[^\n]* | "(?:[^"\\\n]|\\.)*+" | '(?:[^'\\\n]|\\.)*+' )}
              { blanks($1, $which) }gsex;
    return $text;
}

sub blanks {
    my ($token, $which) = @_;
    return $token if $token !~ $which;
    my $quote = $token =~ /\A(["'])/ ? $1 : '';
    $token =~ s/[^\n]/ /g;
    substr($token, 0, 1) = substr($token, -1) = $quote if $quote;
    return $token;
}

sub without_preprocessor {
    my ($bare) = @_;
    $bare =~ s{^([ \t]*\#(?:\\\n|[^\n])*)}{ $1 =~ s/[^\n]/ /gr }gmex;
    return $bare;
}

# Functions are the blocks on the outermost level that follow a closing parenthesis. The second
# value is the depth at the end of the file.
sub functions_in {
    my ($code) = @_;
    my ($depth, $outer_start, $head, @functions) = (0, 0);
    while ($code =~ /([{};])/g) {
        my $at = pos($code) - 1;
        if ($1 eq '{') {
            $head = substr $code, $outer_start, $at - $outer_start if $depth++ == 0;
        }
        elsif ($1 eq '}') {
            next if --$depth != 0;
            push @functions, function_of($code, $head, $outer_start, $at);
            $outer_start = $at + 1;
        }
        elsif ($depth == 0) {
            $outer_start = $at + 1;
        }
    }
    return (\@functions, $depth);
}

sub function_of {
    my ($code, $head, $from, $to) = @_;
    return if $head !~ /(\w+)\s*(\((?:[^()]++|(?2))*\))\s*\z/;
    my $name = $1;
    my ($space) = $head =~ /\A(\s*)/;
    $from += length $space;
    return { name => $name, from => $from, body => substr $code, $from, $to - $from + 1 };
}

# ---- telling ----

sub place {
    my ($source, $at, $says) = @_;
    my $line = 1 + (substr($source->{text}, 0, $at) =~ tr/\n//);
    return "mod_genflow/$source->{path}:$line: $says";
}

# Every match of a pattern in one view of the file, as [position, what the first group holds].
sub matches {
    my ($view, $pattern) = @_;
    my @found;
    push @found, [ $-[1], $1 ] while $view =~ /($pattern)/g;
    return @found;
}

sub includes_of {
    my ($source) = @_;
    my @includes;
    while ($source->{uncommented} =~ /^[ \t]*\#[ \t]*include[ \t]*([<"])([^>"\n]+)/gm) {
        push @includes, { at => $-[1], quoted => $1 eq '"', file => $2 };
    }
    return @includes;
}

# ---- names and licences ----

# A log line shows the folder of a file: a prefix would say it twice.
sub homeless {
    my ($source) = @_;
    my ($room, $name) = @$source{qw(room name)};
    return place($source, 0, "there is no room $room/") if !defined $MAY{$room};
    return if $room eq 'door' ? $name eq 'mod_genflow.c' : $name !~ /\A(?:gf|\Q$room\E)_/;
    return place($source, 0, 'its name repeats its room or the module');
}

sub unlicensed {
    my ($source) = @_;
    return if $source->{text} =~ m{\A(?:/\*|//) SPDX-License-Identifier: Apache-2\.0\b};
    return place($source, 0, 'does not begin with /* SPDX-License-Identifier: Apache-2.0');
}

# ---- includes ----

# Quotes are for our own files, brackets for those of others. config.h is nobody's.
sub misspelt_includes {
    my ($source) = @_;
    my @violations;
    for my $include (includes_of($source)) {
        my ($at, $file) = @$include{qw(at file)};
        next if $file eq 'config.h';
        my $ours = defined room_of($file);
        push @violations, place($source, $at, qq("$file" is not of the form "room/file.h"))
            if $ours xor $include->{quoted};
        push @violations, place($source, $at, "there is no $file") if $ours && !grep { -f "$_/$file" } $TOP, "$TOP/..";
    }
    return @violations;
}

sub upward_includes {
    my ($source) = @_;
    my $mine = $source->{room};
    my %may  = map { $_ => 1 } $mine, split ' ', $MAY{$mine} // '';
    return map { place($source, $_->{at}, "$mine must not include $_->{file}") }
        grep { !$may{ room_of($_->{file}) // $mine } } includes_of($source);
}

sub includes_of_httpd {
    my ($source) = @_;
    return if $KNOWS_HTTPD{ $source->{room} } || $source->{name} eq 'mod_genflow_local.c';
    return map { place($source, $_->{at}, "$source->{room} must not include $_->{file} of httpd") }
        grep { $_->{file} =~ $OF_HTTPD } includes_of($source);
}

# A file is its .c and its .h. From each one along the includes inside its room: does a way lead back?
sub circles {
    my (%next, %found);
    for my $source (@sources) {
        my $file = $source->{path} =~ s/\.[ch]\z//r;
        for my $other (map { $_->{file} =~ s/\.h\z//r } includes_of($source)) {
            $next{$file}{$other} = 1 if $other ne $file && $other =~ m{\A\Q$source->{room}\E/};
        }
    }
    for my $start (sort keys %next) {
        my (%seen, @open);
        @open = map { [ $start, $_ ] } sort keys %{ $next{$start} };
        while (my $way = shift @open) {
            my $end = $way->[-1];
            $found{ join ' ', sort @$way[0 .. $#$way - 1] } //= join ' > ', @$way if $end eq $start;
            push @open, map { [ @$way, $_ ] } sort keys %{ $next{$end} } if !$seen{$end}++ && $end ne $start;
        }
    }
    return map { $found{$_} } sort keys %found;
}

# The room of an included file; nothing when the file is none of ours.
sub room_of {
    my ($file) = @_;
    my ($room) = $file =~ m{\A(\w+)/\w+\.h\z};
    return defined $room && defined $MAY{$room} ? $room : undef;
}

# ---- calls ----

sub foreign_calls {
    my ($source) = @_;
    my @violations;
    for my $owned (@OWNED) {
        my ($library, $names, $owners) = @$owned;
        next if $source->{path} =~ $owners;
        push @violations, map { place($source, $_->[0], "$_->[1] is for the owner of $library") }
            matches($source->{bare}, $names);
    }
    return @violations;
}

# A member of the same name is no call of the function: reader->sleep(...).
sub banned_calls {
    my ($source) = @_;
    my $names = join '|', @BANNED;
    return map { place($source, $_->[0], "$_->[1]() is banned") }
        matches($source->{bare}, qr/(?<!->)(?<!\.)\b(?:$names)\b(?=\s*\()/);
}

sub wild_gotos {
    my ($source) = @_;
    my @violations;
    for my $function (@{ $source->{functions} }) {
        my @labels = map { $_->[0] } matches($function->{body}, qr/^[ \t]*done(?=\s*:)/m);
        for my $goto (matches($function->{body}, qr/\bgoto\s+\w+/)) {
            my ($at, $text) = @$goto;
            next if $text =~ /\sdone\z/ && grep { $_ > $at } @labels;
            $at += $function->{from};
            push @violations, place($source, $at, "$text in $function->{name}()");
        }
    }
    return @violations;
}

# ---- sizes ----

sub long_files {
    my ($source) = @_;
    my $limit = $source->{name} =~ /\.c\z/ ? C_LINES : H_LINES;
    my $lines = $source->{text} =~ tr/\n//;
    return if $lines <= $limit;
    return place($source, 0, "has $lines lines, not $limit at most");
}

sub long_functions {
    my ($source) = @_;
    my @violations;
    for my $function (@{ $source->{functions} }) {
        my $lines = 1 + ($function->{body} =~ tr/\n//);
        next if $lines <= FUNCTION_LINES;
        my $says = "$function->{name}() has $lines lines, not " . FUNCTION_LINES . ' at most';
        push @violations, place($source, $function->{from}, $says);
    }
    return @violations;
}

sub wide_lines {
    my ($source) = @_;
    my $too_wide = COLUMNS + 1;
    my $says = 'columns, not ' . COLUMNS . ' at most';
    return map { place($source, $_->[0], 'has ' . length($_->[1]) . " $says") }
        matches($source->{text}, qr/^[^\n]{$too_wide,}/m);
}

sub tabs {
    my ($source) = @_;
    return map { place($source, $_->[0], 'has a tab') } matches($source->{text}, qr/^[^\t\n]*\t/m);
}

sub left_to_do {
    my ($source) = @_;
    return map { place($source, $_->[0], "says $_->[1]") }
        matches($source->{text}, qr/\b(?:TODO|FIXME|XXX)\b/);
}

# An #if around half of a block would make the two checks of functions blind.
sub lost_braces {
    my ($source) = @_;
    return if $source->{depth} == 0;
    return place($source, length($source->{text}) - 1, "ends $source->{depth} blocks deep");
}

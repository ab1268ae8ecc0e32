#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The sources keep the order that ARCHITECTURE.md draws: which room includes which, which file owns
# which library, which functions are banned, and how large a file may grow. The compiler says what
# a file includes, the object files say what they call. The sources are below GENFLOW_SRCDIR, or the
# folder above this file; t/run.pl makes the list of calls.

use strict;
use warnings;

use Encode qw(decode);
use File::Basename qw(basename);
use FindBin;
use Test::More;

use constant { C_LINES => 600, H_LINES => 250, FUNCTION_LINES => 100, COLUMNS => 100 };

my $TOP = $ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..";

# Which rooms a room includes beside itself: only lower ones, and none on its own floor.
my %MAY = (
    door     => 'front api work httpd db provider store net hub model base genflow',
    front    => 'api httpd db net provider store hub model base genflow',
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

# Headers of others, and the files that include them, themselves or through a header of ours.
my @OWNED = (
    ['httpd',     qr{(?:\A|/)(?:httpd|http_\w+|ap_\w+|util_\w+|mod_\w+|mpm_common|scoreboard)\.h\z},
        qr{\Amod_genflow/(?:api/|front/|httpd/|mod_genflow\.c)|\Amod_genflow_local/mod_genflow_local\.c}],
    ['json-c',    qr{(?:\A|/)json\.h\z},      qr{\Amod_genflow/base/json\.c\z}],
    ['libcurl',   qr{(?:\A|/)curl\.h\z},      qr{\Amod_genflow/net/(?:net\.c|body\.[ch])\z}],
    ['libpq',     qr{(?:\A|/)libpq-\w+\.h\z}, qr{\Amod_genflow/db/(?:db|rows|amounts|admin_connections|answer|books|cause)\.[ch]\z}],
    ['mod_dbd',   qr{(?:\A|/)mod_dbd\.h\z},   qr{\Amod_genflow/httpd/glue\.c\z}],
    ['libgd',     qr{(?:\A|/)gd\.h\z},        qr{\Amod_genflow_local/}],
    ['libcrypto', qr{(?:\A|/)openssl/},       qr{\Amod_genflow/base/hash\.c\z}],
);

# Pools instead of the heap, bounds instead of hope, checked numbers, and no thread sleeps. An
# operator may set the host's date, which no interval may follow: only what others read is a date.
my %CALLED_BY = (
    (map { $_ => qr{\A\z} } qw(
        malloc calloc realloc strdup strndup
        sprintf vsprintf strcpy strncpy stpcpy strcat strncat gets
        atoi atol atoll atof strtok strtok_r
        sleep usleep nanosleep apr_sleep
        system popen setjmp longjmp)),
    (map { $_ => qr{\Amod_genflow/(?:api/(?:denied|provider_webhook)|db/host|store/(?:store|cloudinary|spool))\.c\z} }
        qw(apr_time_now gettimeofday time)),
    (map { $_ => qr{\Amod_genflow/base/clock\.c\z} }
        qw(clock_gettime clock_nanosleep apr_thread_cond_timedwait pthread_cond_timedwait pthread_cond_clockwait)),
);

my @sources = map { read_source($_) }
    sort map { substr $_, 1 + length $TOP } glob "$TOP/mod_genflow*/*.[ch] $TOP/mod_genflow/*/*.[ch]";
ok @sources > 100, 'there are sources' or diag "no .c or .h below $TOP";
my %includes = read_includes();
is join(' ', grep { !$includes{ $_->{path} } } @sources), '', 'the compiler names what each includes';
my %calls = read_calls();
ok keys %calls > 100, 'there are object files';

claim('every file lives in a room, and its name does not repeat it', \&homeless);
claim('the first line of every file is its licence',                 \&unlicensed);
claim('no room includes one above or beside it',                     \&upward_includes);
my @circles = circles();
ok !@circles, 'the files of a room include each other in no circle' or diag join "\n", @circles;
claim('each library is included by its owner alone',  \&foreign_headers);
claim('banned functions are not called',              \&banned_calls);
claim('goto leads to done and nowhere else',          \&wild_gotos);
claim('no file is too long',                          \&long_files);
claim('no line is too wide',                          \&wide_lines);
claim('there are no tabs',                            sub { lines_with($_[0], qr/\t/, 'has a tab') });
claim('nothing is left to do',                        sub { lines_with($_[0], qr/\b(?:TODO|FIXME|XXX)\b/, 'is not done') });
is join('', long_functions()), '', 'no function is too long';

done_testing;

sub claim {
    my ($says, $violations_of) = @_;
    my @violations = map { $violations_of->($_) } @sources;
    ok !@violations, $says or diag join "\n", @violations;
    return;
}

# ---- facts ----

sub read_source {
    my ($path) = @_;
    open my $file, '<', "$TOP/$path" or die "$path: $!";
    my @lines = map { chomp; decode('UTF-8', $_) } <$file>;
    return { path => $path, room => room_of($path), lines => \@lines };
}

# The room of one of our files; nothing of those of others.
sub room_of {
    my ($path) = @_;
    return $path =~ m{\Amod_genflow/(\w+)/} ? $1
        : $path =~ m{\A(mod_genflow_local)/} ? $1
        : $path =~ m{\Amod_genflow/}         ? 'door'
        :                                      undef;
}

# What each file includes, itself or through others. Headers of libraries that are not where the
# compiler looks are named as written (-MG).
sub read_includes {
    my @command = ('gcc', '-M', '-MG', "-I$TOP/mod_genflow", "-I$TOP", '-x', 'c');
    open my $out, '-|', @command, map { "$TOP/$_->{path}" } @sources or die "gcc: $!";
    my $rules = do { local $/; <$out> } =~ s/\\\n//gr;
    return map {
        my ($self, @others) = map { s{\A\Q$TOP\E/}{}r } split ' ', s/\A[^:]*://r;
        ($self => \@others);
    } split /\n/, $rules;
}

# What the object of each source calls. gcc may call the checked form: __sprintf_chk for sprintf.
sub read_calls {
    my %found;
    my $calls = $ENV{GENFLOW_CALLS} // die "run it by support/check t/00-rooms.t\n";
    open my $list, '<', $calls or die "$calls: $!\n";
    while (<$list>) {
        my ($object, $name) = /\A(\S+): +[Uw] _*(\w+?)(?:_chk)?(?:@|$)/ or next;
        my $path = $object =~ s{\.libs/}{}r =~ s{/\w*la-}{/}r =~ s/o\z/c/r;
        push @{ $found{$path} }, $name if -f "$TOP/$path";      # not of an old object
    }
    return %found;
}

# "file:line: ..." for each line that matches.
sub lines_with {
    my ($source, $pattern, $says) = @_;
    my $lines = $source->{lines};
    return map { "$source->{path}:" . ($_ + 1) . ": $says" } grep { $lines->[$_] =~ $pattern } 0 .. $#$lines;
}

# ---- names and licences ----

# A log line shows the folder of a file: a prefix would say it twice.
sub homeless {
    my ($source) = @_;
    my ($room, $name) = ($source->{room}, basename($source->{path}));
    return "$source->{path}: there is no room $room/" if !defined $MAY{$room};
    return if $room eq 'door' ? $name eq 'mod_genflow.c' : $name !~ /\A(?:gf|\Q$room\E)_/;
    return "$source->{path}: its name repeats its room or the module";
}

sub unlicensed {
    my ($source) = @_;
    return if $source->{lines}[0] =~ m{\A(?:/\*|//) SPDX-License-Identifier: Apache-2\.0\b};
    return "$source->{path}: does not begin with /* SPDX-License-Identifier: Apache-2.0";
}

# ---- includes ----

sub upward_includes {
    my ($source) = @_;
    my $mine = $source->{room};
    my %may  = map { $_ => 1 } $mine, split ' ', $MAY{$mine} // '';
    return map { "$source->{path}: $mine must not include $_" }
        grep { my $room = room_of($_); $room && !$may{$room} } @{ $includes{ $source->{path} } };
}

sub foreign_headers {
    my ($source) = @_;
    my @others = @{ $includes{ $source->{path} } };
    return map {
        my ($library, $headers, $owners) = @$_;
        my ($header) = grep { /$headers/ } grep { !room_of($_) } @others;
        $header && $source->{path} !~ $owners ? "$source->{path}: $header is for the owner of $library" : ();
    } @OWNED;
}

# A file is its .c and its .h. Two files of a room that include each other, however far around.
sub circles {
    my %reaches;
    for my $source (@sources) {
        my $file = $source->{path} =~ s/\.[ch]\z//r;
        $reaches{$file}{ s/\.h\z//r } = 1 for grep { (room_of($_) // '') eq $source->{room} } @{ $includes{ $source->{path} } };
    }
    my @found;
    for my $one (sort keys %reaches) {
        push @found, map { "$one and $_ include each other" }
            grep { $one lt $_ && $reaches{$_}{$one} } sort keys %{ $reaches{$one} };
    }
    return @found;
}

# ---- calls ----

sub banned_calls {
    my ($source) = @_;
    return map { "$source->{path}: calls $_()" }
        grep { $CALLED_BY{$_} && $source->{path} !~ $CALLED_BY{$_} } @{ $calls{ $source->{path} } // [] };
}

sub wild_gotos {
    my ($source) = @_;
    return lines_with($source, qr/\bgoto (?!done;)/, 'goto leads elsewhere');
}

# ---- sizes ----

sub long_files {
    my ($source) = @_;
    my $limit = $source->{path} =~ /\.c\z/ ? C_LINES : H_LINES;
    my $count = @{ $source->{lines} };
    return $count <= $limit ? () : "$source->{path}: has $count lines, not $limit at most";
}

sub wide_lines {
    my ($source) = @_;
    my $too_wide = COLUMNS + 1;
    return lines_with($source, qr/.{$too_wide}/, 'is wider than ' . COLUMNS . ' columns');
}

sub long_functions {
    my $flags = join ' ', "-I$TOP/mod_genflow -I$TOP -D_GNU_SOURCE -DGENFLOW_VERSION='\"\"' -DGENFLOW_STUDIO='\"\"'",
        map { s/\n//gr } `apr-1-config --includes --cppflags`, '-I' . `apxs -q INCLUDEDIR`,
        `pkg-config --cflags libpq json-c libcurl gdlib`;
    my $config = '{CheckOptions: [{key: readability-function-size.LineThreshold, value: ' . FUNCTION_LINES
        . '}, {key: readability-function-size.StatementThreshold, value: 100000}]}';
    my $files = join ' ', map { "$TOP/$_->{path}" } grep { $_->{path} =~ /\.c\z/ } @sources;
    return grep { /(?:warning|error):/ }
        `clang-tidy --quiet --checks='-*,readability-function-size' --config='$config' $files -- $flags 2>&1`;
}

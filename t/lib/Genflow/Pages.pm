# SPDX-License-Identifier: Apache-2.0
#
# The programs and configurations that pages of docs/ show. A comment before a block says that a test uses it:
#
#     <!-- run: NAME -->     the block runs as it stands (sh, js, php or python)
#     <!-- prints -->        the block is what the one before it prints; … in it stands for anything
#     <!-- conf: NAME -->    the block passes httpd -t
#
#     for my $block (blocks('docs/manual/api.md')) {
#         my ($code, $said) = run_program($block->{language}, $block->{text}, $folder);
#         ok !defined $block->{prints} || $said =~ printed($block->{prints});
#     }

# The programs of other pages run as they stand there, but for hosts, at a site whose type custom-prompt costs 2 credits; without node
# the file is skipped. mod-genflow is js/ of the tree.
#
#     my $httpd = drawing_site('GenflowWatchUser 8');          # or more configuration
#     for my $program (programs_of('docs/api.md')) {
#         like output_of($program, $httpd->base), qr/.../, $program->{section};
#     }

package Genflow::Pages;

use strict;
use warnings;

use Cwd qw(abs_path);
use parent 'Exporter';
use POSIX ();

use Genflow::Httpd ();
use Genflow::Limit;
use Genflow::Site ();
use Genflow::Test;

our @EXPORT = qw(blocks printed run_program start_program has_interpreter drawing_site programs_of output_of);

use constant HOST => 'https://images.example';

# ---- marked blocks ----

my %INTERPRETER = (sh => ['sh', '-eu'], js => ['node'], javascript => ['node'], php => ['php'], python => ['python3']);
my %ENDING      = (sh => 'sh', js => 'mjs', javascript => 'mjs', php => 'php', python => 'py');

# The marked blocks of a page of the tree: { use => 'run' or 'conf', name, language, text, prints }.
sub blocks {
    my ($page) = @_;
    my $text = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/$page");
    my @found;
    while ($text =~ /^<!-- (run|conf|prints)(?:: ([\w-]+))? -->\n```(\w+)\n(.*?)^```$/msg) {
        my ($use, $name, $language, $block) = ($1, $2, $3, $4);
        if ($use eq 'prints') { $found[-1]{prints} = $block }
        else { push @found, { use => $use, name => $name, language => $language, text => $block } }
    }
    my $marks = () = $text =~ /^<!--/mg;
    my $read  = @found + grep { defined $_->{prints} } @found;
    die "$page: $marks marks, and $read of them stand before a block\n" if $marks != $read;
    return @found;
}

# The pattern of a text in which … stands for anything.
sub printed {
    my ($text) = @_;
    my $pattern = join '.*?', map { quotemeta } split /\xe2\x80\xa6|\x{2026}/, $text =~ s/\s+\z//r, -1;
    return qr/\A$pattern\s*\z/s;
}

sub has_interpreter {
    my ($language) = @_;
    my $program = ($INTERPRETER{$language} // die "no interpreter for $language\n")->[0];
    return scalar grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

# Runs a program in that folder: its exit code, and what it printed on both ways.
sub run_program {
    my ($language, $text, $folder) = @_;
    my ($pid, $out) = start_program($language, $text, $folder);
    local $/ = undef;
    my $said = <$out> // '';
    close $out;
    return ($? >> 8 || $? & 127, $said);
}

# The same, under way; further words go between interpreter and file.
sub start_program {
    my ($language, $text, $folder, @words) = @_;
    my $path = abs_path($folder) . "/program.$ENDING{$language}";
    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    return ($pid, $out) if $pid;
    open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
    chdir $folder or POSIX::_exit(127);
    alarm HANG_LIMIT;                     # which exec keeps
    exec @{ $INTERPRETER{$language} }, @words, $path or POSIX::_exit(127);
}

# ---- programs of other pages ----

# The dispatcher of the site makes what is requested here.
sub drawing_site {
    my ($more) = @_;
    plan skip_all => 'node is not installed: support/packages studio' if system('node --version >/dev/null 2>&1') != 0;
    return Genflow::Httpd->start(Genflow::Httpd::small_site() . <<'END' . $more);
GenflowFetchAllow 127.0.0.1
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType custom-prompt>
    GenflowTypeProviders local/film
    GenflowTypeCost 2
    GenflowTypePromptMin 10
</GenflowType>
<Location "/generated">
    SetHandler genflow-result
</Location>
END
}

# Each block of a page that has a language: {section, language, text}.
sub programs_of {
    my ($page) = @_;
    my $section = '';
    my @programs;
    my $text = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/$page");
    while ($text =~ /^## ([^\n]+)$|^```(\w+)\n(.*?)^```$/msg) {
        if (defined $1) {
            $section = $1;
        }
        else {
            push @programs, { section => $section, language => $2, text => $3 };
        }
    }
    return @programs;
}

# What a program prints at that host, run in this folder.
sub output_of {
    my ($program, $base, $folder) = @_;
    my $text = $program->{text} =~ s/\Q${\HOST}\E/$base/gr;
    my (undef, $says) = run_program($program->{language}, $text, $folder // tree_folder());
    return $says;
}

# A folder where `npm install ./js` has been.
sub tree_folder {
    my $folder = "$ENV{GENFLOW_WORK}/tmp/programs";
    return $folder if -d $folder;
    mkdir $_ or die "$_: $!\n" for $folder, "$folder/node_modules";
    symlink "$ENV{GENFLOW_WORK}/js", "$folder/node_modules/mod-genflow" or die "$folder: $!\n";
    return $folder;
}

1;

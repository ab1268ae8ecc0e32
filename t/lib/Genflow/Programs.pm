# SPDX-License-Identifier: Apache-2.0
#
# Runs the programs of docs/, as they stand there but for hosts, at a site whose type custom-prompt costs 2 credits.
#
#     use Genflow::Test;
#     use Genflow::Programs;
#     my $httpd = drawing_site('GenflowWatchUser 8');          # or more configuration
#     for my $program (programs_of('docs/api.md')) {
#         like output_of($program, $httpd->base), qr/.../, $program->{section};
#     }
#
# Without node the file is skipped. mod-genflow is js/ of the tree.

package Genflow::Programs;

use strict;
use warnings;

use Genflow::Httpd ();
use Genflow::Pages ();
use Genflow::Site ();
use Genflow::Test;
use parent -norequire, 'Exporter';

our @EXPORT = qw(drawing_site programs_of output_of);

use constant HOST => 'https://images.example';

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
    my (undef, $says) = Genflow::Pages::run_program($program->{language}, $text, $folder // tree_folder());
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

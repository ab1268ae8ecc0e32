# SPDX-License-Identifier: Apache-2.0
#
# Checks that another program makes and prints as TAP: each is a test here.
#
#     my $count = run_tap('openai', 'node', 't/clients/openai.mjs');

package Genflow::Tap;

use strict;
use warnings;

use parent 'Exporter';
use Test::More;

our @EXPORT = qw(run_tap);

# Runs the program; the name stands before each of its sentences. Returns the number of its checks.
sub run_tap {
    my ($name, @command) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    open my $pipe, '-|', @command or die "$command[0]: $!\n";
    my ($checks, $planned) = (0, 'no plan');
    while (my $line = <$pipe>) {
        chomp $line;
        if ($line =~ /\A(not )?ok \d+ - (.*)/) {
            $checks++;
            ok !$1, "$name: $2";
        }
        elsif ($line =~ /\A1\.\.(\d+)/) {
            $planned = $1;
        }
        else {
            diag $line =~ s/\A# //r;
        }
    }
    close $pipe;
    is $planned, $checks, "the checks of $name ran to their end ($checks)";
    return $checks;
}

1;

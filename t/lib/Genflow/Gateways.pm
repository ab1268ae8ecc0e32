# SPDX-License-Identifier: Apache-2.0
#
# The answers of gateways that t/gateways.list has.
#
#     my @names  = Genflow::Gateways::names();
#     my $answer = Genflow::Gateways::answer('nginx-502');    # { status, headers (names and values), body }, or undef

package Genflow::Gateways;

use strict;
use warnings;

use File::Spec ();

use constant LIST => File::Spec->rel2abs(__FILE__) =~ s{/lib/Genflow/[^/]+\z}{/gateways.list}r;

my (@names, %answers);

sub names {
    read_list() if !@names;
    return @names;
}

sub answer {
    my ($name) = @_;
    read_list() if !@names;
    return $answers{$name};
}

sub read_list {
    open my $file, '<', LIST or die LIST . ": $!\n";
    my (undef, @blocks) = split /^=== /m, do { local $/ = undef; <$file> };
    for my $block (@blocks) {
        my ($head, $body) = split /\n\n/, $block, 2;
        my ($name, $status, @headers) = split /\n/, $head;
        push @names, $name;
        chomp $body;
        $answers{$name} = {
            status  => $status =~ s/\AHTTP //r,
            headers => [ map { split /: /, $_, 2 } @headers ],
            body    => $body,
        };
    }
    return;
}

1;

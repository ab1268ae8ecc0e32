# SPDX-License-Identifier: Apache-2.0
#
# Whether bytes are a PNG that opens, judged by nothing of ours.

package Genflow::Png;

use strict;
use warnings;

use Compress::Zlib qw(crc32 uncompress);
use parent 'Exporter';

our @EXPORT = qw(sound_png opens);

my %SAMPLES = (0 => 1, 2 => 3, 3 => 1, 4 => 2, 6 => 4);      # of a pixel, by colour type

# Width x height when the signature, the order and the check sums of all chunks are right.
sub sound_png {
    my ($width, $height) = read_png(@_) or return '';
    return "${width}x$height";
}

# Are there also as many pixels as its head promises?
sub opens {
    my ($width, $height, $depth, $colour, $pixels) = read_png(@_) or return;
    my $row = 1 + int(($SAMPLES{$colour} * $depth * $width + 7) / 8);
    return length $pixels == $row * $height;
}

sub read_png {
    my ($bytes) = @_;
    return if $bytes !~ s/\A\x89PNG\r\n\x1a\n//;
    my ($packed, $last, @head) = ('', '');
    while (length $bytes) {
        my ($length, $type) = unpack 'N a4', $bytes;
        my $data = substr $bytes, 8, $length;
        return if crc32("$type$data") != unpack 'N', substr $bytes, 8 + $length, 4;
        @head = unpack 'NNCC', $data if $type eq 'IHDR';
        $packed .= $data             if $type eq 'IDAT';
        substr $bytes, 0, 12 + $length, '';
        $last = $type;
    }
    my $pixels = uncompress($packed);
    return defined $pixels && $last eq 'IEND' ? (@head, $pixels) : ();
}

1;

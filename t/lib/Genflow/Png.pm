# SPDX-License-Identifier: Apache-2.0
#
# Whether bytes are a PNG that opens: signature, chunks with their check sums, and pixels that unpack
# to as many as the head promises. Nothing of ours helps in it.

package Genflow::Png;

use strict;
use warnings;

use Compress::Zlib qw(crc32 uncompress);
use parent 'Exporter';

our @EXPORT = qw(sound_png);

my %SAMPLES = (0 => 1, 2 => 3, 3 => 1, 4 => 2, 6 => 4);      # of a pixel, by colour type

# Width x height; '' when it does not open.
sub sound_png {
    my ($bytes) = @_;
    return '' if $bytes !~ s/\A\x89PNG\r\n\x1a\n//;
    my ($packed, $last, @head) = ('', '');
    while (length $bytes) {
        my ($length, $type) = unpack 'N a4', $bytes;
        my $data = substr $bytes, 8, $length;
        return '' if crc32("$type$data") != unpack 'N', substr $bytes, 8 + $length, 4;
        @head = unpack 'NNCC', $data if $type eq 'IHDR';
        $packed .= $data             if $type eq 'IDAT';
        substr $bytes, 0, 12 + $length, '';
        $last = $type;
    }
    return '' if $last ne 'IEND' || !@head;
    my ($width, $height, $depth, $colour) = @head;
    my $row = 1 + int((($SAMPLES{$colour} // return '') * $depth * $width + 7) / 8);
    return length(uncompress($packed) // '') == $row * $height ? "${width}x$height" : '';
}

1;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# support/check --power (as root): power cuts while the folder store stores a picture. Each case has a
# file system of its own on a loop device. t/unit/fs_test --store stops before each of its calls to
# the disk, and once the picture is stored. The device is copied as it is then: once at once, and once
# after the journal was written, which it is every 5 s. On the copy, after the journal was replayed,
# the picture must be whole or absent, and whole if it counted as stored.
#
#     t/power/run.pl --build DIR

use strict;
use warnings;

use Digest::SHA ();
use File::Temp qw(tempdir);
use Getopt::Long qw(GetOptions);
use IO::Handle ();
use POSIX qw(WUNTRACED);
use Test::More;

use constant { CALLS_MAX => 10, NAME => 'neo-glitch/5b/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b.png' };

# name => how it is made; what has no such program is skipped
my @KINDS = (
    ['ext4',                   'mkfs.ext4 -q -F -E lazy_itable_init=0'],
    ['ext4 data=writeback',    'mkfs.ext4 -q -F -E lazy_itable_init=0', 'data=writeback'],
    ['ext4 with fast commits', 'mkfs.ext4 -q -F -E lazy_itable_init=0 -O fast_commit'],
    ['xfs',                    'mkfs.xfs -q -f'],
    ['btrfs',                  'mkfs.btrfs -q -f'],
);

my ($build, $private);
GetOptions('build=s' => \$build, private => \$private) && $build or die "usage: $0 --build DIR\n";
plan skip_all => 'needs root' if $> != 0;
exec 'unshare', '--mount', $^X, $0, '--build', $build, '--private' if !$private;

my $folder = tempdir('genflow-power.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my ($image, $copy, $mount) = map { "$folder/$_" } qw(image copy mount);
mkdir $mount;

for my $kind (@KINDS) {
    my ($name, $make, @option) = @$kind;
    my ($program) = split / /, $make;
    SKIP: {
        skip "$name: no $program", 1 if !grep { -x "$_/$program" } qw(/sbin /usr/sbin);
        my $stored = 0;
        for my $number (1 .. CALLS_MAX) {
            last if $stored;
            fresh($make, @option);
            my ($pid, $sum) = store(3, $number);
            $stored = defined $sum;
            my $when = $stored ? 'once it is stored' : "before call $number";
            cut($name, $when, $sum, $_, @option) for 0, 1;
            stop($pid);
        }
        ok $stored, "$name: it was stored";

        fresh($make, @option);
        store(4, 0);
        unlink "$mount/" . NAME;
        my ($linked) = store(5, 3);
        my ($pid, $sum) = store(6, 0);
        cut($name, 'once a second process has stored it', $sum, 0, @option);
        stop($_) for $linked, $pid;
    }
}
done_testing;

sub fresh {
    my ($make, @option) = @_;
    unmount();
    unlink $image;
    run("truncate -s 320M $image && $make $image");
    run(join ' ', 'mount -o', join(',', 'loop', @option), $image, $mount);
}

my @running;

# The stopped process, and the SHA-256 of what it has stored; undef: it has not.
sub store {
    my ($epoch, $stop) = @_;
    pipe my $read, my $write or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>&', $write or die "dup: $!\n";
        exec "$build/t/unit/fs_test", '--store', $mount, $epoch, $stop or die "exec: $!\n";
    }
    close $write;
    push @running, $pid;
    waitpid $pid, WUNTRACED;
    is_stopped($pid) or die "fs_test ended\n";
    $read->blocking(0);
    my ($sum) = map { /\Astored (\w+)/ } <$read>;
    return ($pid, $sum);
}

sub is_stopped {
    my ($pid) = @_;
    open my $stat, '<', "/proc/$pid/stat" or return 0;
    return <$stat> =~ /\) T /;
}

sub stop {
    my ($pid) = @_;
    kill KILL => $pid;
    waitpid $pid, 0;
    @running = grep { $_ != $pid } @running;
}

# Cuts the power now, or after the journal was written, and looks at what is left.
sub cut {
    my ($name, $when, $sum, $journal, @option) = @_;
    run("dd if=/dev/zero of=$mount/other bs=1 count=1 conv=fsync status=none") if $journal;
    run("cp --sparse=always $image $copy && mkdir -p $folder/after");
    run(join ' ', 'mount -o', join(',', 'loop', @option), $copy, "$folder/after");
    my $file = "$folder/after/" . NAME;
    my $left = -e $file ? Digest::SHA->new(256)->addfile($file, 'b')->hexdigest : 'absent';
    run("umount $folder/after");
    my $whole = $sum // whole();
    my $test  = "$name: $when" . ($journal ? ', the journal written' : '');
    return is $left, $whole, "$test, the picture is there" if defined $sum;
    return ok $left eq 'absent' || $left eq $whole, "$test, the picture is whole or absent: "
        . ($left eq 'absent' ? 'absent' : $left eq $whole ? 'whole' : 'a part');
}

# The SHA-256 of the picture that fs_test stores.
sub whole {
    my $png = "\x89PNG\r\n\x1a\n" . pack('NA4NNC', 13, 'IHDR', 500, 500, 8)
        . "\2\0\0\0\1\2\3\4" . pack('NA4', 1_000_000, 'IDAT')
        . join('', map { chr $_ % 251 } 0 .. 999_999) . "\0" x 4 . "\0\0\0\0IEND\xAE\x42\x60\x82";
    return Digest::SHA::sha256_hex($png);
}

sub unmount { system "umount -q $mount 2>/dev/null" }

sub run {
    my ($command) = @_;
    system($command) == 0 or die "failed: $command\n";
}

END {
    my $code = $?;
    kill KILL => @running if @running;
    waitpid $_, 0 for @running;
    unmount() if $private && $mount;
    $? = $code;
}

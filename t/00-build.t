#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# support/build configures its folder again when something that configure looks at has changed, and
# works beside a build inside the source tree. Here autoreconf, configure, make and pkg-config are
# scripts that write down what they are called for.

use strict;
use warnings;

use File::Path qw(make_path);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $top    = "$FindBin::Bin/..";
my $folder = tempdir(CLEANUP => 1);
my $calls  = "$folder/calls";
make_path("$folder/bin", "$folder/tree/support");
system('cp', "$top/support/build", "$folder/tree/support/") == 0 or die "cannot copy support/build\n";

write_file('tree/configure.ac', "first\n");
script('pkg-config', 'test "$2" != check || cat "$FOLDER/check-version" 2>/dev/null');
script('autoreconf', <<'END');
cat >configure <<'SCRIPT'
#!/bin/sh
echo "configure in $(basename "$PWD") for $0" >>"$FOLDER/calls"
touch Makefile
SCRIPT
chmod +x configure
END
script('make', 'echo make >>"$FOLDER/calls"');
$ENV{FOLDER} = $folder;
$ENV{PATH}   = "$folder/bin:$ENV{PATH}";
delete @ENV{qw(PKG_CONFIG_PATH APXS CC)};

my $CONFIGURES = "configure in _build for ../configure\nmake\n";
is build(), $CONFIGURES, 'a new folder is configured';
is build(), "make\n",    'a second build does not configure again';

write_file('check-version', "0.15.2\n");
is build(), $CONFIGURES, 'a library that was installed meanwhile is noticed';
is build(), "make\n",    'once';

write_file('tree/configure.ac', "pulled\n");
is build(), $CONFIGURES, 'another configure.ac is noticed';
is build(), "make\n",    'once';

write_file('tree/_build/left-over', '');
write_file('tree/config.status',    '');
write_file('tree/api.c',            'one');
write_file('tree/api.o',            'object of the build inside the tree');
is build(), "configure in _build for ./source/configure\nmake\n",
    'beside a build inside the source tree, a copy of the sources is built';
is read_file('tree/_build/source/api.c'), 'one', 'with the files of the tree';
ok !-e "$folder/tree/_build/source/$_", "without $_" for qw(api.o config.status _build);
ok !-e "$folder/tree/_build/left-over", 'and without what the folder held before';

write_file('tree/api.c', 'two');
is build(), "make\n", 'the next build does not configure again';
is read_file('tree/_build/source/api.c'), 'two', 'and has the files as they are then';

done_testing;

# What support/build called.
sub build {
    unlink $calls;
    is system("$folder/tree/support/build"), 0, 'support/build succeeds';
    return read_file('calls');
}

sub script {
    my ($name, $text) = @_;
    write_file("bin/$name", "#!/bin/sh\n$text\n");
    chmod 0755, "$folder/bin/$name";
    return;
}

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>', "$folder/$name" or die "$name: $!\n";
    print $file $text;
    close $file or die "$name: $!\n";
    return;
}

sub read_file {
    my ($name) = @_;
    open my $file, '<', "$folder/$name" or return '';
    local $/ = undef;
    return <$file> // '';
}

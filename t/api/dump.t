#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# httpd -t -D DUMP_GENFLOW prints how DBDParams connects, for genflow-doctor, and never a password, however it is written.
use Genflow::Test;

use Genflow::Httpd qw(small_site);

my @CASES = (    # DBDParams, what is printed of it
    ["host=/x dbname=pictures user=app",                        'host=/x dbname=pictures user=app'],
    ["host=/x password=opensesame user=app",                    'host=/x user=app'],
    ["password='open sesame' host=/x",                          'host=/x'],
    ["sslpassword=opensesame host=/x",                          'host=/x'],
    (map { ["host=/x password${_}opensesame user=app", ''] } ' = ', '= ', ' ='),
    (map { ["host=/x password${_}'open sesame'", ''] } ' = ', '= ', ' ='),
    ['postgresql://app:opensesame@localhost/pictures',          ''],
);
for my $case (@CASES) {
    my ($params, $shown) = @$case;
    my $says = dumped($params);
    my ($database) = $says =~ /^genflow database ?(.*)$/m;
    is $database // '', $shown, "of $params" or diag $says;
    unlike $says, qr/sesame/, '... no password';
}
finish;

sub dumped {
    my ($params) = @_;
    my $path = "$ENV{GENFLOW_WORK}/tmp/dump-$$.conf";
    open my $file, '>', $path or die "$path: $!\n";
    print $file Genflow::Httpd::frame("dump-$$", 1), qq(DBDriver pgsql\nDBDParams "$params"\n),
        small_site() =~ s{^Include "[^"]*/database\.conf"\n}{}mr;
    close $file or die "$path: $!\n";
    my $says = `"$ENV{HTTPD}" -t -D DUMP_GENFLOW -f "$path" 2>&1`;
    unlink $path;
    return $says;
}

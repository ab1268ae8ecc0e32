#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Writes t/upgrade/<version>.sql: a small database of the schema of today, with rows in every table and
# in every state. To be run once for each release; t/sql/upgrade.t brings each of these files to the
# schema of its day.
#
#     perl t/upgrade/make.pl
#
# The file is what pg_dump writes, less what depends on pg_dump's version, and less the text of
# functions: sql/apply writes all of them anew, and only their signatures can be in its way. Any
# PostgreSQL from 15 on loads it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Genflow::Site ();

my $source = "$FindBin::Bin/../..";
my $new    = "$FindBin::Bin/new.sql";

# Opened here: inside, this process may be an unprivileged user.
open my $file, '>', $new or die "$new: $!\n";
my $version = "$FindBin::Bin/version";
open my $out, '>', $version or die "$version: $!\n";
my $site = Genflow::Site->new(source => $source, module => '/dev/null');      # no httpd is started
my $code = $site->run(sub {
    $site->start_postgres;
    $site->create_database;
    $site->sql(Genflow::Site::read_text('t/upgrade/rows.sql'));
    my ($number) = $site->sql('SELECT max(version) FROM genflow.migrations');
    print $file head($number), dump_of();
    print $out $number;
    close $file or die "$new: $!\n";
    close $out or die "$version: $!\n";
    return 0;
});
my $number = Genflow::Site::read_text($version);
unlink $version;
if ($code != 0) {
    unlink $new;
    exit $code;
}
rename $new, "$FindBin::Bin/$number.sql" or die "$number.sql: $!\n";
print "t/upgrade/$number.sql\n";

sub head {
    my ($number) = @_;
    return <<"END";
-- SPDX-License-Identifier: Apache-2.0
-- A database of schema version $number, by t/upgrade/make.pl. Functions are there by their signatures
-- alone. t/sql/upgrade.t loads it.
SET check_function_bodies = false;
SET client_min_messages = warning;
DO \$\$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'genflow_module') THEN
        CREATE ROLE genflow_module NOLOGIN;
    END IF;
END \$\$;
END
}

sub dump_of {
    my $text = `pg_dump --no-owner --inserts --rows-per-insert=50`;
    die "pg_dump failed\n" if $?;
    $text =~ s/^(?:--.*|SET .*|SELECT pg_catalog\.set_config.*|\\.*)?\n//mg;
    # Those whose results are stored or checked stay as they are, of the others the signature.
    $text =~ s/^(CREATE FUNCTION [^\n]*\n)    (LANGUAGE [^\n]*)\n(?:    SET [^\n]*\n)*    AS (\$\w*\$).*?\3;\n/
               my ($what, $how, $whole) = ($1, $2, $&);
               $how =~ m{IMMUTABLE} ? $whole : $what =~ s{\n\z}{}r . " LANGUAGE plpgsql AS 'BEGIN END';\n"/gmse;
    $text =~ s/^REVOKE ALL ON FUNCTION [^\n]*\n//mg;
    return one_type($text) . "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA genflow FROM PUBLIC;\n";
}

# What all types have is written once: the tables and functions of the first one, and loops that copy
# them for the others.
sub one_type {
    my ($text) = @_;
    my ($first, @others) = $site->sql('SELECT prefix FROM genflow.types ORDER BY no');
    my $theirs = join '|', @others;
    $text =~ s/^(?:CREATE FUNCTION|GRANT ALL ON FUNCTION) genflow\.(?:$theirs)_[^\n]*\n//mg or die "no functions of types\n";

    my @granted;
    $text =~ s/^GRANT ALL ON FUNCTION (genflow\.\w+)\([^\n]*\) TO genflow_module;\n/push @granted, $1; ''/mge;
    $text =~ s/timestamp with time zone/timestamptz/g;
    $text =~ s/ DEFAULT NULL::\w+/ DEFAULT NULL/g;
    my $table = qr/^CREATE TABLE public\.(\w+)_media .*?;\n/ms;
    my $more  = qr/^(?:ALTER TABLE ONLY|CREATE INDEX|CREATE TRIGGER)\b[^;]*?\bpublic\.(\w+)_media\b[^;]*;\n/m;
    my (@tables, @more);
    $text =~ s/$table/push @tables, $& if $1 eq $first; ''/ge;
    $text =~ s/$more/push @more, $& if $1 eq $first; ''/ge;
    my $loops = loop($first, @tables) . <<"END";
DO \$\$
DECLARE
    v_text text;
BEGIN
    FOR v_text IN SELECT replace(pg_get_functiondef(p.oid), 'genflow.${first}_', 'genflow.' || t.prefix || '_')
                    FROM pg_proc p, genflow.test_prefixes t
                   WHERE p.pronamespace = 'genflow'::regnamespace AND p.proname LIKE '${first}\\_%' AND t.prefix <> '$first'
    LOOP
        EXECUTE v_text;
    END LOOP;
END \$\$;
END
    my $names = join ', ', map { "($_, '" . ($first, @others)[$_ - 1] . "')" } 1 .. 1 + @others;
    $text =~ s/(?=^INSERT INTO )/CREATE TABLE genflow.test_prefixes AS SELECT * FROM (VALUES $names) AS v (no, prefix);\n$loops/m;
    return $text . loop($first, @more) . "DROP TABLE genflow.test_prefixes;\n"
        . 'GRANT ALL ON FUNCTION ' . join(', ', @granted) . " TO genflow_module;\n";
}

sub loop {
    my ($first, @statements) = @_;
    return <<"END";
DO \$\$
DECLARE
    t genflow.test_prefixes;
BEGIN
    FOR t IN SELECT * FROM genflow.test_prefixes ORDER BY no LOOP
        EXECUTE replace(replace(\$ddl\$
@{[join '', @statements]}\$ddl\$, '${first}_', t.prefix || '_'), 'ARRAY[0, 1]', format('ARRAY[0, %s]', t.no));
    END LOOP;
END \$\$;
END
}

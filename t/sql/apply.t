#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# sql/apply: twice, by two at once, under traffic, with a migration that fails, and by an
# administrator who is no superuser on a database that holds other things.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $SQL = "$FindBin::Bin/../../sql";
my @NUMBERS = map { m{/(\d+)_[^/]*\.sql\z} ? $1 + 0 : () } sort glob "$SQL/migrations/*";
my $ARRIVED = "genflow schema version $NUMBERS[-1]\n";
my $VERSIONS = "SELECT string_agg(version::text, ' ' ORDER BY version) FROM genflow.migrations";

# The tables of the shipped types.
my $MEDIA = '(?:neo_glitch|emotion_mask|presets|ghibli_reaction|custom_prompt)_media';

# A generation for one credit, if the key is new.
sub create {
    my ($key) = @_;
    return "SELECT outcome FROM genflow.neo_glitch_create('user', '$key', '\\x01', NULL, 'base',"
        . " 'a cat', NULL, '{}', 7, 1, 3::smallint, '10 minutes', NULL, NULL)";
}

# A copy of sql/ where one file is another, or added: its text is what the function makes of it.
sub variant {
    my ($path, $change) = @_;
    my $folder = tempdir(CLEANUP => 1) . '/sql';
    system('cp', '-R', $SQL, $folder) == 0 or die "cannot copy $SQL\n";
    my $text = '';
    if (open my $file, '<', "$folder/$path") {
        $text = do { local $/; <$file> };
    }
    open my $file, '>', "$folder/$path" or die "$path: $!\n";
    print $file $change->($text);
    close $file or die "$path: $!\n";
    return $folder;
}

# ---- two at once, on an empty database ----

my $db   = Genflow::Database->new(empty => 1);
my @runs = map { $db->start_apply } 1 .. 2;
for my $run (@runs) {
    is join('', <$run>), $ARRIVED, 'of two runs at once both arrive';
    ok close $run, '... and succeed';
}
is $db->sql($VERSIONS), "@NUMBERS", 'each migration ran once';
my $schema = $db->schema;
ok $schema eq Genflow::Database->new->schema, 'the schema is that of a single run';

# ---- again, with a caller under way ----

$db->sql("SELECT genflow.grant_credits('user', 10, 'for a test')", create('before'));
my $oids   = "SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_proc
              WHERE pronamespace = 'genflow'::regnamespace";
my $before = $db->sql($oids);
my $caller = $db->session;
$caller->sql('PREPARE create_one AS ' . create('prepared'));
is $caller->sql('BEGIN', 'EXECUTE create_one'), 'ok', 'a caller is in the middle of its work';

is $db->apply, $ARRIVED, 'another run does not wait for it';
is $caller->sql('COMMIT'), '', '... nor does it break that work';
is $caller->sql('EXECUTE create_one'), 'replay', 'prepared statements go on';
is $db->sql($oids), $before, 'functions are renewed in place: who is calling one finds it';
ok $db->schema eq $schema, 'the schema stays as it was';
is $db->sql("SELECT balance, held FROM genflow.accounts WHERE user_id = genflow.account_of('user')"), '10|2',
    'and so do the books';

# ---- migrations ----

my $bad = variant('migrations/9001_bad.sql',
    sub { "CREATE TABLE genflow.half (id integer);\nSELECT 1 / 0;\n" });
like $db->apply(folder => $bad), qr/division by zero/, 'a migration that fails says why';
isnt $?, 0, '... and the run fails';
ok $db->schema eq $schema, '... and nothing of it stays';
is $db->sql($VERSIONS), "@NUMBERS", '... not even its number';

my $good = variant('migrations/9002_good.sql',
    sub { "CREATE TABLE genflow.whole (id integer);\n" });
is $db->apply(folder => $good), "genflow schema version 9002\n", 'a new migration is applied';
is $db->apply(folder => $good), "genflow schema version 9002\n", 'once: again it is no error';
is $db->sql('SELECT schema_version FROM genflow.health()'), 9002, 'health() has the version';

# One that changes what a call under way has locked already, in the order that suits no call.
my $locking = variant('migrations/9003_locking.sql', sub {
    "ALTER TABLE genflow.accounts ADD COLUMN more integer;\n"
        . "ALTER TABLE public.neo_glitch_media ADD COLUMN more integer;\n";
});
my $busy = $db->session;
$busy->sql('BEGIN', 'SELECT count(*) FROM public.neo_glitch_media');
my $run = $db->start_apply(folder => $locking);
ok $db->soon(sub { $db->sql(<<'END') }), 'a migration waits for calls that are under way';
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'relation'
END
is $busy->sql(create('under way')), 'ok', '... which do not wait for it';
is $busy->sql('COMMIT'), '', '... and come to their end';
is join('', <$run>), "genflow schema version 9003\n", '... then it is applied';
ok close $run, '... without an error';

# ---- functions that change their signature ----

my $cancel = "SELECT outcome FROM genflow.neo_glitch_cancel('user', NULL)";
my $values = "SELECT cardinality(proallargtypes) FROM pg_proc WHERE proname = 'neo_glitch_cancel'";
my $count  = $db->sql($values);
my $wider = variant('types/cancel.sql', sub { $_[0] =~ s/(OUT owner text)/$1, OUT more text/r });
my $longer = variant('types/cancel.sql',
    sub { $_[0] =~ s/(p_id uuid)(?=,)/$1, p_more text DEFAULT ''/r });
for my $case ([$wider, 1, 'return more'], [$longer, 1, 'take more'], [$SQL, 0, 'be as it was']) {
    my ($folder, $more, $what) = @$case;
    $db->apply(folder => $folder);
    is $db->sql($values), $count + $more, "a renewed function may $what";
    is $db->sql($cancel), 'not_found', '... and is the only one of its name';
}

like `'$SQL/apply' --help 2>&1`, qr/^sql\/apply|^  sql\/apply/m, 'a wrong option shows the usage';
is $? >> 8, 2, '... and fails';

# ---- an administrator, and other things in the database ----

my $admin  = "genflow_t_admin_$$";
my $module = "genflow_t_module_$$";
$db->sql("CREATE ROLE $admin LOGIN CREATEROLE",
    "GRANT genflow_module TO $admin WITH ADMIN OPTION");
END { drop_roles() if $admin }

my $site = Genflow::Database->new(empty => 1, owner => $admin);
$site->sql(
    "SET ROLE $admin",
    'CREATE TABLE public.accounts (id integer PRIMARY KEY, name text)',
    "INSERT INTO public.accounts VALUES (1, 'somebody')",
    'CREATE VIEW public.work AS SELECT name FROM public.accounts',
    "CREATE FUNCTION public.quota(text) RETURNS integer LANGUAGE sql AS 'SELECT 42'",
    'CREATE SCHEMA shop',
    "CREATE TYPE shop.job_brief AS ENUM ('one')",
    'RESET ROLE',
);
my $others = without_ours($site->schema);

is $site->apply(user => $admin, role => $module), $ARRIVED,
    'an administrator without superuser rights applies it beside other things';
is without_ours($site->schema), $others, '... which stay as they were';
is $site->sql('SELECT name, public.quota(NULL) FROM public.work'), 'somebody|42', '... and work';

my $owner = Genflow::Session->new($site->name, $admin);
is $owner->sql("SELECT genflow.grant_credits('user', 10, 'for a test')"), 'ok',
    'the administrator grants credits';
my $httpd = Genflow::Session->new($site->name, $module);
is $httpd->sql(create('key')), 'ok', 'the module begins a generation';
my $id = $httpd->sql("SELECT id FROM genflow.neo_glitch_claim('host', 1, '30s', '-infinity')");
is $httpd->sql("SELECT genflow.neo_glitch_settle('$id', 1, 'completed', 'acme', 'acme-1', false,
                '/a.png', NULL, true, '{}', NULL, NULL, NULL)"), 'done', '... and completes it';
is $httpd->sql('SELECT * FROM genflow.accounts'), '!42501', '... but reads no table';
is $owner->sql("SELECT balance, held FROM genflow.accounts"), '9|0', 'it costs one credit';
is $owner->sql("SELECT genflow.create_type('sketch')"), 6, 'the administrator makes a type';
is $owner->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

done_testing;

# Of a dump the objects that are neither in genflow nor a media table, each with its head.
sub without_ours {
    my ($text) = @_;
    my $ours = qr/; Schema: genflow;|\A-- Name: .*\b(?:genflow|$MEDIA)/;
    my (undef, @objects) = split /^--\n(?=-- )/m, $text =~ s/^SET .*\n\n?//mgr;
    return join '', grep { /\A-- Name: / && !/$ours/ } @objects;
}

sub drop_roles {
    undef $_ for $owner, $httpd, $site, $db;
    Genflow::Database::psql('postgres', "DROP ROLE IF EXISTS $module, $admin");
    return;
}

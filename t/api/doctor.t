#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# support/genflow-doctor: one user's generations, the history of one of them, missing pictures; a whole
# database, sound and not; reports that it cannot make. Its exit code is 0, 1 or 2.
use Genflow::Database;
use File::Copy qw(copy);
use File::Path qw(make_path);

use Genflow::Httpd;
use Genflow::Test;

my $STORE  = "$ENV{GENFLOW_WORK}/store";
my $DOCTOR = "$ENV{GENFLOW_WORK}/support/genflow-doctor";

# ---- one user ----

my $user = account(10);
my $job  = data(generate($user, { prompt => "{{poll=2}} [$user]" }, Prefer => 'wait=60'));
my $id   = $job->{id};
doctor_is(0, qr/\Astuck: sound\n.*\nNothing is wrong\.\Z/s, 'the generations of a user are sound',
    '--user', $user);
doctor_is(0, qr/hold .* 10 \| +1 \| \Q$id\E.*capture \| +-1 \| +9 \| +0 \| \Q$id\E/s,
    'the statement has balance and held after each entry', 'credits', '--user', $user);
doctor_is(1, qr/WRONG: there is no such account: nobody \[x\]\n/, 'a name without an account is a fault',
    'credits', '--user', 'nobody [x]');

# ---- one generation ----

my @story = ("requested: neo-glitch, by $user, for 1 credit", 'key: ', 'hold: 1 credit of', 'attempt 1: sent to',
    "provider id $job->{stabilityJobId}", 'capture: 1 credit of',
    'attempt 1: ended: completed', 'completed: ', "grep -F $id", 'stuck: sound', 'Nothing is wrong.');
my $order = join '.*', map { quotemeta } @story;
doctor_is(0, qr/$order/s, 'the history of a generation is in order', '--job', $id);
my ($pattern) = doctor('--job', $id) =~ /grep -F (\S+)/;
ok scalar(grep { /\Q$pattern\E.*completed and charged/ } split /\n/, log_since(0)),
    '... and names a search that finds more of it in the log';
doctor_is(1, qr/WRONG: there is no such generation: deadbeef-.*\nWRONG: 1 in all\Z/s,
    'an unknown id is a fault', '--job', 'deadbeef-0000-4000-8000-000000000000');

# ---- pictures ----

my $url  = sql1("SELECT image_url FROM public.neo_glitch_media WHERE id = :'id'", id => $id);
my $file = $STORE . $url =~ s{\A/generated}{}r;
my @look = ('images', '--user', $user, '--folder', $STORE);
doctor_is(0, qr/the file: pictures: 1 checked, all there/, 'an existing file is sound', @look);
rename $file, "$file.away" or die "$file: $!\n";
doctor_is(1, qr/WRONG: the file is gone: $id\n +1 of 1 pictures\n +-> See that GenflowStore/,
    'a missing file is a fault', @look);
open my $empty, '>', $file or die "$file: $!\n";
doctor_is(1, qr/the file is gone: $id/, '... and so is an empty one', @look);
rename "$file.away", $file or die "$file: $!\n";
doctor_is(0, qr/the file: pictures: 0 checked/, '--store-url selects the pictures whose files are checked', @look,
    '--store-url', 'https://img.example.org');

# files that belong to no generation, in a folder of their own
my $other  = "$ENV{GENFLOW_WORK}/strangers";
my $name   = $url =~ s{\A/generated/}{}r;
my $orphan = $name =~ s{-[0-9a-f]{32}}{'-' . 'ab' x 16}er;
make_path("$other/" . $name =~ s{/[^/]+\z}{}r, "$other/.spool");
copy($file, "$other/$_") or die "$other/$_: $!\n" for $name, '.spool/x.1',
    $name =~ s/\.\w+\z/-384.webp/r;
like doctor('images', '--folder', $other), qr/files: 2 checked, each belongs to a generation/,
    'the file of a generation is sound, and so is its thumbnail';
copy($file, "$other/$orphan") or die "$other/$orphan: $!\n";
like doctor('images', '--folder', $other, '--all'),
    qr/WRONG: a file belongs to no generation: \Q$orphan\E\n +1 of 3 files in \Q$other\E\n +-> No user paid/,
    'a file of no generation is a fault';

my @fetch = ('images', '--user', $user, '--fetch');
move(base() . $url);
doctor_is(0, qr/the address: pictures: 1 checked, all there/,
    'an address that answers 200 is sound', @fetch);
move(base() . '/generated/nothing.png');
doctor_is(1, qr/WRONG: the address is gone: $id/, 'any other answer is a fault', @fetch);
move($url);

# ---- a whole database ----

my $db = Genflow::Database->new;
my @at = ('--connect', 'dbname=' . $db->name);
doctor_is(0, qr/\Asite: sound\n.*^stuck: sound\npolling: sound\ncharges: sound\n/ms, 'a new database is sound', @at);
doctor_is(0, qr/\nNothing is wrong\.\Z/, '... also with check()', @at, '--all');
$db->sql("SELECT genflow.grant_credits(E'o''brien \\x1b[2J', 10, 'for a test')",
    'UPDATE genflow.accounts SET balance = 7');
my $advice = qr/WRONG: the account is not the sum of its ledger: o'brien  \[2J\n.*\n +-> (.*)\n/;
doctor_is(1, $advice, 'a wrong balance is found, and the name steers no terminal', @at, '--all');
doctor_is(1, $advice, '... and for its user', 'credits', @at, '--user', "o'brien \e[2J");
doctor_is(0, qr/\Acharges: sound\n/, '... and other sections stay sound', 'charges', @at);
$db->sql("SELECT genflow.grant_credits('simple', 10, 'for a test')",
    "UPDATE genflow.accounts SET balance = CASE name WHEN 'simple' THEN 7 ELSE 10 END");
my ($statement) = doctor('--all', @at) =~ /by the ledger .*\n.*(INSERT .*;)\n/;
$db->sql($statement);
doctor_is(0, qr/\nNothing is wrong\.\Z/, 'the advised statement repairs it', '--all', @at);

# ---- keys ----

my $conf = <<'END';
Include "${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
GenflowDispatch Off
GenflowStoreFolder "${GENFLOW_WORK}/store"
<GenflowType sketch>
    GenflowTypeProviders openai/gpt-image-1
</GenflowType>
END
for my $one (    # name, kind, address, key
    [stability => 'stability', '${GENFLOW_FAKE}', 'STABILITY_API_KEY'], [replicate => 'replicate', '${GENFLOW_FAKE}/replicate/v1', 'PEERS_API_KEY'],
    [openai => 'openai', '${GENFLOW_FAKE}/openai/v1', 'PEERS_API_KEY'], [fal => 'fal', '${GENFLOW_FAKE}/fal', 'PEERS_API_KEY'],
    ['wrong-stability' => 'stability', '${GENFLOW_FAKE}', 'WRONG_KEY'], ['wrong-openai' => 'openai', '${GENFLOW_FAKE}/openai/v1', 'WRONG_KEY'],
    [away => 'openai', 'http://127.0.0.1:1', 'PEERS_API_KEY'], [elsewhere => 'openai', '${GENFLOW_FAKE}/nowhere', 'PEERS_API_KEY']) {
    my ($name, $kind, $url, $key) = @$one;
    $conf .= "<GenflowProvider $name>\nGenflowProviderKind $kind\nGenflowProviderUrl \"$url\"\nGenflowProviderKey env:$key\n</GenflowProvider>\n";
}
my $keys = Genflow::Httpd->start($conf);
my @keys = ('site', '--connect', "host=$ENV{GENFLOW_WORK} dbname=$ENV{PGDATABASE} user=genflow", '--conf', $keys->conf, '--httpd', $ENV{HTTPD}, '--keys');
{
    local $ENV{WRONG_KEY} = 'wrong-key-of-the-tests';
    my $says = doctor(@keys);
    like $says, qr/^  key: $_: accepted$/m, "the doctor asks whether the key is accepted: $_" for qw(stability replicate openai);
    like $says, qr/^  key: fal: not checked, no call is known there/m, '... where that costs nothing';
    like $says, qr/^  WRONG: the provider refuses the key: $_\n +status 401\n +-> Renew the key that GenflowProviderKey names/m,
        "... a wrong one is a fault: $_" for qw(wrong-stability wrong-openai);
    like $says, qr/^  WRONG: the provider cannot be reached: away\n +\S.*\n +-> See that this host reaches/m, '... as is a provider that is away';
    like $says, qr/^  WRONG: the provider does not say whether it accepts the key: elsewhere\n +status 404\n/m, '... and an address that is none';
    unlike $says, qr/\Q$ENV{$_}\E/, '... and no key is shown' for qw(STABILITY_API_KEY PEERS_API_KEY WRONG_KEY);
    unlike doctor(@keys[0 .. 6]), qr/refuses the key|key: stability/, 'without --keys it asks no provider';
}
doctor_is(2, qr/--keys needs --conf/, '--keys without --conf is refused', '--keys');

# ---- reports that it cannot make ----

$db->sql('BEGIN', 'LOCK TABLE genflow.work');
doctor_is(1, qr/\Astuck\n +WRONG: not checked: rows stuck\n.*lock timeout.*\nWRONG: 1 in all\Z/s,
    'a table that stays locked is reported after a while', 'stuck', @at);
$db->sql('ROLLBACK');
doctor_is(1, qr/WRONG: not checked.*permission denied.*you are the owner/s,
    'a role without rights gets the name of the right one', 'stuck', $at[0], "$at[1] user=genflow_app");
{
    local $ENV{PGPASSWORD} = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/admin-password") =~ s/\n//r;
    doctor_is(0, qr/\nNothing is wrong\.\Z/, 'the role of administration may run it', '--all', $at[0],
        "$at[1] user=genflow_admin");
    my $id = $db->sql('SELECT genflow.new_id(0)');
    unlike doctor('--job', $id, '--user', 'simple', '--folder', $ENV{GENFLOW_WORK}, $at[0],
        "$at[1] user=genflow_admin"), qr/not checked/, '... with every option';
    unlike doctor('credits', '--user', 'simple', $at[0], "$at[1] user=genflow_admin"),
        qr/not checked/, '... and print a statement';
}
doctor_is(1, qr/database "none" does not exist.*-> The database cannot be reached/s,
    'an unreachable database is a fault', '--connect', 'dbname=none');

for my $wrong (['tired'], ['story'], ['--url', '/generated'], ['--conf', '/nowhere'], ['--job', '7'], ['--job'], ['--newest', 'x'], ['--folder', '/nowhere'],
    ['--help']) {
    doctor_is(2, qr/genflow-doctor \[SECTION\] \[OPTIONS\]/, "@$wrong: usage", @$wrong);
}

sub doctor {
    my @arguments = @_;
    open my $pipe, '-|', 'sh', '-c', 'exec "$0" "$@" 2>&1', $DOCTOR, @arguments or die "sh: $!\n";
    local $/ = undef;
    my $says = <$pipe>;
    close $pipe;
    return $says;
}

sub doctor_is {
    my ($code, $text, $sentence, @arguments) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $says = doctor(@arguments);
    is $? >> 8, $code, $sentence or diag $says;
    return like $says, $text, '... and says it';
}

sub move {
    my ($address) = @_;
    sql("UPDATE public.neo_glitch_media SET image_url = :'url' WHERE id = :'id'",
        url => $address, id => $id);
    return;
}

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The folder of the pictures is full or cannot be written. Nothing is sent to a provider then: the type
# answers 503, what is queued waits and loses no attempt, health and the doctor say so, and an operator is
# called once. What was sent before fails with STORE_FAILED for nothing, or is completed where its
# provider keeps it and stored once the folder is back.
use Genflow::Test;

my $STORE = "$ENV{GENFLOW_WORK}/store";
my $MB    = 1024 * 1024;
my @CASES = (
    # what fails, the path and the words in the log, the test's name
    [sub { folders('.spool', @_) },     '.spool',     'Permission denied', 'where pictures arrive is read-only'],
    [sub { folders('neo-glitch', @_) }, 'neo-glitch', 'Permission denied', 'where pictures stay is read-only'],
    [\&file_size,                       '.spool',     'File too large',    'there is no room for the largest picture'],
);

expect_log qw(GF0208 GF0600);

my @before = (account(10), { n => 1, prompt => 'before' }, 'Idempotency-Key' => 'before');
my $first  = data(generate(@before));
is $first->{status}, 'completed', 'pictures are stored';

for my $case (@CASES) {
    my ($break, $where, $words, $name) = @$case;
    my $user = account(10);
    my $mark = log_mark();
    $break->(1);
    ok wait_for { health()->{store}{status} eq 'unavailable' }, "$name: health says so";
    is health()->{status}, 'degraded', '... and that the server is degraded';
    my $res = generate($user, { prompt => "refused [$user]" });
    error_is $res, 503, 'STORE_UNAVAILABLE', '... a generation is refused';
    cmp_ok $res->{headers}{'retry-after'}, '>', 0, '... for a time';
    credits_are $user, 10, 0, '... nothing is held';
    $res = generate(@before);
    is data($res)->{id}, $first->{id}, '... a request that is repeated under its key gets its first answer';
    error_is(generate($before[0], { prompt => 'another' }, @before[2, 3]), 422, 'IDEMPOTENCY_MISMATCH',
        '... but not with another body');
    my $queued = queued($user);
    ok wait_for { tried($queued) }, '... what is queued is taken';
    is submissions("[$user]"), 0, '... nothing is sent to a provider';
    is sql1("SELECT phase || attempts || retries FROM genflow.work WHERE job_id = :'id'", id => $queued), 'queued00',
        '... and no attempt is lost';
    ok wait_for { doctor() =~ /the store takes no pictures/ }, '... the doctor finds it';
    like doctor(), qr{\Q$STORE/$where\E: \Q$words\E}, '... and why';
    my @called = log_since($mark) =~ /GF0600: (.*)/g;
    is scalar @called, 1, '... an operator is called once';
    like $called[0], qr{\Q$STORE/$where\E \(errno \d+\)}, '... with path and errno';
    like log_since($mark), qr{genflow:error\].* \(\d+\)\Q$words\E: .*GF0600}, '... and its words';

    $break->(0);
    ok wait_for { health()->{status} eq 'ok' }, '... mended, health says so';
    like log_since($mark), qr/GF0601: /, '... and the log';
    is ended($user, $queued)->{status}, 'completed', '... what waited is made';
    is submissions("[$user]"), 1, '... once';
    is generate($user, {})->{status}, 200, '... pictures are stored again';
    ok wait_for { doctor() !~ /the store takes no pictures/ }, '... and the doctor is content';
}

# ---- it breaks while a provider works ----

for my $folder ('neo-glitch', '.spool') {
    my $user = account(10);
    my $mark = log_mark();
    my $id   = later($user, { prompt => "{{gate=$user}} sent [$user]" });
    wait_for { submissions("[$user]") };
    folders($folder, 1);
    open_gate($user);
    my $job = ended($user, $id);
    folders($folder, 0);
    is $job->{errorCode}, 'STORE_FAILED', "$folder breaks while the provider works: the generation fails";
    credits_are $user, 10, 0, '... for nothing';
    is submissions("[$user]"), 1, '... and is not made again';
    like log_since($mark), qr{genflow:error\].*GF0(?:208: job=$id|600: ).*\Q$STORE\E}, '... an operator hears of it, and where to look';
    ok wait_for { health()->{status} eq 'ok' }, '... mended, all is well';
}

my $artist = account(10);
my %fal  = (type => 'echo-fal', prompt => "{{poll=1 poll-gate=$artist}} kept there [$artist]");
is generate(account(10), { %fal, prompt => 'a first one' }, Prefer => 'wait=60')->{status}, 200, 'pictures of fal are stored';
my $id = later($artist, \%fal);
wait_for { submissions("[$artist]") };
folders('echo-fal', 1);
open_gate($artist);
my $generation = ended($artist, $id, 'echo-fal');
is $generation->{status}, 'completed', 'one that its provider keeps completes all the same';
ok !$generation->{persisted}, '... not persisted';
like $generation->{imageUrl}, qr/\A\Q$ENV{GENFLOW_FAKE}\E/, '... at the provider\'s address';
ok $generation->{expiresAt}, '... for a time';
folders('echo-fal', 0);
my $stored = wait_for {
    my $now = status_of($artist, $generation->{id}, 'echo-fal');
    $now->{persisted} ? $now : undef;
};
like $stored->{imageUrl}, qr{/generated/echo-fal/}, '... and is stored once the folder is back';
is $stored->{expiresAt}, undef, '... for good';
is api(GET => $stored->{imageUrl} =~ s/\A\Q${\ base() }\E//r)->{status}, 200, '... where it is served';
is submissions("[$artist]"), 1, '... made once';
credits_are $artist, 9, 0, '... and paid once';

finish;

# Makes a folder and those in it read-only, or mends them.
sub folders {
    my ($folder, $broken) = @_;
    return chmod $broken ? 0555 : 0755, grep { -d } "$STORE/$folder", glob "$STORE/$folder/*";
}

# No process of httpd can write a file of more than 20 MB, as on a disk with a quota; or it can again.
sub file_size {
    my ($broken) = @_;
    my $limit = $broken ? 20 * $MB : 'unlimited';
    return grep { system('prlimit', "--pid=$_", "--fsize=$limit:") } httpd_pid(), children();
}

sub health { return data(api(GET => '/api/health')) // {} }

sub doctor { return join "\n", sql('SELECT finding, detail FROM genflow.doctor_images()') }

# A generation that no child has begun.
sub queued {
    my ($user) = @_;
    return sql1(<<'SQL', user => $user, prompt => "queued [$user]");
        SELECT id FROM genflow.neo_glitch_create(:'user', 'queued', '\x01', NULL, 'base', :'prompt', NULL, '{}', 7, 1,
                                                 3::smallint, '2 minutes', NULL, NULL)
SQL
}

# It was claimed, and put back.
sub tried {
    my ($id) = @_;
    return sql1("SELECT 1 FROM genflow.work WHERE job_id = :'id' AND epoch > 0 AND lease_owner IS NULL", id => $id);
}

END { folders($_, 0) for qw(.spool neo-glitch echo-fal); file_size(0) }

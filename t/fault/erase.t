#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Processes are killed while a user is erased: the child that answers the request, in its first step and later; then the whole httpd. What
# was begun is finished by whoever comes next, without a further request: every row and picture of the user goes, the ledger stays and is
# sound, and nothing is released or taken twice. No step is reached by chance: each stands at a row that the test has locked.
use Genflow::Admin;
use Genflow::Session;
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Keys;
use Genflow::Test;

use constant TEMPLATES => 450;            # of which a step takes 200

my $SITE = qq(Include "\${GENFLOW_WORK}/t/conf/test.conf"\nGenflowJanitorInterval 1s\nGenflowStoreThumbnail On\n);
my $httpd = Genflow::Httpd->start($SITE);
talk_to $httpd;

my $user  = account(50);
my @jobs  = map { data(generate($user, { type => 'sketch', prompt => "number $_ of $user" })) } 1 .. 4;
my $live  = later($user, { prompt => "{{gate=$user}} on its way [$user]" });
my $no    = sql1("SELECT genflow.account_of(:'user')", user => $user);
sql("INSERT INTO genflow.templates (id, user_id, name, config, created_at)"
    . " SELECT gen_random_uuid(), :'no', 'no ' || i, '{}', now() FROM generate_series(1, :count) i", no => $no, count => TEMPLATES);
upload($user, png(3, 2));
new_key($user);
my @files = map { $_->{imageUrl} =~ s{\A.*?/generated/}{$ENV{GENFLOW_WORK}/store/}r } @jobs;
push @files, map { s/\.png\z/-384.webp/r } @files;
ok wait_for { 8 == grep { -s } @files }, 'a user has pictures with thumbnails';
ok wait_for { submissions("[$user]") }, '... and one on its way';
is left(), 'sketch 4, neo-glitch 1, templates 450, assets 1, api-keys 1', '... and more';

# ---- the child is killed in its first step, and the next one in a later step ----

my $lock = Genflow::Session->new($ENV{PGDATABASE});
$lock->sql('BEGIN', "SELECT id FROM public.sketch_media WHERE id = '$jobs[3]{id}' FOR UPDATE");
my ($answer) = killed_amid(sub { kill KILL => $httpd->children });
isnt $answer, 200, 'the child that erases is killed: the request has no answer';
is sql1("SELECT name IS NULL FROM genflow.accounts WHERE user_id = :'no'", no => $no), 't', '... the name is gone all the same';
is left(), 'sketch 4, neo-glitch 1, templates 450, assets 1', '... the API keys, too, and the rest is not';
is api(GET => "/api/generation/$jobs[0]{id}", user => $user)->{status}, 403, '... but the user reads it no more';
$lock->sql('ROLLBACK');
ok wait_for { !sql1("SELECT count(*) FROM public.sketch_media WHERE user_id = :'no'", no => $no) }, 'the janitor goes on by itself';

# ---- the whole httpd is killed while it erases another user ----

my $second = account(50);
my $again  = data(generate($second, { type => 'sketch', prompt => "one of $second" }));
my $other  = sql1("SELECT genflow.account_of(:'user')", user => $second);
sql("INSERT INTO genflow.templates (id, user_id, name, config, created_at)"
    . " SELECT gen_random_uuid(), :'no', 'no ' || i, '{}', now() FROM generate_series(1, :count) i", no => $other, count => TEMPLATES);
$lock->sql('BEGIN', "SELECT id FROM genflow.templates WHERE ctid = (SELECT max(ctid) FROM genflow.templates WHERE user_id = $other) FOR UPDATE");
($answer) = killed_amid(sub { kill KILL => $httpd->pid, $httpd->children }, $second);
isnt $answer, 200, 'the whole httpd is killed in a later step';
my $left = sql1("SELECT count(*) FROM genflow.templates WHERE user_id = :'no'", no => $other);
cmp_ok $left, '<', TEMPLATES, '... something was erased';
cmp_ok $left, '>', 0, '... something was not';
$lock->sql('ROLLBACK');
$httpd = Genflow::Httpd->start($SITE);
talk_to $httpd;
ok wait_for { !sql1("SELECT count(*) FROM genflow.templates WHERE user_id = :'no'", no => $other) }, 'after its next start all is erased';

# ---- what is left ----

open_gate($user);
ok wait_for { left() eq '' }, 'nothing of the first user is left' or diag left();
ok wait_for { !grep { -e } @files }, '... no picture or thumbnail either';
for my $account ($no, $other) {
    ok wait_for { sql1("SELECT balance + held FROM genflow.accounts WHERE user_id = :'no'", no => $account) == 0 }, "... no credits of account $account";
}
is sql1("SELECT string_agg(kind || ' ' || n, ', ' ORDER BY kind) FROM (SELECT kind, count(*) n FROM genflow.ledger WHERE user_id = :'no'"
    . ' GROUP BY kind) k', no => $no), 'adjust 1, capture 4, grant 1, hold 5, release 1', 'the ledger has all that was, and the end of it once';
is submissions("[$user]"), 1, 'nothing was submitted again';
is scalar(grep { $_->{target} eq $no } @{ data(admin(GET => '/audit?action=erase'))->{entries} }), 1, 'the act is recorded once';
error_is(admin(DELETE => "/users/$user", json => { reason => 'again' }), 404, 'NOT_FOUND', 'to erase again finds nobody');

finish;

# Rows of the first user, but those of the ledger and the record.
sub left {
    my @found;
    for my $table ('public.sketch_media', 'public.neo_glitch_media', map { "genflow.$_" } qw(templates assets edits tags idempotency_keys deliveries
        user_settings work api_keys reservations)) {
        my $count = sql1("SELECT count(*) FROM $table WHERE user_id = :'no'", no => $no);
        next if !$count || $table eq 'genflow.work' || $table eq 'genflow.idempotency_keys' || $table eq 'genflow.edits';
        push @found, $table =~ s/\A\w+\.//r =~ s/_media\z//r =~ s/_/-/r . " $count";
    }
    return join ', ', @found;
}

# Erases a user, and calls $kill once that waits for the row that is locked. The status of the answer.
sub killed_amid {
    my ($kill, $whom) = @_;
    return in_parallel(2, sub {
        my ($i) = @_;
        return admin(DELETE => '/users/' . ($whom // $user), json => { reason => 'a test' })->{status} if $i == 0;
        wait_for { sql1("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%admin_erase_work%'") };
        $kill->();
        return 'killed';
    }, 2);
}

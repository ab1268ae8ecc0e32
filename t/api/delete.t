#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What has ended can be deleted: its row is gone for every reader, its picture from the store; the
# ledger keeps its entries and proves the balance as before. What runs is cancelled first.
use Genflow::Test;

my $user = account(30);

# ---- ended ones ----

my @CASES = (    # type, prompt, how it ended
    ['neo-glitch', 'a cat',            'completed'],
    ['sketch',     'a drawn cat',      'completed'],
    ['neo-glitch', 'a cat {{filter}}', 'failed'],
);
for my $case (@CASES) {
    my ($type, $prompt, $status) = @$case;
    my $id  = later($user, { type => $type, prompt => $prompt, runId => "run-$type-$status" });
    my $job = ended($user, $id, $type);
    is $job->{status}, $status, "a generation of $type $status";
    my $file = picture_file($id, $type);
    is !!-e $file, $status eq 'completed', '... has its picture';
    my $credits = credits($user);
    my $ledger  = [sql("SELECT * FROM genflow.ledger WHERE ref = :'id' ORDER BY at", id => $id)];

    my $res = api(DELETE => "/api/generation/$id", user => $user);
    is $res->{status}, 200, '... its owner deletes it';
    is_deeply [data($res)->{id}, data($res)->{deleted}], [$id, JSON::PP::true()], '... and the response says so';
    ok !-e $file, '... the picture is gone at once';
    if ($job->{imageUrl}) {
        my $served = HTTP::Tiny->new->get($job->{imageUrl});
        is $served->{status}, 404, '... from its address, too';
    }
    for my $path ("/api/generation/$id", "/api/job/$id", "/api/$type/status?id=$id",
            "/api/$type/status?runId=run-$type-$status", "/api/generation/$id/events") {
        error_is(api(GET => $path, user => $user), 404, 'GENERATION_NOT_FOUND', "... so is $path");
    }
    error_is(api(DELETE => "/api/generation/$id", user => $user), 404, 'GENERATION_NOT_FOUND',
        '... and cannot be deleted again');
    is data(api(GET => "/api/generations?type=$type", user => $user))->{total}, 0,
        '... nor is it in the history';
    is_deeply credits($user), $credits, '... no credit moves';
    is_deeply [sql("SELECT * FROM genflow.ledger WHERE ref = :'id' ORDER BY at", id => $id)], $ledger,
        '... the ledger is as it was';
    my $noted = wait_for { !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $id) };
    ok $noted, '... and the background has nothing left to remove';
}

# ---- as a job; under a key ----

my %key = ('Idempotency-Key' => 'a-key');
my $id  = data(generate($user, { prompt => 'under a key' }, %key))->{id};
is data(api(DELETE => "/api/job/$id", user => $user))->{id}, $id, 'a job is deleted, too';
error_is(generate($user, { prompt => 'under a key' }, %key), 404, 'GENERATION_NOT_FOUND',
    'its key makes no second one');
is submissions('under a key'), 1, 'and nothing is sent';

my $shouted = data(generate($user))->{id};
is data(api(DELETE => '/api/generation/' . uc $shouted, user => $user))->{id}, $shouted, 'an id may be in upper case';
ok !-e picture_file($shouted), '... its picture is gone at once, too';

# ---- a running one ----

my $sent = later($user, { prompt => "{{gate=$user}} on its way [$user]" });
wait_for { submissions("[$user]") };
error_is(api(DELETE => "/api/generation/$sent", user => $user), 400, 'INVALID_GENERATION_STATUS',
    'what runs cannot be deleted');
is api(POST => "/api/generation/$sent/cancel", user => $user)->{status}, 200, 'it is cancelled first';
is api(DELETE => "/api/generation/$sent", user => $user)->{status}, 200, 'then deleted';
my $mark = log_mark();
open_gate($user);
my $came = wait_for { log_since($mark) =~ /GF0404: job=\Q$sent\E .*unknown/ };
ok $came, 'the picture that comes afterwards is of nothing';
ok !-e picture_file($sent), 'and is not stored';
my @files = glob "$ENV{GENFLOW_WORK}/store/.spool/$sent*";
is "@files", '', 'nor is anything of it left on the way';
is sql1("SELECT count(*) FROM genflow.accounts WHERE name = :'user' AND held = 0", user => $user), 1,
    'nothing is held';

finish;

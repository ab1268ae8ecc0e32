#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A repetition takes the record of a lost response, and then cannot read the generation: the record is
# there again, and the next repetition gets the picture. The role of DBDParams may not read for a while.
use Genflow::Test;
use Genflow::Front;

my $user = account(5);
my $tag  = "unread-$user";

sub post {
    return Genflow::Front->post('/openai/v1/images/generations', $user,
        { model => 'gpt-image-1', prompt => "a $tag {{gate=$tag}}" });
}

sub lost { return sql1("SELECT count(*) FROM genflow.lost_responses WHERE user_id = :'user' AND NOT taken", user => $user) }

my $client = post();
ok wait_for { submissions($tag) == 1 }, 'a client waits for its picture';
$client->cut;
ok wait_for { lost() == 1 }, '... and is cut';
open_gate($tag);
ok wait_for { credits($user)->[0] == 4 }, '... and the picture is made';
expect_log('GF0122');
sql('REVOKE EXECUTE ON FUNCTION genflow.neo_glitch_get FROM genflow_module');
is post()->answer->{status}, 500, 'a repetition takes the record and cannot read the generation';
sql('GRANT EXECUTE ON FUNCTION genflow.neo_glitch_get TO genflow_module');
is lost(), 1, '... and leaves another record';
is post()->answer->{status}, 200, 'the next repetition is answered';
is submissions($tag), 1, '... with the one picture that was made';
credits_are $user, 4, 0, '... and charged';
is_deeply [sql('SELECT * FROM genflow.check()')], [], 'the ledger is sound';
finish;

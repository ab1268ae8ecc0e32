#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A repetition finds the record of a lost response, and then cannot read the generation, or the database
# goes away with the answer: the record is there again, and the next repetition gets the picture.
use Genflow::Test;
use Genflow::Front;
use Genflow::Httpd;
use Genflow::Proxy;

my $user = account(20);
my $tag  = "unread-$user";

sub post {
    return Genflow::Front->post('/openai/v1/images/generations', $user,
        { model => 'gpt-image-1', prompt => "a $tag {{gate=$tag}}" });
}

sub lost { return rows_of($user, 'genflow.lost_responses', 'NOT taken') }

my $client = post();
ok wait_for { submissions($tag) == 1 }, 'a client waits for its picture';
$client->cut;
ok wait_for { lost() == 1 }, '... and is cut';
open_gate($tag);
ok wait_for { credits($user)->[0] == 19 }, '... and the picture is made';
expect_log('GF0122');
sql('REVOKE EXECUTE ON FUNCTION genflow.neo_glitch_get FROM genflow_module');
is post()->answer->{status}, 503, 'a repetition takes the record and cannot read the generation';
sql('GRANT EXECUTE ON FUNCTION genflow.neo_glitch_get TO genflow_module');
is lost(), 1, '... and leaves another record';
is post()->answer->{status}, 200, 'the next repetition is answered';
is submissions($tag), 1, '... with the one picture that was made';
credits_are $user, 19, 0, '... and charged';

# ---- answers of the database are lost ----

my $proxy = Genflow::Proxy->postgres;
my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . $proxy->params . <<'END');
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
GenflowDispatch Off
Include "${GENFLOW_WORK}/t/conf/api.conf"
<Location "/openai/v1">
    SetHandler genflow-openai
    GenflowUser "%{HTTP:X-User}"
    GenflowModel gpt-image-1 neo-glitch preset=base
</Location>
END

# Makes a picture whose response is lost. It stays with the site, whose children work.
sub lose_response {
    ($tag) = @_;
    talk_to undef;
    my $cut = post();
    ok wait_for { submissions($tag) == 1 }, "$tag: a client waits";
    $cut->cut;
    ok wait_for { lost() == 1 }, '... and is cut';
    open_gate($tag);
    ok wait_for { !credits($user)->[1] }, '... and the picture is made';
    talk_to $httpd;
    ok wait_for { api(GET => '/api/health')->{status} == 200 }, '... and the other host serves';
    return;
}

my $left = credits($user)->[0];
for my $act (qw(lose_answer hang_answer)) {
    lose_response("$act-$user");
    $proxy->order($act, 'lost_response_take', $act eq 'lose_answer' ? 2 : 1);    # it is repeated, once
    my $answer = post()->answer;
    is_deeply [$answer->{status}, $answer->{headers}{'x-should-retry'}], [503, 'true'],
        'the answer of the statement that takes the record is lost, and the client gets Retry-After';
    like join(',', $proxy->events), qr/$act lost_response_take ok\z/, '... after its transaction was committed';
    ok wait_for { api(GET => '/api/health')->{status} == 200 }, '... and the database is back';
    is post()->answer->{status}, 200, 'the client comes back';
    is submissions($tag), 1, '... and gets the one picture that was made';
    credits_are $user, --$left, 0, '... and charged';
}

lose_response("kept-$user");
$proxy->order('hang_answer', 'lost_response_keep');
is post()->answer->{status}, 200, 'the answer of the statement that keeps the record is lost, and the client has its picture';
is lost(), 0, '... and the record is gone';
credits_are $user, --$left, 0, '... and it is charged once';
is +($proxy->events)[-1], 'hang_answer lost_response_keep ok', '... after its transaction was committed';

# ---- two requests, each too slow for its hold ----

lose_response("slow-$user");
talk_to undef;
open my $psql, '|-', 'psql', '-Xqo', '/dev/null' or die "psql: $!\n";
$psql->autoflush(1);
print $psql "BEGIN; LOCK TABLE public.neo_glitch_media;\n";
ok wait_for { sql1("SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'public.neo_glitch_media'::regclass AND granted") },
    'nothing can be read for a while';
my @slow;
for my $number (1, 2) {
    push @slow, post();
    my $waiting = q(SELECT count(*) FROM pg_locks WHERE relation = 'public.neo_glitch_media'::regclass AND NOT granted);
    ok wait_for { sql1($waiting) >= $number }, "repetition $number waits to read";
}
print $psql "COMMIT;\n";
close $psql;
is_deeply [map { $_->answer->{status} } @slow], [200, 200], 'two repetitions of one lost response are answered';
is submissions($tag), 2, '... one with its picture, the other one with its own';
credits_are $user, $left -= 2, 0, '... and two are charged';

# ---- the answer of a creation is lost ----

$tag = "unknown-$user";
talk_to $httpd;
$proxy->order('lose_answer', 'create', 2);
my $answer = post()->answer;
is_deeply [$answer->{status}, $answer->{headers}{'x-should-retry'}], [503, 'false'],
    'a client whose generation may have been made gets no Retry-After';
talk_to undef;
open_gate($tag);
ok wait_for { submissions($tag) && !credits($user)->[1] }, '... as it was made';
credits_are $user, $left - 1, 0, '... and charged';

is_deeply [broken_rules()], [], 'the ledger is sound';
finish;

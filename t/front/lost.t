#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A lost response never costs twice. Clients of other APIs repeat a request whose connection broke; the
# repetition gets the generations of the first one, and every other equal request makes its own.
use Genflow::Test;
use Genflow::Front;
use Genflow::Httpd;
use Genflow::Inject;

use constant { BIG => 3_000_000, SHORT_WAIT => '1500ms' };

my $PATH = '/openai/v1/images/generations';
my $user = account(90);

sub body { return { model => 'gpt-image-1', prompt => "@_" } }

sub post { my ($prompt, %headers) = @_; return Genflow::Front->post($PATH, $user, body($prompt), %headers) }

sub pictures { my ($answer) = @_; return scalar @{ data($answer)->{data} // [] } }

# Does the user's history have so many generations of the prompt, in that state?
sub made {
    my ($prompt, $status) = @_;
    return rows_of($user, 'public.neo_glitch_media', "strpos(prompt, :'prompt') > 0"
            . ($status ? " AND status = '$status'" : ''), prompt => $prompt);
}

sub taken {
    my ($prompt) = @_;
    return sql1('SELECT count(*) FROM genflow.lost_responses r JOIN public.neo_glitch_media m ON m.id = ANY (r.jobs)
                  WHERE r.taken AND strpos(m.prompt, :\'prompt\') > 0', prompt => $prompt);
}

# Does that, until so many requests more of the user wait.
sub waits {
    my ($count, $do) = @_;
    inject('park.after', for => $user, delay => 0, pass => $count);
    $do->();
    ok reached('park.after', for => $user), "requests that wait: $count more";
    return withdraw('park.after', for => $user);
}

sub lost { return rows_of($user, 'genflow.lost_responses', 'NOT taken') }

# ---- cut while it waits ----

my $tag = "waited-$user";
my $client = post("a $tag {{gate=$tag}}");
ok wait_for { submissions($tag) == 1 }, 'a client waits for its picture';
$client->cut;
ok wait_for { lost() == 1 }, 'its hang-up is noticed while it waits';
$client = post("a $tag {{gate=$tag}}");
ok wait_for { lost() == 0 }, 'the repeated request takes the record';
$client->cut;
ok wait_for { lost() == 1 }, 'it is cut, too';
open_gate($tag);
my $answer = post("a $tag {{gate=$tag}}")->answer;
is_deeply [$answer->{status}, pictures($answer)], [200, 1], 'the third one gets the picture';
is_deeply [made($tag), submissions($tag)], [1, 1], 'there is one generation, submitted once';
credits_are $user, 89, 0, 'and one charge';
$answer = post("a $tag {{gate=$tag}}")->answer;
is_deeply [$answer->{status}, made($tag)], [200, 2], 'an equal request after that is a new one';

# ---- repeated at once ----

for my $try (1 .. 8) {
    my $at_once = "at-once-$try-$user";
    my $first   = post("a $at_once {{gate=$at_once}}");
    ok wait_for { submissions($at_once) == 1 }, "a client waits, try $try";
    $first->cut;
    my $second = post("a $at_once {{gate=$at_once}}");    # while the hang-up may be unnoticed
    ok wait_for { taken($at_once) == 1 }, '... and repeats its request at once, which takes the record';
    open_gate($at_once);
    is $second->answer->{status}, 200, '... and gets the picture';
    is made($at_once), 1, '... of one generation';
}

# ---- cut while the response is written ----

$tag    = "written-$user";
$client = post("a $tag {{big=${\BIG}}}");
like $client->begin, qr{\AHTTP/1\.1 200}, 'a large response has begun';
$client->cut;
ok wait_for { lost() == 1 }, 'the cut is noticed';
$answer = post("a $tag {{big=${\BIG}}}")->answer;
is $answer->{status}, 200, 'the repeated request is answered';
is length($answer->{content}), $answer->{headers}{'content-length'}, 'with the whole picture';
is_deeply [made($tag), submissions($tag)], [1, 1], 'of the same generation';

# ---- equal ones in parallel ----

$tag = "equal-$user";
my @clients = map { post("a $tag {{gate=$tag}}") } 1 .. 3;
ok wait_for { submissions($tag) == 3 }, 'three equal requests make three generations';
$clients[1]->cut;
ok wait_for { lost() == 1 }, 'one of them is cut';
$clients[1] = post("a $tag {{gate=$tag}}");
ok wait_for { lost() == 0 }, '... and repeated';
open_gate($tag);
is_deeply [map { $_->answer->{status} } @clients], [200, 200, 200], 'each client gets a picture';
is_deeply [made($tag), submissions($tag)], [3, 3], 'of three';

# ---- another body, user or address finds nothing ----

$tag    = "other-$user";
$client = post("a $tag {{gate=$tag}}");
ok wait_for { submissions($tag) == 1 }, 'one more waits';
$client->cut;
ok wait_for { lost() == 1 }, '... and is cut';
open_gate($tag);
my $stranger = account(5);
is_deeply [map { $_->{status} } Genflow::Front->post($PATH, $stranger, body("a $tag {{gate=$tag}}"))->answer,
        Genflow::Front->post($PATH, $user, { %{ body("a $tag {{gate=$tag}}") }, size => '1024x1024' })->answer],
    [200, 200], 'equal words of another user, and other words of the same one';
is_deeply [lost(), submissions($tag)], [1, 3], '... make their own';
credits_are $stranger, 4, 0, '... and are charged';
is post("a $tag {{gate=$tag}}")->answer->{status}, 200, 'its own repetition comes at last';
is_deeply [lost(), submissions($tag)], [0, 3], '... and finds it';

# ---- a key of the caller ----

$tag    = "keyed-$user";
$client = post("a $tag {{gate=$tag}}", 'Idempotency-Key' => $tag);
ok wait_for { submissions($tag) == 1 }, 'a request with a key waits';
$client->cut;
waits(1, sub { $client = post("a $tag {{gate=$tag}}", 'Idempotency-Key' => $tag) });
open_gate($tag);
is $client->answer->{status}, 200, 'its repetition waits for the same generation';
is_deeply [made($tag), lost()], [1, 0], '... without a record';
$answer = Genflow::Front->post($PATH, $user, body("another $tag"), 'Idempotency-Key' => $tag)->answer;
is_deeply [$answer->{status}, data($answer)->{error}{code}], [400, 'idempotency_mismatch'], 'another body under it is refused';

# ---- a form with another boundary ----

sub edit {
    my ($prompt, $boundary) = @_;
    my $form = join '', map { "--$boundary\r\nContent-Disposition: form-data; $_\r\n" }
        "name=\"model\"\r\n\r\nlinked:v1", "name=\"prompt\"\r\n\r\n$prompt",
        "name=\"image\"; filename=\"$boundary.png\"\r\nContent-Type: image/png\r\n\r\n" . png(64, 64);
    return Genflow::Front->post('/openai/v1/images/edits', $user, "$form--$boundary--\r\n",
        'Content-Type' => "multipart/form-data; boundary=$boundary");
}

$tag    = "form-$user";
$client = edit("a $tag {{gate=$tag}}", 'first');
ok wait_for { submissions($tag) == 1 }, 'a form waits for its picture';
$client->cut;
ok wait_for { lost() == 1 }, '... and is cut';
$client = edit("a $tag {{gate=$tag}}", 'second');
ok wait_for { lost() == 0 }, 'its repetition, which has another boundary and file name, takes the record';
open_gate($tag);
is $client->answer->{status}, 200, '... and gets the picture';
is submissions($tag), 1, '... of the same generation';

# ---- without a record ----

$tag = "unrecorded-$user";
is post("a $tag")->answer->{status}, 200, 'a response that nobody knows to be lost';
$answer = post("a $tag", 'x-stainless-retry-count' => 1)->answer;
is_deeply [$answer->{status}, made($tag)], [200, 1], '... is found by a repetition that says what it is';
is post("a $tag", 'x-stainless-retry-count' => 0)->answer->{status}, 200, 'a first request is none';
is made($tag), 2, '... and makes its own';

$tag = "marked-$user";
@clients = (post("a $tag {{gate=$tag}}"));
ok wait_for { submissions($tag) == 1 }, 'a client waits';
my $own = sql1('SELECT id FROM public.neo_glitch_media WHERE user_id = genflow.account_of(:\'user\') AND strpos(prompt, :\'tag\') > 0', user => $user, tag => $tag);
push @clients, post("a $tag {{gate=$tag}}");
ok wait_for { submissions($tag) == 2 }, '... and an equal call, too';
$clients[0]->cut;
$clients[0] = post("a $tag {{gate=$tag}}", 'x-stainless-retry-count' => 1);    # while the hang-up may be unnoticed
ok wait_for { taken($tag) == 1 }, 'a marked repetition at once finds a record';
is sql1("SELECT jobs[1] FROM genflow.lost_responses WHERE user_id = genflow.account_of(:'user') AND taken ORDER BY at DESC LIMIT 1", user => $user), $own,
    '... that of its own call, not of the other one';
open_gate($tag);
is_deeply [map { $_->answer->{status} } @clients], [200, 200], 'both get their pictures';
is made($tag), 2, '... of two';

# ---- the limit of a wait ----

sub site {
    my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . <<'END' . join '', map { "$_\n" } @_);
GenflowFetchAllow 127.0.0.1
Include "${GENFLOW_WORK}/t/conf/api.conf"
<Location "/openai/v1">
    SetHandler genflow-openai
    GenflowUser "%{HTTP:X-User}"
    GenflowModel gpt-image-1 neo-glitch preset=base
</Location>
END
    talk_to($httpd);
    wait_for { api(GET => '/api/health')->{status} == 200 };
    return $httpd;
}

my $httpd = site("GenflowFrontWait ${\SHORT_WAIT}");
$tag = "long-$user";
my $before = credits($user)->[0];
my @answers = map {
    open_gate($tag) if $_ == 3;
    post("a $tag {{gate=$tag}}")->answer;
} 1 .. 3;
is_deeply [map { $_->{status} } @answers], [503, 503, 200], 'a client that waits longer than GenflowFrontWait comes back';
is_deeply [@{ $answers[0]{headers} }{qw(x-should-retry retry-after retry-after-ms)}], ['true', 1, 100], '... as it is told';
is_deeply [made($tag), submissions($tag)], [1, 1], 'it waits for one generation over three requests';
credits_are $user, $before - 1, 0, '... and pays once';

$tag     = "long-equal-$user";
$before  = credits($user)->[0];
@clients = map { post("a $tag {{gate=$tag}}") } 1 .. 3;
ok wait_for { submissions($tag) == 3 }, 'three equal ones wait longer';
$clients[1]->cut;
$clients[1] = post("a $tag {{gate=$tag}}");
is_deeply [map { $_->answer->{status} } @clients], [503, 503, 503], 'one is cut and comes back, and all get Retry-After';
waits(3, sub { @clients = map { post("a $tag {{gate=$tag}}") } 1 .. 3 });
open_gate($tag);
is_deeply [map { $_->answer->{status} } @clients], [200, 200, 200], 'all get their pictures';
is_deeply [made($tag), submissions($tag), lost()], [3, 3, 0], '... three, each made once';
credits_are $user, $before - 3, 0, '... and three are charged';
is $httpd->alarms, '', 'httpd had nothing to complain about';

# ---- no place to wait ----

$httpd  = site('GenflowWatchMax 0');
$tag    = "full-$user";
$answer = post("a $tag")->answer;
is_deeply [$answer->{status}, $answer->{headers}{'x-should-retry'}, $answer->{headers}{'retry-after'}],
    [503, 'true', 5], 'without a place to wait a client is told to come back';
is made($tag), 0, '... and nothing is made for it';
is $httpd->alarms, '', 'httpd had nothing to complain about';

# ---- a refusal of a client that marks its repetitions ----

my $refusing = $httpd;
$tag = "refused-$user";
talk_to undef;
$client = post("a $tag {{gate=$tag}}", 'x-stainless-retry-count' => 0);
ok wait_for { submissions($tag) == 1 }, 'a client that would mark a repetition waits';
talk_to $refusing;
is post("a $tag {{gate=$tag}}", 'x-stainless-retry-count' => 0)->answer->{status}, 503, 'an equal call is refused elsewhere';
talk_to undef;
my $second = post("a $tag {{gate=$tag}}", 'x-stainless-retry-count' => 1);
ok wait_for { submissions($tag) == 2 }, 'its repetition has a picture of its own made';
my $third;
waits(1, sub { $third = post("a $tag {{gate=$tag}}", 'x-stainless-retry-count' => 1) });
open_gate($tag);
is_deeply [map { $_->answer->{status} } $client, $second, $third], [200, 200, 200], 'all get their pictures';
is_deeply [made($tag), submissions($tag)], [2, 2], '... a refusal makes room for one';
$tag = "unmarked-$user";
talk_to $refusing;
is post("a $tag")->answer->{status}, 503, 'a client that does not mark repetitions is refused';
is rows_of($user, 'genflow.lost_responses', 'NOT taken'), 0, '... and leaves nothing';
talk_to undef;

is_deeply [broken_rules()], [], 'the ledger is sound';
finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A page of the first older system reserves credits without saying for what, generates, and then
# commits, refunds or leaves: a picture is charged once in all, nothing is left held, whatever the
# order, the amount, or the number of tabs.
use Genflow::Test;

use JSON::PP ();

my $OLD  = '/.netlify/functions';
my $JSON = JSON::PP->new->utf8->canonical;
my ($YES, $NO) = (JSON::PP::true(), JSON::PP::false());
my $runs = 0;
expect_log('GF0203');

# ---- reserving ----

my $user = account(30);
my $res  = old('credits-reserve', { action => 'image.gen', cost => 2, userId => 'somebody' });
my %reply = %{ data($res) };
is $res->{status}, 200, 'a reservation without a request id is made';
like $reply{request_id}, qr/\A[\w.:-]{16,200}\z/, '... and gets one';
is_deeply [@reply{qw(ok balance cost action)}], [$YES, 28, 2, 'image.gen'], '... its answer';
credits_are $user, 30, 2, '... and is held';
isnt data(old('credits-reserve', {}))->{request_id}, $reply{request_id}, 'each has another';
credits_are $user, 30, 4, '... of two credits where none are named';

my @BODIES = (    # body, cost, action
    [{ amount => 3, intent => 'video.gen' },                               3, 'video.gen'],
    [{ cost => 1, action => 'presets', presetKey => 'x', meta => { a => [1] } }, 1, 'presets'],
    [{ requestId => "own-$user", amount => 1 },                            1, undef],
    [{ request_id => "own-$user", amount => 1, timestamp => 5 },           1, undef],
);
for my $case (@BODIES) {
    my ($body, $cost, $action) = @$case;
    my $got = old('credits-reserve', $body);
    is_deeply [$got->{status}, @{ data($got) }{qw(cost action)}], [200, $cost, $action],
        'taken: ' . $JSON->encode($body);
}
credits_are $user, 30, 9, 'one that names itself is held once';
for my $bad ({ cost => 0 }, { cost => '2' }, { amount => 1.5 }, { amount => [] }, { action => {} },
    { request_id => 7 }, { request_id => 'a b' })
{
    error_is(old('credits-reserve', $bad), 422, 'VALIDATION_FAILED', 'refused: ' . $JSON->encode($bad));
}
error_is(old('credits-reserve', [1]), 400, 'VALIDATION_ERROR', 'a list is refused');
credits_are $user, 30, 9, '... and nothing is held for them';

my $poor = account(1);
my $less = old('credits-reserve', {}, $poor);
error_is($less, 403, 'INSUFFICIENT_CREDITS', 'what is not there cannot be reserved');
is_deeply [@{ data($less) }{qw(currentBalance requiredCredits shortfall)}], [1, 2, 1], '... by how much';
sql("UPDATE genflow.accounts SET day_limit = 1 WHERE name = :'user'", user => $poor);
grant($poor, 9);
is old('credits-reserve', {}, $poor)->{status}, 429, 'the limit of the day holds';

# ---- one page, in any order ----

my @FLOWS = (    # what, the calls, the balance in the end
    ['reserve, generate, commit',            [qw(reserve picture commit)],               4],
    ['reserve, generate, and leave',         [qw(reserve picture)],                      4],
    ['reserve, generate, refund',            [qw(reserve picture refund)],               4],
    ['reserve, generate, success: true',     [qw(reserve picture success)],              4],
    ['reserve, generate, success: false',    [qw(reserve picture failure)],              4],
    ['reserve, commit, generate',            [qw(reserve commit picture)],               4],
    ['reserve, refund, generate',            [qw(reserve refund picture)],               4],
    ['generate, reserve, commit',            [qw(picture reserve commit)],               4],
    ['generate, reserve, refund',            [qw(picture reserve refund)],               4],
    ['reserve, fail, refund',                [qw(reserve failing refund)],               5],
    ['reserve, fail, and leave',             [qw(reserve failing)],                      5],
    ['reserve, be filtered, refund',         [qw(reserve filtered refund)],              5],
    ['reserve, be refused, refund',          [qw(reserve refused refund)],               5],
    ['reserve, poll to the end, commit',     [qw(reserve later commit end)],             4],
    ['reserve, fail, generate, commit',      [qw(reserve failing picture commit)],       4],
    ['reserve five, generate, commit',       [qw(reserve_all picture commit)],           4],
    ['reserve twice, generate twice',        [qw(reserve reserve picture picture)],      3],
    ['generate, reserve, generate, refund',  [qw(picture reserve picture refund)],       3],
);
for my $flow (@FLOWS) {
    my ($what, $calls, $balance) = @$flow;
    my $page = page();
    $page->{$_}->() for @$calls;
    credits_are $page->{user}, $balance, 0, $what;
}

my $page = page();
$page->{reserve}->();
$page->{picture}->();
my $commit = data($page->{commit}->());
is_deeply [@$commit{qw(ok disposition status newBalance)}], [$YES, 'commit', 'used', 4],
    'a commit says what became of the credits';
ok !exists $commit->{refundAmount}, '... of which none came back';
like $commit->{message}, qr/charged/, '... for people, too';
is data($page->{commit}->())->{newBalance}, 4, '... as often as it is sent';
my $late = $page->{refund}->();
is_deeply [$late->{status}, @{ data($late) }{qw(ok status newBalance)}], [200, $YES, 'used', 4],
    '... and a refund of used credits is the same report';
ok !exists data($late)->{refundAmount}, '... which gives nothing back';
$page = page();
$page->{reserve}->();
is_deeply [@{ data($page->{refund}->()) }{qw(disposition refundAmount newBalance newCredits)}],
    ['refund', 2, 5, 5], 'a refund says what came back';
error_is($page->{refund}->(), 400, 'ALREADY_PROCESSED', '... once');
error_is(old('credits-finalize', { request_id => 'nothing', disposition => 'commit' }), 404,
    'TRANSACTION_NOT_FOUND', 'there is nothing under another id');
for my $bad ({}, { request_id => 'x' }, { request_id => 'x', success => 'yes' }, { success => $YES },
    { request_id => 'x', disposition => 'keep' }, { request_id => [], disposition => 'commit' })
{
    error_is(old('credits-finalize', $bad), 422, 'VALIDATION_FAILED', 'refused: ' . $JSON->encode($bad));
}

# ---- two tabs, other users, other clients ----

my $one = page();
my $two = page($one->{user});
$_->{reserve}->() for $one, $two;
credits_are $one->{user}, 5, 4, 'two tabs reserve';
$two->{picture}->();
credits_are $one->{user}, 4, 2, 'the first picture uses one of the two';
is data($one->{refund}->())->{status}, 'used', '... that of the tab which reserved first';
is data($two->{commit}->())->{status}, 'returned', '... and the other one is given back';
credits_are $one->{user}, 4, 0, 'one charge in all';

my $both = page();
$both->{reserve}->() for 1, 2;
my @made = in_parallel(2, sub { make($both->{user}, 'a cat', "tab-$_[0]")->{status} });
is_deeply \@made, [200, 200], 'two tabs make pictures at once';
credits_are $both->{user}, 3, 0, '... each for its price, and nothing is left held';

my $mine = page();
$mine->{reserve}->();
make(account(5), 'a cat', 'somebody');
credits_are $mine->{user}, 5, 2, "another user's picture uses nothing of it";
is generate($mine->{user}, {})->{status}, 200, 'a picture of the API ...';
credits_are $mine->{user}, 4, 2, '... uses nothing of it either';
is api(POST => '/api/credits-reserve', user => $mine->{user},
    json => { request_id => 'kept', cost => 1 })->{status}, 200,
    'what a client of the API reserves for a run of its own ...';
$mine->{picture}->() for 1, 2;
credits_are $mine->{user}, 2, 1, '... no page uses';

finish;

# A page of one user: its calls, by name.
sub page {
    my ($who) = @_;
    $who //= account(5);
    my ($request, $last);
    my $reserve  = sub { $request = data(old('credits-reserve', { cost => $_[0] }, $who))->{request_id} };
    my $finalize = sub { return old('credits-finalize', { request_id => $request, @_ }, $who) };
    my $make     = sub {
        my ($status, $prompt, %more) = @_;
        my $res = make($who, $prompt, 'run-' . ++$runs, %more);
        is $res->{status}, $status, "generating is answered with $status" or diag $res->{content};
        return data($res)->{id};
    };
    return {
        user        => $who,
        reserve     => sub { return $reserve->(2) },
        reserve_all => sub { return $reserve->(5) },
        commit      => sub { return $finalize->(disposition => 'commit') },
        refund      => sub { return $finalize->(disposition => 'refund') },
        success     => sub { return $finalize->(success     => $YES) },
        failure     => sub { return $finalize->(success     => $NO) },
        picture     => sub { return $make->(200, 'a cat') },
        failing     => sub { return $make->(500, 'a cat {{status=400}}') },
        filtered    => sub { return $make->(500, 'a cat {{filter}}') },
        refused     => sub { return $make->(422, 'a cat', presetKey => 'none') },
        later       => sub { $last = $make->(202, 'a cat {{poll=1}}', wait => 0) },
        end         => sub { ok ended($who, $last), 'the picture is ready' },
    };
}

sub make {
    my ($who, $prompt, $run, %more) = @_;
    my $wait = delete $more{wait} // 1;
    return api(POST => "$OLD/neo-glitch-generate", user => $who,
        headers => $wait ? {} : { Prefer => 'respond-async' },
        json => { prompt => $prompt, presetKey => 'base', runId => "$run-$who", userId => $who, %more });
}

sub old {
    my ($name, $json, $who) = @_;
    return api(POST => "$OLD/$name", user => $who // $user, json => $json);
}

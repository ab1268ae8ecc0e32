#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A call on a generation that does not exist, is another user's, or with a wrong method is refused with
# the documented status and code; the response has nothing of the generation, and nothing changes.
use Genflow::Test;

my ($user, $other) = (account(20), account(20));

my $live   = later($user, { type => 'hook-replicate', prompt => 'a cat {{poll-hang}}' });
my $failed = later($user, { prompt => 'a cat {{filter}}' });
my $done   = data(generate($user))->{id};
ended($user, $failed);
wait_for { status_of($user, $live, 'hook-replicate')->{replicateId} };
my $before = everything();

# ---- every address, with every wrong name and user ----

my @ADDRESSES = (    # method, path behind the id, a generation that it would suit, Allow
    [GET    => '',          $done,   'GET, HEAD, DELETE'],
    [DELETE => '',          $done,   'GET, HEAD, DELETE'],
    [POST   => '/cancel',   $live,   'POST'],
    [POST   => '/retry',    $failed, 'POST'],
    [POST   => '/fallback', $failed, 'POST'],
    [GET    => '/events',   $live,   'GET, HEAD'],
);
my $unknown = $done =~ s/\A.{8}/00000000/r;
my $foreign = '01234567-89ab-4def-8123-456789abcdef';             # of no making of ours
my $untyped = $done =~ s/..(?=.{10}\z)/ff/r;                      # of a type that is not there
for my $root (qw(generation job)) {
    for my $address (@ADDRESSES) {
        my ($method, $rest, $id, $allow) = @$address;
        next if $root eq 'job' && $rest eq '/events';
        $allow .= ', PATCH' if $root eq 'generation' && $rest eq '';      # edit.t
        my @CASES = (    # id, user, status, code, what
            [$id,        $other, 403, 'UNAUTHORIZED',            'of another user'],
            [$id,        undef,  401, 'AUTHENTICATION_REQUIRED', 'without a user'],
            [$unknown,   $user,  404, 'GENERATION_NOT_FOUND',    'that never was'],
            [$foreign,   $user,  404, 'GENERATION_NOT_FOUND',    'of another making'],
            [$untyped,   $user,  404, 'GENERATION_NOT_FOUND',    'of no type'],
            ['nothing',  $user,  404, 'GENERATION_NOT_FOUND',    'whose id is none'],
            ['%27%22%00' =~ s/%00//r, $user, 404, 'GENERATION_NOT_FOUND', 'whose id is odd'],
            ["$id/more", $user,  404, 'NOT_FOUND',               'with more behind it'],
        );
        for my $case (@CASES) {
            my ($name, $who, $status, $code, $what) = @$case;
            my $path = "/api/$root/$name$rest";
            my $res  = api($method => $path, user => $who);
            error_is($res, $status, $code, "$method $root$rest of one $what is refused");
            unlike $res->{content}, qr/\Q$user\E|prompt|imageUrl/, 'and the response has nothing of it';
        }
        my $wrong = $method eq 'POST' ? 'GET' : 'PUT';
        my $res = api($wrong => "/api/$root/$id$rest", user => $user);
        error_is($res, 405, 'METHOD_NOT_ALLOWED', "$wrong $root$rest is no method");
        is $res->{headers}{allow}, $allow, "Allow says $allow";
    }
}
error_is(api(GET => "/api/job/$live/events", user => $user), 404, 'NOT_FOUND', 'jobs have no events');
error_is(api(GET => '/api/generation', user => $user), 404, 'NOT_FOUND', 'nor is there one without id');

# ---- wrong states ----

my @STATES = (    # method, path, id, its status
    [POST   => 'cancel',   $done,   'completed'],
    [POST   => 'cancel',   $failed, 'failed'],
    [POST   => 'retry',    $live,   'processing'],
    [POST   => 'retry',    $done,   'completed'],
    [POST   => 'fallback', $live,   'processing'],
    [POST   => 'fallback', $done,   'completed'],
    [DELETE => '',         $live,   'processing'],
);
for my $case (@STATES) {
    my ($method, $act, $id, $status) = @$case;
    for my $root (qw(generation job)) {
        my $res = api($method => "/api/$root/$id" . ($act && "/$act"), user => $user);
        error_is($res, 400, 'INVALID_GENERATION_STATUS', "$method $root/$act of one that is $status");
        is data($res)->{status}, $status, 'the response has its status';
    }
}
for my $key ('', 'a key', 'k' x 256) {
    my %headers = ('Idempotency-Key' => $key);
    my $res = api(POST => "/api/generation/$failed/retry", user => $user, headers => \%headers);
    error_is($res, 422, 'VALIDATION_FAILED', 'a key that is none is refused');
}
my $poor = account(1);
my $lost = later($poor, { prompt => 'a cat {{filter}}' });
ended($poor, $lost);
generate($poor);
my $res = api(POST => "/api/generation/$lost/retry", user => $poor);
error_is($res, 402, 'INSUFFICIENT_CREDITS', 'who has no credits left makes nothing again');
is data($res)->{shortfall}, 1, 'and the response has the shortfall';

is_deeply everything(), $before, 'of all that nothing changed';
api(POST => "/api/generation/$live/cancel", user => $user);

finish;

# What there is of the two users.
sub everything {
    return [map { [sql("SELECT m.id, m.status, l.kind, a.* FROM genflow.accounts a"
        . ' LEFT JOIN public.neo_glitch_media m USING (user_id)'
        . " LEFT JOIN genflow.ledger l ON l.ref = m.id WHERE a.user_id = genflow.account_of(:'user') ORDER BY 1, 3",
        user => $_)] } $user, $other];
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every state of a generation has its ETag: who has it gets 304, who waits with it gets the next
# state as soon as there is one, be it only some progress.
use Genflow::Test;

use Time::HiRes qw(time);

my $PATIENCE = $ENV{GENFLOW_TEST_PATIENCE} || 1;
my $user = account(20);

# ---- an ended one, at each address ----

my $id = data(generate($user))->{id};
my %tag;
for my $path ("/api/generation/$id", "/api/neo-glitch/status?id=$id", "/api/job/$id") {
    my $res = api(GET => $path, user => $user);
    my $tag = $tag{$path} = $res->{headers}{etag};
    like $tag, qr/\A"[0-9a-f]{32}"\z/, "$path has an ETag, a strong one";
    is $res->{headers}{'cache-control'}, 'private, no-cache', '... to be revalidated each time';
    is api(GET => $path, user => $user)->{headers}{etag}, $tag, '... the same while nothing changes';
    my @LOOKS = (    # If-None-Match, method, status
        [$tag,                  GET  => 304], ["\"other\", $tag", GET => 304], ['*', GET => 304],
        ['"other"',             GET  => 200], ['',                GET => 200], ['x', GET => 200],
        [$tag,                  HEAD => 304],
    );
    for my $look (@LOOKS) {
        my ($known, $method, $status) = @$look;
        my $got = api($method => $path, user => $user, headers => { 'If-None-Match' => $known });
        is $got->{status}, $status, "... who has $known gets $status";
        next if $status == 200;
        is $got->{content} // '', '', '... and no body';
        is $got->{headers}{etag}, $tag, '... but its ETag';
    }
}
is $tag{"/api/generation/$id"}, $tag{"/api/neo-glitch/status?id=$id"}, 'one object has one ETag';
isnt $tag{"/api/generation/$id"}, $tag{"/api/job/$id"}, 'a job is another';
isnt api(GET => "/api/generation/$id?names=both", user => $user)->{headers}{etag},
    $tag{"/api/generation/$id"}, 'and so is one with twins';
my $other = api(GET => "/api/generation/$id", user => $user, headers => { 'If-Match' => '"other"' });
is $other->{status}, 412, 'who wants another state only gets none';
my $posted = api(POST => '/api/neo-glitch/status', user => $user, json => { id => $id },
    headers => { 'If-None-Match' => $tag{"/api/generation/$id"} });
is $posted->{status}, 200, 'a POST is always answered';
error_is(api(GET => "/api/generation/$id", user => account(),
    headers => { 'If-None-Match' => $tag{"/api/generation/$id"} }), 403, 'UNAUTHORIZED',
    'another user learns nothing by an ETag');

# ---- a running one, waited for ----

my $slow = later($user, { type => 'hook-replicate', prompt => '{{poll-hang}} slow' });
my $path = "/api/generation/$slow";
wait_for { data(api(GET => $path, user => $user))->{replicateId} };
my $now  = api(GET => $path, user => $user)->{headers}{etag};
my ($res, $time) = timed($now, 1);
is $res->{status}, 304, 'who waits for news that do not come gets 304';
cmp_ok $time, '>=', 0.9, '... at the end of his wait';
($res, $time) = timed('"other"', 20);
is $res->{status}, 200, 'who has an old state gets the present one';
cmp_ok $time, '<', 15, '... and does not wait';
($res, $time) = timed('*', 1);
cmp_ok $time, '>=', 0.9, 'a star knows no state: it waits for the end';

my @news = in_parallel(2, sub {
    my ($i) = @_;
    return [timed($now, 10)]->[0] if $i;
    my $begin = time;
    wait_for { time > $begin + 0.5 };
    sql("UPDATE genflow.work SET progress = 0.5 WHERE job_id = :'id'", id => $slow);
    return 1;
}, 2);
is $news[1]{status}, 200, 'who waits with the present state gets the next one';
is data($news[1])->{progress}, 0.5, '... which may be but some progress';
is data($news[1])->{status}, 'processing', '... it need not be the end';
isnt $news[1]{headers}{etag}, $now, '... under another ETag';

# News of the same process come without a look at the row.
my $polled = later($user, { type => 'echo-fal', prompt => '{{poll=4}} polled' });
my (@seen, $tag);
for (1 .. 20) {
    my $got = api(GET => "/api/generation/$polled", user => $user,
        headers => { Prefer => 'wait=10', $tag ? ('If-None-Match' => $tag) : () });
    last if $tag && $got->{status} == 304;
    push @seen, data($got);
    $tag = $got->{headers}{etag};
    last if data($got)->{finishedAt};
}
is $seen[-1]{status}, 'completed', 'who always waits with what he has comes to the end';
my %different = map { JSON::PP->new->canonical->encode($_) => 1 } @seen;
is keys %different, scalar @seen, '... and no state comes twice';

api(POST => "$path/cancel", user => $user);
finish;

# The answer to who has that ETag and waits so long, and the time that it took.
sub timed {
    my ($known, $wait) = @_;
    my $begin = time;
    my $answer = api(GET => $path, user => $user,
        headers => { 'If-None-Match' => $known, Prefer => "wait=$wait" });
    return ($answer, time - $begin);
}

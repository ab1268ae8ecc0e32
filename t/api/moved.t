#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Generations that were moved from an older system (genflow-migrate): their owner finds and deletes them by the id that they had
# there, and no other user does.
use Genflow::Test;

my ($user, $other) = (account(5), account(5));
my $old  = "cmf0-$$.a";
my $uuid = sprintf '%08x-0000-4000-8000-000000000001', $$;
my ($id, $second, $third) = map { moved(@$_) } [$old, 'an old cat'], [$uuid, ''], ["cmf0-$$.b", ''];
my $new = data(generate($user))->{id};

# ---- found ----

for my $name ($old, $uuid) {
    my $row = $name eq $old ? $id : $second;
    is status_of($user, $name)->{id}, $row, "status finds $name";
    is status_of($user, $name)->{status}, 'completed', '... completed';
    is data(api(POST => '/api/neo-glitch/status', user => $user, json => { jobId => $name }))->{id}, $row, '... by POST, too';
    for my $view ("generation/$name", "job/$name") {
        is api(GET => "/api/$view", user => $user)->{status}, 200, "GET $view shows it";
        error_is(api(GET => "/api/$view", user => $other), 403, 'UNAUTHORIZED', '... not to another user');
    }
    error_is(api(GET => "/api/neo-glitch/status?id=$name", user => $other), 403, 'UNAUTHORIZED', '... nor does its status');
}
my $view = status_of($user, $old);
is_deeply [@{$view}{qw(imageUrl prompt status tokensUsed persisted)}],
    ["https://old.example/$user.png", 'an old cat', 'completed', 0, JSON::PP::false()], 'it is shown as it was';
is status_of($user, uc $uuid)->{id}, $second, 'a UUID in capitals is the same';
is_deeply [map { $_->{id} } @{ data(api(GET => '/api/generations', user => $user))->{items} }], [$new, $third, $second, $id],
    'history lists moved ones behind what was made here';
error_is(api(GET => "/api/generation/$_", user => $user), 404, 'GENERATION_NOT_FOUND', "there is no $_")
    for "cmf0-$$.z", 'x' x 201, '%C3%BC', '%FF';

# ---- what it cannot become ----

error_is(api(POST => "/api/generation/$old/cancel", user => $user), 400, 'INVALID_GENERATION_STATUS', 'it has ended');
error_is(api(POST => '/api/generate', user => $user, json => { generationId => $old }), 400, 'INVALID_GENERATION_STATUS',
    'it cannot be started');

# ---- deleted ----

error_is(api(DELETE => "/api/generation/$old", user => $other), 403, 'UNAUTHORIZED', 'no other user deletes it');
is api(DELETE => "/api/generation/$old", user => $user)->{status}, 200, 'its owner deletes it by the older id';
error_is(api(GET => "/api/generation/$old", user => $user), 404, 'GENERATION_NOT_FOUND', 'then it is gone');
is api(POST => '/api/delete-media', user => $user, json => { mediaId => $uuid })->{status}, 200, 'delete-media takes one, too';
is_deeply [map { $_->{id} } @{ data(api(GET => '/api/generations', user => $user))->{items} }], [$new, $third],
    'history has the others';
credits_are $user, 4, 0, 'only what was made here was charged';
ok wait_for { !sql1("SELECT count(*) FROM genflow.removals WHERE job_id IN (:'id', :'second')", id => $id, second => $second) },
    'the pictures there are left to the operator';
expect_log('GF0417');
finish;

# The id of today.
sub moved {
    my ($legacy, $prompt) = @_;
    return sql1(<<'SQL', user => $user, legacy => $legacy, prompt => $prompt);
        INSERT INTO public.neo_glitch_media (id, user_id, status, prompt, seed, cost, max_retries, image_url, persisted,
                                             created_at, finished_at, legacy_id)
        SELECT genflow.new_id(no), genflow.account_make(:'user'), 'completed', :'prompt', 0, 0, 0, 'https://old.example/' || :'user' || '.png', false,
               now(), now(), :'legacy' FROM genflow.types WHERE name = 'neo-glitch'
        RETURNING id
SQL
}

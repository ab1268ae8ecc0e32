#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The budget of a key: of a thousand creates at once as many begin as it pays for, what ends without a
# picture gives back, and a reservation counts. A key that is revoked at one httpd is refused at another
# within five seconds.
use Genflow::Test;

use Genflow::Httpd qw(small_site);
use Genflow::Keys;
use Time::HiRes qw(sleep time);

my $SITE = small_site() . <<'END';
GenflowLimitKeyRate 1000/1s 100000
<Location "/api">
    SetHandler genflow-api
    AuthType GenflowKey
    Require valid-user
</Location>
END
my $first  = Genflow::Httpd->start($SITE);
my $second = Genflow::Httpd->start($SITE);
my $CREATES = 1000;

# ---- a thousand at once ----

my $user = account(5000);
my $key  = new_key($user, budget => 10);
my $free = new_key($user);
my $reserving = new_key($user, budget => { credits => 2, per => 'day' });
my $penniless = new_key($user, budget => 0);
my $late   = new_key($user, scopes => ['read', 'keys']);
my @doomed = map { new_key($user, scopes => ['read']) } 1 .. 3;
my $turn = 0;
my @got = in_parallel($CREATES, sub {
    my ($i) = @_;
    talk_to($i % 2 ? $first : $second);
    my $res = make($key, "many of $user");
    return [$res->{status}, data($res)->{code}, data($res)->{scope}, data($res)->{id}];
}, 32);
my @made    = grep { $_->[0] == 201 } @got;
my @refused = grep { $_->[0] == 402 && $_->[1] eq 'INSUFFICIENT_CREDITS' && $_->[2] eq 'key' } @got;
is_deeply [scalar @made, scalar @refused], [10, $CREATES - 10], "of $CREATES creates at once on a budget of 10 begin 10";
credits_are $user, 5000, 10, 'as many credits are held';
is spent($key), 10, 'and counted';
is rows_of($user, 'genflow.ledger', "kind = 'hold' AND api_key = :'key'",
    key => $key->{id}), 10, 'by holds that name the key';
talk_to($first);
is make($free, 'by another key')->{status}, 201, 'another key of the user goes on';

# ---- giving back ----

for my $generation (map { $_->[3] } @made[0 .. 2]) {
    is api(POST => "/api/generation/$generation/cancel", headers => bearer($key))->{status}, 200, 'one is cancelled';
}
is spent($key), 7, 'the key gets back what it held';
my @again = map { make($key, 'again')->{status} } 1 .. 4;
is_deeply \@again, [201, 201, 201, 402], '... and spends it again';
my $same = { 'Idempotency-Key' => 'once' };
my $replayed = make($free, 'once', %$same);
is data(make($free, 'once', %$same))->{id}, data($replayed)->{id}, 'a repeated request is the same one';

is api(POST => '/api/credits-reserve', headers => bearer($reserving), json => { request_id => 'r', cost => 2 })->{status}, 200,
    'a key reserves within its budget';
my $over = api(POST => '/api/credits-reserve', headers => bearer($reserving), json => { request_id => 's', cost => 1 });
is_deeply [$over->{status}, @{ data($over) }{qw(code scope requiredCredits)}], [402, 'INSUFFICIENT_CREDITS', 'key', 1],
    '... and no more';
is api(POST => '/api/credits-finalize', headers => bearer($reserving), json => { request_id => 'r', disposition => 'refund' })->{status},
    200, 'given back';
is spent($reserving), 0, '... it is free again';
is make($penniless, 'nothing')->{status}, 402, 'a budget of 0 pays for nothing';

# ---- revocation on two hosts ----

for my $doomed (@doomed) {
    talk_to($_), is(quota($doomed), 200, 'a key is known at each') for $first, $second;
    talk_to($first);
    is api(DELETE => "/api/keys/$doomed->{id}", headers => bearer($late))->{status}, 200, 'it is revoked at one';
    my $since = time;
    talk_to($second);
    my $last = $since;            # when the last request came that was answered
    my $refused = wait_for {
        my $now    = time;
        my $status = quota($doomed);
        $last = $now if $status == 200;
        $status == 401;
    };
    ok $refused, 'the other one refuses it';
    cmp_ok $last - $since, '<', 5.5, sprintf '... after %.2f s', $last - $since;
    talk_to($first);
    ok wait_for(sub { quota($doomed) == 401 }), '... as the one does';
}

is $_->alarms, '', 'nothing was wrong' for $first, $second;
talk_to();
finish;

# A generation that waits for its start: created, and not begun.
sub make {
    my ($with, $prompt, %headers) = @_;
    my $res = api(POST => '/api/generation/create', headers => { %headers, %{ bearer($with) } },
        json => { type => 'neo-glitch', prompt => $prompt, presetKey => 'base' });
    my $made = data($res);
    $made = $made->{data} if $made && ref $made->{data};
    return { %$res, content => JSON::PP::encode_json($made // {}) };
}

sub quota {
    my ($with) = @_;
    return api(GET => '/api/getQuota', headers => bearer($with))->{status};
}

sub spent {
    my ($with) = @_;
    return sql1("SELECT budget_used FROM genflow.api_keys WHERE id = :'id'", id => $with->{id});
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# GET me tells a page who the caller is, what the account has, which limits hold and what is left of them,
# what the site offers, and where to sign out. It has an ETag, which the time does not change.
use Genflow::Test;

use Genflow::Httpd qw(refused accepted small_site);
use Genflow::Keys;

my ($YES, $NO) = (JSON::PP::true(), JSON::PP::false());

# ---- the directive ----

my @BAD = ('javascript:alert(1)', '//evil.example/', '/\\evil.example', 'logout', 'ftp://a/b', '/a b', "/a\x01", '/' . 'x' x 2000);
refused('GenflowSignOutUrl ' . substr($_, 0, 20) =~ s/[^ -~]/?/gr, "GenflowSignOutUrl \"$_\"\n",
    'must be an http(s) address, or a path like /logout') for map { s/\\/\\\\/gr } @BAD;
accepted("GenflowSignOutUrl $_", "GenflowSignOutUrl \"$_\"\n") for '/logout', 'https://login.example/out?to=%2F', '/';

# ---- a site without limits ----

my $user = account(20);
error_is(api(GET => '/api/me'), 401, 'AUTHENTICATION_REQUIRED', 'who is not signed in is nobody');
is api(POST => '/api/me', user => $user, json => {})->{status}, 405, 'there is nothing to post';
my $me    = me($user);
my $quota = data(api(GET => '/api/getQuota', user => $user));
is $quota->{userId}, $user, 'getQuota says whose quota it is';
delete $_->{timestamp} for $me, $quota;
my %more = map { $_ => delete $me->{$_} } qw(balance limits features signOutUrl);
is_deeply $me, $quota, 'me has every member of getQuota';
is_deeply [@more{qw(balance signOutUrl)}], [20, undef], '... the balance, and no way out where none is configured';
is_deeply $more{limits}, { rate => undef, concurrent => undef, queue => undef }, '... no limits without directives';
is_deeply [sort keys %{ $more{features} }], [qw(events fallback keys thumbnails twoStep webhooks)], '... and what the site offers';
error_is(api(GET => '/api/me?user=bob', user => $user), 422, 'VALIDATION_FAILED', 'it is about the caller alone');

# ---- a site with everything ----

sql("SELECT genflow.create_type(:'type')", type => my $line = "me-line-$$");
my $full = Genflow::Httpd->start(small_site() . <<"END");
Include "\${GENFLOW_WORK}/t/conf/api.conf"
GenflowLimitRate 3/1h
GenflowLimitConcurrent 4
GenflowLimitQueue 50
GenflowSignOutUrl /logout
<GenflowType $line>
    GenflowTypeProviders stability/sd3
    GenflowTypeTwoStep On
</GenflowType>
<Location "/keys">
    SetHandler genflow-api
    <If "true">
        AuthType GenflowKey
        Require valid-user
    </If>
    GenflowSignOutUrl https://login.example/out
</Location>
<Location "/keys/inner">
    GenflowSignOutUrl /inner
</Location>
END
talk_to($full);
my $early;
wait_for { $early = me($user); !$early->{limits}{queue}{used} };    # other tests use the shared types, too
is_deeply $early->{limits}, { rate => { limit => 3, remaining => 3, seconds => 3600 }, concurrent => { limit => 4, used => 0 },
    queue => { limit => 50, used => 0 } }, 'limits are there with what is used of them';
is $early->{signOutUrl}, '/logout', 'the way out is the one of the server';
is_deeply [@{ $early->{features} }{qw(keys twoStep webhooks fallback)}], [$YES, $YES, $NO, $NO], 'the features are those of the configuration';
later($user, { type => $line, prompt => 'a cat' });
my $then = me($user);
is_deeply $then->{limits}, { rate => { limit => 3, remaining => 2, seconds => 3600 }, concurrent => { limit => 4, used => 1 },
    queue => { limit => 50, used => 1 } }, 'a generation shows in each of them';
is_deeply [@$then{qw(balance held)}], [20, 2], '... and in what is held';
is_deeply me(account(1))->{limits}{concurrent}, { limit => 4, used => 0 }, 'of another user it counts for nothing';

my $key = new_key($user, scopes => ['read']);
is data(api(GET => '/keys/me', headers => bearer($key)))->{userId}, $user, 'who comes with a key is its user';
is data(api(GET => '/keys/me', headers => bearer($key)))->{signOutUrl}, 'https://login.example/out', 'a <Location> may have its own way out';
error_is(api(GET => '/keys/me', headers => bearer(new_key($user, scopes => ['images']))), 403, 'INSUFFICIENT_SCOPE', 'a key needs the scope read');

# ---- ETag ----

my $res = api(GET => '/api/me', user => $user);
like my $tag = $res->{headers}{etag}, qr/\A"[0-9a-f]{32}"\z/, 'it has an ETag';
my $until = time + 1;
wait_for { time > $until };
for my $method (qw(GET HEAD)) {
    my $same = api($method => '/api/me', user => $user, headers => { 'If-None-Match' => $tag });
    is_deeply [$same->{status}, $same->{content} // ''], [304, ''], "$method with it is 304, a second later";
}
grant($user, 1);
is api(GET => '/api/me', user => $user, headers => { 'If-None-Match' => $tag })->{status}, 200, 'another balance is another state';
is api(GET => '/api/me', user => account(20), headers => { 'If-None-Match' => $tag })->{status}, 200, '... and so is another user';

# ---- a long queue ----

sql(<<'SQL', type => $line);
    SET session_replication_role = replica;
    INSERT INTO genflow.work (job_id, user_id, type_no, cost, phase, due_at, deadline_at, turn)
    SELECT gen_random_uuid(), genflow.account_make('crowd'), t.no, 1, 'queued', now() + interval '1 day', now() + interval '1 day', now() + n * interval '1 second'
      FROM genflow.types t, generate_series(1, 70) n WHERE t.name = :'type'
SQL
is_deeply me($user)->{limits}{queue}, { limit => 50, used => 50 }, 'more than the limit are shown as the limit';
sql("SET session_replication_role = replica; DELETE FROM genflow.work WHERE user_id = genflow.account_of('crowd')");
api(POST => "/api/generation/$_/cancel", user => $user) for sql("SELECT job_id FROM genflow.work WHERE user_id = genflow.account_of(:'user')", user => $user);

is $full->alarms, '', 'nothing was wrong with that';
talk_to();
finish;

sub me { return data(api(GET => '/api/me', user => $_[0])) }

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Administration is closed unless httpd.conf requires a sign-in there and lets the user in; it takes
# nothing from pages of other sites. Its addresses, methods and pages are checked like any others.
# It reports figures, providers and whether the books are sound, and closes breakers.
use Genflow::Admin;
use Genflow::Test;

my $user = account(5);

# ---- closed ----

expect_log('GF0170', 'GF0171', 'GF0183');
my @CLOSED = (    # where, who
    ['admin-bare',    undef,   'without any Require'],
    ['admin-bare',    'admin', 'without any Require, even to the administrator'],
    ['admin-granted', 'admin', 'where no sign-in is required'],
    ['admin-named',   'admin', 'to a name from a header'],
    ['admin-either',  undef,   'where one need not sign in'],
    ['admin-either',  'admin', 'where one need not sign in, even to the administrator'],
);
for my $case (@CLOSED) {
    my ($where, $who, $how) = @$case;
    for my $path ('jobs', 'nothing') {
        my $res = api(GET => "/$where/$path/of/$user", user => 'admin',
            headers => $who ? signed_in($who) : {});
        error_is($res, 403, 'ADMIN_CLOSED', "administration is closed $how");
    }
}

# A user's own folder, with passwords that the user made.
my $folder = "$ENV{GENFLOW_WORK}/t/htdocs/theirs";
mkdir $folder or die "$folder: $!\n";
open my $file, '>', "$folder/.htaccess" or die "$folder: $!\n";
print {$file} <<"END" or die "$folder: $!\n";
SetHandler genflow-admin
AuthType Basic
AuthName theirs
AuthUserFile "$ENV{GENFLOW_WORK}/t/conf/users"
Require valid-user
END
close $file or die "$folder: $!\n";
is api(GET => "/theirs/$user")->{status}, 401, 'an .htaccess may require a password';
error_is(api(GET => "/theirs/$user", headers => signed_in('admin')), 404, 'NOT_FOUND',
    '... but opens nothing');

is api(GET => '/admin/jobs')->{status}, 401, 'where it is open, one has to sign in';
is api(GET => '/admin/jobs', user => 'admin')->{status}, 401, '... by password';
isnt api(GET => '/admin/jobs', headers => signed_in('alice'))->{status}, 200, '... as one who may';
is admin(GET => '/jobs')->{status}, 200, 'the administrator may';
is api(GET => '/api/admin/jobs', user => 'admin')->{status}, 404, 'it is no part of the API';

# ---- from elsewhere ----

my %gift = (userId => $user, amount => 1, reason => 'a theft', reference => "theft of $user");
for my $origin ("https://$user.example", "$user", base() . ".$user.example") {
    error_is(admin(POST => '/credits', json => \%gift, headers => { Origin => $origin }), 403,
        'UNAUTHORIZED', "nothing is taken from a page of $origin");
}
credits_are $user, 5, 0, 'and nothing came of it';
is admin(POST => '/credits', json => \%gift, headers => { Origin => base() })->{status}, 200,
    'a page of the same host may';

# ---- addresses and methods ----

my @REQUESTS = (    # method, path, status, code, Allow
    [GET    => '',                        404, 'NOT_FOUND'],
    [GET    => '/',                       404, 'NOT_FOUND'],
    [GET    => '/nothing',                404, 'NOT_FOUND'],
    [GET    => '/ledger',                 404, 'NOT_FOUND'],
    [GET    => '/users/nobody at all',    404, 'NOT_FOUND'],
    [GET    => '/getQuota',               404, 'NOT_FOUND'],
    [POST   => '/jobs',                   405, 'METHOD_NOT_ALLOWED', 'GET, HEAD, DELETE'],
    [GET    => '/jobs/1',                 405, 'METHOD_NOT_ALLOWED', 'DELETE'],
    [POST   => "/users/$user",            405, 'METHOD_NOT_ALLOWED', 'GET, HEAD, PUT, DELETE'],
    [GET    => '/credits',                405, 'METHOD_NOT_ALLOWED', 'POST'],
    [PUT    => '/presets',                405, 'METHOD_NOT_ALLOWED', 'GET, HEAD, POST'],
    [PATCH  => '/presets/a',              405, 'METHOD_NOT_ALLOWED', 'GET, HEAD, PUT, DELETE'],
    [GET    => '/providers/local/reset',  405, 'METHOD_NOT_ALLOWED', 'POST'],
    [POST   => '/providers/nobody/reset', 404, 'NOT_FOUND'],
);
for my $request (@REQUESTS) {
    my ($method, $path, $status, $code, $allow) = @$request;
    my $res = admin($method => $path =~ s/ /%20/gr);
    error_is($res, $status, $code, "$method admin$path is refused with $status");
    is $res->{headers}{allow}, $allow, '... with Allow' if $allow;
}
for my $path (qw(/jobs /users /stats /ledger/check /providers /presets)) {
    my $res = admin(HEAD => $path);
    is $res->{status} . ($res->{content} // ''), '200', "HEAD $path has no body";
}

# ---- figures ----

my $made  = data(generate($user));
my $stats = data(admin(GET => '/stats'))->{stats};
for my $window (qw(day week)) {
    my ($type) = grep { $_->{type} eq 'neo-glitch' } @{ $stats->{$window}{types} };
    ok $type->{completed} >= 1 && $type->{charged} >= 1 && defined $type->{meanTime},
        "the figures of a $window count what was made";
    ok $type->{successRate} > 0 && $type->{successRate} <= 1, '... and how much of it went well';
    my ($sd3) = grep { "$_->{provider}/$_->{model}" eq 'stability/sd3' }
        @{ $stats->{$window}{providers} };
    ok $sd3->{attempts} >= $sd3->{outcomes}{completed} && $sd3->{charged} >= 1,
        '... who made it, how many attempts it had, and for how much';
}
is_deeply [sort keys %{ $stats->{live} }], [qw(queued sending working)], '... and what lives';

my $check = data(admin(GET => '/ledger/check'));
ok $check->{sound}, 'the books are sound';
is_deeply $check->{broken}, [], '... no rule is broken';

# ---- providers ----

my $reply = data(admin(GET => '/providers'));
my ($stability) = grep { $_->{name} eq 'stability' } @{ $reply->{providers} };
is_deeply [@{$stability}{qw(kind hasKey)}], ['stability', JSON::PP::true()], 'a provider is shown';
ok scalar(grep { "$_->{type} $_->{model} $_->{position}" eq 'relay sd3 1' } @{ $stability->{uses} }),
    '... with the types that use it';
unlike admin(GET => '/providers')->{content}, qr/\Q$ENV{STABILITY_API_KEY}\E/, '... and not its key';

sql(<<'END', model => "one of $user", other => "another of $user");
INSERT INTO genflow.breakers (provider, model, failures, open_until, opened_at, reason)
VALUES ('local', :'model', 5, now() + interval '1 hour', now(), 'for a test'),
       ('local', :'other', 1, NULL, NULL, 'for a test')
END
my @breakers = breakers();
is_deeply [map { [@{$_}{qw(model state failures reason)}] } @breakers],
    [["another of $user", 'closed', 1, 'for a test'], ["one of $user", 'open', 5, 'for a test']],
    'breakers are shown';
ok defined $breakers[1]{openUntil}, '... with how long they stay open';
my $reset = admin(POST => "/providers/local/reset?model=one%20of%20$user");
is data($reset)->{closed}, 1, 'the breaker of one model is closed';
is_deeply [map { $_->{model} } breakers()], ["another of $user"], '... alone';
is data(admin(POST => '/providers/local/reset'))->{closed}, 1, 'or all of a provider';
is data(admin(POST => '/providers/local/reset'))->{closed}, 0, '... which may be none';

# ---- the store of a server that is gone ----

# As docs/troubleshooting.md says.
my @SERVERS = ("gone.$user", "full.$user");
sql(<<'END', gone => $SERVERS[0], full => $SERVERS[1]);
INSERT INTO genflow.breakers (provider, model, failures, open_until, opened_at, reason)
VALUES ('store:folder', :'gone', 1, now() + interval '1 hour', now(), 'for a test'),
       ('store:folder', :'full', 1, now() + interval '1 hour', now(), 'for a test')
END
is_deeply [closed_stores()], [sort map { "folder of $_" } @SERVERS], 'the doctor names the servers whose folder is closed';
is data(admin(POST => "/providers/store:folder/reset?model=$SERVERS[0]"))->{closed}, 1,
    'the row of a server that is gone is deleted';
is_deeply [closed_stores()], ["folder of $SERVERS[1]"], '... alone';
is data(admin(POST => "/providers/store:folder/reset?model=$SERVERS[1]"))->{closed}, 1, '... the other one as well';
is_deeply [closed_stores()], [], '... and the doctor finds no more';

finish;

sub closed_stores {
    return grep { /\Q$user\E/ } sql(<<'END');
SELECT subject FROM genflow.doctor_images() WHERE finding = 'the store takes no pictures' ORDER BY 1
END
}

sub breakers {
    return grep { $_->{model} =~ /\Q$user\E/ } @{ data(admin(GET => '/providers'))->{breakers} };
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every limit answers as it is documented, with Retry-After, and what it refuses holds nothing and
# changes nothing: rates per user and per address, live generations of a user, the queue of a type,
# sizes of bodies and prompts. Without directives there is none.
use Genflow::Httpd qw(refused accepted);
use Genflow::Test;

# ---- the directives ----

refused("$_->[0] $_->[1]", "$_->[0] $_->[1]\n", $_->[2]) for (
    ['GenflowLimitRate', '5', 'must be number/period'],
    ['GenflowLimitRate', '0/1m', 'must be number/period'],
    ['GenflowLimitRate', '5/48h', 'must be number/period'],
    ['GenflowLimitRate', '2000/1s', 'must be number/period'],
    ['GenflowLimitAddressRate', '5/soon', 'must be number/period'],
    ['GenflowLimitAddressRate', '5/1m 0', 'must be 1 to 1000000'],
    ['GenflowLimitConcurrent', '-1', 'must be 0 to 100000'],
    ['GenflowLimitQueue', 'many', 'must be 0 to 1000000'],
    ['GenflowJanitorJobs', '0s', 'must be 1s to 8760h'],
);
accepted('a rate with a burst', "GenflowLimitRate 30/1m 10\nGenflowLimitAddressRate 1000/1s\n");

# ---- a server with limits ----

my $SITE = qq(Include "\${GENFLOW_WORK}/t/conf/test.conf"\n);
my $limited = Genflow::Httpd->start($SITE . <<'END');
GenflowDispatch Off
LoadModule remoteip_module "${GENFLOW_LIBEXEC}/mod_remoteip.so"
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
GenflowLimitRate 2/1h
GenflowLimitAddressRate 4/1h
GenflowBodyMax 2k
<GenflowType sketch>
    GenflowTypePromptMax 50
</GenflowType>
END

sub from {
    my ($address, $user, %input) = @_;
    return generate($user, { type => 'sketch', %input }, 'X-Client' => $address,
        Prefer => 'respond-async');
}

# A refusal: its code, when to come again, and nothing of the user is touched.
sub refusal_is {
    my ($res, $status, $code, $user, $credits, $name) = @_;
    error_is $res, $status, $code, $name;
    like $res->{headers}{'retry-after'} // '', qr/\A[1-9]\d*\z/, '... and says when to come again'
        if $status == 429 || $status == 503;
    return credits_are $user, $credits, 0, '... and nothing is held';
}

sub all_ended {
    my (@users) = @_;
    return wait_for {
        !sql1("SELECT count(*) FROM genflow.work JOIN genflow.accounts USING (user_id)"
            . " WHERE name = ANY (string_to_array(:'users', ' '))",
            users => "@users");
    };
}

talk_to $limited;
my @users = map { account(100) } 1 .. 4;
is_deeply [map { from('192.0.2.1', $users[0])->{status} } 1 .. 2], [202, 202], 'a user gets his rate';
all_ended($users[0]);
my $res = from('192.0.2.2', $users[0]);
refusal_is $res, 429, 'RATE_LIMIT', $users[0], 96, 'and no more, from whatever address';
cmp_ok $res->{headers}{'retry-after'}, '<=', 1800, '... before the next one is due';
refusal_is upload($users[0], png(3, 2)), 429, 'RATE_LIMIT', $users[0], 96, 'uploads count as well';
my $any = '01a1fe1d-7cb6-7b32-8952-3100505e2d45';
refusal_is api(POST => "/api/generation/$any/$_", user => $users[0],
    headers => { 'X-Client' => '192.0.2.9' }), 429, 'RATE_LIMIT', $users[0], 96, "... and a $_"
    for qw(retry fallback);
is api(GET => '/api/getQuota', user => $users[0])->{status}, 200, 'what costs nothing is free';
is from('192.0.2.3', $users[1])->{status}, 202, 'another user has a rate of his own';

is from('192.0.2.1', $users[2])->{status}, 202, 'an address has its rate';
is from('192.0.2.1', $users[3])->{status}, 202, '... for all its users together';
all_ended(@users);
refusal_is from('192.0.2.1', $users[3]), 429, 'RATE_LIMIT', $users[3], 98, '... and no more';
is from('192.0.2.9', $users[3])->{status}, 202, '... which another address does not feel';
is from("2001:db8:0:1::$_", account(10))->{status}, 202, 'an IPv6 address is a network' for 1 .. 4;
my $fifth = account(10);
refusal_is from('2001:db8:0:1:f::5', $fifth), 429, 'RATE_LIMIT', $fifth, 10,
    '... of which the fifth is one too many';

# All children share the buckets, and many at once are counted one by one.
my $crowd = account(1000);
my @got = in_parallel(24, sub { from("198.51.100.$_[0]", $crowd)->{status} }, 24);
is_deeply [sort @got], [(202) x 2, (429) x 22], 'of many at once the rate is let through, not one more';

# Sizes. Each of another user and address: a refusal of these has its rate, too.
my @SIZES = (
    # prompt, status, code, extra member, the test's name
    ['x' x 50, 202, undef, undef, 'a prompt of the largest size'],
    ['x' x 51, 422, 'PROMPT_TOO_LONG', 'maxLength', 'a longer one'],
    ['x' x 2100, 413, 'PAYLOAD_TOO_LARGE', 'limit', 'a body that is too large'],
);
for my $case (@SIZES) {
    my ($prompt, $status, $code, $extra, $name) = @$case;
    my $user = account(10);
    $res = from("203.0.113.$status", $user, prompt => $prompt);
    $code ? refusal_is($res, $status, $code, $user, 10, $name) : is($res->{status}, $status, $name);
    ok data($res)->{$extra}, "... and says $extra" if $extra;
}
is $limited->alarms, '', 'a refusal is no alarm';

# ---- live generations ----

my $few = Genflow::Httpd->start($SITE . <<'END');
GenflowDispatch Off
GenflowLimitConcurrent 3
END
talk_to $few;
my $eager = account(100);
my @bodies = map { { prompt => "{{poll-hang}} $eager $_" } } 1 .. 4;
my @first = map { generate($eager, $bodies[$_], 'Idempotency-Key' => "key-$_",
        Prefer => 'respond-async') } 0 .. 2;
is_deeply [map { $_->{status} } @first], [(202) x 3], 'a user may have as many generations as he may';
$res = generate($eager, $bodies[3], 'Idempotency-Key' => 'key-3');
error_is $res, 429, 'TOO_MANY_CONCURRENT', '... and no more';
like $res->{headers}{'retry-after'}, qr/\A\d+\z/, '... and hears when to come again';
credits_are $eager, 100, 3, '... and nothing more is held';
error_is generate($eager, $bodies[0], 'Idempotency-Key' => 'key-0'), 409, 'IDEMPOTENCY_IN_PROGRESS',
    'a repeat returns what it made, not the limit';
is generate(account(10), {}, Prefer => 'respond-async')->{status}, 202, 'others are not concerned';
my $id = data($first[0])->{id};
sql("SELECT genflow.neo_glitch_settle(:'id', (SELECT epoch FROM genflow.work WHERE job_id = :'id'),
        'cancelled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)", id => $id);
is generate($eager, $bodies[3], 'Idempotency-Key' => 'key-3', Prefer => 'respond-async')->{status},
    202, 'when one has ended, another one may begin, under the same key';
cancel_all($eager);

my $at_once = account(100);
@got = in_parallel(50, sub {
    return generate($at_once, { prompt => "{{poll-hang}} $at_once $_[0]" }, Prefer => 'respond-async')
        ->{status};
}, 25);
is_deeply [sort @got], [(202) x 3, (429) x 47], 'of 50 at once exactly as many are taken';
credits_are $at_once, 100, 3, '... and hold their credits';
cancel_all($at_once);

# ---- the queue ----

# A type that no server here works on; so requests stay in its queue.
sql("SELECT genflow.create_type('limits-line')");
my $short = Genflow::Httpd->start($SITE . <<'END');
GenflowDispatch Off
GenflowLimitQueue 2
<GenflowType limits-line>
    GenflowTypeProviders local
</GenflowType>
END
talk_to $short;
my $patient = account(10);
my %line = (type => 'limits-line');
is generate($patient, \%line, Prefer => 'respond-async')->{status}, 202, 'the queue takes its length'
    for 1 .. 2;
$res = generate($patient, \%line, 'Idempotency-Key' => 'later');
error_is $res, 503, 'QUEUE_FULL', '... and no more';
like $res->{headers}{'retry-after'}, qr/\A\d+\z/, '... and says when to come again';
credits_are $patient, 10, 4, '... and nothing more is held';
is generate($patient, { type => 'sketch' }, Prefer => 'respond-async')->{status}, 202,
    'the queue of another type is another one';
cancel_line();
is generate($patient, \%line, 'Idempotency-Key' => 'later', Prefer => 'respond-async')->{status}, 202,
    'when it is shorter, the same key is taken';
cancel_line();

# ---- without directives ----

talk_to undef;
my $free = account(100);
@got = in_parallel(40, sub { from('192.0.2.1', $free)->{status} }, 20);
is_deeply [grep { $_ != 202 } @got], [], 'without directives nothing is limited';
all_ended($free, $eager, $at_once);

finish;

# What waits in the queue that no server works on.
sub cancel_line {
    return sql("SELECT genflow.admin_cancel(job_id) FROM genflow.work JOIN genflow.types t ON t.no = type_no
        WHERE t.name = 'limits-line'");
}

# Their provider would not answer within its deadline beside load.
sub cancel_all {
    my ($user) = @_;
    api(POST => "/api/generation/$_/cancel", user => $user)
        for sql("SELECT job_id FROM genflow.work WHERE user_id = genflow.account_of(:'user')", user => $user);
    return;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Two servers share one database. One has GenflowDispatch Off: it takes requests, the other one
# works on them. Keys and credits hold over both.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;

my $front = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/test.conf"
GenflowDispatch Off
END

my @CASES = (
    # type, script, status, credits, the test's name
    ['neo-glitch', '',           200, 9,  'a picture of a provider'],
    ['neo-glitch', 'poll=2',     200, 9,  'a picture that takes time'],
    ['neo-glitch', 'moderation', 500, 10, 'a refusal'],
    ['sketch',     '',           200, 8,  'a picture drawn by httpd'],
);
for my $case (@CASES) {
    my ($type, $script, $status, $credits, $name) = @$case;
    my $user = account(10);
    my $res  = generate_at_front($user, $type, $script, Prefer => 'wait=60');
    is $res->{status}, $status, "$name: the front end answers $status";
    credits_are $user, $credits, 0, '... and the credits are right';
    like sql1("SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM genflow.ledger"
        . " WHERE user_id = genflow.account_of(:'user') AND kind <> 'grant'", user => $user),
        $status == 200 ? qr/\Acapture hold\z/ : qr/\Ahold release\z/, '... in the one ledger';
}

my $user = account(10);
my $id   = data(generate_at_front($user, 'neo-glitch', 'poll=15', Prefer => 'respond-async'))->{id};
my $pid  = wait_for { leader_of($id) };
ok scalar(grep { $_ == $pid } children()), 'the lease belongs to a child of the first server';
is ended($user, $id)->{status}, 'completed', '... which completes it';

# The same key at both servers, at once: one generation.
$user = account(10);
my @answers = in_parallel(8, sub {
    my ($i) = @_;
    my %headers = ('Idempotency-Key' => 'both', Prefer => 'wait=60');
    my $res = $i % 2 ? generate_at_front($user, 'sketch', '', %headers)
        : generate($user, { type => 'sketch', input($user, '') }, %headers);
    return { status => $res->{status}, id => data($res)->{generationId} };
}, 8);
my %ids = map { $_->{id} => 1 } @answers;
is scalar keys %ids, 1, 'a key that comes to both servers at once makes one generation';
is_deeply [grep { $_ != 200 && $_ != 409 } map { $_->{status} } @answers], [],
    '... every request gets it, or learns that it is running';
credits_are $user, 8, 0, '... for one charge';

is $front->alarms, '', 'the front end had nothing to complain about';
unlike $front->log_text, qr/GF040\d/, '... and no job to work on';

# A request to the front end.
sub generate_at_front {
    my ($client, $type, $script, %headers) = @_;
    my $json = JSON::PP->new->utf8->canonical->encode({ input($client, $script) });
    %headers = (%headers, 'X-User' => $client, 'Content-Type' => 'application/json');
    return HTTP::Tiny->new(timeout => 90)->post($front->base . "/api/$type/generate",
        { headers => \%headers, content => $json });
}

sub input {
    my ($client, $script) = @_;
    return (prompt => "{{$script}} [$client]", presetKey => 'base');
}

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Prefer and Preference-Applied (RFC 7240): an answer says which preferences it follows, in all shapes
# that the header may have, and says nothing of those that it does not know or cannot follow.
use Genflow::Test;
use Genflow::Httpd ();

expect_log 'GF0203';

my $STATUS = '/api/neo-glitch/status';
my $user   = account(60);
my $SLOW   = "{{poll=1 poll-gate=$user}}";
my $QUOTES = '"' x 8000;

my @CALLS = (    # Prefer, what the provider does, status, Preference-Applied
    ['respond-async',                                $SLOW, 202, 'respond-async'],
    ['Respond-Async; x=y',                           $SLOW, 202, 'respond-async'],
    ['wait=1',                                       $SLOW, 202, 'wait=1'],
    ['wait=0',                                       $SLOW, 202, 'wait=0'],
    ['wait=60',                                      '',    200, 'wait=60'],
    ['respond-async, wait=60',                       '',    200, 'wait=60'],
    ['respond-async, wait=1',                        $SLOW, 202, 'respond-async, wait=1'],
    [['foo="a, wait=9"', 'WAIT = "1"; b', 'respond-async'], $SLOW, 202, 'respond-async, wait=1'],
    [['wait=1', 'wait=60'],                          $SLOW, 202, 'wait=1'],
    ['wait=1000000000',                              '',    200, 'wait=600'],
    ['wait=99999999999999999999',                    '',    200, 'wait=600'],
    ['wait=-1',                                      '',    200, undef],
    ['wait=1e9',                                     '',    200, undef],
    ['wait=1.5',                                     '',    200, undef],
    ['wait=soon, wait=1',                            '',    200, undef],
    ['handling=strict; wait=1',                      '',    200, undef],
    ['return=minimal, depth-noroot',                 '',    200, undef],
    [',;="',                                         '',    200, undef],
    [$QUOTES,                                        '',    200, undef],
    [[$QUOTES, '",",wait=60'],                       '',    200, 'wait=60'],
    [undef,                                          '',    200, undef],
);
my @answers = in_parallel(scalar @CALLS, sub {
    my ($prefer, $script) = @{ $CALLS[$_[0]] };
    my $res = generate($user, { prompt => "a cat $script" }, defined $prefer ? (Prefer => $prefer) : ());
    return { status => $res->{status}, applied => $res->{headers}{'preference-applied'}, id => (data($res) // {})->{id} };
});
for my $i (0 .. $#CALLS) {
    my ($prefer, $script, $status, $applied) = @{ $CALLS[$i] };
    my $name = substr ref $prefer ? join ' and ', @$prefer : $prefer // 'nothing said', 0, 60;
    is_deeply [@{ $answers[$i] }{qw(status applied)}], [$status, $applied],
        "with $name the answer is $status, with " . ($applied // 'no preference');
}

# ---- a failure, a status ----

my $failed = generate($user, { prompt => 'a cat {{status=400}}' }, Prefer => 'wait=60');
is "$failed->{status} $failed->{headers}{'preference-applied'}", '500 wait=60', 'a failure is an end, too';

my ($done) = map { $_->{id} } grep { $_->{status} == 200 } @answers;
my ($slow) = map { $_->{id} } grep { $_->{status} == 202 } @answers;
my @LOOKS = (    # of what, Prefer, status, Preference-Applied
    [$done, 'wait=60',       200, 'wait=60'],
    [$done, 'respond-async', 200, undef],
    [$done, undef,           200, undef],
    [$slow, 'wait=1',        200, 'wait=1'],
    [$slow, 'respond-async', 200, 'respond-async'],
    [$slow, undef,           200, undef],
);
for my $look (@LOOKS) {
    my ($id, $prefer, $status, $applied) = @$look;
    my $res = look($id, $prefer);
    is_deeply [$res->{status}, $res->{headers}{'preference-applied'}], [$status, $applied],
        'a status with ' . ($prefer // 'nothing said') . ' has ' . ($applied // 'no preference');
}
my $etag = look($done)->{headers}{etag};
is look($done, 'wait=60', 'If-None-Match' => $etag)->{status}, 304, 'a state that the client knows is 304';

# ---- a server where nobody waits ----

my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . <<'END');
Include "${GENFLOW_WORK}/t/conf/api.conf"
GenflowWatchMode off
END
talk_to($httpd);
wait_for { api(GET => '/api/health')->{status} == 200 };
my $res  = generate($user, { prompt => 'a cat' }, Prefer => 'wait=60, respond-async');
is "$res->{status} $res->{headers}{'preference-applied'}", '202 respond-async', 'a wait that is not possible is not named';
my $open = later($user, { prompt => "a cat $SLOW" });
is look($open, 'wait=60')->{headers}{'preference-applied'}, undef, '... nor at the status';
$httpd->stop;
talk_to();
api(POST => "/api/generation/$_->{id}/cancel", user => $user) for { id => $open }, grep { $_->{status} == 202 } @answers;
open_gate($user);
finish;

sub look {
    my ($id, $prefer, %headers) = @_;
    $headers{Prefer} = $prefer if defined $prefer;
    return api(GET => "$STATUS?id=$id", user => $user, headers => \%headers);
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A graceful restart, and a graceful stop followed by a start, find generations in every phase: no
# request in flight fails, no generation is lost, none is submitted or charged twice. The old
# children finish what they can and go.
use Genflow::Fault;
use Genflow::Test;

my @CASES = (
    # type, script, cost, submissions, the test's name
    ['neo-glitch', 'delay=2000',                       1, 1, 'being sent'],
    ['neo-glitch', 'poll=20',                          1, 1, 'with the provider'],
    ['neo-glitch', 'status=503 times=1 retry-after=3', 1, 2, 'waiting for its next attempt'],
    ['neo-glitch', 'delay=1500 status=503 times=1',    1, 2, 'being sent, to be sent again'],
    (['sketch', '', 2, 0, 'being drawn, or queued']) x 3,
);
my @ENDS = (
    # a graceful end of the children, the test's name
    [sub { restart_httpd('USR1') },                'graceful restart'],
    [sub { stop_httpd('WINCH') && start_httpd() }, 'graceful stop and start'],
);

ok configure("GenflowDispatchDrain 60s\n"), 'old children have the time that a busy machine needs';
for my $end (@ENDS) {
    my ($act, $name) = @$end;
    my $parent = httpd_pid();
    my @old    = children();
    my @users  = map { account(10) } @CASES;

    # Each generation is requested twice: by a client that waits, and by one that does not.
    my @waiting = map { account(10) } @CASES;
    my ($acted, @answers) = in_parallel(1 + @CASES, sub {
        my ($i) = @_;
        return request($i - 1, $waiting[$i - 1], 'wait=60') if $i > 0;
        my @later = map { request($_, $users[$_], 'respond-async') } 0 .. $#CASES;
        wait_for { @CASES - 3 == grep { submissions("[$_]") } @users };
        wait_for { submissions("[$waiting[0]]") };
        return { later => \@later, done => $act->() ? 'yes' : 'no' };
    }, 1 + @CASES);
    is $acted->{done}, 'yes', "a $name, with generations in every phase";
    is httpd_pid(), $parent, '... the parent stays' if $name =~ /restart/;
    my @failed = grep { $_->{status} !~ /\A20[02]\z/ } @answers;
    is_deeply \@failed, [], '... no request in flight fails';
    my %old = map { $_ => 1 } @old;
    my $gone = wait_for { !grep { -e "/proc/$_" } @old };
    ok $gone, '... the old children go';
    is scalar(grep { $old{$_} } children()), 0, '... and others serve';

    for my $i (0 .. $#CASES) {
        my ($type, undef, $cost, $sent, $phase) = @{ $CASES[$i] };
        my @jobs = ([$users[$i], $acted->{later}[$i]{id}], [$waiting[$i], $answers[$i]{id}]);
        for my $job (@jobs) {
            my ($user, $id) = @$job;
            is ended($user, $id, $type)->{status}, 'completed', "$name, $phase: it completes";
            is submissions("[$user]"), $sent, "... submitted $sent times";
            credits_are $user, 10 - $cost, 0, '... charged once';
        }
    }
}

ok configure(''), 'all is as before';

# Status and id that the client gets for a generation of that case.
sub request {
    my ($i, $user, $prefer) = @_;
    my ($type, $script) = @{ $CASES[$i] };
    my $prompt = $script ? "{{$script}} [$user]" : "[$user]";
    my $res    = generate($user, { type => $type, prompt => $prompt }, Prefer => $prefer);
    return { status => $res->{status}, id => data($res) && data($res)->{id} };
}

finish;

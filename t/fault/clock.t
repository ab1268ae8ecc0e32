#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Somebody sets the host's date: an hour ahead, and no generation runs out of time, no wait ends
# early; an hour back, and heartbeats, claims, polls and waits go on. The database is another host.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;

my ($library) = glob '/usr/lib/*/faketime/libfaketimeMT.so.1';
my $reason = !$library ? 'there is no libfaketime' : $ENV{GENFLOW_TEST_PATIENCE} ? 'httpd is wrapped' : '';
if ($reason) {
    SKIP: { skip $reason, 1 }
    finish;
    exit;
}

my $DATE = "$ENV{GENFLOW_WORK}/tmp/clock-date";

my $begin = log_mark();
set_date('+0');
ok stop_httpd('TERM'), 'httpd stops';
ok with_date_of_file(\&start_httpd), '... and starts on a host whose date can be set';

# Takes requests, and leaves the work to the other: what it takes is claimed.
my $front = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/test.conf"
GenflowDispatch Off
END

for my $case (['+3600', 'an hour ahead'], ['-3600', 'an hour back']) {
    my ($date, $says) = @$case;
    my $mark = log_mark();
    my $user = account(10);
    my $id   = later($user, { prompt => "{{poll=40}} set $says [$user]" });
    wait_for { status_of($user, $id)->{stabilityJobId} };

    my ($waited, $led) = in_parallel(2, sub { $_[0] ? set_it_meanwhile($date, $user, $id)
            : wait_meanwhile($user) });
    is $waited->{status}, 200, "$says: who waits is answered when it is done, and not before";
    ok $led, '... the heartbeat goes on';
    is status_of($user, $waited->{id})->{status}, 'completed', '... what was being sent counts';
    is data(generate($user, {}, Prefer => 'wait=60'))->{status}, 'completed',
        '... a new generation completes';
    talk_to($front);
    my $due = later($user, {});
    talk_to(undef);
    is ended($user, $due)->{status}, 'completed', '... what is due is claimed';
    is ended($user, $id)->{status}, 'completed', '... the run at the provider is polled';
    is submissions("[$user]"), 2, '... nothing was sent twice';
    credits_are $user, 6, 0, '... and each was charged once';
    unlike log_since($mark), qr/TIMEOUT|GF042[01]/, '... no time was over';
    set_date('+0');
}

ok stop_httpd('TERM'), 'httpd stops';
ok start_httpd(), '... and starts by the date of this host';

# ---- the date ----

sub set_date {
    my ($offset) = @_;
    open my $file, '>', "$DATE.new" or die "$DATE.new: $!\n";
    print $file "$offset\n";
    close $file or die "$DATE.new: $!\n";
    rename "$DATE.new", $DATE or die "$DATE: $!\n";
    return;
}

sub with_date_of_file {
    my ($do) = @_;
    local $ENV{LD_PRELOAD} = $library;
    local $ENV{FAKETIME_TIMESTAMP_FILE} = $DATE;
    local $ENV{FAKETIME_NO_CACHE} = 1;
    local $ENV{FAKETIME_DONT_FAKE_MONOTONIC} = 1;
    return $do->();
}

# ---- while it is set ----

sub wait_meanwhile {
    my ($user) = @_;
    my $res = generate($user, { prompt => "{{delay=1500 poll=10}} waits [$user]" }, Prefer => 'wait=60');
    return { status => $res->{status}, id => data($res)->{id} };
}

# Was the lease of a generation held longer after it?
sub set_it_meanwhile {
    my ($date, $user, $id) = @_;
    wait_for { submissions("waits [$user]") };
    set_date($date);
    my $end = lease_end($id);
    return wait_for { lease_end($id) > $end + 1 };
}

END { unlink $DATE if $DATE }

# A host looks at its clock from time to time.
expect_log 'GF0871' if log_since($begin) =~ /GF0871/;

finish;

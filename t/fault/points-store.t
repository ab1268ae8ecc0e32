#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child is killed with kill -9 at each edge of what a remote store has to do with a picture: its upload, the temporary
# address while the store is down, the restore, the removal, and the move from the folder. The picture is in one place in
# the end, byte for byte, or nowhere after its removal; it is charged once.
use Genflow::Admin;
use Genflow::Fault;
use Genflow::Inject;
use Genflow::Points;
use Genflow::Shelf;
use Genflow::Test;

use constant { ORDERS => 20, TYPE => 'points-s3', TYPE_BYTES => 'points-bytes', CHAIN => 'fal/fal-ai/fast-sdxl' };

my $LINES = <<'END';
StartServers 3
ServerLimit 3
MaxRequestWorkers 75
GenflowDispatchLease 60s
GenflowDispatchPoll 100ms
Include "${GENFLOW_WORK}/t/conf/admin.conf"
END
my $shelf = Genflow::Shelf->start(kind => 's3', type => TYPE, chain => CHAIN, lines => $LINES);
talk_to $shelf->httpd;

# ---- on its way to the store ----

for my $point (map { ("$_.before", "$_.after") } qw(generate.check generate.store generate.settle settle)) {
    my $user = account(10);
    my $id   = killed_at($point, $user, { type => TYPE, prompt => "[$user]" });
    ok $id, "killed at $point" or next;
    is end_of($user, $id, TYPE)->{status}, 'completed', '... another child completes it';
    is_stored($user, $id);
}

# ---- the store is down: a temporary address, and a restore when it is back ----

for my $point (map { ("$_.before", "$_.after") } qw(generate.temporary)) {
    my $user = account(10);
    $shelf->down;
    my $id   = killed_at($point, $user, { type => TYPE, prompt => "[$user]" });
    ok $id, "killed at $point" or next;
    is end_of($user, $id, TYPE)->{status}, 'completed', '... another child completes it';
    is_restored($user, $id);
}
for my $point (map { ("$_.before", "$_.after") } qw(restore_claim restore.fetch restore.check restore.store restore.settle restored)) {
    my ($user, $id, @for, $pid);
    for (1 .. ORDERS) {
        $user = account(10);
        $shelf->down;
        $id  = $shelf->picture($user)->{id};
        @for = (for => $point =~ /claim/ ? 'pid-' . $shelf->httpd->pid : $id);
        inject($point, @for, kill => 1);
        $shelf->up;
        $pid = died_at($point, $user, $id, $for[1]) and last;
        withdraw($point, @for);                   # the restore had begun before the order, and went by it
    }
    ok $pid && is_gone($pid), "killed at $point";
    withdraw($point, @for);
    is_restored($user, $id);
}

$shelf->httpd->stop;
$shelf = Genflow::Shelf->start(kind => 's3', type => TYPE_BYTES, chain => 'stability/sd3', lines => $LINES);
talk_to $shelf->httpd;
for my $point (map { ("$_.before", "$_.after") } qw(restore.settle restored)) {
    my $user = account(10);
    $shelf->down;
    my $job  = $shelf->picture($user);
    my $id   = $job->{id};
    like $shelf->served($job->{imageUrl}), qr/\A200 /, 'the folder serves a picture meanwhile';
    inject($point, for => $id, kill => 1);
    $shelf->up;
    end_leases($user);
    my $pid = reached($point, for => $id);
    ok $pid && is_gone($pid), "... killed at $point";
    is_restored($user, $id);
    is_gone_from($user, $id, $job->{imageUrl});
    is api(DELETE => "/api/generation/$id", user => $user)->{status}, 200, '... the generation is deleted';
    is_gone_from($user, $id, $job->{imageUrl});
    is scalar($shelf->objects($id)), 0, '... and nothing is left of it in the store';
}
$shelf->httpd->stop;
$shelf = Genflow::Shelf->start(kind => 's3', type => TYPE, chain => CHAIN, lines => $LINES);
talk_to $shelf->httpd;

# the store is down still, when it is tried again
for my $point (map { ("$_.before", "$_.after") } qw(restore.requeue restore_later)) {
    my $user = account(10);
    $shelf->down;
    my $id = $shelf->picture($user)->{id};
    inject($point, for => $id, kill => 1);
    my $pid;
    ok wait_for(sub { end_leases($user); $pid = Genflow::Inject::pid_at(Genflow::Inject::armed_path($point, $id)) }),
        "killed at $point";
    ok is_gone($pid), '... while the store is down';
    is_restored($user, $id);
}

# ---- removed ----

for my $point (map { ("$_.before", "$_.after") } qw(removal_claim remove.remove remove.settle removal_done)) {
    my $user = account(10);
    my $id   = $shelf->picture($user)->{id};
    my @for  = (for => $point =~ /claim/ ? 'pid-' . $shelf->httpd->pid : $id);
    inject($point, @for, kill => 1);
    is api(DELETE => "/api/generation/$id", user => $user)->{status}, 200, 'a generation is deleted';
    my $pid = reached($point, @for);
    ok $pid && is_gone($pid), "... killed at $point";
    withdraw($point, @for);
    ok wait_for(sub { end_leases($user); !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $id) }),
        '... another child removes its picture';
    is scalar($shelf->objects($id)), 0, '... nothing is left of it';
    credits_are $user, 9, 0, '... it stays charged';
}

$shelf->httpd->stop;
talk_to undef;
finish;

# That address serves nothing any more, once what waits is removed.
sub is_gone_from {
    my ($user, $id, $url) = @_;
    ok wait_for(sub { end_leases($user); !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $id) }), '... no removal waits';
    return is +($shelf->served($url) =~ /\A(\d+) /)[0], 404, "... $url serves nothing";
}

# The store is back: it gets the picture.
sub is_restored {
    my ($user, $id) = @_;
    $shelf->up;
    ok wait_for(sub { end_leases($user); $shelf->now($user, $id)->{persisted} }), '... another child stores the picture';
    return is_stored($user, $id);
}

# Waits for a death at that point, or until the picture is restored without one: the pid, or 0.
sub died_at {
    my ($point, $user, $id, $subject) = @_;
    my $path = Genflow::Inject::armed_path($point, $subject);
    wait_for { end_leases($user); Genflow::Inject::pid_at($path) || $shelf->now($user, $id)->{persisted} };
    return Genflow::Inject::pid_at($path) || 0;
}

# The generation has its picture in the store, once, for one credit and one submission.
sub is_stored {
    my ($user, $id) = @_;
    my $job = $shelf->now($user, $id);
    is $shelf->served($job->{imageUrl}), "200 $job->{result}{sha256}", '... its address serves its picture';
    is scalar($shelf->objects($id)), 1, '... the store has it once';
    credits_are $user, 9, 0, '... charged once';
    return is submissions("[$user]"), 1, '... submitted once';
}

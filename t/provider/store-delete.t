#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The picture of a deleted generation, and one that an administrator takes down, is removed from a store over HTTP in the background, tried until it
# is gone; also one that was still on its way there, or waited in the folder meanwhile.
use Genflow::Admin;
use Genflow::Shelf;
use Genflow::Test;

for my $kind (qw(s3 cloudinary)) {
    my $type  = "shelf-del-$kind";
    my $shelf = Genflow::Shelf->start(kind => $kind, type => $type, chain => 'stability/sd3');
    my $user  = account(10);

    my $job = $shelf->picture($user);
    is scalar($shelf->objects($job->{id})), 1, "$kind: a picture is in the store";
    is api(DELETE => "/api/generation/$job->{id}", user => $user)->{status}, 200, '... it is deleted';
    ok gone($shelf, $job->{id}), '... and goes from the store';
    ok forgotten($job->{id}), '... once and for all';
    like $shelf->served($job->{imageUrl}), qr/\A(?:404|410) /, '... its address serves nothing';

    # the store is away while it is deleted
    $job = $shelf->picture($user);
    $shelf->order(act => 'stay');
    api(DELETE => "/api/generation/$job->{id}", user => $user);
    my $logged = wait_for { $shelf->httpd->log_text =~ /GF0418: job=\Q$job->{id}\E .*HTTP 503/ };
    ok $logged, '... a store that will not remove one now';
    is scalar($shelf->objects($job->{id})), 1, '... keeps it';
    sql("UPDATE genflow.removals SET due_at = now() WHERE job_id = :'id'", id => $job->{id});
    ok gone($shelf, $job->{id}) && forgotten($job->{id}), '... until the next attempt';

    # the picture waits in the folder
    $shelf->down;
    $job = $shelf->picture($user);
    my $file = picture_file($job->{id}, $type);
    is !!$job->{persisted}, !!0, '... one that could not be stored';
    ok -e $file, '... is in the folder';
    api(DELETE => "/api/generation/$job->{id}", user => $user);
    ok !-e $file, '... and goes from there at once';
    $shelf->up;
    ok forgotten($job->{id}), '... the removal is done';
    is scalar($shelf->objects($job->{id})), 0, '... nor is it stored later';

    # it is just being stored for the second time
    $shelf->down;
    $job = $shelf->picture($user);
    $shelf->order(act => 'slow', ms => 1500);
    my $under_way = wait_for { grep { $_ eq 'slow' } $shelf->uploads($job->{id}) };
    ok $under_way, '... one that is on its way to the store';
    is api(DELETE => "/api/generation/$job->{id}", user => $user)->{status}, 200, '... is deleted';
    my $late = wait_for { $shelf->httpd->log_text =~ /GF0404: job=\Q$job->{id}\E .*unknown/ };
    ok $late && gone($shelf, $job->{id}), '... and removed once it is there';
    credits_are $user, 6, 0, '... what was made was paid';

    # an administrator takes one down, while the store is well
    $shelf->up;
    $job = $shelf->picture($user);
    is scalar($shelf->objects($job->{id})) > 0, 1, "$kind: a picture is in the store";
    is taken_down($job->{id})->{status}, 200, '... it is taken down';
    ok gone($shelf, $job->{id}), '... and goes from the store';
    like $shelf->served($job->{imageUrl}), qr/\A(?:404|410) /, '... its address serves nothing';
    is $shelf->now($user, $job->{id})->{imageUrl}, undef, '... the generation has none';

    # while it is being stored for the second time
    $shelf->down;
    $job = $shelf->picture($user);
    $shelf->order(act => 'slow', ms => 1500);
    $under_way = wait_for { grep { $_ eq 'slow' } $shelf->uploads($job->{id}) };
    ok $under_way, '... one that is on its way to the store';
    is taken_down($job->{id})->{status}, 200, '... is taken down';
    $late = wait_for { $shelf->httpd->log_text =~ /GF0404: job=\Q$job->{id}\E / };
    ok $late && gone($shelf, $job->{id}), '... and removed once it is there';
    is $shelf->now($user, $job->{id})->{imageUrl}, undef, '... its generation stays without';

    # what was left there by a host that died is removed with the second removal
    $shelf->up;
    $job = $shelf->picture($user);
    taken_down($job->{id});
    ok gone($shelf, $job->{id}), '... one that is gone';
    my $again = wait_for { sql1("SELECT again_at IS NULL FROM genflow.removals WHERE job_id = :'id'", id => $job->{id}) };
    is $again, 't', '... is removed once more, later';
    sql("UPDATE genflow.removals SET due_at = now() WHERE job_id = :'id'", id => $job->{id});
    ok forgotten($job->{id}), '... and that is all';
    credits_are $user, 3, 0, '... what was taken down is paid';
    talk_to();
}

# ---- a store that is not configured any more ----

my $shelf = Genflow::Shelf->start(kind => 's3', type => 'shelf-moved', chain => 'stability/sd3');
my $user  = account(10);
my $job   = $shelf->picture($user);
undef $shelf;
my $now = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/database.conf"
GenflowDispatchPoll 100ms
GenflowStoreFolder "${GENFLOW_WORK}/store"
<GenflowProvider local>
</GenflowProvider>
<GenflowType shelf-moved>
    GenflowTypeProviders local
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($now);
api(DELETE => "/api/generation/$job->{id}", user => $user);
ok forgotten($job->{id}), 'a picture in a store of former times is left';
like $now->alarms, qr/\A\N*GF0417: job=\Q$job->{id}\E \N*\Q$job->{imageUrl}\E\z/,
    '... to the administrator, with its address';
talk_to();

finish;

sub taken_down {
    my ($id) = @_;
    talk_to();
    return admin(DELETE => "/jobs/$id/picture", json => { reason => 'a test' });
}

sub gone {
    my ($store, $id) = @_;
    return wait_for { !$store->objects($id) };
}

sub forgotten {
    my ($id) = @_;
    return wait_for { !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $id) };
}

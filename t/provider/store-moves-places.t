#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pictures move between two prefixes of one bucket, one of which is inside of the other, so that they have the same name in both. Each
# copy is removed from where it is, and by no host that does not know that place. What the new store refuses stays where it is.
use Genflow::Admin;
use Genflow::Shelf;
use Genflow::Test;

use constant { TYPE => 'shelf-places', CHAIN => 'stability/sd3', PICTURES => 3 };

my $ADMIN = qq(Include "\${GENFLOW_WORK}/t/conf/admin.conf"\n);
my $OUTER = TYPE . "-$$";
my $INNER = "$OUTER/new";
my $user  = account(100);
my $shelf;

# The httpd with the store at that prefix, and the one before at this; the one before is stopped.
sub store_is {
    my ($prefix, $old) = @_;
    $shelf->httpd->stop if $shelf;
    $shelf = Genflow::Shelf->start(kind => 's3', type => TYPE, chain => CHAIN, thumbnails => 1,
        lines => "${ADMIN}GenflowStorePrefix $prefix\n" . ($old ? old_store($old) : ''));
    talk_to($shelf->httpd);
    return;
}

sub old_store { return Genflow::Shelf::old_store('s3', @_) }

sub begin { return admin(POST => '/moves', json => { reason => 'a test', @_ })->{status} }
sub move  { return data(admin(GET => '/moves'))->{moves}[0] }

sub is_over {
    my ($expected, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for { move()->{endedAt} };
    is join(' ', map { move()->{$_} } qw(state found moved failed)), $expected, $sentence or diag explain move();
    return;
}

# Are all pictures there, with the bytes that were stored?
sub live_in {
    my ($prefix, @jobs) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @now = map { $shelf->now($user, $_->{id}) } @jobs;
    is_deeply [map { $_->{imageUrl} =~ m{/pictures/(.+?)/shelf-places/} } @now], [($prefix) x @jobs], "pictures are in $prefix";
    is_deeply [map { $shelf->served($_->{imageUrl}) } @now], [map { "200 $_->{result}{sha256}" } @jobs], '... with their bytes';
    return;
}

store_is($OUTER);
my @jobs = map { $shelf->picture($user) } 1 .. PICTURES;
live_in($OUTER, @jobs);
ok wait_for { PICTURES == grep { $shelf->now($user, $_->{id})->{thumbnailUrl} } @jobs }, '... and their thumbnails';

# ---- inside ----

store_is($INNER, $OUTER);
is begin(keepSeconds => 3600), 202, 'they move to a place inside of their store';
is_over('done 3 3 0', 'all are moved');
live_in($INNER, @jobs);
ok wait_for { PICTURES == grep { $shelf->now($user, $_->{id})->{thumbnailUrl} } @jobs }, 'they have thumbnails';
is_deeply [map { substr $shelf->served($shelf->now($user, $_->{id})->{thumbnailUrl}), 0, 3 } @jobs], [(200) x PICTURES], '... which are there';
is begin(), 202, 'a further move';
is_over('done 0 0 0', '... finds nothing');

# ---- a host that does not know the store of before ----

store_is($INNER);
my $of_ours = "job_id IN (" . join(', ', map { "'$_->{id}'" } @jobs) . ')';
sql("UPDATE genflow.removals SET due_at = clock_timestamp() WHERE $of_ours");
ok wait_for { my $log = $shelf->httpd->log_text; PICTURES == grep { $log =~ /GF0424: job=$_->{id}/ } @jobs },
    'a host that does not know the store of before says so';
live_in($INNER, @jobs);
is sql1("SELECT count(*) FROM genflow.removals WHERE $of_ours"), PICTURES, '... and leaves the old copies to others';

store_is($INNER, $OUTER);
sql("UPDATE genflow.removals SET due_at = clock_timestamp() WHERE $of_ours");
ok wait_for { !sql1("SELECT count(*) FROM genflow.removals WHERE $of_ours") }, 'one that knows it removes them';
live_in($INNER, @jobs);
is_deeply [map { substr $shelf->served($_->{imageUrl}), 0, 3 } @jobs], [(404) x PICTURES], '... and nothing else';

# ---- outside again, and a store that refuses one ----

store_is($OUTER, $INNER);
$shelf->order(act => 'fail', status => 413, match => $jobs[0]{id}, times => 1);
is begin(keepSeconds => 0), 202, 'they move back';
is_over('done 3 2 1', 'two are moved, and not the one that the store refuses');
like move()->{lastError}, qr/\A$jobs[0]{id}: the store refuses it/, '... as the move says';
live_in($OUTER, @jobs[1, 2]);
live_in($INNER, $jobs[0]);
ok wait_for { !sql1("SELECT count(*) FROM genflow.removals WHERE $of_ours") }, 'the old copies are removed';
live_in($OUTER, @jobs[1, 2]);
live_in($INNER, $jobs[0]);

finish;

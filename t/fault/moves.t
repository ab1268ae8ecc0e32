#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Children and whole servers are killed at any point of a move from the folder to S3: while they find pictures, upload, read back, write the
# new address, remove the old copy. In the end each generation shows its own picture, byte for byte, at one place alone; nothing was lost,
# nothing was charged. A claim whose process is gone is due again after ten minutes; here at once.
use Genflow::Admin;
use Genflow::Shelf;
use Genflow::Test;

use List::Util qw(uniq);
use Time::HiRes qw(sleep);

use constant { TYPE => 'shelf-killed', CHAIN => 'stability/sd3', PICTURES => 30, KILLS => 10 };

my $ADMIN = qq(Include "\${GENFLOW_WORK}/t/conf/admin.conf"\nGenflowDispatchJobs 3\n);
my $user  = account(100);
my $shelf = Genflow::Shelf->start(kind => 'folder', type => TYPE, chain => CHAIN, lines => $ADMIN);
my @jobs  = map { $shelf->picture($user) } 1 .. PICTURES;
is join(' ', uniq map { $_->{status} } @jobs), 'completed', 'pictures are in the folder';
$shelf->httpd->stop;

sub started { return Genflow::Shelf->start(kind => 's3', type => TYPE, chain => CHAIN, lines => $ADMIN) }
sub file_of { return ($_[0] =~ s{\A.*?/generated/}{$ENV{GENFLOW_WORK}/store/}r) }
sub move    { return data(admin(GET => '/moves'))->{moves}[0] }

# Pictures that are under way, or to be removed.
sub waiting {
    my ($table) = @_;
    return sql1("SELECT count(*) FROM genflow.$table w JOIN genflow.types t ON t.no = w.type_no WHERE t.name = :'type'", type => TYPE);
}

# It changes with each picture that is moved, and each old copy that is removed.
sub progress { return join '/', sql1('SELECT sum(moved) FROM genflow.moves'), waiting('removals') }

# As if ten minutes had passed since the claims of processes that are gone.
sub claims_end {
    sql(q(UPDATE genflow.moving SET due_at = clock_timestamp() WHERE type_no = (SELECT no FROM genflow.types WHERE name = :'type')),
        type => TYPE);
    sql(q(UPDATE genflow.removals SET due_at = clock_timestamp() WHERE type_no = (SELECT no FROM genflow.types WHERE name = :'type')),
        type => TYPE);
    return;
}

$shelf = started();
talk_to($shelf->httpd);
$shelf->order(act => 'slow', ms => 300, times => 1000);
is admin(POST => '/moves', json => { keepSeconds => 0, reason => 'a test' })->{status}, 202, 'a move begins';
my @where;
for my $kill (1 .. KILLS) {
    my $before = progress();
    wait_for { progress() ne $before } 20;
    sleep rand 0.4;
    push @where, waiting('moving') . '/' . waiting('removals');
    last if $where[-1] eq '0/0';
    if ($kill % 5) {
        kill KILL => $shelf->httpd->children;
    }
    else {
        kill KILL => $shelf->httpd->pid, $shelf->httpd->children;
        $shelf = started();
        talk_to($shelf->httpd);
    }
    claims_end();
}
cmp_ok scalar(grep { !m{\A0/} } @where), '>=', 4, 'processes were killed while pictures were under way';
note "killed with pictures under way/to remove: @where";
my $done = wait_for { claims_end(); my $move = move(); $move->{state} eq 'done' && $move };
ok $done, 'the move ends' or diag explain move();
is join(' ', map { $done->{$_} } qw(found moved failed waiting)), PICTURES . ' ' . PICTURES . ' 0 0', '... with all pictures';
for my $job (@jobs) {
    my $now = $shelf->now($user, $job->{id});
    like $now->{imageUrl}, qr{\A\Q$ENV{GENFLOW_STORE}\E/s3/}, 'a generation has its address in S3';
    is $shelf->served($now->{imageUrl}), "200 $job->{result}{sha256}", '... where its picture is';
    is scalar($shelf->objects($job->{id})), 1, '... once';
}
ok wait_for { claims_end(); !grep { -e file_of($_->{imageUrl}) } @jobs }, 'no old copy is left';
is waiting('removals'), 0, '... nor a removal';
is join("\n", glob("$ENV{GENFLOW_WORK}/store/.spool/*@{[TYPE]}*")), '', '... nor a file on its way';
credits_are $user, 100 - PICTURES, 0, 'nothing was charged for it';
is submissions("[$user]"), PICTURES, 'nothing was submitted';

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child is killed with kill -9 at each edge of a move from the folder to S3, and of what a move back has beside, and once the
# whole server. In the end each generation shows its own picture, byte for byte, at one place alone; nothing was lost, nothing was charged.
use Genflow::Admin;
use Genflow::Inject;
use Genflow::Points;
use Genflow::Shelf;
use Genflow::Test;

use List::Util qw(uniq);

use constant { TYPE => 'shelf-killed', CHAIN => 'stability/sd3' };

# Each picture's process dies at one of these.
my @POINTS = map { ("$_.before", "$_.after") }
    qw(move_claim move.check move.store move.read_back move.settle moved move.requeue move_later move.fail move_failed
       removal_claim remove.settle removal_done);
my $LINES  = <<'END';
Include "${GENFLOW_WORK}/t/conf/admin.conf"
StartServers 3
ServerLimit 3
MaxRequestWorkers 75
END
my $OLD_S3 = Genflow::Shelf::old_store('s3', TYPE . "-$$");
my $user  = account(100);
my $shelf = Genflow::Shelf->start(kind => 'folder', type => TYPE, chain => CHAIN, lines => $LINES);
my %job   = map { $_ => $shelf->picture($user) } @POINTS, 'whole';
is join(' ', uniq map { $_->{status} } values %job), 'completed', 'pictures are in the folder';
$shelf->httpd->stop;

# Some are refused by the store for a while, and some are gone from the folder.
sub is_lost { return $_[0] =~ /fail/ }
$shelf = Genflow::Shelf->start(kind => 's3', type => TYPE, chain => CHAIN, lines => $LINES);
talk_to($shelf->httpd);
for my $point (@POINTS) {
    my $id = $job{$point}{id};
    $shelf->order(match => $id, act => 'fail', status => 503, times => 1000) if $point =~ /requeue|later/;
    unlink file_of($job{$point}{imageUrl}) or die "no picture of $point\n" if is_lost($point);
}

begin_move(scalar keys %job);

inject('move.store.after', for => $job{whole}{id}, wait => 1);
claim_ends($job{whole}{id});
ok reached('move.store.after', for => $job{whole}{id}), 'a picture is in S3, and nothing knows it';
kill KILL => $shelf->httpd->pid, $shelf->httpd->children;
withdraw('move.store.after', for => $job{whole}{id});
$shelf = Genflow::Shelf->start(kind => 's3', type => TYPE, chain => CHAIN, lines => $LINES);
talk_to($shelf->httpd);
ok wait_for(sub { claim_ends($job{whole}{id}); !is_under_way($job{whole}{id}) }), '... another server goes on when the first is killed';

move_killed($_, $job{$_}{id}) for @POINTS;

my $lost = grep { is_lost($_) } @POINTS;
my $done = move_done();
is join(' ', map { $done->{$_} } qw(found moved failed waiting)), join(' ', scalar keys %job, keys(%job) - $lost, $lost, 0),
    'the move ends with all pictures';
for my $point (sort keys %job) {
    my $job = $job{$point};
    my $now = $shelf->now($user, $job->{id});
    if (is_lost($point)) {
        is file_of($now->{imageUrl}), file_of($job->{imageUrl}), "$point: what was not in the folder keeps its address";
        is scalar($shelf->objects($job->{id})), 0, '... and is nowhere';
        next;
    }
    like $now->{imageUrl}, qr{\A\Q$ENV{GENFLOW_STORE}\E/s3/}, "$point: a generation has its address in S3";
    is $shelf->served($now->{imageUrl}), "200 $job->{result}{sha256}", '... where its picture is';
    is scalar($shelf->objects($job->{id})), 1, '... once';
}
ok wait_for { !grep { -e file_of($_->{imageUrl}) } values %job }, 'no old copy is left';
ok wait_for { waiting('removals') == 0 }, '... nor a removal';
is join("\n", glob("$ENV{GENFLOW_WORK}/store/.spool/*@{[TYPE]}*")), '', '... nor a file on its way';
credits_are $user, 100 - keys %job, 0, 'nothing was charged for it';
is submissions("[$user]"), scalar keys %job, 'nothing was submitted';

# ---- back into the folder: each is fetched from S3 ----

my @back = map { $job{$_} } grep { !is_lost($_) } sort keys %job;
$shelf->httpd->stop;
$shelf = Genflow::Shelf->start(kind => 'folder', type => TYPE, chain => CHAIN, lines => $LINES . $OLD_S3);
talk_to($shelf->httpd);
begin_move(scalar @back);
move_killed($_->[0], $_->[1]{id}) for ['move.fetch.before', $back[0]], ['move.fetch.after', $back[1]];
claim_ends($_->{id}) for @back;
is join(' ', map { move_done()->{$_} } qw(found moved failed waiting)), join(' ', (scalar @back) x 2, 0, 0), 'the move back ends';
for my $job (@back) {
    my $now = $shelf->now($user, $job->{id});
    is $shelf->served($now->{imageUrl}), "200 $job->{result}{sha256}", "a picture is served by the folder: $job->{id}";
}
ok wait_for { !grep { $shelf->objects($_->{id}) } @back }, 'nothing is left in S3';
credits_are $user, 100 - keys %job, 0, 'nothing was charged for it';
$shelf->httpd->stop;
talk_to undef;
finish;

sub file_of { return ($_[0] =~ s{\A.*?/generated/}{$ENV{GENFLOW_WORK}/store/}r) }

# One picture after another, so that a process dies for its own alone: none is due before claim_ends().
sub begin_move {
    my ($count) = @_;
    sql(<<'SQL');
        CREATE FUNCTION genflow.test_later() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.due_at := 'infinity';
            RETURN NEW;
        END $$;
        CREATE TRIGGER test_later BEFORE INSERT ON genflow.moving FOR EACH ROW EXECUTE FUNCTION genflow.test_later();
SQL
    is admin(POST => '/moves', json => { keepSeconds => 0, reason => 'a test' })->{status}, 202, 'a move begins';
    ok wait_for(sub { waiting('moving') == $count }), '... with all pictures';
    return sql('DROP FUNCTION genflow.test_later() CASCADE');
}

sub move_killed {
    my ($point, $id) = @_;
    my @for = (for => $point =~ /claim/ ? 'pid-' . $shelf->httpd->pid : $id);
    inject($point, @for, kill => 1);
    claim_ends($id);
    my $pid = reached($point, @for);
    ok $pid && is_gone($pid), "killed at $point";
    withdraw($point, @for);
    $shelf->order(match => $id, act => 'fail', times => 0);
    return ok wait_for(sub { claim_ends($id); !is_under_way($id) }), '... another child goes on';
}

sub move_done {
    return wait_for { my $move = data(admin(GET => '/moves'))->{moves}[0]; $move->{state} eq 'done' && $move };
}

# Pictures that are under way, or to be removed.
sub waiting {
    my ($table) = @_;
    return sql1("SELECT count(*) FROM genflow.$table w JOIN genflow.types t ON t.no = w.type_no WHERE t.name = :'type'", type => TYPE);
}

# It is due: as if the ten minutes of the claim of a process that is gone had passed.
sub claim_ends {
    my ($id) = @_;
    sql("UPDATE genflow.$_ SET due_at = clock_timestamp() WHERE job_id = :'id'", id => $id) for qw(moving removals);
    return;
}

sub is_under_way {
    my ($id) = @_;
    return grep { sql1("SELECT 1 FROM genflow.$_ WHERE job_id = :'id'", id => $id) } qw(moving removals);
}

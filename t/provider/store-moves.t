#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pictures move from the folder to S3, and from there to Cloudinary and back into the folder, in the background: each generation keeps
# its picture, byte for byte, and its charge; the old copies are gone in the end. A picture that is not there, or has other bytes, stays
# where it is; a store that is away is waited for; a picture that is deleted meanwhile is nowhere.
use Genflow::Admin;
use Genflow::Shelf;
use Genflow::Test;

use Digest::SHA qw(sha256_hex);

use constant { TYPE => 'shelf-moves', CHAIN => 'stability/sd3', PICTURES => 5 };

my $ADMIN = qq(Include "\${GENFLOW_WORK}/t/conf/admin.conf"\n);
my $OLD_S3 = Genflow::Shelf::old_store('s3', TYPE . "-$$");
my $user = account(100);

# The httpd after a change of the store; the one before is stopped.
my $shelf;
sub store_is {
    my ($kind, $lines) = @_;
    $shelf->httpd->stop if $shelf;
    $shelf = Genflow::Shelf->start(kind => $kind, type => TYPE, chain => CHAIN, thumbnails => 1, lines => $ADMIN . ($lines // ''));
    talk_to($shelf->httpd);
    return;
}

sub begin {
    my (%body) = @_;
    return admin(POST => '/moves', json => { keepSeconds => 0, reason => 'a test', %body });
}

sub move { return data(admin(GET => '/moves'))->{moves}[0] }

sub is_over {
    my ($sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok wait_for { move()->{state} ne 'running' && move()->{endedAt} }, $sentence or diag explain move();
    return;
}

sub file_of { return ($_[0] =~ s{\A.*?/generated/}{$ENV{GENFLOW_WORK}/store/}r) }

# ---- the folder ----

store_is('folder');
my @jobs = map { $shelf->picture($user) } 1 .. PICTURES;
my %hash = map { $_->{id} => $_->{result}{sha256} } @jobs;
is join(' ', map { $_->{status} } @jobs), join(' ', ('completed') x PICTURES), 'pictures are in the folder';
error_is(begin(), 409, 'NOTHING_TO_MOVE', 'with one store there is nothing to move');

# ---- to S3 ----

store_is('s3');
my $stores = data(admin(GET => '/moves'));
is join(' ', $stores->{to}{kind}, map { $_->{kind} } @{ $stores->{from} }), 's3 folder', 'pictures may move from the folder to S3';
fields_are(admin(POST => '/moves', json => { type => 'unheard-of', keepSeconds => -1, more => 1 }), 'type keepSeconds more reason',
    'what is wrong is refused');
my ($gone, $other, $deleted) = map { $_->{id} } @jobs[0, 1, 2];
unlink file_of($jobs[0]{imageUrl}) or die "cannot remove the picture: $!\n";
{
    open my $file, '>', file_of($jobs[1]{imageUrl}) or die "cannot write: $!\n";
    open my $from, '<', file_of($jobs[3]{imageUrl}) or die "cannot read: $!\n";
    local $/ = undef;
    print {$file} scalar <$from>, "\0";
}

my $res = begin(type => TYPE);
is $res->{status}, 202, 'a move begins';
is data($res)->{moves}[0]{state}, 'running', '... and is running';
error_is(begin(), 409, 'MOVE_RUNNING', '... and no second one beside it') if move()->{state} eq 'running';
is_over('it ends');
my $move = move();
is join(' ', map { $move->{$_} } qw(state found moved failed waiting)), 'done 5 3 2 0', 'three pictures were moved, two could not be'
    or diag explain $move;
for my $job (@jobs[2 .. 4]) {
    my $now = $shelf->now($user, $job->{id});
    like $now->{imageUrl}, qr{\A\Q$ENV{GENFLOW_STORE}\E/s3/}, 'a generation has its address in S3';
    is $shelf->served($now->{imageUrl}), "200 $hash{$job->{id}}", '... where the same bytes are';
    ok wait_for { !-e file_of($job->{imageUrl}) }, '... and the old copy is gone';
    ok wait_for { $shelf->now($user, $job->{id})->{thumbnailUrl} }, '... and it has its thumbnail there';
}
is file_of($shelf->now($user, $gone)->{imageUrl}), file_of($jobs[0]{imageUrl}), 'a picture that is not there stays where it is';
is file_of($shelf->now($user, $other)->{imageUrl}), file_of($jobs[1]{imageUrl}), '... as does one with other bytes';
like $shelf->httpd->log_text, qr/GF0422: job=$other.*other bytes \(sha256 [0-9a-f]{64}\) than were stored \($hash{$other}\)/, '... which the log says';
credits_are $user, 100 - PICTURES, 0, 'nothing was charged for it';

# ---- a store that is away, and pictures that are deleted or move no further ----

store_is('cloudinary', $OLD_S3);
$shelf->down;

$res = begin(reason => 'on');
is $res->{status}, 202, 'pictures move on, to Cloudinary';
ok wait_for { (move()->{lastError} // '') =~ /the store did not take it/ }, 'while it is away, the move says so';
is move()->{moved}, 0, '... and nothing is moved';
is $shelf->served($shelf->now($user, $jobs[3]{id})->{imageUrl}), "200 $hash{$jobs[3]{id}}", '... and the pictures are where they were';
is api(DELETE => "/api/generation/$deleted", user => $user)->{status}, 200, 'one of them is deleted meanwhile';
$shelf->up;
is_over('when it is back, the move ends');
is join(' ', map { move()->{$_} } qw(state moved failed)), 'done 2 2', '... with the others but for those two';
ok wait_for { !$shelf->objects($deleted) }, 'the deleted one is nowhere';
for my $job (@jobs[3, 4]) {
    my $now = $shelf->now($user, $job->{id});
    like $now->{imageUrl}, qr{\A\Q$ENV{GENFLOW_STORE}\E/cloudinary/}, 'another has its address in Cloudinary';
    is $shelf->served($now->{imageUrl}), "200 $hash{$job->{id}}", '... where the same bytes are';
    ok wait_for { $shelf->objects($job->{id}) == 1 }, '... and nowhere else';
}

# ---- back into the folder ----

store_is('folder', <<"END");
<GenflowStoreOld>
    GenflowStoreKind cloudinary
    GenflowStoreApi "\${GENFLOW_STORE}/cloudinary"
    GenflowStoreAccount pictures
    GenflowStoreKey env:STORE_KEY
    GenflowStoreSecret env:STORE_SECRET
    GenflowStorePrefix @{[TYPE . "-$$"]}
</GenflowStoreOld>
END
is begin(type => TYPE, keepSeconds => 3600)->{status}, 202, 'pictures move back';
is_over('the move ends');
is join(' ', map { move()->{$_} } qw(state moved failed keepSeconds)), 'done 2 0 3600', '... with those that are in Cloudinary';
for my $job (@jobs[3, 4]) {
    my $now = $shelf->now($user, $job->{id});
    like $now->{imageUrl}, qr{/generated/}, 'a picture is in the folder again';
    is $shelf->served($now->{imageUrl}), "200 $hash{$job->{id}}", '... byte for byte';
    is scalar($shelf->objects($job->{id})), 1, '... and its old copy stays for as long as it was said';
}
is api(DELETE => "/api/generation/$jobs[3]{id}", user => $user)->{status}, 200, 'a generation is deleted meanwhile';
ok wait_for { !$shelf->objects($jobs[3]{id}) && !-e file_of($jobs[3]{imageUrl}) }, '... and both copies are gone at once';

# ---- what is taken down while its copy still stands, and what is stopped ----

my $by = { reason => 'a test' };
is admin(DELETE => "/jobs/$jobs[4]{id}/picture", json => $by)->{status}, 200, 'a picture is taken down';
ok wait_for { !$shelf->objects($jobs[4]{id}) && !-e file_of($jobs[4]{imageUrl}) }, '... and so is its old copy';
error_is(admin(DELETE => '/moves/' . move()->{id}, json => $by), 409, 'MOVE_ENDED', 'what has ended cannot be stopped');
is admin(DELETE => '/moves/999999', json => $by)->{status}, 404, '... nor what is not there';
fields_are(admin(DELETE => '/moves/' . move()->{id}, json => {}), 'reason', '... nor without a reason');

# ---- a copy that cannot be read, or has other bytes ----

my @late = map { $shelf->picture($user) } 1 .. 2;
my $there = join ' ', map { file_of($_->{imageUrl}) } @late;
store_is('s3');
$shelf->order(act => 'spoil', match => $late[0]{id}, times => 1);
$shelf->order(act => 'hide', times => 1_000_000);
is begin(type => TYPE)->{status}, 202, 'pictures move to a store that shows them to nobody';
ok wait_for { (move()->{lastError} // '') =~ /the copy cannot be read at \Q$ENV{GENFLOW_STORE}\E/ }, 'the move says so';
is move()->{moved}, 0, '... and none is moved';
is join(' ', map { file_of($shelf->now($user, $_->{id})->{imageUrl}) } @late), $there, '... each generation shows what can be read';
$shelf->up;
is_over('when it shows them, the move ends');
is join(' ', map { move()->{$_} } qw(moved failed)), '1 3', '... with the one that is the same, but for those of before';
like move()->{lastError}, qr/\A$late[0]{id}: the copy has other bytes/, '... and not the one that the store has spoiled';
is file_of($shelf->now($user, $late[0]{id})->{imageUrl}), file_of($late[0]{imageUrl}), '... which stays where it is';
is $shelf->served($late[0]{imageUrl} =~ s{\A.*?/generated/}{/generated/}r), "200 $late[0]{result}{sha256}", '... and is what it was';
ok wait_for { !$shelf->objects($late[0]{id}) }, '... and its copy is removed';
is $shelf->served($shelf->now($user, $late[1]{id})->{imageUrl}), "200 $late[1]{result}{sha256}", 'the other one is in S3';

my @acts = grep { $_->{after}{type} eq TYPE } @{ data(admin(GET => '/audit?action=move'))->{entries} };
is scalar @acts, 4, 'each move is recorded';

finish;

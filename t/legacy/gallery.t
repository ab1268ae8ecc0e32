#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What the pages of older systems do with finished pictures: list them by offset, publish, feed, save,
# delete; presets as plain lists; who the user is and their settings. Each user sees and changes their
# own alone, and others what was published.
use Digest::SHA qw(sha256_hex);
use Genflow::Httpd;
use Genflow::Test;

my $OLD = '/.netlify/functions';
my ($user, $other) = (account(60), account(20));
my @made = map { data(generate($user, { prompt => "picture $_ of $user", type => 'sketch' }, Prefer => 'wait=60')) } 1 .. 5;
is_deeply [map { $_->{status} } @made], [('completed') x 5], 'five pictures are there';
my @ids = reverse map { $_->{id} } @made;

# ---- the gallery ----

my $page = call_old(GET => 'getUserMedia?limit=2&offset=0&type=sketch');
is_deeply [map { $_->{id} } @{ $page->{items} }], [@ids[0, 1]], 'the first page has the newest ones';
is_deeply [@$page{qw(total hasMore success)}], [5, JSON::PP::true(), JSON::PP::true()], '... of five, and there are more';
my $item = $page->{items}[0];
is_deeply [@$item{qw(userId finalUrl mediaType status isPublic allowRemix type presetKey)}],
    [$user, $made[4]{imageUrl}, 'image', 'ready', JSON::PP::false(), JSON::PP::false(), 'sketch', undef],
    '... with the members that pages read';
is ref $item->{metadata}, 'HASH', '... and metadata';
$page = call_old(POST => 'getUserMedia', { userId => $other, limit => '2', offset => 4, type => 'sketch' });
is_deeply [map { $_->{id} } @{ $page->{items} }], [$ids[4]], 'a POST reads the last page';
is $page->{hasMore}, JSON::PP::false(), '... after which nothing follows';
is_deeply call_old(GET => 'getUserMedia?type=sketch', undef, $other)->{items}, [], "another's gallery is another's";
is_deeply call_old(GET => 'getUserMedia?type=preset')->{items}, [], 'preset stands for presets';
my @BAD = ('offset=1000000000', 'offset=-1', 'offset=x', 'limit=0', 'limit=1e9', 'type=nothing');
error_is(api(GET => "$OLD/getUserMedia?$_", user => $user), 422, 'VALIDATION_FAILED', "$_ is refused") for @BAD;
error_is(api(POST => "$OLD/getUserMedia", user => $user, json => $_), 422, 'VALIDATION_FAILED',
    'so is ' . JSON::PP->new->canonical->encode($_))
    for { offset => [1] }, { limit => {} }, { type => 7 }, { offset => 1_000_000_000 };

# ---- published ----

is api(GET => "$OLD/feed")->{status}, 401, 'the feed is for users';
is_deeply [grep { $_->{id} eq $ids[1] } @{ call_old(GET => 'feed', undef, $other)->{items} }], [], 'nothing is public by itself';
for my $bad ({}, { assetId => $ids[1] }, { assetId => 7, publish => JSON::PP::true() },
    { assetId => $ids[1], publish => 'yes' }) {
    error_is(api(POST => "$OLD/togglePublish", user => $user, json => $bad), 422, 'VALIDATION_FAILED',
        JSON::PP->new->canonical->encode($bad) . ' publishes nothing');
}
my %publish = (assetId => $ids[1], publish => JSON::PP::true());
error_is(api(POST => "$OLD/togglePublish", user => $other, json => \%publish), 403, 'UNAUTHORIZED', "another's is not published");
is call_old(POST => 'togglePublish', \%publish)->{updatedCount}, 1, 'its user publishes it';
is call_old(POST => 'togglePublish', \%publish)->{updatedCount}, 1, '... twice is the same';
for my $name (qw(feed getPublicFeed)) {
    my ($shown) = grep { $_->{id} eq $ids[1] } @{ call_old(GET => "$name?limit=100", undef, $other)->{items} };
    ok $shown, "$name has it";
    is $shown->{imageUrl}, $made[3]{imageUrl}, '... with its picture';
    unlike(JSON::PP->new->encode($shown), qr/\Q"$user"\E/, '... without the name of its user');
    isnt $shown->{userId}, 'user-' . substr(sha256_hex($user), 0, 12), '... nor one that can be computed from it';
    is $shown->{userId}, $shown->{user}{id}, '... under one name';
}
my @names = map { my ($own) = grep { $_->{id} eq $ids[1] } @{ call_old(GET => 'feed?limit=100', undef, $_)->{items} }; $own->{userId} }
    $user, $other, account(0);
is $names[0], $user, 'its user has their own name in it';
like $names[1], qr/\Auser-[0-9a-f]{12}\z/, '... and another name for others';
is $names[2], $names[1], '... the same for all of them';
is_deeply call_old(GET => 'getNeoGlitchFeed', undef, $other)->{items}, [], 'the feed of neo-glitch has others'
    if !sql1("SELECT 1 FROM neo_glitch_media WHERE visibility = 'public'");
error_is(api(GET => "$OLD/feed?offset=1000000000", user => $other), 422, 'VALIDATION_FAILED', 'an offset of a billion is refused');
is status_of($user, $ids[1], 'sketch')->{visibility}, 'public', 'its object says so';
call_old(POST => 'togglePublish', { %publish, publish => JSON::PP::false() });
is_deeply [grep { $_->{id} eq $ids[1] } @{ call_old(GET => 'feed?limit=100', undef, $other)->{items} }], [], 'and it is taken back';

# ---- shared at once ----

my $sharer = account(40);
my $run    = 0;
is status_of($sharer, $_->{id})->{visibility}, 'private', 'a new picture is private by itself' for new_pictures($sharer);
call_old(POST => 'user-settings', { settings => { share_to_feed => JSON::PP::true() } }, $sharer);
my ($shared) = new_pictures($sharer);
is status_of($sharer, $shared->{id})->{visibility}, 'public', 'share_to_feed publishes each new one';
ok scalar(grep { $_->{id} eq $shared->{id} } @{ call_old(GET => 'getNeoGlitchFeed?limit=100', undef, $other)->{items} }), '... in the feed';
is_deeply [map { status_of($sharer, $_->{id})->{visibility} } new_pictures($sharer, n => 2)], ['public', 'public'],
    '... also of several at once';
for my $n (1, 2) {
    my $res = api(POST => "$OLD/neo-glitch-generate", user => $sharer, headers => { Prefer => 'respond-async' },
        json => { prompt => 'a later picture', presetKey => 'base', runId => "later-$n-$sharer", n => $n });
    is $res->{status}, 202, "a call that does not wait ($n) ...";
    is_deeply [map { $_->{visibility} } $n > 1 ? @{ data($res)->{batch} } : data($res)], [('public') x $n],
        '... says that it is public';
}
is status_of($sharer, data(generate($sharer, { prompt => 'not from an older page' }))->{id})->{visibility}, 'private',
    '... of the older front ends alone';
call_old(POST => 'togglePublish', { assetId => $shared->{id}, publish => JSON::PP::false() }, $sharer);
is status_of($sharer, $shared->{id})->{visibility}, 'private', '... until its user takes it back';
my @making = map { data(api(POST => "$OLD/neo-glitch-generate", user => $sharer, headers => { Prefer => 'respond-async' },
    json => { prompt => "in the making {{gate=share$$}}", presetKey => 'base', runId => "making-$_-$sharer" }))->{id} } 1, 2;
wait_for { submissions("in the making {{gate=share$$}}") == 2 };
call_old(PUT => 'user-settings', { share_to_feed => JSON::PP::false() }, $sharer);
open_gate("share$$");
is_deeply [map { my $job = ended($sharer, $_); "$job->{status} $job->{visibility}" } @making], [('completed private') x 2],
    'what is being made when the setting is taken back is private, too';
is status_of($sharer, $_->{id})->{visibility}, 'private', '... or the setting back' for new_pictures($sharer);

# ---- saved ----

my %save = (finalUrl => $made[0]{imageUrl}, media_type => 'image', preset_key => 'x', prompt => 'y',
    meta => { mode => 'preset' }, tags => ['one', 'two "quoted"'], visibility => 'public');
my $saved = call_old(POST => 'save-media', \%save);
is_deeply [@$saved{qw(id final_url media_type)}], [$ids[4], $made[0]{imageUrl}, 'image'], 'a picture is saved where it is';
is call_old(POST => 'save-media', \%save)->{id}, $ids[4], '... once';
is sql1("SELECT array_to_string(tags, '|') || ' ' || visibility || ' ' || (meta ->> 'mode') FROM sketch_media WHERE id = :'id'",
    id => $ids[4]), 'one|two "quoted" public preset', '... with its tags, its meta and who may see it';
my $rows = rows_of($user, 'sketch_media');
for my $url ('https://elsewhere.example/a.png', "$made[0]{imageUrl}x") {
    error_is(api(POST => "$OLD/save-media", user => $user, json => { finalUrl => $url }), 404, 'GENERATION_NOT_FOUND',
        'an address that is no picture of the user is none');
}
error_is(api(POST => "$OLD/save-media", user => $other, json => \%save), 404, 'GENERATION_NOT_FOUND', "... another's, too");
my @WRONG = ({}, { finalUrl => 7 }, { %save, tags => 'x' }, { %save, tags => [7] }, { %save, meta => [] },
    { %save, visibility => 'all' }, { %save, isPublic => 'yes' }, { variations => [] }, { variations => [7] },
    { variations => {} });
error_is(api(POST => "$OLD/save-media", user => $user, json => $_), 422, 'VALIDATION_FAILED', 'a wrong member is refused') for @WRONG;
is rows_of($user, 'sketch_media'), $rows, 'and no row was made';
is scalar @{ call_old(POST => 'save-media', { variations => [map { { url => $_->{imageUrl} } } @made[0, 1]] })->{items} }, 2,
    'variations are saved each';
my @before = marks_of(@ids[3, 4]);
for my $second ({ url => 'https://elsewhere.example/a.png' }, { url => $made[1]{imageUrl}, tags => 7 }) {
    my $res = api(POST => "$OLD/save-media", user => $user, json => { variations => [
        { url => $made[0]{imageUrl}, visibility => 'private', tags => ['half'] }, $second] });
    like $res->{status}, qr/\A4/, 'of variations of which one cannot be saved ...';
    is_deeply [marks_of(@ids[3, 4])], \@before, '... none is';
}
is call_old(POST => 'save-neo-glitch', { cloudinaryUrl => $made[2]{imageUrl}, presetKey => 'visor' })->{mediaId}, $ids[2],
    'save-neo-glitch names the picture';

# ---- deleted ----

error_is(api(POST => "$OLD/delete-media", user => $other, json => { mediaId => $ids[0] }), 403, 'UNAUTHORIZED', "another's is not deleted");
my $gone = call_old(DELETE => 'delete-media', { mediaId => $ids[0], userId => $other });
is_deeply [@$gone{qw(success deletedId)}], [JSON::PP::true(), $ids[0]], 'one is deleted by DELETE';
is call_old(POST => 'delete-media', { mediaId => $ids[1] })->{deletedId}, $ids[1], '... and one by POST';
error_is(api(DELETE => "$OLD/delete-media?mediaId=$ids[0]", user => $user), 404, 'GENERATION_NOT_FOUND', '... once');
is call_old(GET => 'getUserMedia?type=sketch')->{total}, 3, 'the gallery has three';
error_is(api(DELETE => "$OLD/delete-media", user => $user, json => { mediaId => {} }), 422, 'VALIDATION_FAILED', 'an object is no id');

# ---- presets ----

my $presets = call_old(GET => 'get-presets')->{data};
is scalar @{ $presets->{presets} }, $presets->{totalAvailable}, 'presets of this week';
like join(' ', map { $presets->{rotationInfo}{$_} } qw(totalPresetsInSystem weeksInCycle presetsPerWeek)), qr/\A\d+ \d+ \d+\z/, '... and their rotation';
my $all = call_old(GET => 'get-all-presets');
is ref $all, 'ARRAY', 'all of them are a plain list';
is_deeply [grep { !exists $all->[0]{$_} } qw(id presetKey presetName presetPrompt presetStrength presetWeek isActive
    isCurrentlyAvailable)], [], '... with their older names';
my $week = call_old(GET => 'get-current-week-presets');
is_deeply [grep { !$_->{isCurrentlyAvailable} } @$week], [], 'those of this week are on';

# ---- the user ----

is call_old(GET => 'whoami')->{user}{id}, $user, 'whoami';
is_deeply call_old(GET => 'user-settings')->{settings}, { media_upload_agreed => JSON::PP::false(), share_to_feed => JSON::PP::false() },
    'settings are off at first';
call_old(POST => 'user-settings', { settings => { share_to_feed => JSON::PP::true(), nonsense => 1 } });
is_deeply call_old(PUT => 'user-settings', { media_upload_agreed => JSON::PP::true() })->{settings},
    { media_upload_agreed => JSON::PP::true(), share_to_feed => JSON::PP::true() }, '... and each is kept';
is call_old(GET => 'user-settings', undef, $other)->{settings}{share_to_feed}, JSON::PP::false(), "... another's are another's";
error_is(api(POST => "$OLD/user-settings", user => $user, json => { settings => $_ }), 422, 'VALIDATION_FAILED', 'a wrong setting is refused')
    for [], { share_to_feed => 'yes' };
my $credits = call_old(GET => 'check-credits');
is $credits->{balance}, credits($user)->[0], 'check-credits has the balance';
ok scalar @{ $credits->{recentTransactions} }, '... and what happened';
is call_old(GET => 'getQuota')->{daily_limit}, call_old(GET => 'getQuota')->{daily_used} + call_old(GET => 'getQuota')->{remaining},
    'the quota is in finite numbers';
error_is(api(POST => "$OLD/cloudinary-sign", user => $user, json => {}), 404, 'NOT_FOUND', 'no upload is signed unless a directive allows it');

finish;

# Visibility and tags of these pictures.
sub marks_of {
    my @of = @_;
    return map { sql1("SELECT visibility || coalesce(tags::text, '') FROM sketch_media WHERE id = :'id'", id => $_) } @of;
}

# What a page of the first system makes.
sub new_pictures {
    my ($who, %more) = @_;
    my $reply = call_old(POST => 'neo-glitch-generate', { prompt => 'a picture', presetKey => 'base',
        runId => 'share-' . ++$run . "-$who", %more }, $who);
    return $reply->{batch} ? @{ $reply->{batch} } : $reply;
}

sub call_old {
    my ($method, $path, $json, $who) = @_;
    my $res = api($method => "$OLD/$path", user => $who // $user, $json ? (json => $json) : ());
    diag "$method $path: $res->{status} $res->{content}" if $res->{status} != 200;
    return data($res);
}

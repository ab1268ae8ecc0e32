#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The thumbnail of a picture in S3 is a second object beside it: made after the generation was settled, or
# when an older one is read, by one child at a time; removed with the picture, whatever dies in between.
# With Cloudinary the colour of a picture is known. Nothing of that changes what becomes of a generation.
use Genflow::Shelf;
use Genflow::Test;

my $user = account(50);

# ---- after the settle ----

my $earlier = Genflow::Shelf->start(kind => 's3', type => 'shelf-small', chain => 'stability/sd3');
my @OLDER = map { $earlier->picture($user) } 1 .. 7;
is_deeply [map { $_->{thumbnailUrl} } @OLDER], [(undef) x 7], 'a server with GenflowStoreThumbnail Off makes none';
my $fresh = $earlier->picture($user);
undef $earlier;
my $shelf = Genflow::Shelf->start(kind => 's3', type => 'shelf-small', chain => 'stability/sd3', thumbnails => 1);
my $job   = $shelf->picture($user);
my $small = $job->{imageUrl} =~ s/\.png\z/-384.webp/r;
my $shown = shown($job);
is $shown->{thumbnailUrl}, $small, 'a picture in S3 gets a thumbnail beside it, though no client requests it';
like $shown->{color}, qr/\A#[0-9a-f]{6}\z/, '... and the mean colour of the picture is noted';
my $res = HTTP::Tiny->new->get($small);
is "$res->{status} $res->{headers}{'content-type'} " . substr($res->{content}, 8, 4), '200 image/webp WEBP', '... it is a WebP';
like $res->{headers}{'cache-control'}, qr/\Apublic, max-age=86400, must/, '... that may be cached for a day';
is scalar($shelf->objects($job->{id})), 2, '... a second object';
is join(' ', smalls($job)), 'kept', '... which was uploaded once';
is join(' ', spooled($job)), '', '... and nothing of it stays in the spool';
is $shelf->now($user, $fresh->{id})->{thumbnailUrl}, undef, 'one that has just been made by another child is left to that';
delete_it($job);
ok gone($job) && forgotten($job), 'the removal of a picture takes both objects';

$shelf->down;
$job = $shelf->picture($user);
is $job->{thumbnailUrl}, undef, 'a picture that could not be stored has none';
$shelf->up;
$shelf->persisted($user, $job->{id});
ok shown($job)->{thumbnailUrl}, '... until it is stored';
is join(' ', spooled($job)), '', '... and nothing of that stays in the spool';

# ---- older pictures ----

sql("UPDATE public.shelf_small_media SET finished_at = finished_at - interval '1 hour' WHERE user_id = genflow.account_of(:'user')", user => $user);
my ($read, $killed, $deleted, $flying, $refused, $hidden, $graceful) = @OLDER;
is $shelf->now($user, $read->{id})->{thumbnailUrl}, undef, 'an older picture has no thumbnail yet';
my @answers = in_parallel(10, sub {
    talk_to($shelf->httpd);
    status_of($user, $read->{id}, 'shelf-small');
    return api(GET => "/api/generation/$read->{id}", user => $user)->{status};
}, 10);
is "@answers", join(' ', (200) x 10), '... it is read many times';
is shown($read)->{thumbnailUrl}, $read->{imageUrl} =~ s/\.png\z/-384.webp/r, '... which makes it';
is join(' ', smalls($read)), 'kept', '... once';
is !!$shelf->now($user, $read->{id})->{persisted}, !!1, '... and the picture is as it was';

# ---- a child that is killed while it uploads a thumbnail ----

fly($killed, 20_000);
kill KILL => $shelf->httpd->children;
is scalar($shelf->objects($killed->{id})), 2, 'a child is killed between the upload and its row: the object is there';
ok wait_for(sub { eval { $shelf->now($user, $killed->{id})->{status} eq 'completed' } }), '... the generation stays completed';
is $shelf->now($user, $killed->{id})->{thumbnailUrl}, undef, '... and shows none';
expire($killed);
ok shown($killed)->{thumbnailUrl}, '... a reading after its claim is over finds it there';
is join(' ', smalls($killed)), 'slow existed', '... and does not store another one';

fly($deleted, 20_000);
kill KILL => $shelf->httpd->children;
ok wait_for(sub { eval { $shelf->now($user, $deleted->{id})->{status} eq 'completed' } }), 'one that is left so';
delete_it($deleted);
is sql1("SELECT due_at > clock_timestamp() + interval '1 second' FROM genflow.removals WHERE job_id = :'id'", id => $deleted->{id}), 't',
    '... and deleted is removed when the claim is over';
sql("UPDATE genflow.removals SET due_at = now() WHERE job_id = :'id'", id => $deleted->{id});
ok gone($deleted) && forgotten($deleted), '... both objects';

# ---- deleted while its thumbnail is made ----

fly($flying, 2000);
delete_it($flying);
ok gone($flying) && forgotten($flying), 'one that is deleted while its thumbnail is uploaded goes, with that, as soon as the upload is over';
cmp_ok scalar(removals($flying, '-384.webp')), '>', 0, '... which is removed by its name';

# ---- a graceful restart while one is uploaded ----

fly($graceful, 2000);
kill USR1 => $shelf->httpd->pid;
my $stored = wait_for { sql1("SELECT result ->> 'thumbnail' FROM public.shelf_small_media WHERE id = :'id'", id => $graceful->{id}) };
is $stored, 'true', 'a child that ends finishes its thumbnail, and notes it';
is join(' ', smalls($graceful)), 'slow', '... which nobody makes again';
is join(' ', spooled($graceful)), '', '... and nothing of it stays in the spool';
ok shown($graceful)->{thumbnailUrl}, '... the next child shows it';

# ---- a store that takes none ----

$shelf->order(match => stem($refused) . '-384', act => 'fail', status => 503);
$shelf->now($user, $refused->{id});
ok wait_for(sub { $shelf->httpd->log_text =~ /GF0795: job=$refused->{id} .*HTTP 503/ }), 'a store that does not take a thumbnail';
is_deeply [@{ $shelf->now($user, $refused->{id}) }{qw(status thumbnailUrl)}], ['completed', undef], '... changes nothing of the generation';
$shelf->now($user, $refused->{id}) for 1 .. 5;
expire($refused);
ok shown($refused)->{thumbnailUrl}, '... a later reading makes it';
is join(' ', smalls($refused)), 'fail kept', '... and not each one';
$shelf->order(match => stem($hidden), act => 'hide');
$shelf->now($user, $hidden->{id});
ok wait_for(sub { $shelf->httpd->log_text =~ /GF0795: job=$hidden->{id} .*HTTP 503 for / }), 'a picture that cannot be fetched has none for now';
is join(' ', smalls($hidden)), '', '... and nothing is uploaded';
credits_are $user, 50 - 10, 0, 'each picture was paid once';
is join("\n", grep { !/GF04(?:11|15)|GF07/ } split /\n/, $shelf->httpd->alarms), '', 'no operator was called';
undef $shelf;

# ---- Cloudinary ----

my $cloud = Genflow::Shelf->start(kind => 'cloudinary', type => 'shelf-color', chain => 'stability/sd3', thumbnails => 1);
$job = $cloud->picture($user);
my $color = wait_for { $cloud->now($user, $job->{id})->{color} };
like $color, qr/\A#[0-9a-f]{6}\z/, 'the colour of a picture that is uploaded to Cloudinary is known';
like $cloud->now($user, $job->{id})->{thumbnailUrl}, qr{/image/upload/c_limit,w_384,h_384,f_auto,q_auto/}, '... beside its thumbnail';
is scalar($cloud->objects($job->{id})), 1, '... which is no object of ours';
is join(' ', spooled($job)), '', '... and nothing stays in the spool';
talk_to();

finish;

# The generation once it shows a thumbnail.
sub shown {
    my ($made) = @_;
    my $now;
    wait_for { ($now = $shelf->now($user, $made->{id}))->{thumbnailUrl} };
    return $now;
}

# Its thumbnail is on its way to the store, and is there.
sub fly {
    my ($made, $ms) = @_;
    $shelf->order(match => stem($made) . '-384', act => 'slow', ms => $ms);
    $shelf->now($user, $made->{id});
    ok wait_for(sub { grep { $_ eq 'slow' } smalls($made) }), 'a thumbnail that is on its way to the store';
    return;
}

sub expire {
    my ($made) = @_;
    sql("UPDATE public.shelf_small_media SET thumbnail_until = now() WHERE id = :'id' AND thumbnail_until IS NOT NULL", id => $made->{id});
    return;
}

sub delete_it {
    my ($made) = @_;
    talk_to($shelf->httpd);
    is api(DELETE => "/api/generation/$made->{id}", user => $user)->{status}, 200, '... a generation is deleted';
    return;
}

sub stem { return $_[0]{imageUrl} =~ s{.*/|\.png\z}{}gr }

# What became of the uploads of its thumbnail.
sub smalls { return map { $_->{became} } grep { $_->{act} eq 'upload' } log_of(stem($_[0]) . '-384') }

sub removals { return grep { $_->{act} eq 'remove' && $_->{became} eq 'removed' } log_of(stem($_[0]) . $_[1]) }

sub log_of { return @{ Genflow::Shelf->read_store("_log?match=$_[0]") } }

sub spooled { return glob "$ENV{GENFLOW_WORK}/store/.spool/$_[0]{id}*" }

sub gone {
    my ($made) = @_;
    return wait_for { !Genflow::Shelf->objects($made->{id}) };
}

sub forgotten {
    my ($made) = @_;
    return wait_for { !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $made->{id}) };
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation that has its picture succeeds once more, in another format, as one does whose host was stopped while another host had
# it made again: the file of the second success is removed, and the first one stays with its thumbnail. t/unit/state_test.c has other
# stores.
use Genflow::Shelf;
use Genflow::Test;

my $shelf = Genflow::Shelf->start(kind => 'folder', type => 'second-folder', chain => 'stability/sd3', thumbnails => 1);
my $user  = account(10);
my $id    = $shelf->picture($user)->{id};
my $job   = wait_for { my $now = $shelf->now($user, $id); $now->{thumbnailUrl} && $now };
ok $job, 'a picture has a thumbnail' or die "no thumbnail\n";
my $first  = $shelf->served($job->{imageUrl});
my $small  = $shelf->served($job->{thumbnailUrl});
like "$first $small", qr/\A200 \w+ 200 /, '... and both are served';
my $second = $job->{imageUrl} =~ s/png\z/jpg/r;
store_second($job->{imageUrl}, $second);
like $shelf->served($second), qr/\A200 /, '... a second one is stored beside it';
is succeeds($id, $second =~ s{\A\w+://[^/]+}{}r), 'same', '... a host reports it';
ok wait_for(sub { $shelf->served($second) =~ /\A404 / }), '... and it is removed';
ok wait_for(sub { !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $id) }), '... once';
is $shelf->served($job->{imageUrl}), $first, '... the first one stays';
is $shelf->served($job->{thumbnailUrl}), $small, '... with its thumbnail';
credits_are $user, 9, 0, '... for one credit';
is api(DELETE => "/api/generation/$id", user => $user)->{status}, 200, '... until its generation is deleted';
ok wait_for(sub { $shelf->served($_) =~ /\A404 / }), "... which leaves nothing: $_" for $job->{imageUrl}, $job->{thumbnailUrl}, $second;

$shelf->httpd->stop;
talk_to undef;
finish;

# What a host reports that had it made again.
sub succeeds {
    my ($id, $url) = @_;
    return sql1(<<'SQL', id => $id, url => $url);
        SELECT genflow.second_folder_settle(:'id', 9, 'completed', 'stability', 'sd3', false, :'url', NULL, true,
                                      '{"type": "image/jpeg", "bytes": 5}', NULL, NULL, NULL)
SQL
}

# What another host stored: here the bytes are the first one's, under the other name.
sub store_second {
    my ($from, $to) = @_;
    my ($old, $new) = map { s{\A.*?/generated/}{$ENV{GENFLOW_WORK}/store/}r } $from, $to;
    return link($old, $new) || die "$new: $!\n";
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pictures in Cloudinary are named by the client's run id and a random part (GenflowStorePublicId run),
# whoever stores them: the request's child, one that claims the job, one that stores it later; and they
# are removed by that name. Bare names belong to the first generation that has them.
use Genflow::Shelf;
use Genflow::Test;

my $RANDOM = '[0-9a-f]{32}';
my $runs   = 0;

# ---- by run id and a random part ----

my $type  = 'shelf-run';
my $shelf = Genflow::Shelf->start(kind => 'cloudinary', type => $type, chain => 'stability/sd3',
    lines => 'GenflowStorePublicId run');
my $START = "cloudinary/${\ $shelf->prefix }/shelf_run_";
my $user  = account(20);

my $run = run_id();
my $job = made($shelf, $user, $run);
is $job->{status}, 'completed', 'a picture is made';
my ($name) = named_by($shelf, $run, 'is named by its run id and a random part');
like $job->{imageUrl}, qr{/\Q${\ ($name =~ s{\Acloudinary/}{}r) }\E\.png\z}, '... its address has that name';
is $shelf->served($job->{imageUrl}), "200 $job->{result}{sha256}", '... and serves it';
is api(DELETE => "/api/generation/$job->{id}", user => $user)->{status}, 200, 'it is deleted';
ok gone($shelf, $run) && forgotten($job->{id}), '... and goes from the store';

my $claimed = sql1(<<'SQL', user => $user, run => $run = run_id());
    SELECT id FROM genflow.shelf_run_create(:'user', :'run', '\x01', :'run', NULL, 'a claimed one', NULL, '{}', 7, 1,
                                            3::smallint, '2 minutes', NULL, NULL)
SQL
ok wait_for(sub { $shelf->now($user, $claimed)->{status} eq 'completed' }), 'a job that a child claims is made';
named_by($shelf, $run, '... and its picture named so');

$run = run_id();
talk_to($shelf->httpd);
my $step = data(api(POST => '/api/generation/create', user => $user, json => { type => $type,
    customPrompt => 'in two steps', runId => $run }))->{data}{generationId};
is api(POST => '/api/generate', user => $user, json => { generationId => $step })->{status}, 200, 'one of two steps is started';
ok wait_for(sub { $shelf->now($user, $step)->{status} eq 'completed' }), '... and made';
named_by($shelf, $run, '... and its picture named so');

$shelf->down;
$job = made($shelf, $user, $run = run_id());
is !!$job->{persisted}, !!0, 'a picture that cannot be stored now';
$shelf->up;
ok $shelf->persisted($user, $job->{id}), '... is stored later';
named_by($shelf, $run, '... under such a name');

$job = cancelled_while_stored($shelf, $run = run_id());
ok forgotten($job), 'one that is cancelled while it is stored is removed';
is scalar($shelf->objects($run)), 0, '... from the store';

$shelf->order(act => 'fail', status => 503, retry_after => 20);
my $who   = account(5);
my $waits = later($who, { type => $type, prompt => 'waits for the store', runId => $run = run_id() });
ok wait_for(sub { "@{[ $shelf->uploads($run) ]}" eq 'fail' }), 'a picture that the store takes later';
is api(POST => "/api/generation/$waits/cancel", user => $who)->{status}, 200, '... is cancelled before';
ok wait_for(sub { $shelf->httpd->log_text =~ /GF0404: job=\Q$waits\E .*already_ended/ }, 15), '... and is given up at once';
is join(' ', $shelf->uploads($run)), 'fail', '... without another upload';
ok forgotten($waits), '... and is removed, should the store have it';
credits_are $who, 5, 0, '... for nothing';

$job = made($shelf, $user, undef);
($name) = $shelf->objects($job->{id});
like $name, qr{\A\Q$START\E$job->{id}_$RANDOM\z}, 'without a run id the id is the run id';
my @two = map { made($shelf, $_, 'the-same') } $user, account(5);
is scalar($shelf->objects('the-same')), 2, 'two users may have the same run id';
isnt $two[0]{imageUrl}, $two[1]{imageUrl}, '... of two pictures';
credits_are $user, 14, 0, 'each picture was paid once';
is $shelf->httpd->alarms =~ s/^.*GF0411.*\n?//mgr, '', 'nothing was wrong with that';
undef $shelf;

# ---- by run id alone ----

my $bare = Genflow::Shelf->start(kind => 'cloudinary', type => 'shelf-bare', chain => 'stability/sd3',
    lines => 'GenflowStorePublicId bare');
my ($first, $second) = (account(10), account(10));
$run = run_id();
$job = made($bare, $first, $run);
is_deeply [$bare->objects($run)], ["cloudinary/${\ $bare->prefix }/shelf_bare_$run"], 'a bare name is the run id';
my $other = made($bare, $second, $run);
is_deeply [$other->{status}, !!$other->{persisted}], ['completed', !!1], "another's picture of that run id is made and stored";
like $other->{imageUrl}, qr{shelf_bare_${run}_$RANDOM\.png\z}, '... under a name with a random part';
is $bare->served($other->{imageUrl}), "200 $other->{result}{sha256}", '... where it is';
is $bare->served($job->{imageUrl}), "200 $job->{result}{sha256}", '... and the first is what it was';
like $bare->httpd->log_text, qr/GF0724: job=$other->{id} /, '... the log says so';
credits_are $second, 9, 0, '... for one charge';
api(DELETE => "/api/generation/$other->{id}", user => $second);
ok forgotten($other->{id}), '... it is deleted';
like $bare->served($other->{imageUrl}), qr/\A404 /, '... and goes';
is $bare->served($job->{imageUrl}), "200 $job->{result}{sha256}", '... and the first one stays';
my $stray = cancelled_while_stored($bare, $run);
ok forgotten($stray), 'a third one is cancelled while it is stored';
is $bare->served($job->{imageUrl}), "200 $job->{result}{sha256}", '... and the first one stays';
$stray = cancelled_while_stored($bare, $run = run_id());
ok forgotten($stray), 'one whose name no other has is cancelled while it is stored';
is scalar($bare->objects($run)), 0, '... and removed';
talk_to($bare->httpd);
api(DELETE => "/api/generation/$job->{id}", user => $first);
ok wait_for(sub { $bare->served($job->{imageUrl}) =~ /\A404 / }), 'the first one is deleted: it goes';
my @warned = grep { /GF0700/ } split /\n/, $bare->httpd->alarms;
like $warned[0], qr/GenflowStorePublicId bare: a client knows the name of its picture beforehand/, 'the start warns of bare names';
is join("\n", grep { !/GF0700/ } split /\n/, $bare->httpd->alarms), '',
    '... and nothing else was wrong';
talk_to();

finish;

sub run_id { return sprintf '%08x-0000-4000-8000-%012x', ++$runs, $$ }

# A generation of this run id, as it ended.
sub made {
    my ($store, $who, $run) = @_;
    talk_to($store->httpd);
    return data(generate($who, { type => $store->{type}, prompt => "[$who] " . ++$runs,
        defined $run ? (runId => $run) : () }, Prefer => 'wait=20'));
}

# The id of one that is cancelled while its upload is on its way. The picture is there by then.
sub cancelled_while_stored {
    my ($store, $run) = @_;
    my $who = account(5);
    talk_to($store->httpd);
    $store->order(act => 'slow', ms => 1500);
    my $id = later($who, { type => $store->{type}, prompt => "cancelled $run", runId => $run });
    ok wait_for(sub { grep { $_ eq 'slow' } $store->uploads($run) }), 'a picture is on its way to the store';
    is api(POST => "/api/generation/$id/cancel", user => $who)->{status}, 200, '... and cancelled';
    credits_are $who, 5, 0, '... for nothing';
    ok wait_for(sub { $store->httpd->log_text =~ /GF0404: job=\Q$id\E .*already_ended/ }), '... its host comes too late';
    return $id;
}

sub named_by {
    my ($store, $run, $sentence) = @_;
    my @names = $store->objects($run);
    like join(' ', @names), qr{\A\Q$START$run\E_$RANDOM\z}, $sentence;
    return @names;
}

sub gone {
    my ($store, $text) = @_;
    return wait_for { !$store->objects($text) };
}

sub forgotten {
    my ($id) = @_;
    return wait_for { !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $id) };
}

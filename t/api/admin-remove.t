#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# An administrator takes down the picture of any user: nobody sees it any more, in no form of the API; its
# generation stays in the user's lists, completed and paid. The reason is recorded.
use Genflow::Admin;
use Genflow::Test;

my @LISTS = qw(getUserMedia feed);
my $OLD  = '/.netlify/functions';

my $user = account(20);
my $job  = data(generate($user, { type => 'sketch', prompt => "a picture [$user]" }));
my $path = $job->{imageUrl} =~ s{\Ahttps?://[^/]+}{}r;
my $file = picture_file($job->{id}, 'sketch');
publish($job->{id});
is api(GET => $path)->{status}, 200, 'a picture is served';
is_deeply [map { shown_in($_) } @LISTS], [1, 1], '... and is in the lists of pictures, the user\'s and the public one';

# ---- what is refused ----

my @REFUSED = (    # body, fields
    [{},                           'reason'],
    [{ reason => '' },             'reason'],
    [{ reason => 'x' x 501 },      'reason'],
    [{ reason => 'x', why => 'x' }, 'why'],
);
fields_are(take_down($job->{id}, $_->[0]), $_->[1], "a body without a good $_->[1] is refused") for @REFUSED;
my $none = '019aa8f4-2a5e-7c1b-8f00-5d3c0a1b2c3d';
error_is(take_down($_), 404, 'GENERATION_NOT_FOUND', "there is no picture of $_") for $none, 'x';
my $sent = later($user, { prompt => "{{gate=$user}} on its way [$user]" });
error_is(take_down($sent), 400, 'INVALID_GENERATION_STATUS', 'what has not ended has no picture');
api(POST => "/api/generation/$sent/cancel", user => $user);
open_gate($user);
error_is(take_down($sent), 400, 'INVALID_GENERATION_STATUS', '... nor has what was cancelled');
is api(GET => $path)->{status}, 200, 'and nothing was taken down';
is_deeply [entries($job->{id})], [], '... or recorded';

# ---- a picture in the folder ----

my $credits = credits($user);
my $res     = take_down(uc $job->{id}, { reason => "a court's order" });
is $res->{status}, 200, 'a picture is taken down';
my $answer = data($res);
is_deeply [@{$answer}{qw(id userId imageUrl)}], [$job->{id}, $user, $job->{imageUrl}], '... the answer has the address that it had, to purge it';
ok $answer->{applied}, '... and says that it is done';
ok !-e $file, '... the file is gone at once';
is api(GET => $path)->{status}, 404, '... its address serves nothing';
is api(GET => $path =~ s/\.png\z/-384.webp/r)->{status}, 404, '... nor does that of its thumbnail';
is_deeply credits($user), $credits, '... no credit moves';

my $now = data(api(GET => "/api/generation/$job->{id}", user => $user));
is_deeply [@{$now}{qw(status imageUrl thumbnailUrl originalUrl color result takenDown)}],
    ['completed', undef, undef, undef, undef, undef, $answer->{takenDown}], 'its owner sees that';
unlike api(GET => "/api/generation/$job->{id}", user => $user)->{content}, qr/court/, '... and not the reason';
like $now->{takenDown}{at}, qr/\A\d{4}-\d\d-\d\dT/, '... but when';
my ($listed) = grep { $_->{id} eq $job->{id} } @{ data(api(GET => '/api/generations?status=completed', user => $user))->{items} };
is_deeply $listed->{takenDown}, $answer->{takenDown}, '... in the history, too';
is_deeply data(api(GET => "/api/job/$job->{id}", user => $user))->{result}, undef, 'a job has no result';
is_deeply [map { shown_in($_) } @LISTS], [0, 0], 'the lists of pictures do not have it';
publish($job->{id});
is_deeply [map { shown_in($_) } @LISTS], [0, 0], '... nor when its user publishes it again';

my $again = data(take_down($job->{id}));
is_deeply [@{$again}{qw(applied imageUrl takenDown)}], [JSON::PP::false(), undef, $answer->{takenDown}], 'taking it down again changes nothing';
is_deeply [entries($job->{id})], ["admin takedown a court's order $path"], 'the record has it once, with who and why';

my $removed = wait_for { sql1("SELECT again_at IS NULL AND url IS NULL FROM genflow.removals WHERE job_id = :'id'", id => $job->{id}) eq 't' };
ok $removed, 'the background looks for it once more later';
sql("UPDATE genflow.removals SET due_at = now() WHERE job_id = :'id'", id => $job->{id});
ok wait_for(sub { !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $job->{id}) }), '... and that is all';
is api(DELETE => "/api/generation/$job->{id}", user => $user)->{status}, 200, 'its owner may delete what is left';

# ---- a user is erased ----

my $gone = account(10);
my $shown = data(generate($gone, { type => 'sketch', prompt => "a prompt of $gone", webhookUrl => undef }));
my $live = later($gone, { prompt => "{{gate=$gone}} on its way [$gone]" });
my $no   = sql1("SELECT genflow.account_of(:'user')", user => $gone);
fields_are(admin(DELETE => "/users/$gone", json => {}), 'reason', 'nobody is erased without a reason');
error_is(admin(DELETE => "/users/nobody-of-$gone", json => { reason => 'x' }), 404, 'NOT_FOUND', 'nor who has no account');
my $mark   = log_mark();
my $erased = data(admin(DELETE => "/users/$gone", json => { reason => 'request 7' }));
is_deeply [@{$erased}{qw(account erased finished)}], [$no, JSON::PP::true(), JSON::PP::true()], 'a user is erased, the answer has the number of the account';
open_gate($gone);
error_is(admin(GET => "/users/$gone"), 404, 'NOT_FOUND', '... the name is nobody\'s');
error_is(api(GET => "/api/generation/$_", user => $gone), 404, 'GENERATION_NOT_FOUND', '... its generations are gone') for $shown->{id}, $live;
my $away = wait_for { api(GET => $shown->{imageUrl} =~ s{\Ahttps?://[^/]+}{}r)->{status} == 404 };
ok $away, '... and its picture';
is sql1("SELECT concat_ws(' ', balance, held, name IS NULL) FROM genflow.accounts WHERE user_id = :'no'", no => $no), '0 0 t',
    '... the account has nothing, not even a name';
is sql1("SELECT count(*) FROM genflow.ledger WHERE user_id = :'no' AND kind IN ('grant', 'hold', 'capture', 'release', 'adjust')", no => $no), 6,
    '... its ledger stays';
is scalar(grep { /GF0881/ && /\Q$gone\E/ } split /\n/, log_since($mark)), 0, '... the log line of it has no name';
my ($entry) = grep { $_->{target} eq $no } @{ data(admin(GET => '/audit?action=erase'))->{entries} };
is_deeply [@{$entry}{qw(admin reason)}], ['admin', 'request 7'], '... and it is recorded';
is generate($gone)->{status}, 402, 'who comes back has a new account, without credits';

finish;

sub publish {
    my ($id) = @_;
    return is api(POST => "$OLD/togglePublish", user => $user, json => { assetId => $id, publish => JSON::PP::true() })->{status}, 200,
        'a user publishes a picture';
}

# How often a list of pictures has it.
sub shown_in {
    my ($list) = @_;
    my $all = data(api(GET => "$OLD/$list?limit=100", user => $user));
    return scalar grep { $_->{id} eq $job->{id} } @{ $all->{items} // $all->{media} };
}

sub take_down {
    my ($id, $body) = @_;
    return admin(DELETE => "/jobs/$id/picture", json => $body // { reason => 'a test' });
}

sub entries {
    my ($target) = @_;
    return sql("SELECT admin || ' ' || action || ' ' || reason || ' ' || (before->>'imageUrl') FROM genflow.audit WHERE target = :'target' ORDER BY id",
        target => $target);
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A template stores parameters that a user repeats. Its owner lists it, newest first, page by page, names
# it in calls that make generations, where the call's own fields win, and deletes it; no other user does.
use Genflow::Test;
use Genflow::TwoStep;

my $user  = account(20);
my $TIME  = qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/;
my $NO_ID = '01a1fdae-8e2e-7f96-89ab-0000b36ac767';

# ---- saved, listed ----

my %config = (
    style => 'minimal', customPrompt => "kept by $user", aspectRatio => '3:4', maxRetries => 1,
    parameters => { strength => 0.5, guidance_scale => 9, seed => 77 },
);
my $res  = save($user, { name => 'Shoes', type => 'neo_glitch', config => \%config });
my $stored = data($res);
is $res->{status}, 201, 'a template is saved';
like $stored->{createdAt}, $TIME, 'at an instant';
is_deeply [@$stored{qw(name type config)}], ['Shoes', 'neo-glitch', \%config], 'as it was given';
my $same = save($user, { name => 'Shoes', type => 'neo-glitch', config => \%config });
is_deeply [$same->{status}, data($same)->{id}], [201, $stored->{id}], 'the same again is the same';
is_deeply [map { $_->{field} } @{ data(save($user, { name => 'Shoes', config => {} }))
    ->{validationErrors} }], ['name'], 'another one needs another name';
my @more = map { data(save($user, { name => "Template $_", config => {} }))->{id} } 1 .. 4;

my ($page, @seen) = { nextCursor => undef };
for (1 .. 3) {
    my $query = 'limit=2' . ($page->{nextCursor} ? "&cursor=$page->{nextCursor}" : '');
    $page = data(api(GET => "/api/templates?$query", user => $user));
    push @seen, map { $_->{id} } @{ $page->{items} };
}
# Ids begin with the time; two of one millisecond have no order but theirs.
is_deeply \@seen, [reverse sort $stored->{id}, @more], 'they are listed newest first, page by page';
is_deeply [@$page{qw(hasMore nextCursor)}], [JSON::PP::false(), undef], 'until there are no more';
is_deeply data(api(GET => '/api/templates', user => $user))->{items}[4],
    { map { $_ => $stored->{$_} } qw(id name type config createdAt) }, 'each is listed whole';
is_deeply data(api(GET => '/api/templates', user => account(0)))->{items}, [],
    'no user sees those of another';

# ---- used ----

my $used = data(create($user, { type => undef, templateId => $stored->{id} }))->{data};
is_deeply [@$used{qw(type seed maxRetries)}, @{ $used->{parameters} }{qw(strength guidance_scale)}],
    ['neo-glitch', 77, 1, 0.5, 9], 'what the call leaves open is as the template says';
is $used->{prompt}, "product photograph of the product in the picture, kept by $user, minimalist"
    . ' composition, plain background, few elements, generous empty space, portrait 3:4 composition',
    'the prompt, too';
is $used->{parameters}{aspect_ratio}, '3:4', 'and the shape of the picture';
my $mine = data(create($user, {
    templateId => $stored->{id}, type => 'sketch', productImages => [], prompt => 'my words', style => 'artistic',
    maxRetries => 2, seed => 5, strength => 0.9, parameters => { guidance_scale => 2 },
}))->{data};
is_deeply [@$mine{qw(type seed maxRetries)}, @{ $mine->{parameters} }{qw(strength guidance_scale)}],
    ['sketch', 5, 2, 0.9, 2], 'what the call says itself wins';
like $mine->{prompt}, qr/my words, artistic/, 'under whatever name';

my $pair = data(save($user, { name => 'Pair', config => {
    prompt => "a pair of $user", presetKey => 'base', n => 2 } }))->{id};
my $batch = data(generate_with($user, 'neo-glitch', { templateId => $pair }));
is_deeply [map { "$_->{status} $_->{preset}" } @{ $batch->{batch} }], [('completed base') x 2],
    'the calls of one type take templates as well';
my $old = data(one_step($user, { templateId => $pair, type => 'neo-glitch', n => 1 }))->{data};
is_deeply [@$old{qw(status preset)}], ['completed', 'base'], 'and so does the old body';
my $wrong = data(save($user, { name => 'Wrong', config => { style => 'baroque' } }))->{id};
error_is(create($user, { templateId => $wrong }), 400, 'VALIDATION_ERROR',
    'what a template says is checked when it is used');

# ---- bad ones ----

my @BAD = (    # field, body
    [name   => { config => {} }],
    [name   => { name => '', config => {} }],
    [name   => { name => 7, config => {} }],
    [name   => { name => 'x' x 101, config => {} }],
    [name   => { name => "a\0b", config => {} }],
    [type   => { name => 'a', type => 'nothing', config => {} }],
    [type   => { name => 'a', type => 7, config => {} }],
    [config => { name => 'a' }],
    [config => { name => 'a', config => [] }],
    [config => { name => 'a', config => { x => 'x' x 8192 } }],
    [config => { name => 'a', config => { x => ["\0"] } }],
    [config => { name => 'a', config => { x => 1e300 } }],
);
for my $row (@BAD) {
    my ($field, $body) = @$row;
    my $refused = save($user, $body);
    error_is($refused, 400, 'VALIDATION_ERROR', "a bad $field is refused");
    is_deeply [map { $_->{field} } @{ data($refused)->{validationErrors} }], [$field], 'by name';
}
error_is(api(GET => "/api/templates?$_", user => $user), 422, 'VALIDATION_FAILED', "$_ is no page")
    for qw(limit=0 limit=101 limit=x cursor=x);
my $thief = account(5);
error_is(api(DELETE => "/api/templates/$stored->{id}", user => $thief), 403, 'UNAUTHORIZED',
    'no user deletes that of another');
error_is(create($thief, { templateId => $stored->{id} }), 403, 'UNAUTHORIZED', 'or uses it');
error_is(api(DELETE => "/api/templates/$_", user => $user), 404, 'NOT_FOUND', "$_ is not there")
    for 'x', $NO_ID;
error_is(api(PUT => '/api/templates', user => $user, json => {}), 405, 'METHOD_NOT_ALLOWED',
    'they are not replaced');
error_is(api(GET => "/api/templates/$stored->{id}", user => $user), 405, 'METHOD_NOT_ALLOWED',
    'nor read one by one');
error_is(api(GET => '/api/templates'), 401, 'AUTHENTICATION_REQUIRED', 'a request without a user gets none');

# ---- deleted, and too many ----

is data(api(DELETE => "/api/templates/$stored->{id}", user => $user))->{deleted}, JSON::PP::true(),
    'its owner deletes it';
error_is(create($user, { templateId => $stored->{id} }), 400, 'VALIDATION_ERROR', 'then it is gone');
sql("SELECT genflow.template_put(:'user', 'many ' || n, NULL, '{}', 200)
       FROM generate_series(1, 200) n", user => $thief);
error_is(save($thief, { name => 'one more', config => {} }), 429, 'QUOTA_EXCEEDED',
    'a user stores 200 at most');

finish;

sub save {
    my ($who, $body) = @_;
    return api(POST => '/api/templates', user => $who, json => $body);
}

sub generate_with {
    my ($who, $type, $body) = @_;
    return api(POST => "/api/$type/generate", user => $who, json => $body);
}

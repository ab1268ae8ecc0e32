#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Replicate's front without a client: what is bad is refused in that API's shape with nothing held,
# what belongs to others is not there, and a live prediction is created as `starting`. What the
# official client does is in t/clients.
use Genflow::Test;
use Genflow::Webhooks;

use Genflow::Httpd qw(small_site);

my ($user, $other) = (account(30), account(10));

# ---- bad requests ----

my $good = { prompt => "a cat of $user" };
my $file = files($user, png(3, 2));
my $theirs = files($other, png(4, 2));
is_deeply [$file->{status}, $theirs->{status}], [201, 201], 'files are uploaded';
my %FILE = map { $_->[0] => data($_->[1])->{urls}{get} } [mine => $file], [theirs => $theirs];

my @BAD = (                 # what: [body or JSON, status, field or undef, path]
    ['a body that is no JSON',       '{"input":',                               400, 'body'],
    ['a body that is a list',        '[]',                                      400, 'body'],
    ['no input',                     {},                                        422, 'input'],
    ['an input that is a text',      { input => 'x' },                          422, 'input'],
    ['no prompt',                    { input => {} },                           422, 'input.prompt'],
    ['a prompt that is a number',    { input => { prompt => 7 } },              422, 'input.prompt'],
    ['eleven pictures',              { input => { %$good, num_outputs => 11 } }, 422, 'input.num_outputs'],
    ['no picture at all',            { input => { %$good, num_outputs => 0 } }, 422, 'input.num_outputs'],
    ['a seed that is a text',        { input => { %$good, seed => 'x' } },      422, 'input.seed'],
    ['a mask',                       { input => { %$good, mask => 'https://a.test/m.png' } }, 422, 'input.mask'],
    ['steps that cost too much',     { input => { %$good, steps => 9999 } },    422, 'input.num_inference_steps'],
    ['an image where none is taken', { input => { %$good, image => $FILE{mine} } }, 422, 'input.image',
        'models/owner/one/predictions'],
    ['two where one is taken',       { input => { %$good, input_images => [($FILE{mine}) x 2] } }, 422, 'input.image',
        'models/owner/mirror/predictions'],
    ['no image where one is needed', { input => $good },                        422, 'input.image',
        'models/owner/mirror/predictions'],
    ["another user's file",          { input => { %$good, image => $FILE{theirs} } }, 422, 'input.image',
        'models/owner/mirror/predictions'],
    ['a file that never was',        { input => { %$good, image => $FILE{mine} =~ s/.{8}\z/00000000/r } }, 422,
        'input.image', 'models/owner/mirror/predictions'],
    ['an address of a file without id', { input => { %$good, image => $FILE{mine} =~ s{/files/\K.*}{x}r } }, 422,
        'input.image', 'models/owner/mirror/predictions'],
    ['a data: URI that is no picture', { input => { %$good, image => 'data:image/png;base64,AAAA' } }, 422,
        'input.image', 'models/owner/mirror/predictions'],
    ['a webhook of a host that is not allowed', { input => $good, webhook => 'https://evil.test/x' }, 422, 'webhook'],
    ['an event that there is not',   { input => $good, webhook_events_filter => ['done'] }, 422, 'webhook_events_filter'],
    ['an unknown model',             { input => $good },                        404, undef, 'models/owner/nothing/predictions'],
    ['an unknown deployment',        { input => $good },                        404, undef, 'deployments/owner/nothing/predictions'],
    ['no version',                   { input => $good },                        422, 'version', 'predictions'],
    ['an unknown version',           { input => $good, version => 'f' x 64 },   404, undef, 'predictions'],
    ['a version of another model',   { input => $good, version => 'owner/one:5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa' },
        404, undef, 'predictions'],
    ['11 MB',                        '{"input":{"prompt":"' . 'x' x 11_534_336 . '"}}', 413],
);
for my $bad (@BAD) {
    my ($what, $body, $status, $field, $path) = @$bad;
    my $res = front(POST => $path // 'models/owner/name/predictions', $user,
        ref $body ? (json => $body) : (body => $body, headers => { 'Content-Type' => 'application/json' }));
    problem_is($res, $status, $field, "$what is refused");
}
problem_is(front(POST => 'models/owner/name/predictions', $user, body => '{}', headers => { 'Content-Type' => 'text/plain' }),
    415, undef, 'a body of another type is refused');
credits_are $user, 30, 0, 'and nothing was held for any of them';

# ---- files ----

problem_is(files($user, 'no picture'), 422, 'content', 'a file that is no picture is refused');
problem_is(files($user, png(5, 5), 'other'), 422, 'content', 'a form without content is refused');
my $form = form('content', png(6, 6));
problem_is(front(POST => 'files', $user, body => substr($form->[1], 0, -40), headers => { 'Content-Type' => $form->[0] }),
    400, undef, 'a form that was cut in the middle of a part is refused');
problem_is(front(GET => "files/$_", $user), 404, undef, 'a file that is not there is not found')
    for 'x', '00000000-0000-0000-0000-000000000000', data($theirs)->{id};
problem_is(front(DELETE => 'files/' . data($theirs)->{id}, $user), 404, undef, '... and not deleted');
is front(GET => 'files/' . data($theirs)->{id}, $other)->{status}, 200, 'its owner has it';

# ---- who may, and where ----

problem_is(front(GET => 'predictions', undef), 401, undef, 'without a user nothing is shown');
problem_is(front(GET => 'nothing', $user), 404, undef, 'an unknown address is not found');
my $wrong = front(DELETE => 'predictions', $user);
problem_is($wrong, 405, undef, 'a method that an address does not take is refused');
is $wrong->{headers}{allow}, 'GET, HEAD, POST', '... with those that it takes';
problem_is(front(GET => 'predictions?cursor=x', $user), 422, 'cursor', 'a cursor that is none is refused');

# ---- created: starting, or an end ----

my $live = front(POST => 'models/owner/name/predictions', $user, json => { input => { prompt => "{{poll-hang}} $user" } },
    headers => { Prefer => 'wait=1' });
is_deeply [$live->{status}, data($live)->{status}], [201, 'starting'],
    'a prediction that its provider works on is created as starting';
my $id = data($live)->{id};
ok wait_for { status_of($user, $id)->{status} eq 'processing' }, 'it is processing';
is data(front(GET => "predictions/$id", $user))->{status}, 'processing', '... which a later look shows';
problem_is(front(GET => "predictions/$id", $other), 404, undef, 'another user does not find it');
problem_is(front(POST => "predictions/$id/cancel", $other, body => ''), 404, undef, '... nor cancels it');
is data(front(POST => "predictions/$id/cancel", $user, body => ''))->{status}, 'canceled', 'its user does';
credits_are $user, 30, 0, 'and gets the credits back';
ok !defined data($live)->{input}{front}, 'what the row records about the front is no input';

# ---- webhooks: the begin and the end, each under an id of its own ----

my $hook = hook('ok', "$user-both");
my $made = data(front(POST => 'models/owner/name/predictions', $user, json => { input => $good, webhook => $hook }));
my %came = map { $_->{header}{'webhook-id'} => $_ } deliveries($hook, 2);
is_deeply [sort keys %came], [sort $made->{id}, "$made->{id}-start"], 'the begin and the end are delivered';
is data({ content => $came{"$made->{id}-start"}{body} })->{status}, 'processing', 'the begin is no end';
is data({ content => $came{ $made->{id} }{body} })->{status}, 'succeeded', 'the end is one';
is $_->{header}{'webhook-signature'}, signature_of($_, secret_of($user)), "signed with the user's own secret" for values %came;
ok wait_for { !pending($made->{id}) }, 'and that is the end of it';
my $only = hook('ok', "$user-end");
$made = data(front(POST => 'models/owner/name/predictions', $user, headers => { Prefer => 'wait' },
    json => { input => $good, webhook => $only, webhook_events_filter => ['completed'] }));
is_deeply [map { $_->{header}{'webhook-id'} } deliveries($only, 1)], [$made->{id}], 'the filter says which';
is sql1("SELECT count(*) FROM genflow.deliveries WHERE job_id = :'id' AND event = 'start'", id => $made->{id}), 0,
    '... and no other is planned';

# ---- several pictures, one of which fails; a key of the caller ----

expect_log 'GF0203';
my ($before) = @{ credits($user) };
my $two = data(front(POST => 'models/owner/name/predictions', $user, headers => { Prefer => 'wait' },
    json => { input => { prompt => "{{status=400 times=1}} two of $user", num_outputs => 2 } }));
is_deeply [$two->{status}, scalar @{ $two->{output} }, $two->{error}], ['succeeded', 1, undef],
    'of several pictures those that were made are the output';
credits_are $user, $before - 1, 0, '... and are charged';
is data(front(GET => "predictions/$two->{id}", $user))->{id}, $two->{id}, 'its id is that of the first';
my ($second) = sql("SELECT id FROM public.neo_glitch_media WHERE run_id = :'name'",
    name => (sql("SELECT run_id FROM public.neo_glitch_media WHERE id = :'id'", id => $two->{id}))[0] =~ s/-1\z/-2/r);
is data(front(GET => "predictions/$second", $user))->{id}, $two->{id}, '... by which the others are found, too';
my ($failed) = grep { status_of($user, $_)->{status} eq 'failed' } $two->{id}, $second;
my $retried = data(api(POST => "/api/generation/$failed/retry", user => $user, headers => { Prefer => 'wait=60' }));
is data(front(GET => "predictions/$retried->{id}", $user))->{id}, $retried->{id}, 'a retry of one is a prediction of its own';

my @same = map { data(front(POST => 'models/owner/name/predictions', $user, headers => { 'Idempotency-Key' => "key-$user" },
    json => { input => { prompt => "once for $user", num_outputs => 2 } }))->{id} } 1 .. 2;
is $same[0], $same[1], "a repetition under the caller's key finds the prediction";
ok wait_for { submissions("once for $user") >= 2 && ended($user, $same[0]) }, '... whose pictures are made';
is submissions("once for $user"), 2, '... once';

# ---- the same request, natively ----

my $native = status_of($user, $made->{id});
is $native->{status}, 'completed', 'a prediction is a generation';
is_deeply data(front(GET => "predictions/$made->{id}", $user))->{output}, [$native->{imageUrl}], '... of the same picture';
is_deeply [broken_rules()], [], 'the books are sound';
finish;

sub front {
    my ($method, $path, $who, %more) = @_;
    $more{headers}{Authorization} = "Bearer $who" if $who;
    return api($method => "/v1/$path", %more);
}

# The answer is a problem of that status, about that field.
sub problem_is {
    my ($res, $status, $field, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $body = data($res) // {};
    my ($type) = ($res->{headers}{'content-type'} // '') =~ /\A([^;]+)/;
    my $says = is_deeply [$res->{status}, $type, $body->{status}, $body->{invalid_fields}[0]{field}],
        [$status, 'application/problem+json', $status, $field], $sentence;
    return $says || diag "the answer was: $res->{content}";
}

sub form {
    my ($name, $bytes) = @_;
    my $text = join "\r\n", '--x', qq(Content-Disposition: form-data; name="$name"; filename="a"),
        'Content-Type: application/octet-stream', '', $bytes, '--x--', '';
    return ['multipart/form-data; boundary=x', $text];
}

sub files {
    my ($who, $bytes, $name) = @_;
    my $form = form($name // 'content', $bytes);
    return front(POST => 'files', $who, body => $form->[1], headers => { 'Content-Type' => $form->[0] });
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# conf/genflow-legacy.conf: every address below /.netlify/functions that older front ends know is
# there, in both spellings, and does what its path of the API does, or what t/legacy says.
use Genflow::Test;

use Genflow::Httpd qw(accepted refused);
use Genflow::Site ();
use Genflow::Types;

my $OLD  = '/.netlify/functions';
my $user = account(60);

# ---- every line of the file ----

my $file = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-legacy.conf");
my %path = $file =~ /^ *GenflowPath (\S+) +(\S+)$/mg;
ok keys %path > 10, 'the file has names';
for my $name (sort keys %path) {
    for my $spelling (spellings($name)) {
        for my $method (qw(GET POST)) {
            next if $name eq 'cloudinary-sign';                   # closed, as t/legacy/gallery.t says
            my $answer = outcome($method => "$OLD/$spelling");
            isnt $answer, '404:NOT_FOUND', "$method $spelling is there";
            next if $name =~ /-(?:generate|status)\z/ || "$method $name" eq 'POST credits-reserve';
            my $api = outcome($method => "/api/$path{$name}");
            is $answer, $api, "... and is $path{$name}" if $api ne '404:NOT_FOUND';
        }
        like outcome(GET => "$OLD/$spelling", undef), qr/\A(?:401|405|200):/, '... not for anybody';
    }
}
is api(GET => "$OLD/$_", user => $user)->{status}, 404, "there is no $_"
    for '', 'nothing', 'getQuota/', 'getquota', 'x/getQuota';

# ---- each type, as older front ends use it ----

for my $type (map { $_->{name} } shipped()) {
    my ($hyphens, $underscores) = ($type, $type =~ tr/-/_/r);
    my $run  = "run-$user-$type";
    my $made = api(POST => "$OLD/$hyphens-generate", user => $user,
        json => body_for($user, $type, { runId => $run }));
    my $id = data($made)->{id};
    is $made->{status}, 200, "$type makes a picture" or diag $made->{content};
    my @CALLS = (    # what, method, path, body
        ['?jobId=',         GET  => "$hyphens-status?jobId=$id"],
        ['with _',          GET  => "${underscores}_status?jobId=$id"],
        ['?runId=',         GET  => "$hyphens-status?runId=$run"],
        ['a body',          POST => "$underscores-status", { jobId => $id }],
        ['no body',         POST => "$hyphens-status?jobId=$id"],
        ['POST of its job', POST => "$hyphens-generate", { jobId => $id }],
        ['POST of its id',  POST => "${underscores}_generate", { id => $id, userId => 'x' }],
        ['POST of its run', POST => "$hyphens-generate", { runId => $run }],
    );
    for my $call (@CALLS) {
        my ($what, $method, $path, $json) = @$call;
        my $res = api($method => "$OLD/$path", user => $user, $json ? (json => $json) : ());
        is_deeply [$res->{status}, known(data($res))], [200, status_of_both($id, $type)],
            "$type, $what: its status" or diag $res->{content};
    }
}
is rows_of($user, 'genflow.ledger', "kind = 'capture'"), 5, 'a status request makes none';

# ---- a job under way ----

my $slow = data(api(POST => "$OLD/neo-glitch-generate", user => $user,
    json => { prompt => 'an old cat {{poll=2}}', presetKey => 'base' },
    headers => { Prefer => 'respond-async' }));
is $slow->{pollUrl}, "/api/neo-glitch/status?id=$slow->{id}", 'pollUrl leads to it';
ok wait_for(sub {
    data(api(POST => "$OLD/neo-glitch-generate", user => $user, json => { jobId => $slow->{id} }))
        ->{status} eq 'completed';
}), 'a status request where it was made ends with the picture';
my $other = account(0);
my %mine  = (json => { jobId => $slow->{id} });
error_is(api(POST => "$OLD/neo-glitch-generate", user => $other, %mine), 403, 'UNAUTHORIZED',
    "another user's is refused");
error_is(api(POST => "$OLD/neo-glitch-generate", user => $user, json => { jobId => 'x' }), 404,
    'NOT_FOUND', 'an unknown one is not made');
is data(api(POST => "$OLD/neo-glitch-generate", user => $user, json => { seed => 1 }))->{code},
    'VALIDATION_FAILED', 'a body without a request is refused';
is data(api(POST => '/api/neo-glitch/generate', user => $user, %mine))->{code}, 'VALIDATION_FAILED',
    'without GenflowLegacyNames none is';

# ---- credits ----

my %much = (json => { request_id => "much-$user", cost => 1000 });
error_is(api(POST => "$OLD/credits-reserve", user => $user, %much), 403, 'INSUFFICIENT_CREDITS',
    'too few credits are forbidden');
error_is(api(POST => '/api/credits-reserve', user => $user, %much), 402, 'INSUFFICIENT_CREDITS',
    '... and need payment at the API');
is data(api(POST => "$OLD/credits-reserve", user => $user, json => { request_id => "held-$user" }))
    ->{cost}, 2, 'two credits are held';
my $given = api(POST => "$OLD/credits_finalize", user => $user,
    json => { request_id => "held-$user", disposition => 'refund' });
is $given->{status}, 200, '... and given back' or diag $given->{content};
is credits($user)->[1], 0, '... which frees them';

# ---- the directives ----

my $WHERE = "<Location \"/old/\">\nSetHandler genflow-api\n%s\n</Location>\n";
accepted('a name', sprintf $WHERE, "GenflowPath quota getQuota\nGenflowLegacyNames Off");
refused('a name with a slash', sprintf($WHERE, 'GenflowPath /quota getQuota'), 'begins with /');
refused('a path with a slash', sprintf($WHERE, 'GenflowPath quota /getQuota'), 'begins with /');
refused('a name of a pattern', "<LocationMatch \"^/o\">\nGenflowPath quota getQuota\n</LocationMatch>\n",
    'belongs inside <Location');

finish;

# A name with hyphens and with underscores.
sub spellings {
    my ($name) = @_;
    my %spelling = map { $_ => 1 } $name, $name =~ tr/-/_/r;
    return sort keys %spelling;
}

# status:code of a request with nothing in it.
sub outcome {
    my ($method, $path, $who) = (@_, $user)[0 .. 2];
    my $res = api($method => $path, defined $who ? (user => $who) : (),
        $method eq 'POST' ? (json => {}) : ());
    my $data = data($res);
    return "$res->{status}:" . (ref $data eq 'HASH' && $data->{code} // '');
}

# What the API answers about it, with the names of both.
sub status_of_both {
    my ($id, $type) = @_;
    return known(data(api(GET => "/api/$type/status?id=$id&names=both", user => $user)));
}

# All but what only older systems have, ids of providers (t/legacy/find.t), and thumbnails, which they know
# nothing of.
sub known {
    my ($job) = @_;
    my %known = %$job;
    delete @known{qw(message mediaId aimlModel attemptCount error details jobAge generationMeta
        presetInfo customPrompt)};
    delete @known{ grep { /job_?id\z|\Areplicate|\Athumbnail|\Acolor\z/i } keys %known };
    return \%known;
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A member of a body or of a query that the API does not know is refused before anything is held,
# with the known name that is nearest. GenflowBodyUnknown ignore lets it pass, as GenflowLegacyNames
# does. Every name that docs/openapi.yaml has for a body is known.
use Genflow::Admin;
use Genflow::Httpd qw(refused accepted);
use Genflow::Test;

refused('another word', "GenflowBodyUnknown maybe\n", 'must be refuse or ignore');
accepted('both words', "GenflowBodyUnknown refuse\nGenflowBodyUnknown ignore\n");

my $user = account(40);

# ---- bodies ----

my @SLIPS = (    # path, body, field, what it should have been
    ['neo-glitch/generate', { promt => 'a cat', presetKey => 'base' }, 'promt', 'prompt'],
    ['neo-glitch/generate', { prompt => 'a cat', presetKey => 'base', webhookURL => 'x' },
        'webhookURL', 'webhookUrl'],
    ['neo-glitch/generate', { prompt => 'a cat', presetKey => 'base', sead => 7 }, 'sead', 'seed'],
    ['neo-glitch/generate', { prompt => 'a cat', presetKey => 'base', image_size => 'square' },
        'image_size', undef],
    ['neo-glitch/generate', { prompt => 'a cat', presetKey => 'base', zzzzzzzzzz => 7 },
        'zzzzzzzzzz', undef],
    ['neo-glitch/generate', { prompt => 'a cat', presetKey => 'base', 'x' x 500 => 7 }, 'x' x 64,
        undef],
    ['generation/create', { type => 'neo-glitch', productImages => ['https://a.example/1.png'],
        modelImage => [] }, 'modelImage', 'modelImages'],
    ['generate', { generationId => '01a1fc7d-bbf5-7c3a-8e9f-0100824fa663', prompt => 'x' },
        'prompt', undef],
    ['credits-reserve', { request_id => 'r', ammount => 9 }, 'ammount', 'amount'],
    ['credits-finalize', { request_id => 'r', disposition => 'refund', dispositon => 'commit' },
        'dispositon', 'disposition'],
    ['templates', { name => "t $user", config => { promt => 'x' } }, 'config.promt', 'prompt'],
    ['templates', { name => "t $user", config => {}, nam => 'x' }, 'nam', 'name'],
    ['neo-glitch/status', { runId => 'r', jobID => 'x' }, 'jobID', 'jobId'],
    ['getQuota', { userid => 'bob' }, 'userid', 'userId'],
    ['getUserMedia', { limt => 5 }, 'limt', 'limit'],
    ['delete-media', { id => '01a1fc7d-bbf5-7c3a-8e9f-0100824fa663', mediaid => 'x' }, 'mediaid', 'mediaId'],
);
for my $slip (@SLIPS) {
    my ($path, $body, $field, $near) = @$slip;
    my $res = api(POST => "/api/$path", user => $user, json => $body);
    my ($error) = grep { $_->{field} eq $field } @{ data($res)->{validationErrors} // [] };
    is "$res->{status} " . ($error ? 'named' : $res->{content}), '422 named',
        substr("$field of $path is refused", 0, 70);
    like $error->{message}, defined $near ? qr/did you mean \Q$near\E\?/ : qr/is not known/,
        '... and the nearest name is named, if there is one';
}
credits_are $user, 40, 0, 'nothing is held for any of them';

my $many = { prompt => 'a cat', presetKey => 'base', map { ("x$_" => 1) } 1 .. 5000 };
my $res = api(POST => '/api/neo-glitch/generate', user => $user, json => $many);
is "$res->{status} " . @{ data($res)->{validationErrors} }, '422 10', 'of very many ten are named';

$res = generate($user, { userId => 'somebody else', generationMeta => { any => ['thing'] },
    parameters => { any => 'thing' } });
is $res->{status}, 200, 'userId, generationMeta and parameters may hold anything';
is data($res)->{userId}, $user, '... and userId is ignored';

$res = api(POST => '/api/getQuota', user => $user, json => { userId => 'somebody else' });
is $res->{status}, 200, '... in the body of getQuota, too';

my %preset = (type => 'custom-prompt', key => 'slip', label => 'x', category => 'x', prompt => 'x');
for my $slip ([POST => '/presets', { %preset, stregth => 0.5 }],
              [PUT => '/presets/film_noir', { stregth => 0.5 }]) {
    my ($method, $path, $body) = @$slip;
    my $answer = admin($method => $path, json => $body);
    my ($error) = @{ data($answer)->{validationErrors} // [] };
    is "$answer->{status} " . ($error->{field} // $answer->{content}), '422 stregth', "$method admin$path refuses such a member";
    like $error->{message}, qr/did you mean strength\?/, '... and names the nearest one';
}

# ---- queries ----

my @QUERIES = (    # path, field, what it should have been
    ['GET /api/generations?stauts=failed', 'stauts', 'status'],
    ['GET /api/credits?limt=5', 'limt', 'limit'],
    ['GET /api/templates?curser=x', 'curser', 'cursor'],
    ['GET /api/presets?typ=neo-glitch', 'typ', 'type'],
    ['GET /api/neo-glitch/status?idd=x', 'idd', 'id'],
    ['POST /api/neo-glitch/generate?dry_run=1', 'dry_run', 'dryRun'],
    ['DELETE /admin/jobs?usr=bob', 'usr', 'user'],
    ['GET /admin/stats?user=bob', 'user', undef],
);
for my $query (@QUERIES) {
    my ($what, $field, $near) = @$query;
    my ($method, $path) = split / /, $what;
    my $answer = $path =~ m{^/admin(.*)} ? admin($method => $1)
        : api($method => $path, user => $user,
            $method eq 'POST' ? (json => { prompt => 'a cat', presetKey => 'base' }) : ());
    my ($error) = @{ data($answer)->{validationErrors} // [] };
    is "$answer->{status} " . ($error->{field} // $answer->{content}), "422 $field",
        "$what is refused";
    like $error->{message}, defined $near ? qr/did you mean \Q$near\E\?/ : qr/is not known/,
        '... as it should';
}
credits_are $user, 39, 0, '?dry_run=1 has charged nothing';
is api(GET => '/api/health?_=1')->{status}, 200, 'health takes any query';

# ---- where they are ignored ----

my $site = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/test.conf"
GenflowDispatch Off
<Location "/lenient">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
    GenflowBodyUnknown ignore
</Location>
<Location "/strict-legacy">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
    GenflowLegacyNames On
    GenflowBodyUnknown refuse
</Location>
END
talk_to($site);
my %slip = (prompt => 'a cat', presetKey => 'base', promt => 'x');
is api(POST => '/lenient/neo-glitch/generate?x=1', user => $user, json => \%slip)->{status}, 200,
    'GenflowBodyUnknown ignore ignores them';
is api(POST => '/strict-legacy/neo-glitch/generate', user => $user, json => \%slip)->{status}, 422,
    'with refuse beside GenflowLegacyNames On they are refused';
is api(POST => '/.netlify/functions/neo-glitch-generate?x=1', user => $user, json => \%slip)
    ->{status}, 200, 'GenflowLegacyNames On alone ignores them';
talk_to(undef);
$site->stop;

# ---- what the document has ----

my $OPENAPI = Genflow::Site::read_text('docs/openapi.yaml');
my %BODIES = (    # path, the schemas that it is made of
    'neo-glitch/generate' => [qw(GenerateBody OrderBody Parameters)],
    'generation/create'   => [qw(CreateBody OrderBody)],
);
for my $path (sort keys %BODIES) {
    my @members = map { members_of($_) } @{ $BODIES{$path} };
    ok @members > 15, "the members of $path are documented" or diag "@members";
    $res = api(POST => "/api/$path?dryRun=1", user => $user,
        json => { map { ($_ => []) } @members });
    my @unknown = map { $_->{field} }
        grep { $_->{message} =~ /is not known/ } @{ data($res)->{validationErrors} // [] };
    is "@unknown", '', '... and each of them is known';
}

finish;

# The properties of a schema, without those below one of them.
sub members_of {
    my ($name) = @_;
    my ($text) = $OPENAPI =~ /^    \Q$name\E:\n((?:      .*\n|\s*\n)+)/m;
    my ($properties) = ($text // '') =~ /^ +properties:\n(.*)/ms or return;
    my ($indent) = $properties =~ /\A( +)/;
    return $properties =~ /^$indent(\w+):/mg;
}

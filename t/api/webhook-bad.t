#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A webhookUrl that cannot be used is refused with all other bad fields, and nothing is held for it:
# only hosts that GenflowWebhookAllow names, by https unless it says otherwise. Without that
# directive none is taken; with it, a secret and a public address must be there.
use Genflow::Httpd qw(refused accepted small_site);
use Genflow::Test;
use Genflow::TwoStep;
use JSON::PP ();

my $JSON = JSON::PP->new->utf8;
my $user = account(10);
my @BAD  = (
    # JSON, the message, what it is
    ['7',                                      'text',      'a number'],
    ['["https://hooks.example/"]',             'text',      'a list'],
    ['""',                                     'address',   'nothing'],
    ['"hooks.example/x"',                      'https://',  'no address'],
    ['"ftp://hooks.example/x"',                'https://',  'another scheme'],
    ['"http://hooks.example/x"',               'https://',  'http to a host that is allowed by https'],
    ['"https://hooks.example.evil.test/x"',    'host',      'a host that only begins like an allowed one'],
    ['"https://evilhooks.example/x"',          'host',      'a host that only ends like an allowed one'],
    ['"https://elsewhere.example/x"',          'host',      'a host that is not allowed'],
    ['"https://10.0.0.1/x"',                   'host',      'a private address'],
    ['"https://u:p@hooks.example/x"',          'user name', 'a password'],
    ['"https://elsewhere.example\\\\@hooks.example/x"', 'backslashes', 'a backslash'],
    ['"https://hooks.example/a b"',            'blanks',    'a blank'],
    ['"https://hooks.example/\u0000"',         'NUL',       'a NUL'],
    ['"https://hooks.example:0/x"',            'port',      'no port'],
    ['"https:///x"',                           'no host',   'no host'],
    ['"https://hooks.example/' . 'x' x 2048 . '"', '2048',  'more than 2048 characters'],
);
for my $case (@BAD) {
    my ($json, $message, $what) = @$case;
    my $res = post('/api/neo-glitch/generate', qq({"presetKey":"base","webhookUrl":$json}));
    error_is($res, 422, 'VALIDATION_FAILED', "$what is refused");
    my ($field) = @{ data($res)->{validationErrors} };
    is $field->{field}, 'webhookUrl', '... by name';
    like $field->{message}, qr/\Q$message\E/, '... with what is wrong';
}
my $both = post('/api/neo-glitch/generate', '{"presetKey":"no","strength":7,"webhookUrl":"https://no.example/"}');
is_deeply [sort map { $_->{field} } @{ data($both)->{validationErrors} }], [qw(presetKey strength webhookUrl)],
    'it is named with all others';
my $create = create($user, { webhookUrl => 'http://hooks.example/' });
error_is($create, 400, 'VALIDATION_ERROR', 'in two steps it is refused by the first');
error_is(one_step($user, { productImages => [$IMAGE], webhookUrl => 'x' }), 400, 'VALIDATION_ERROR', '... or the only one');
is rows_of($user, 'public.neo_glitch_media'), 0, 'nothing was made';
credits_are $user, 10, 0, 'nothing was held';

my %GOOD = ('https://hooks.example/x?y=1#z' => 'an allowed host', 'HTTPS://Hooks.Example:8443' => 'in another spelling',
    'https://a.b.hooks.example' => 'a host below an allowed domain', 'https://127.0.0.1/' => 'https where http would do');
for my $url (sort keys %GOOD) {
    my $body = $JSON->encode({ presetKey => 'base', webhookUrl => $url });
    is post('/api/neo-glitch/generate?dryRun=1', $body)->{status}, 200, "$GOOD{$url} is taken";
}

# ---- the configuration ----

my $HOST   = "GenflowWebhookAllow hooks.example\n";
my $SECRET = "GenflowWebhookSecret env:WEBHOOK_SECRET\n";
my $PUBLIC = "GenflowPublicUrl https://pictures.example/api\n";
refused('a host without a secret', $HOST . $PUBLIC, 'GenflowWebhookSecret is missing');
refused('a secret that is not set', $HOST . $PUBLIC . "GenflowWebhookSecret env:NO_SUCH_SECRET\n",
    'GenflowWebhookSecret is missing');
refused('a secret of another form', $HOST . $PUBLIC . "GenflowWebhookSecret env:STORE_SECRET\n", 'whsec_<base64>');
refused('a secret in the clear', "GenflowWebhookSecret whsec_MDEy\n", 'must be env:NAME or file:PATH');
refused('a host without a public address', $HOST . $SECRET, 'GenflowPublicUrl');
refused("the host $_", "GenflowWebhookAllow $_\n", 'must be a host')
    for qw(https://a.example a.example/x *.*.example a*b http:// a.example:443);
refused('no time', "GenflowWebhookTimeout 0s\n", 'must be 100ms to 5m');
accepted('all of it', $HOST . $SECRET . $PUBLIC . "GenflowWebhookAllow * http://10.1.2.3 ::1\nGenflowWebhookTimeout 5s\n");
accepted('a server that only takes requests', $HOST . "GenflowDispatch Off\n");

my $without = Genflow::Httpd->start(small_site() . <<'END');
GenflowDispatch Off
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($without);
my $res = generate($user, { webhookUrl => 'https://hooks.example/x' });
error_is($res, 422, 'VALIDATION_FAILED', 'a site without GenflowWebhookAllow takes none');
like data($res)->{validationErrors}[0]{message}, qr/sends no webhooks/, '... and says so';

finish;

sub post {
    my ($path, $body) = @_;
    return api(POST => $path, user => $user, body => $body, headers => { 'Content-Type' => 'application/json' });
}

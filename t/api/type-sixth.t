#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A sixth type is a section of the configuration and one SQL call, and has all that the others have:
# endpoints, handlers, table, price, presets. A type none of whose providers has a key is closed,
# and takes nothing.
use Genflow::Test;

use Genflow::Httpd;

# ---- one SQL call, one section ----

sql("SELECT genflow.create_type('sixth-sense')");
sql("SELECT genflow.create_type('sixth-closed')");
my $httpd = Genflow::Httpd->start(<<'END');
DBDriver pgsql
DBDParams "host=${GENFLOW_WORK} dbname=genflow user=genflow_app"
DBDMin 0
DBDKeep 4
DBDMax 8
DBDExptime 300
StartServers 2
GenflowStoreFolder "${GENFLOW_WORK}/store"
<Location "/generated">
    SetHandler genflow-result
</Location>
Include "${GENFLOW_WORK}/t/conf/api.conf"
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType sixth-sense>
    GenflowTypeProviders local
    GenflowTypeCost      3
    GenflowTypePromptMax 40
</GenflowType>
<Location "/sixth">
    SetHandler sixth-sense-generate
    GenflowUser "%{HTTP:X-User}"
</Location>
<Location "/sixth-status">
    SetHandler sixth-sense-status
    GenflowUser "%{HTTP:X-User}"
</Location>
<GenflowProvider keyless>
    GenflowProviderKind stability
    GenflowProviderUrl  http://127.0.0.1:1
    GenflowProviderKey  env:UNSET_OF_TEST
</GenflowProvider>
<GenflowType sixth-closed>
    GenflowTypeProviders keyless/sd3
</GenflowType>
END

my $user = account(20);
my $made = request_json(POST => '/api/sixth-sense/generate', { prompt => 'a ghost' });
is "$made->{type} $made->{status}", 'sixth-sense completed', 'it makes pictures';
is $made->{tokensUsed}, 3, 'at its price';
credits_are $user, 17, 0, 'which is charged';
is sql1("SELECT status, prompt FROM public.sixth_sense_media WHERE id = :'id'", id => $made->{id}),
    'completed|a ghost', 'they are rows of its own table';
is request_json(GET => "/api/sixth_sense/status?id=$made->{id}")->{id}, $made->{id}, 'they have a status';
is get($made->{imageUrl})->{status}, 200, 'and a picture';
is request_json(POST => '/api/sixth-sense/generate', { prompt => 'x' x 41 })->{code}, 'PROMPT_TOO_LONG',
    'its limits hold';

my $again = request_json(POST => '/sixth', { prompt => 'a ghost', runId => 'run-6' });
is "$again->{type} $again->{status}", 'sixth-sense completed', 'its handler makes one, too';
is request_json(GET => '/sixth-status?runId=run-6')->{id}, $again->{id}, 'and the other handler finds it';
like $httpd->log_text, qr/GF0405: job=\Q$made->{id}\E type=sixth-sense /, 'the log names the type';

# ---- its presets are rows ----

sql(<<'END');
INSERT INTO genflow.presets_config (type, key, label, category, prompt, strength)
VALUES ('sixth-sense', 'mist', 'Mist', 'air', 'in a mist', 0.25)
    ON CONFLICT (type, key) DO UPDATE SET is_active = true;
END
my $body = { prompt => 'a ghost', presetKey => 'mist' };
presets_known;
is dry_prompt(), 'in a mist, a ghost', 'it gets a preset by a row';
is request_json(POST => '/api/sixth-sense/generate', $body)->{parameters}{strength}, 0.25,
    'which does what a preset does';

# ---- no key, no service, no charge ----

my $before = credits($user);
my $res = request(POST => '/api/sixth-closed/generate', { prompt => 'a cat' });
is $res->{status}, 503, 'a type without a key refuses';
is JSON::PP::decode_json($res->{content})->{code}, 'PROVIDER_UNAVAILABLE', 'and says why';
cmp_ok $res->{headers}{'retry-after'}, '>', 0, 'and when to come again';
is request(POST => '/api/sixth-closed/generate?dryRun=1', { prompt => 'a cat' })->{status}, 503,
    'a dry run does no better';
is_deeply credits($user), $before, 'nothing is held for it';
my $providers = request_json(GET => '/api/health')->{providers};
is "$providers->{usable} of $providers->{configured}", '1 of 2', 'its provider is of no use';
like $httpd->log_text, qr/GF0005: <GenflowType sixth-closed> is closed: .*GenflowProviderKey is missing/,
    'the log has it at the start';
my @others = grep { !/GF0005|GF0209/ } split /\n/, $httpd->alarms;
is_deeply \@others, [], 'and nothing else was wrong';

finish;

# What would be sent to the provider: several children answer, each by what it remembers of presets.
sub dry_prompt { return request_json(POST => '/api/sixth-sense/generate?dryRun=1', $body)->{prompt} }

sub request {
    my ($method, $path, $json) = @_;
    my %headers = ('X-User' => $user, 'Content-Type' => 'application/json');
    my %content = $json ? (content => JSON::PP::encode_json($json)) : ();
    return HTTP::Tiny->new(timeout => 90)->request($method, $httpd->base . $path,
        { headers => \%headers, %content });
}

sub request_json { return JSON::PP::decode_json(request(@_)->{content}) }

sub get { return HTTP::Tiny->new(timeout => 90)->get($_[0]) }

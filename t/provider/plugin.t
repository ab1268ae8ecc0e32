#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Another module brings a provider and a store (t/sample, built by apxs against the public headers
# alone): pictures are made by the one and kept by the other as by our own kinds. A module that was
# compiled against another version, or whose kind cannot work, stops the start.
use Genflow::Shelf;
use Genflow::Test;

use Genflow::Httpd qw(configtest refused);

my $MODULES  = "$ENV{GENFLOW_WORK}/modules";
my $PROVIDER = <<'END';
<GenflowProvider sample>
    GenflowProviderUrl "${GENFLOW_FAKE}/sample"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderDeadline 8s
    GenflowProviderPoll 100ms
    GenflowProviderBackoff 50ms
    GenflowProviderBreakerOpen 0s
</GenflowProvider>
END

# ---- a picture by both ----

my $shelf = Genflow::Shelf->start(kind => 'shelf', type => 'plugin', chain => 'sample/brush',
    lines => load('mod_genflow_sample') . $PROVIDER);
$shelf->run_cases("$ENV{GENFLOW_STORE}/shelf/" . $shelf->prefix,
    # order, what becomes of the uploads, the test's name
    [undef, 'kept', 'a provider and a store of another module'],
    [{ act => 'fail', status => 503, times => 1 }, 'fail kept', 'a store that fails once'],
);

my $user = account(10);
my $job  = $shelf->picture($user, 'poll=2');
is $job->{status}, 'completed', 'a run whose ref is an address is polled there';
is $job->{provider}, 'sample', '... and shown as made by the kind';
is read_fake("_polls?match=[$user]"), 3, '... three times';
my $sent = read_fake("_submissions?match=[$user]")->[0];
is $sent->{headers}{'x-key'}, $ENV{PEERS_API_KEY}, 'its key is sent in the header that it names';
ok !exists $sent->{headers}{authorization}, '... and in no other';

for my $case (['status=429 times=1', 'completed', undef], ['status=401', 'failed', 'API_ERROR'],
              ['cut-before', 'failed', 'NETWORK_ERROR'], ['gateway=aws-api-gateway-504', 'failed', 'NETWORK_ERROR']) {
    my ($script, $status, $error) = @$case;
    $user = account(10);
    $job  = $shelf->picture($user, $script);
    is $job->{status},    $status, "$script: $status";
    is $job->{errorCode}, $error,  '... with the right code';
    credits_are $user, $status eq 'completed' ? 9 : 10, 0, '... for the right price';
}

# ---- what does not start ----

my $type = "<GenflowType t>\nGenflowTypeProviders sample/%s\n</GenflowType>\n";
refused('a model that the kind does not know',
    load('mod_genflow_sample') . $PROVIDER . sprintf($type, 'pencil'),
    'GenflowTypeProviders sample/pencil: the only model is `brush`');
refused('a module of another version', load('mod_genflow_sample_old'),
    'genflow-provider `sample` comes from a module that was compiled against version 0');
refused('a kind without the header of its key', load('mod_genflow_sample_broken'),
    'genflow-provider `sample` of another module cannot work');
refused('the kind of a module that is not loaded', $PROVIDER,
    'GenflowProviderKind (missing): must be one of');

finish;

sub read_fake {
    my ($question) = @_;
    my $res = HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/" . $question =~ s/([][])/sprintf '%%%02X', ord $1/ger);
    die "the fake provider answered $res->{status}: $res->{content}\n" if !$res->{success};
    return data($res);
}

sub load {
    my ($file) = @_;
    return "LoadModule genflow_sample_module \"$MODULES/$file.so\"\n";
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# conf/genflow-fronts.conf, as shipped: programs with a key of this site get pictures from each front.
use Genflow::Test;
use Genflow::Httpd;
use Genflow::Keys;

my $user  = account(20);
my $key   = new_key($user)->{key};
my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . <<'END');
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType custom-prompt>
    GenflowTypeProviders local/film
    GenflowTypeCost 1
    GenflowTypeSource optional
    GenflowTypePromptMin 10
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
Include "${GENFLOW_WORK}/conf/genflow-fronts.conf"
END
talk_to($httpd);
wait_for { api(GET => '/api/health')->{status} == 200 };

my %prompt = (prompt => "a lighthouse of $user");
my $res = api(POST => '/openai/v1/images/generations', json => { model => 'gpt-image-1', %prompt }, headers => bearer($key));
is_deeply [$res->{status}, scalar @{ data($res)->{data} }], [200, 1], 'OpenAI' or diag $res->{content};
$res = api(POST => '/v1/models/black-forest-labs/flux-schnell/predictions', json => { input => {%prompt} },
    headers => { %{ bearer($key) }, Prefer => 'wait' });
is_deeply [$res->{status}, data($res)->{status}], [201, 'succeeded'], 'Replicate' or diag $res->{content};
$res = api(POST => '/fal/run/fal-ai/flux/dev', json => {%prompt}, headers => { Authorization => "Key $key" });
is_deeply [$res->{status}, scalar @{ data($res)->{images} }], [200, 1], 'fal' or diag $res->{content};
credits_are $user, 17, 0, 'each is charged';

for my $case (['/openai/v1/images/generations', 401, sub { $_[0]{error}{code} eq 'invalid_api_key' }],
    ['/v1/predictions', 401, sub { $_[0]{status} == 401 }], ['/fal/run/fal-ai/flux/dev', 401, sub { $_[0]{detail} }]) {
    my ($path, $status, $shape) = @$case;
    $res = api(POST => $path, json => {%prompt}, headers => bearer(stranger()));
    is $res->{status}, $status, "$path: an unknown key is refused";
    ok eval { $shape->(data($res)) }, '... in the shape of that API' or diag $res->{content};
    like $res->{headers}{'www-authenticate'}, qr/\ABearer /, '... with a challenge';
}
is $httpd->alarms, '', 'httpd had nothing to complain about';
finish;

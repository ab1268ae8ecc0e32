#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# GenflowTypePrice: a generation costs what it requests. The price of a dry run is what is held, and
# what is charged; a failure costs nothing. No chain entry makes a generation that costs more than it
# was created at.
use Genflow::Httpd qw(refused accepted small_site fake_provider);
use Genflow::Test;

my $JSON = JSON::PP->new->canonical->allow_nonref;

# ---- the directive ----

my $TYPE = "<GenflowType sketch>\n    GenflowTypePrice %s\n</GenflowType>\n";
my %WRONG = (
    '4'                     => 'needs credits and at least one term',
    'four quality=high'     => 'credits must be 0 to 1000000',
    '-1 quality=high'       => 'credits must be 0 to 1000000',
    '1000001 quality=high'  => 'credits must be 0 to 1000000',
    '4 qualty=high'         => '`qualty=high`: a term begins with n, model, pixels, quality',
    '4 size=1024x1024'      => 'a term begins with n, model',
    '4 prompt=cat'          => 'a term begins with n, model',
    '4 negative_prompt=cat' => 'a term begins with n, model',
    '4 quality'             => 'a term is a name, one of = < <= > >=, and a value',
    '4 quality='            => 'a term is a name',
    '4 quality==high'       => 'a term is a name',
    '4 pixels=>9'           => 'a term is a name',
    '4 quality>high'        => 'quality takes =, as in quality=high|medium',
    '4 model>local'         => 'model takes =',
    '4 pixels>many'         => 'pixels takes a number from 0 to 1073741824',
    '4 pixels>-1'           => 'pixels takes a number',
    '4 n>1073741825'        => 'n takes a number',
    '4 model=stability/sd9' => 'GenflowTypePrice names model=stability/sd9, which is none of GenflowTypeProviders: local',
    '4 model=local|nope'    => 'names model=nope',
);
refused($_, sprintf($TYPE, $_), $WRONG{$_}) for sort keys %WRONG;
refused('outside of a type', "GenflowTypePrice 4 n>1\n", 'GenflowTypePrice');
accepted('terms of every kind', sprintf $TYPE,
    '4 pixels>=1 n<=3 quality=low|high model=local num_inference_steps<50 aspect_ratio=16:9');

# ---- prices of a site ----

sql('SELECT genflow.create_type(:\'type\')', type => $_) for qw(price-fal price-openai price-sizes price-chain price-last);
my $SITE = small_site('price-sketch') . fake_provider('fal', 'GenflowProviderPoll 100ms') . fake_provider('openai') . <<'END';
Include "${GENFLOW_WORK}/t/conf/api.conf"
GenflowFetchAllow 127.0.0.1
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType price-fal>
    GenflowTypeProviders fal/fal-ai/fast-sdxl fal/fal-ai/flux/dev local
    GenflowTypeCost 2
    GenflowTypeFallbackCost 1
    GenflowTypeRetries 0
    GenflowTypeParameter num_inference_steps 10 30 50
    GenflowTypePrice 9 pixels>1048576 num_inference_steps>40
    GenflowTypePrice 7 pixels>1048576
    GenflowTypePrice 5 num_inference_steps>40
    GenflowTypePrice 0 num_inference_steps<=10
    GenflowTypePrice 1 n>=4
</GenflowType>
<GenflowType price-openai>
    GenflowTypeProviders openai/gpt-image-1
    GenflowTypeCost 2
    GenflowTypeParameter quality low|high|medium
    GenflowTypePrice 6 quality=high|medium model=openai/gpt-image-1
</GenflowType>
<GenflowType price-sizes>
    GenflowTypeProviders openai/gpt-image-1
    GenflowTypeCost 2
    GenflowTypePrice 8 pixels>1048576
    GenflowTypePrice 3 pixels>=1048576
    GenflowTypePrice 1 pixels<1048576
    GenflowTypePrice 0 num_inference_steps<=10
</GenflowType>
END
my $CHAINS = <<'END';
<GenflowType price-chain>
    GenflowTypeProviders openai/gpt-image-1 fal/fal-ai/fast-sdxl local
    GenflowTypeCost 2
    GenflowTypeRetries 1
    GenflowTypeUnknown next
    GenflowTypePrice 9 model=fal/fal-ai/fast-sdxl
</GenflowType>
<GenflowType price-last>
    GenflowTypeProviders openai/gpt-image-1 local
    GenflowTypeCost 2
    GenflowTypeRetries 1
    GenflowTypeUnknown next
    GenflowTypeFallback local
    GenflowTypeFallbackCost 1
    GenflowTypePrice 1 n>=4
    GenflowTypePrice 2 pixels<1048576
    GenflowTypePrice 3 model=local
</GenflowType>
END
my $site = Genflow::Httpd->start("$SITE$CHAINS");
talk_to $site;

my @CASES = (    # type, parameters, n, credits of one
    ['price-fal', {},                                                                  1, 2],
    ['price-fal', { image_size => 'square_hd' },                                       1, 2],
    ['price-fal', { image_size => { width => 1025, height => 1024 } },                 1, 7],
    ['price-fal', { image_size => { width => 2048, height => 512 } },                  1, 2],
    ['price-fal', { image_size => { width => 2048, height => 2048 },
            num_inference_steps => 41 },                                               1, 9],
    ['price-fal', { num_inference_steps => 40 },                                       1, 2],
    ['price-fal', { num_inference_steps => 50 },                                       1, 5],
    ['price-fal', { num_inference_steps => 10 },                                       1, 0],
    ['price-fal', {},                                                                  3, 2],
    ['price-fal', {},                                                                  4, 1],
    ['price-openai', {},                                                               1, 2],
    ['price-openai', { quality => 'high' },                                            1, 6],
    ['price-openai', { quality => 'medium' },                                          2, 6],
    ['price-sizes', { size => '1536x1024' },                                           1, 8],
    ['price-sizes', { aspect_ratio => '16:9' },                                        1, 8],
    ['price-sizes', { aspect_ratio => '1:1' },                                         1, 3],
    ['price-sizes', { aspect_ratio => '2:3', image_size => 'square' },                 1, 8],
    ['price-sizes', { aspect_ratio => '16:9', size => '1024x1024' },                   1, 3],
    ['price-sizes', { size => '512x512' },                                             1, 1],
    ['price-sizes', { image_size => 'square' },                                        1, 2],
    ['price-sizes', { num_inference_steps => 5 },                                      1, 2],
);
for my $case (@CASES) {
    my ($type, $parameters, $n, $each) = @$case;
    my $user = account(100);
    my %body = (type => $type, prompt => "a cat in the rain [$user]", parameters => $parameters,
        $n > 1 ? (n => $n) : ());
    my $what = $JSON->encode($parameters) . " of $type, n=$n";
    my $dry = api(POST => "/api/$type/generate?dryRun=1", user => $user, json => \%body);
    is data($dry)->{estimatedCost}, $n * $each, "$what: the dry run returns the price";
    my $res = generate($user, \%body, Prefer => 'wait=20');
    my @made = $n > 1 ? @{ data($res)->{batch} } : data($res);
    is_deeply [map { ended($user, $_->{id}, $type)->{tokensUsed} } @made], [($each) x $n],
        '... each picture is charged that';
    credits_are $user, 100 - $n * $each, 0, '... and nothing else';
}

# ---- the amount is fixed at create ----

my $user = account(7);
my $big  = { image_size => { width => 1025, height => 1024 } };
my $id   = later($user, { type => 'price-fal', prompt => "a cat {{gate=price$user}} [$user]", parameters => $big });
credits_are $user, 7, 7, 'it holds its price while it works';
open_gate("price$user");
is ended($user, $id, 'price-fal')->{tokensUsed}, 7, '... and is charged the same';

$user = account(6);
my $res = generate($user, { type => 'price-fal', prompt => "a dog [$user]", parameters => $big });
is $res->{status}, 402, 'credits for the plain price do not pay for a large picture';
is_deeply [@{ data($res) }{qw(requiredCredits shortfall)}], [7, 1], '... the answer names its price'
    or diag $res->{content};
is submissions("[$user]"), 0, '... and no provider heard of it';

$user = account(100);
$id = later($user, { type => 'price-openai', prompt => "an owl {{status=400}} [$user]", parameters => { quality => 'high' } });
is ended($user, $id, 'price-openai')->{status}, 'failed', 'one of a price fails';
credits_are $user, 100, 0, '... and costs nothing';
$res = api(POST => "/api/generation/$id/retry", user => $user, headers => { Prefer => 'wait=20' });
is data($res)->{estimatedCost}, 6, 'a retry of it has the same price';
ended($user, data($res)->{id}, 'price-openai');

$user = account(100);
$res = api(POST => '/api/generation/create', user => $user, json => { type => 'price-fal', customPrompt => 'a cat',
    parameters => { num_inference_steps => 45 } });
my $waits = data($res)->{generationId} // data($res)->{data}{generationId};
credits_are $user, 100, 5, 'two steps hold the price of the body';
$res = api(POST => '/api/generate?dryRun=1', user => $user, json => { generationId => $waits });
is data($res)->{estimatedCost}, 5, '... and a dry start returns what is held';
api(POST => "/api/generation/$waits/cancel", user => $user);
credits_are $user, 100, 0, '... which is given back';

# ---- a client makes the first model refuse ----

# Ends one for a user of 100 credits. Returns it.
sub end_of {
    my ($type, $script, %body) = @_;
    my $user = account(100);
    my $id   = later($user, { type => $type, prompt => "a fox $script [$user]", %body });
    my $end  = ended($user, $id, $type);
    credits_are $user, $end->{status} eq 'completed' ? 98 : 100, 0, "$type $script: ... charged is what was held, or nothing";
    is submissions("[$user]"), $script =~ /503/ ? 2 : 1, '... and no dearer provider heard of it';
    return $end;
}

sub says_dearer { return $site->log_text =~ /GF0429: job=\Q$_[0]\E .*created at 2 credits, and the rest/ ? 1 : 0 }

for my $script ('{{status=400}}', '{{status=503}}', '{{cut-before}}') {
    my $end = end_of('price-chain', $script);
    is_deeply [@$end{qw(status provider fallbackUsed tokensUsed)}], ['completed', 'local', JSON::PP::true(), 2],
        '... a dearer entry of the chain is passed over for one of the same price';
}
for my $script ('{{status=400}}', '{{status=503}}', '{{cut-before}}') {
    my $end = end_of('price-last', $script);
    is $end->{status}, 'failed', '... with dearer entries alone it fails';
    is says_dearer($end->{id}), $script =~ /cut/ ? 0 : 1, '... and the log says why' or diag $site->log_text;
}
is end_of('price-last', '{{status=400}}', parameters => { size => '512x512' })->{status}, 'failed',
    'a discount for what the first honours does not hold for one that does not';

$user = account(100);
my %four = (type => 'price-last', prompt => "a hen {{status=400}} [$user]", n => 4);
my @four = @{ data(generate($user, \%four, Prefer => 'wait=20'))->{batch} };
is_deeply [map { @{ ended($user, $_->{id}, 'price-last') }{qw(status provider)} } @four], [('completed', 'local') x 4],
    'entries of one price at this number of pictures do follow each other';
credits_are $user, 96, 0, '... at that price';

$user = account(100);
$id = later($user, { type => 'price-last', prompt => "an ant {{status=400}} [$user]" });
ended($user, $id, 'price-last');
$res = api(POST => "/api/generation/$id/fallback", user => $user, headers => { Prefer => 'wait=20' });
is ended($user, data($res)->{id}, 'price-last')->{status}, 'completed',
    'the drawing that the user requests has a price of its own';
credits_are $user, 99, 0, '... which is charged';

# ---- what clients see ----

my ($listed) = grep { $_->{name} eq 'price-openai' } @{ data(api(GET => '/api/types', user => $user))->{types} };
is_deeply [@$listed{qw(cost prices)}],
    [2, [{ cost => 6, when => ['quality=high|medium', 'model=openai/gpt-image-1'] }]], 'types lists the prices';
talk_to undef;
$site->stop;

# ---- prices that change while it waits ----

$site = Genflow::Httpd->start("${SITE}GenflowDispatch Off\n" . $CHAINS =~ s/GenflowTypePrice.*model.*\n//gr);
talk_to $site;
my %waits;
for my $what ('{{status=400}}', '') {
    my $name = $waits{$what}{user} = account(100);
    my %body = (type => 'price-last', prompt => "a bat $what [$name]");
    $waits{$what}{queued}  = later($name, \%body);
    $waits{$what}{pending} = data(api(POST => '/api/generation/create', user => $name,
        json => { type => 'price-last', customPrompt => $body{prompt} }))->{data}{generationId};
    credits_are $name, 100, 4, 'both were created at 2 credits each';
}
talk_to undef;
$site->stop;
$site = Genflow::Httpd->start($SITE . $CHAINS =~ s/(?=    GenflowTypePrice 3)/    GenflowTypePrice 7 model=openai\/gpt-image-1\n/r);
talk_to $site;
for my $what (sort keys %waits) {
    my ($name, $queued, $pending) = @{ $waits{$what} }{qw(user queued pending)};
    api(POST => '/api/generate', user => $name, json => { generationId => $pending });
    is ended($name, $_, 'price-last')->{status}, $what ? 'failed' : 'completed',
        $what ? 'what the old price does not pay for today is not tried' : 'it begins at the price it was created at'
        for $queued, $pending;
    credits_are $name, $what ? 100 : 96, 0, '... charged is what was held, or nothing';
}
talk_to undef;
$site->stop;

finish;

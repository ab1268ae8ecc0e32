#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The client does not set the provider's price: each parameter that costs money has bounds, per type
# (GenflowTypeParameter). A request beyond them is refused before anything is held, with every bad
# field. Nothing beyond them reaches a provider, whichever way it came.
use Genflow::Httpd qw(refused accepted small_site fake_provider);
use Genflow::Test;

# ---- the directive ----

my $TYPE = "<GenflowType neo-glitch>\n    GenflowTypeParameter %s\n</GenflowType>\n";
my %WRONG = (
    'promt a|b'                    => 'must be one of pixels, quality, num_inference_steps',
    'quality'                      => 'needs a name and words a|b|c, or a name, min, default and max',
    'quality |'                    => 'needs a name and words a|b|c',
    'quality 1 2 3'                => 'takes words',
    'num_inference_steps a|b'      => 'takes min, default and max',
    'num_inference_steps 10 5 20'  => 'must be numbers, min <= default <= max',
    'num_inference_steps 1 x 20'   => 'must be numbers',
    'num_inference_steps 1 30 101' => 'must be from 1 to 100',
    'pixels 1 100 1000'            => 'has no default: write -',
    'negative_prompt a|b'          => 'must be one of',
);
refused($_, sprintf($TYPE, $_), $WRONG{$_}) for sort keys %WRONG;
accepted('bounds of every kind', "<GenflowType neo-glitch>\n    GenflowTypeProviders local\n"
    . "</GenflowType>\n" . join '', map { sprintf $TYPE, $_ }
    'pixels 1 - 1048576', 'quality low|high', 'num_inference_steps 1 28 50', 'quality auto');

# ---- sizes ----

my $user = account(60);
my %BIG  = (width => 14142, height => 14142);
my @REFUSED = (    # type, parameters, field
    ['echo-fal', { image_size => \%BIG }, 'image_size'],
    ['echo-fal', { image_size => { width => 2048, height => 2049 } }, 'image_size'],
    ['echo-fal', { image_size => { width => 1, height => 65537 } }, 'image_size'],
    ['echo-fal', { image_size => { width => '640', height => 512 } }, 'image_size'],
    ['echo-fal', { image_size => { width => 640 } }, 'image_size'],
    ['echo-fal', { image_size => { width => 640, height => 512, scale => 9 } }, 'image_size'],
    ['echo-fal', { image_size => { width => 0, height => 512 } }, 'image_size'],
    ['echo-fal', { image_size => { width => -640, height => -512 } }, 'image_size'],
    ['echo-fal', { image_size => 'auto_4K' }, 'image_size'],
    ['echo-fal', { image_size => [640, 512] }, 'image_size'],
    ['echo-fal', { num_inference_steps => 101 }, 'num_inference_steps'],
    ['echo-openai', { size => '4096x4096' }, 'size'],
    ['echo-openai', { size => '2049x2048' }, 'size'],
    ['echo-openai', { size => '99999999999999999999x1' }, 'size'],
    ['echo-openai', { size => '1024x1024x1024' }, 'size'],
    ['echo-openai', { size => '1024' }, 'size'],
    ['echo-openai', { size => 1024 }, 'size'],
    ['echo-openai', { quality => 'high' }, 'quality'],
    ['echo-openai', { quality => 'hd' }, 'quality'],
    ['echo-openai', { quality => ['high'] }, 'quality'],
    ['echo-openai', { quality => 'high', size => '9999x9999', seed => -1 }, 'quality seed size'],
);
for my $case (@REFUSED) {
    my ($type, $parameters, $fields) = @$case;
    my $res = generate($user, { type => $type, prompt => "a cat [$user]",
        parameters => $parameters });
    my @named = sort map { $_->{field} } @{ data($res)->{validationErrors} // [] };
    is "$res->{status} @named", "422 $fields",
        JSON::PP->new->canonical->encode($parameters) . " of $type is refused";
}
credits_are $user, 60, 0, 'nothing is held for any of them';
is submissions("[$user]"), 0, '... and no provider heard of them';

my @TAKEN = (
    ['echo-fal', { image_size => { width => 2048, height => 2048 } }],
    ['echo-fal', { image_size => 'square_hd' }],
    ['echo-openai', { size => '2048x2048' }],
    ['echo-openai', { size => 'auto', quality => 'auto' }],
    ['custom-prompt', { quality => 'high' }],
    ['custom-prompt', { quality => 'auto' }],
);
for my $case (@TAKEN) {
    my ($type, $parameters) = @$case;
    my $res = generate($user, { type => $type, prompt => 'a cat in the rain', presetKey => undef,
        parameters => $parameters }, Prefer => 'wait=60');
    is $res->{status}, 200, JSON::PP->new->canonical->encode($parameters) . " of $type is taken"
        or diag $res->{content};
}

# ---- two steps, and templates ----

my $res = api(POST => '/api/generation/create', user => $user, json => { type => 'echo-fal',
    customPrompt => 'a cat', parameters => { image_size => \%BIG } });
is "$res->{status} " . data($res)->{validationErrors}[0]{field}, '400 image_size',
    'a two-step body has the same bounds';
my $template = data(api(POST => '/api/templates', user => $user, json => { name => "big $user",
    type => 'echo-fal', config => { parameters => { image_size => \%BIG } } }))->{id};
$res = generate($user, { type => 'echo-fal', templateId => $template });
is "$res->{status} " . data($res)->{validationErrors}[0]{field}, '422 image_size',
    '... and so has what a template brings';

# ---- what is on a row already, from before the bounds ----

my $id = later($user, { type => 'echo-fal', prompt => "a dog {{status=400}} [$user]" });
expect_log('GF0203');
ended($user, $id, 'echo-fal');
sql(q(UPDATE public.echo_fal_media SET parameters =
    '{"image_size":{"width":14142,"height":14142},"guidance_scale":3}' WHERE id = :'id'), id => $id);
api(POST => "/api/generation/$id/retry", user => $user, headers => { Prefer => 'wait=60' });
my @sent = map { $_->{fields} } @{ Genflow::Test::call_fake('_submissions', "[$user]") };
is scalar(@sent), 2, 'a generation from before the bounds is retried';
is_deeply [map { $_->{image_size} } @sent], [undef, undef],
    '... and what is beyond the bounds does not reach the provider';

# ---- bounds of a site's own ----

sql("SELECT genflow.create_type('$_')") for qw(bound-openai bound-chain);
my $site = Genflow::Httpd->start(small_site('bound-fal') . fake_provider('fal', 'GenflowProviderPoll 100ms') . fake_provider('openai') . <<'END');
Include "${GENFLOW_WORK}/t/conf/api.conf"
GenflowFetchAllow 127.0.0.1
<GenflowType bound-fal>
    GenflowTypeProviders fal/fal-ai/fast-sdxl
    GenflowTypeParameter pixels 262144 - 1048576
    GenflowTypeParameter num_inference_steps 10 20 30
</GenflowType>
<GenflowType bound-openai>
    GenflowTypeProviders openai/gpt-image-1
    GenflowTypeParameter quality low|medium
    GenflowTypeParameter pixels 1 - 1048576
</GenflowType>
<GenflowType bound-chain>
    GenflowTypeProviders fal/fal-ai/fast-sdxl openai/gpt-image-1
    GenflowTypeRetries 0
    GenflowTypeParameter pixels 1 - 1048576
</GenflowType>
END
talk_to($site);
for my $case (['bound-fal', { image_size => 'square' }, 200],
    ['bound-fal', { image_size => { width => 500, height => 500 } }, 422],
    ['bound-fal', { image_size => { width => 1025, height => 1024 } }, 422],
    ['bound-fal', { num_inference_steps => 31 }, 422],
    ['bound-fal', { num_inference_steps => 9 }, 422],
    ['bound-openai', { quality => 'auto' }, 422],
    ['bound-openai', { quality => 'medium' }, 200],
    ['bound-openai', { aspect_ratio => '16:9' }, 422],
    ['bound-openai', { aspect_ratio => '1:1' }, 200],
    ['bound-openai', { aspect_ratio => '16:9', size => '1024x1024' }, 200],
    ['bound-fal', { aspect_ratio => '16:9' }, 200],
    ['bound-chain', { aspect_ratio => '16:9' }, 200],
    ['bound-chain', { aspect_ratio => '16:9', model => 'gpt-image-1' }, 422]) {
    my ($type, $parameters, $status) = @$case;
    is generate($user, { type => $type, parameters => $parameters }, Prefer => 'wait=60')->{status}, $status,
        JSON::PP->new->canonical->encode($parameters) . " is answered $status";
}
for my $body ({ aspectRatio => '3:2' }, { parameters => { aspect_ratio => '3:2' } }) {
    is_deeply data(generate($user, { type => 'bound-openai', %$body }))->{validationErrors},
        [{ field => $body->{aspectRatio} ? 'aspectRatio' : 'aspect_ratio', message => 'must have 1 to 1048576 pixels' }],
        'the pixels of the size that a ratio becomes are bounded, and the error says so';
}
my ($listed) = grep { $_->{name} eq 'bound-openai' } @{ data(api(GET => '/api/types', user => $user))->{types} };
is_deeply [map { $_->{values} } grep { $_->{name} eq 'aspect_ratio' } @{ $listed->{parameters} }], [['1:1']],
    'types offers the ratios within the bounds';
generate($user, { type => 'bound-chain', prompt => "a gnu {{status=400 times=1}} [$user]", parameters => { aspect_ratio => '16:9' } },
    Prefer => 'wait=60');
@sent = map { $_->{fields} } @{ Genflow::Test::call_fake('_submissions', "a gnu") };
is_deeply [$sent[0]{image_size}, $#sent, $sent[1]{size}], ['landscape_16_9', 1, undef],
    'a provider that follows is sent no size beyond the bounds';
generate($user, { type => 'bound-fal', prompt => "a fox [$user]" }, Prefer => 'wait=60');
generate($user, { type => 'bound-openai', prompt => "an owl [$user]" }, Prefer => 'wait=60');
talk_to(undef);
@sent = map { $_->{fields} } @{ Genflow::Test::call_fake('_submissions', "[$user]") };
is $sent[-2]{num_inference_steps}, 20, 'the default is sent where the client sends none';
is $sent[-1]{quality}, 'low', '... of words it is the first';
$site->stop;

finish;

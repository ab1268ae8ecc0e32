#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The shipped conf/genflow-types.conf itself, with only the addresses and the pace of its providers
# replaced: the chain of each of its types to its end, with and without a source picture. Each entry
# fails in turn, and the next one that fits the request makes the picture, for one charge.
use Genflow::Test;

use Genflow::Database ();
use Genflow::Httpd ();

# The types are those of the site: they need a database of their own.
my $db = Genflow::Database->new;
$ENV{PGDATABASE} = $db->name;
$ENV{$_} = 'key-of-the-shipped' for qw(AIML_API_KEY FAL_KEY OPENAI_API_KEY REPLICATE_API_TOKEN);
my %PATH  = (aiml => '/aiml', fal => '/fal', openai => '/openai/v1', replicate => '/replicate/v1', stability => '');
my $store = "$ENV{GENFLOW_WORK}/tmp/shipped-$$";
my $httpd = Genflow::Httpd->start(<<'END' . "GenflowStoreFolder $store\n" . join '', map { <<"END" } sort keys %PATH);
Include "${GENFLOW_WORK}/t/conf/database.conf"
Include "${GENFLOW_WORK}/conf/genflow-types.conf"
Include "${GENFLOW_WORK}/t/conf/api.conf"
StartServers 1
GenflowDispatchPoll 50ms
GenflowFetchAllow 127.0.0.1
GenflowSourceAllow 127.0.0.1
END
<GenflowProvider $_>
    GenflowProviderUrl "\${GENFLOW_FAKE}$PATH{$_}"
    GenflowProviderPoll 50ms
    GenflowProviderBackoff 20ms
</GenflowProvider>
END
talk_to($httpd);

my %ENTRY = (    # as the fake provider sees a submission: path, model
    'stability/sd3'               => '/v2beta/stable-image/generate/sd3',
    'aiml/flux/dev'               => '/aiml/v1/images/generations flux/dev',
    'aiml/flux/dev/image-to-image' => '/aiml/v1/images/generations flux/dev/image-to-image',
);
my ($GHIBLIFY, $REALISTIC, $SDXL) = map { "fal/fal-ai/$_" }
    qw(ghiblify realistic-vision/image-to-image fast-sdxl/image-to-image);
my @FROM_WORDS = map { "fal/fal-ai/$_" } qw(realistic-vision-v5 fast-sdxl);

my $GPT = 'openai/gpt-image-1';

my @CASES = (    # type, preset, with a picture, price, chain entries in their order
    ['neo-glitch',      'visor',          0, 1, qw(stability/sd3 aiml/flux/dev)],
    ['neo-glitch',      'visor',          1, 1, qw(stability/sd3 aiml/flux/dev/image-to-image)],
    ['emotion-mask',    'joy_sadness',    1, 2, $REALISTIC, $SDXL, $GHIBLIFY],
    ['presets',         undef,            0, 2, @FROM_WORDS],
    ['presets',         undef,            1, 2, $REALISTIC, $SDXL, $GHIBLIFY],
    ['ghibli-reaction', 'ghibli_sparkle', 1, 2, $GHIBLIFY, $REALISTIC, $SDXL],
    ['custom-prompt',   undef,            0, 2, @FROM_WORDS, $GPT],
    ['custom-prompt',   undef,            1, 2, $REALISTIC, $SDXL, $GPT, $GHIBLIFY],
);
my ($THIS_WEEK) = sql("SELECT key FROM genflow.presets('presets', 6) WHERE is_on ORDER BY rotation_index");

# Each case once for each entry that is to make the picture, and once for none.
my @runs  = map { my $case = $_; map { [$case, $_] } 0 .. $#$case - 3 } @CASES;
my @users = map { account(10) } @runs;
my @ended = in_parallel(scalar @runs, sub {
    my ($i) = @_;
    my ($case, $failing) = @{ $runs[$i] };
    my $res = generate($users[$i], input_of($i, $case, $failing), Prefer => 'wait=60');
    my $reply = data($res);
    return $reply->{id} ? ended($users[$i], $reply->{id}, $case->[0]) : { status => $res->{content} };
}, 6);

for my $i (0 .. $#runs) {
    my ($case, $failing) = @{ $runs[$i] };
    my ($type, undef, $picture, $price, @chain) = @$case;
    my $maker = $chain[$failing];
    my $job   = $ended[$i];
    my @sent  = sent("[$users[$i]]");
    my $name  = "$type " . ($picture ? 'with' : 'without') . ' a picture';
    my @tried = @chain[0 .. ($maker ? $failing : $#chain)];
    is_deeply [map { entry_of($_) } @sent], \@tried,
        "$name, of which $failing fail: the entries of the chain in their order, each once";
    is $job->{status}, $maker ? 'completed' : 'failed', $maker ? "... and $maker completes it" : '... and it fails';
    is "$job->{provider}/$job->{model}", $tried[-1], '... which it says';
    credits_are $users[$i], 10 - ($maker ? $price : 0), 0, '... for ' . ($maker ? 'one charge' : 'nothing');
    for my $sent (grep { entry_of($_) ne $GHIBLIFY } @sent) {
        like $sent->{prompt}, qr/\[\Q$users[$i]\E\]/, '... ' . entry_of($sent) . ' reads the prompt';
        my $at = $sent->{fields}{image_url} // $sent->{fields}{image};
        $sent->{path} =~ s{.*/}{/} if entry_of($sent) eq $GPT;
        is $sent->{path}, $picture ? '/edits' : '/generations', '... at its address' if entry_of($sent) eq $GPT;
        ok !$picture == !$at, '... and gets the picture if there is one';
    }
}

# ---- the preset decides ----

my $painter = account(20);
for my $of (['emotion-mask', 'happy', 'sad'], ['presets', "$THIS_WEEK", undef]) {
    my ($type, @keys) = @$of;
    my %words;
    for my $key (grep { defined } @keys) {
        my $res = generate($painter, { type => $type, presetKey => $key, prompt => "the preset $key $$",
            sourceUrl => "$ENV{GENFLOW_FAKE}/_source/picture/5" }, Prefer => 'wait=60');
        is data($res)->{status}, 'completed', "$type $key completes";
        my ($first) = sent("the preset $key $$");
        my ($prompt, $strength) = split /\|/, sql1("SELECT prompt, strength + 0.0 FROM genflow.presets_config"
            . " WHERE type = :'type' AND key = :'key'", type => $type, key => $key);
        is $first->{fields}{prompt}, "$prompt, the preset $key $$", '... the first entry gets its words';
        cmp_ok $first->{fields}{strength}, '==', $strength, '... and its strength';
    }
}

# ---- a request that brings no picture where one is needed ----

for my $case (grep { $_->[2] && $_->[0] =~ /emotion|ghibli/ } @CASES) {
    my $res = generate($painter, { type => $case->[0], presetKey => $case->[1] });
    is $res->{status}, 422, "$case->[0] without a picture is refused";
    is_deeply data($res)->{missingFields}, ['sourceUrl'], '... which says what is missing';
}

# ---- two steps, with several pictures ----

my @pictures = map { "$ENV{GENFLOW_FAKE}/_source/picture/9$_" } 1 .. 6;
for my $named (0, 1) {
    my $tag = "two steps $named of $painter";
    my $two = api(POST => '/api/generation/create', user => $painter, json => {
        productImages => [@pictures[0 .. ($named ? 0 : 4)]], modelImages => [$pictures[5]], quality => 'high',
        aspectRatio => '16:9', customPrompt => $tag, $named ? (model => 'gpt-image-1') : () });
    is $two->{status}, 201, 'the type of two steps takes several pictures' or diag $two->{content};
    is data($two)->{data}{parameters}{quality}, 'high', '... and a quality';
    my $id = data($two)->{data}{generationId};
    api(POST => '/api/generate', user => $painter, json => { generationId => $id });
    is ended($painter, $id, 'custom-prompt')->{model}, 'gpt-image-1', '... and gpt-image-1 makes the picture';
    my ($sent, @more) = sent($tag);
    is scalar @more, 0, '... it alone';
    is scalar @{ $sent->{fields}{'image[]'} }, $named ? 2 : 6, '... of all pictures';
    is "$sent->{fields}{quality} $sent->{fields}{size}", 'high 1536x1024', '... in quality and size as it names them';
}

# ---- a model that its provider no longer knows ----

my $res = generate($painter, { type => 'custom-prompt', presetKey => undef,
    prompt => "unknown by now $$ {{status=404 times=1}}" }, Prefer => 'wait=60');
is data($res)->{model}, 'fal-ai/fast-sdxl', 'after a model that fal does not know comes the next';
like $httpd->log_text, qr/GF0407: .*model=fal-ai\/realistic-vision-v5.*GenflowTypeProviders/,
    '... and the log says where to change it';
generate($painter, { type => 'custom-prompt', presetKey => undef, prompt => "once more unknown $$" });
is_deeply [map { entry_of($_) } sent("once more unknown $$")], [$FROM_WORDS[1]], '... and it gets no further requests';

finish;

# The first $failing entries of the chain fail: those that read the prompt by its words, ghiblify, which
# gets nothing but a picture, by those in the address of it.
sub input_of {
    my ($i, $case, $failing) = @_;
    my ($type, $preset, $picture, undef, @chain) = @$case;
    my @failing = @chain[0 .. $failing - 1];
    my $reading = grep { $_ ne $GHIBLIFY } @failing;
    my $script  = $reading ? "{{status=400 times=$reading}}" : '';
    my %input   = (type => $type, presetKey => $preset // $THIS_WEEK, prompt => "$script [$users[$i]] of the shipped");
    delete $input{presetKey} if $type eq 'custom-prompt';
    $input{presetKey} = undef if $type eq 'custom-prompt';
    return \%input if !$picture;
    my $drawn = (grep { $_ eq $GHIBLIFY } @failing) ? '{{status=400}} ' : '';
    $input{sourceUrl} = "$ENV{GENFLOW_FAKE}/_source/picture/7?prompt=" . encoded("$drawn\[$users[$i]]");
    return \%input;
}

sub encoded { return $_[0] =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger }

sub entry_of {
    my ($sent) = @_;
    return "fal/$1" if $sent->{path} =~ m{\A/fal/(.+)};
    return "openai/$sent->{fields}{model}" if $sent->{fields}{model} && $sent->{path} !~ /aiml/;
    my $seen = join ' ', $sent->{path}, $sent->{path} =~ /aiml|openai/ ? $sent->{fields}{model} : ();
    my %name = reverse %ENTRY;
    return $name{$seen} // $seen;
}

# What the fake provider got whose prompt contains the text, oldest first.
sub sent {
    my ($text) = @_;
    return @{ data(HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_submissions?match=" . encoded($text))) };
}

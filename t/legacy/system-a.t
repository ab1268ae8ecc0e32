#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The first older system's page and services, call by call, with conf/genflow-legacy.conf as shipped:
# a token signs in, a picture is uploaded, credits are reserved, another one is made of it at once,
# slowly, not at all or filtered, polled to its end, committed or refunded, listed and deleted. Credits
# match: one charge each.
use Genflow::Test;

use Digest::SHA qw(hmac_sha256);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);

use Genflow::Httpd ();

my $OLD  = '/.netlify/functions';
my $KEY  = 'thirty-two bytes for HS256 tests';
my $JSON = JSON::PP->new->utf8->canonical;
my %COST = ('neo-glitch' => 1, 'emotion-mask' => 2, presets => 2, 'ghibli-reaction' => 2,
    'custom-prompt' => 2, 'echo-fal' => 1);

# Its jobs are worked on by the site of the tests, by the chains there.
my $file   = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-legacy.conf");
my $recipe = join '', map { "$_\n" }
    $file =~ /^#     (OIDC.*|<Location "[^"]+s">|    AuthType oauth20|    Require expr.*)$/mg;
my $types = join '', map {
    my $source = /mask|ghibli/ ? 'required' : 'optional';
    "<GenflowType $_>\nGenflowTypeProviders "
        . ($_ eq 'neo-glitch' ? 'stability/sd3' : $_ eq 'echo-fal' ? 'fal/fal-ai/fast-sdxl' : 'local')
        . "\nGenflowTypeCost $COST{$_}\nGenflowTypePromptMin " . ($_ eq 'custom-prompt' ? 10 : 0)
        . ($_ eq 'echo-fal' ? '' : "\nGenflowTypeSource $source") . "\n</GenflowType>\n"
} sort keys %COST;
local $ENV{LEGACY_JWT_SECRET} = $KEY;
my $conf = <<"END";
Include "\${GENFLOW_WORK}/t/conf/database.conf"
LoadModule auth_openidc_module "\${GENFLOW_LIBEXEC}/mod_auth_openidc.so"
GenflowDispatch Off
GenflowStoreFolder "\${GENFLOW_WORK}/store"
<GenflowProvider stability>
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
</GenflowProvider>
<GenflowProvider fal>
    GenflowProviderKind fal
    GenflowProviderUrl "\${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
</GenflowProvider>
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
$types
Include "\${GENFLOW_WORK}/conf/genflow-legacy.conf"
$recipe</Location>
<Location "$OLD">
    GenflowPath echo-fal-generate echo-fal/generate
    GenflowPath echo-fal-status   echo-fal/status
</Location>
<Location "/api">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
</Location>
END
my $httpd = Genflow::Httpd->start("GenflowWatchWait 10m\n$conf");
talk_to($httpd);
expect_log('GF0203');

# ---- the page: reserves, generates, commits or refunds ----

my $runs = 0;
for my $type (sort keys %COST) {
    my $page = sign_in(30);
    is $page->{quota}->()->{remaining}, 30, "$type: a page signs in, and sees its credits";
    my $preset = $type eq 'echo-fal' ? undef
        : data(api(GET => "/api/presets?type=$type", user => $page->{user}))->{data}{presets}[0]{key};

    my $request = $page->{reserve}->($type);
    my $res     = $page->{make}->($type, 'a picture at once', $preset);
    my $job     = data($res);
    is_deeply [$res->{status}, $job->{status}, $job->{runId}], [200, 'completed', $page->{run}],
        '... makes a picture' or diag $res->{content};
    ok $job->{imageUrl} && $job->{jobId} && $job->{provider} && $job->{createdAt} && $job->{message},
        '... with what it shows';
    is scalar(grep { defined $job->{$_} } qw(stabilityJobId aimlJobId falJobId)), 3, '... and ids to poll by';
    is $page->{finalize}->($request, 'commit')->{newBalance}, 30 - $COST{$type}, '... commits';
    credits_are $page->{user}, 30 - $COST{$type}, 0, '... and paid once';

    my $saved = $page->{call}->(POST => "$type-status", { jobId => $job->{stabilityJobId} });
    is_deeply [@{ data($saved) }{qw(status imageUrl)}], ['completed', $job->{imageUrl}], '... polls once more';
    my $gallery = data($page->{call}->(GET => 'getUserMedia?limit=50'));
    is_deeply [map { $_->{id} } @{ $gallery->{items} }], [$job->{id}], '... finds it in the gallery';
    my $gone = $page->{call}->(POST => 'delete-media', { mediaId => $job->{id}, userId => $page->{user} });
    is_deeply [$gone->{status}, data($gone)->{success}], [200, JSON::PP::true()], '... deletes it';
    is_deeply data($page->{call}->(GET => 'getUserMedia'))->{items}, [], '... and it is gone';
    credits_are $page->{user}, 30 - $COST{$type}, 0, '... which costs nothing more';
}

# ---- a picture that takes its time ----

my $hasty = Genflow::Httpd->start("GenflowWatchWait 2s\n$conf");
talk_to($hasty);
for my $type (qw(neo-glitch echo-fal)) {
    my $gate  = "slow-$type-$$";
    my $page  = sign_in(30);
    my $request = $page->{reserve}->($type);
    my $res   = $page->{make}->($type, "a slow picture {{poll-gate=$gate}}", $type eq 'neo-glitch' ? 'base' : undef);
    my $job   = data($res);
    is_deeply [$res->{status}, $job->{status}], [202, 'processing'], "$type: a slow one is under way after the wait";
    credits_are $page->{user}, 30, $COST{$type}, '... held once, and nothing beside it';
    my @names = ([stabilityJobId => $job->{stabilityJobId}], [jobId => $job->{jobId}], [runId => $page->{run}],
        [aimlJobId => "unknown_$page->{run}"]);
    like data($page->{call}->(POST => "$type-status", { @$_ }))->{status}, qr/\A(?:pending|processing)\z/,
        "... found by its $_->[0]" for @names;
    like data($page->{call}->(GET => "$type-status?jobId=$job->{jobId}"))->{status}, qr/\A(?:pending|processing)\z/,
        '... and by GET';
    is $page->{finalize}->($request, 'commit')->{status}, 'used', '... committed before its end';
    open_gate($gate);
    my $polls = 0;
    my $end;
    ok wait_for(sub {
        $polls++;
        $end = data($page->{call}->(POST => "$type-status", { stabilityJobId => $job->{stabilityJobId} }));
        $end->{status} =~ /\A(?:completed|failed)\z/;
    }), '... and polled to its end';
    is $end->{status}, 'completed', '... which is a picture';
    is $end->{imageUrl}, $end->{cloudinaryUrl}, '... at an address';
    credits_are $page->{user}, 30 - $COST{$type}, 0, '... charged once';
}

talk_to($httpd);
$hasty->stop;

# ---- none ----

for my $case (['fails', '{{status=400}}'], ['is filtered', '{{filter}}']) {
    my ($what, $script) = @$case;
    my $page    = sign_in(30);
    my $request = $page->{reserve}->('neo-glitch');
    my $res     = $page->{make}->('neo-glitch', "a picture that $what $script", 'base');
    error_is($res, 500, 'GENERATION_FAILED', "a picture $what");
    credits_are $page->{user}, 30, 0, '... its credits are back before the answer';
    is data($page->{call}->(POST => 'neo-glitch-status', { runId => $page->{run} }))->{status}, 'failed',
        '... its status says so';
    my $refund = $page->{finalize}->($request, 'refund');
    is_deeply [@$refund{qw(ok disposition newBalance)}], [JSON::PP::true(), 'refund', 30], '... refunded';
    credits_are $page->{user}, 30, 0, '... and it cost nothing';
    $page->{reserve}->('neo-glitch');
    is $page->{make}->('neo-glitch', 'a picture after all', 'base')->{status}, 200, '... the next one is made';
    credits_are $page->{user}, 29, 0, '... for its price, though the page never says that it is done';
}
my $poor = sign_in(1);
error_is($poor->{call}->(POST => 'credits-reserve', { cost => 2, action => 'presets' }), 403,
    'INSUFFICIENT_CREDITS', 'a page without credits is refused when it reserves');
error_is($poor->{make}->('presets', 'a picture',
    data(api(GET => '/api/presets?type=presets', user => $poor->{user}))->{data}{presets}[0]{key}), 402,
    'INSUFFICIENT_CREDITS', '... and when it generates');
credits_are $poor->{user}, 1, 0, '... and keeps what it has';

is $httpd->alarms, '', 'nothing was wrong with that';
talk_to();
finish;

# A page of a new user with a token: what it calls.
sub sign_in {
    my ($credits) = @_;
    my $who   = account($credits);
    my $text  = join '.', map { encode_base64url($_) } '{"alg":"HS256","typ":"JWT"}',
        $JSON->encode({ userId => $who, sub => "sub-$who", iat => time - 5, exp => time + 86_400 });
    my $token = "$text." . encode_base64url(hmac_sha256($text, $KEY));
    my %page  = (user => $who);
    # JSON that says it is text, as browsers send it
    $page{call} = sub {
        my ($method, $name, $json) = @_;
        return api($method => "$OLD/$name", $json ? (body => $JSON->encode($json)) : (),
            headers => { Authorization => "Bearer $token", Origin => 'https://front.example',
                $json ? ('Content-Type' => 'text/plain;charset=UTF-8') : () });
    };
    $page{quota}   = sub { return data($page{call}->(GET => 'getQuota')) };
    $page{reserve} = sub {
        my ($type) = @_;
        my $res = $page{call}->(POST => 'credits-reserve', { cost => 2, action => "${type}_generation", userId => $who });
        is_deeply [$res->{status}, data($res)->{ok}], [200, JSON::PP::true()], '... reserves';
        return data($res)->{request_id};
    };
    $page{finalize} = sub {
        my ($request, $disposition) = @_;
        return data($page{call}->(POST => 'credits-finalize', { request_id => $request, disposition => $disposition }));
    };
    $page{make} = sub {
        my ($type, $prompt, $preset) = @_;
        $page{run} = sprintf '%08x-0000-4000-8000-%012x', ++$runs, $$;
        return $page{call}->(POST => "$type-generate", {
            prompt => $prompt, userId => $who, runId => $page{run}, presetKey => $preset,
            $type =~ /mask|ghibli/ ? (sourceAssetId => data(upload($who, png(64, 64)))->{id}) : (),
            generationMeta => { userId => $who, prompt => $prompt, at => time },
        });
    };
    return \%page;
}

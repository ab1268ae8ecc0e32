#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# GET types says what the caller may request: words in the caller's language, cost, bounds that are those
# by which requests are checked, presets, whether a type is open now and why not, and how long it takes.
# It has an ETag. A key that is limited to types sees those alone.
use Genflow::Test;

use Genflow::Httpd qw(refused accepted small_site);
use Genflow::Keys;
use Genflow::Types;

my ($YES, $NO) = (JSON::PP::true(), JSON::PP::false());

# ---- the directives ----

my $TYPE = "<GenflowType neo-glitch>\n    GenflowTypeProviders local\n    %s\n</GenflowType>\n";
my %WRONG = (
    'GenflowTypeLabel "' . 'x' x 101 . '"'    => 'must have 1 to 100 characters',
    'GenflowTypeText "' . 'x' x 1001 . '"'    => 'must have 1 to 1000 characters',
    "GenflowTypeLabel en \"a\x01b\""          => 'no control characters',
    "GenflowTypeText \"a\xc2\x85b\""          => 'no control characters',
    "GenflowTypeText ja \"\xe3\x83\""         => 'characters of UTF-8',
    'GenflowTypeLabel en_GB x'                => 'the language must be a tag like en or zh-Hant',
    'GenflowTypeText " " x'                   => 'the language must be a tag',
    join("\n", map { "GenflowTypeLabel en-$_ x" } 1 .. 65) => 'texts in 64 languages',
);
refused(($_ =~ s/\n.*//sr) =~ s/[^ -~]/?/gr, sprintf($TYPE, $_), $WRONG{$_}) for sort keys %WRONG;
refused("$_ outside of a type", "$_ x\n", 'belongs inside <GenflowType name>') for qw(GenflowTypeLabel GenflowTypeText);
accepted('texts of the largest size', sprintf $TYPE,
    "GenflowTypeLabel zh-Hant \"" . "\xe7\x94\x9f" x 100 . "\"\nGenflowTypeText \"" . "\xe7\x94\x9f" x 1000 . '"');

# ---- the shipped types ----

my $user = account(100);
is api(GET => '/api/types')->{status}, 401, 'who is not signed in sees none';
is api(POST => '/api/types', user => $user, json => {})->{status}, 405, 'there is nothing to post';
error_is(api(GET => '/api/types?type=presets', user => $user), 422, 'VALIDATION_FAILED', 'there is nothing to filter by');

my %shown = map { $_->{name} => $_ } listed($user);
for my $type (shipped()) {
    my $it = $shown{ $type->{name} };
    is $it->{cost}, $type->{cost}, "$type->{name} has its cost";
    is $it->{source}, $type->{source} ? 'required' : 'optional', '... and says whether it needs a picture';
    my ($total, $on) = split /\|/, sql1("SELECT count(*), count(*) FILTER (WHERE is_on) FROM genflow.presets(:'type', :'window')
        WHERE is_active", type => $type->{name}, window => $type->{window} // 0);
    is_deeply $it->{presets}, { total => $total, active => $on }, '... its presets are counted';
    is_deeply [$it->{open}, $it->{closedReason}], [$YES, undef], '... it is open';
}
is_deeply [sort keys %{ $shown{'neo-glitch'} }], [sort qw(name label description cost prices fallbackCost maxRetries source prompt
    parameters maxCount presets open closedReason closedMessage expected)], 'a type has all its members';
is_deeply $shown{'custom-prompt'}{prompt}, { min => 10, max => 1000, composed => $NO }, 'the bounds of a prompt are there';
is_deeply $shown{'neo-glitch'}{prompt}, { min => 0, max => 1000, composed => $YES }, '... and whether one is composed';
is $shown{sketch}{presets}, undef, 'a type may have no presets';
is_deeply [@{ $shown{sketch} }{qw(label description)}], ['sketch', undef], '... and no words: its label is its name';
is $shown{'neo-glitch'}{maxCount}, 10, 'a request may have ten pictures';

# ---- languages ----

my %LABELS = (en => 'Neo Tokyo Glitch', ja => "\x{30CD}\x{30AA}\x{6771}\x{4EAC}\x{30B0}\x{30EA}\x{30C3}\x{30C1}");
my @LANGUAGES = (    # Accept-Language => which
    ['ja' => 'ja'], ['ja-JP,ja;q=0.9,en-US;q=0.8' => 'ja'], ['de, en;q=0.5, ja;q=0.7' => 'ja'], ['de' => 'en'], ['' => 'en'],
    ['en-US,en;q=0.9,ja;q=0.8' => 'en'], ['*' => 'en'], ["%%;;q=ja" => 'en'], [';,;q=,=' => 'en'],
    [join(',', map { "x$_" } 1 .. 1000) => 'en'], ['ja' . '-x' x 2000 => 'ja'],
);
for my $case (@LANGUAGES) {
    my ($header, $language) = @$case;
    my $shown = length $header > 40 ? substr($header, 0, 40) . '...' : $header =~ s/[^ -~]/?/gr;
    my ($it) = grep { $_->{name} eq 'neo-glitch' } listed($user, { 'Accept-Language' => $header });
    is $it->{label}, $LABELS{$language}, "'$shown' reads $language";
}
my @japanese = listed($user, { 'Accept-Language' => 'ja' });
for my $type (shipped()) {
    my ($it) = grep { $_->{name} eq $type->{name} } @japanese;
    like $it->{$_}, qr/[\x{3040}-\x{30FF}\x{4E00}-\x{9FFF}]/, "$type->{name} has its $_ in Japanese" for qw(label description);
    like $shown{ $type->{name} }{$_}, qr/\A[ -~]+\z/, '... and in English' for qw(label description);
}

# ---- the bounds are those of requests ----

my $API = qq(Include "\${GENFLOW_WORK}/t/conf/api.conf"\n);
my $own = Genflow::Httpd->start(small_site() . $API . <<'END');
GenflowLimitConcurrent 3
<GenflowProvider listed>
    GenflowProviderKind fal
    GenflowProviderUrl "${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
</GenflowProvider>
<GenflowProvider fine>
    GenflowProviderKind openai
    GenflowProviderUrl "${GENFLOW_FAKE}/openai"
    GenflowProviderKey env:PEERS_API_KEY
</GenflowProvider>
<GenflowProvider cut>
    GenflowProviderKind stability
    GenflowProviderUrl "${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderBudget 3/day
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeLabel "<script>\"label\"</script>"
    GenflowTypeText "\\ & ' \" </"
    GenflowTypeProviders listed/sdxl cut/sd3-turbo fine/gpt-image-1
    GenflowTypePromptMin 3
    GenflowTypePromptMax 30
    GenflowTypeParameter num_inference_steps 5 10 20
    GenflowTypeParameter quality low|high
    GenflowTypeParameter aspect_ratio 1:1|16:9
    GenflowTypeParameter pixels 1 - 700000
    GenflowTypeParameter strength 0.25 0.5 0.75
</GenflowType>
END
talk_to($own);
my ($bound) = grep { $_->{name} eq 'neo-glitch' } listed($user);
is $bound->{label}, '<script>"label"</script>', 'a label is text, whatever stands in it';
is $bound->{maxCount}, 3, 'a request may have as many pictures as may live at once';
my %parameter = map { $_->{name} => $_ } @{ $bound->{parameters} };
is_deeply $parameter{num_inference_steps}, { name => 'num_inference_steps', kind => 'integer', min => 5, max => 20, default => 10,
    values => undef }, 'a number has its bounds and its default';
is_deeply $parameter{quality}, { name => 'quality', kind => 'choice', min => undef, max => undef, default => 'low',
    values => [qw(low high)] }, 'a choice has its words';
is_deeply $parameter{image_size}{values}, [qw(square portrait_16_9 landscape_16_9)], 'a size those names that the pixels allow';
is_deeply $parameter{model}{values}, [qw(sdxl sd3-turbo gpt-image-1)], 'the models of the chain are to choose';
is $parameter{fidelity}, undef, 'what no model of the chain honours is not listed';
is $parameter{pixels}, undef, 'what is no parameter is none';
for my $it (values %parameter) {
    taken_are($it, $_) for good_values($it);
    refused_are($it, $_) for bad_values($it);
}
for my $length (3, 30) {
    is priced({ prompt => 'x' x $length })->{status}, 200, "a prompt of $length characters is taken";
}
is priced({ prompt => 'x' x $_ })->{status}, 422, "one of $_ is not" for 2, 31;

# ---- open or closed ----

sub state_of {
    my ($name) = @_;
    my ($it) = grep { $_->{name} eq $name } listed($user);
    my $words = $it->{closedMessage} // '';
    return $it->{open} ? "open$words" : $words =~ /\A[A-Z][a-z ,]{20,}\z/ ? $it->{closedReason} : "no reason in words: $words";
}
# Of providers that only this test has: the rows are for every host.
sub breaker {
    my ($provider, $model, $until) = @_;
    sql("DELETE FROM genflow.breakers WHERE provider = :'provider' AND model = :'model'", provider => $provider, model => $model);
    sql("INSERT INTO genflow.breakers (provider, model, failures, open_until) VALUES (:'provider', :'model', 5,
        now() + :'until'::interval)", provider => $provider, model => $model, until => $until) if $until;
}
is state_of('neo-glitch'), 'open', 'a type of which a provider has its key is open';
breaker('fine', 'gpt-image-1', '1 hour');
breaker('cut', 'sd3-turbo', '1 hour');
is state_of('neo-glitch'), 'open', 'one open breaker leaves the other provider';
breaker('listed', 'sdxl', '1 hour');
is state_of('neo-glitch'), 'breaker_open', 'with the breakers of all open the type is closed';
my @flaps;
for (1 .. 5) {
    breaker('listed', 'sdxl', '-1 second');
    push @flaps, state_of('neo-glitch');
    breaker('listed', 'sdxl', '1 hour');
    push @flaps, state_of('neo-glitch');
}
is_deeply \@flaps, [('open', 'breaker_open') x 5], 'a breaker that flaps shows at once, half open as open';
breaker('cut', 'sd3-turbo', undef);
is state_of('neo-glitch'), 'open', 'a closed breaker opens the type';
sql("SELECT genflow.budget_add('cut', 3)");
is state_of('neo-glitch'), 'breaker_open', 'a spent budget closes it as an open breaker does';
sql("DELETE FROM genflow.budgets WHERE provider = 'cut'");
breaker('listed', 'sdxl', undef);

# A store of its own, which takes pictures, or does not.
mkdir my $folder = "$ENV{GENFLOW_WORK}/tmp/list-store" or die "$!\n";
my $stores = Genflow::Httpd->start(small_site("list-store-$$") =~ s{^GenflowStoreFolder .*}{GenflowStoreFolder "$folder"}mr . $API);
talk_to($stores);
my $made = data(generate($user, { type => "list-store-$$" }));
is $made->{status}, 'completed', 'a store takes a picture';
is state_of("list-store-$$"), 'open', '... and its type is open';
for my $place (glob("$folder/list-store-*"), "$folder/.spool") {
    my $name = $place =~ /spool/ ? 'where pictures arrive' : 'where they stay';
    chmod 0555, $place or die "$place: $!\n";
    my $is_closed = wait_for { state_of("list-store-$$") eq 'store_closed' };
    ok $is_closed, "... without room $name it is closed";
    error_is(generate($user, { type => "list-store-$$" }), 503, 'STORE_UNAVAILABLE', '... for which requests are refused, too');
    chmod 0755, $place or die "$place: $!\n";
    my $is_open = wait_for { state_of("list-store-$$") eq 'open' };
    ok $is_open, '... until there is';
}
$stores->stop;
talk_to($own);

# A server that works on jobs needs the keys.
my $closed = "list-closed-$$";
sql("SELECT genflow.create_type(:'type')", type => $closed);
my $keyless = Genflow::Httpd->start(small_site("list-open-$$") . $API . <<"END");
<GenflowProvider keyless>
    GenflowProviderKind fal
    GenflowProviderUrl "\${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:NO_SUCH_KEY_ANYWHERE
</GenflowProvider>
<GenflowType $closed>
    GenflowTypeProviders keyless/a
</GenflowType>
END
talk_to($keyless);
is state_of($closed), 'no_provider', 'a type whose providers have no key is closed';
is state_of("list-open-$$"), 'open', '... beside one that is open';
$keyless->stop;
talk_to($own);

# ---- ETag ----

my $res = api(GET => '/api/types', user => $user);
like my $tag = $res->{headers}{etag}, qr/\A"[0-9a-f]{32}"\z/, 'the list has an ETag';
is $res->{headers}{vary}, 'Accept-Language', '... of each language its own';
is $res->{headers}{'cache-control'}, 'private, no-cache', '... and is revalidated each time';
for my $method (qw(GET HEAD)) {
    my $same = api($method => '/api/types', user => $user, headers => { 'If-None-Match' => $tag });
    is_deeply [$same->{status}, $same->{content} // '', $same->{headers}{etag}], [304, '', $tag], "$method with it is 304";
}
breaker('listed', 'sdxl', '1 hour');
breaker('cut', 'sd3-turbo', '1 hour');
is api(GET => '/api/types', user => $user, headers => { 'If-None-Match' => $tag })->{status}, 200, 'another state is another one';
breaker('listed', 'sdxl', undef);
breaker('cut', 'sd3-turbo', undef);
breaker('fine', 'gpt-image-1', undef);

# ---- how long ----

talk_to();
my $before = sql1("SELECT max(computed_at) FROM genflow.expected");
generate($user, { type => 'sketch' });
ok wait_for { sql1("SELECT min(computed_at) > :'before'::timestamptz FROM genflow.expected e JOIN genflow.types t ON t.no = e.type_no
    WHERE to_regclass(t.media_schema || '.' || t.media_table) IS NOT NULL", before => $before) eq 't' };
pass 'the janitor computes again what is expected';
my ($sketch) = grep { $_->{name} eq 'sketch' } listed($user);
my ($p50, $p90) = split /\|/, sql1("SELECT round(e.p50 / 1000.0, 1), round(e.p90 / 1000.0, 1) FROM genflow.expected e
    JOIN genflow.types t ON t.no = e.type_no WHERE t.name = 'sketch'");
is_deeply $sketch->{expected}, { p50 => $p50 + 0, p90 => $p90 + 0 }, '... in seconds';

# Of many hosts that compute at once each type has one; another one may have been the site's own janitor.
sql("UPDATE genflow.expected SET computed_at = '-infinity'");
my $sum = 0;
$sum += $_ for in_parallel(8, sub { sql1("SELECT genflow.expected_compute('9 seconds')") }, 8);
my $types = sql1("SELECT count(*) FROM genflow.types");
ok $sum <= $types, 'many hosts at once compute no type twice' or diag "$sum of $types";
is sql1("SELECT count(*) FROM genflow.expected e JOIN genflow.types t ON t.no = e.type_no WHERE e.computed_at = '-infinity'
    AND to_regclass(t.media_schema || '.' || t.media_table) IS NOT NULL"), 0, '... and leave none out';

# ---- a key of some types ----

my $keys = Genflow::Httpd->start(small_site() . $API . <<'END');
<GenflowType sketch>
    GenflowTypeProviders stability/sd3
</GenflowType>
<Location "/keys">
    SetHandler genflow-api
    AuthType GenflowKey
    Require valid-user
</Location>
END
talk_to($keys);
my $key = new_key($user, types => ['sketch'], scopes => ['read']);
is_deeply [map { $_->{name} } listed_by($key)], ['sketch'], 'a key that is limited to a type sees that one';
is_deeply [map { $_->{name} } listed_by(new_key($user, scopes => ['read']))], [qw(neo-glitch sketch)], 'another key sees all';

# ---- what the models of a chain honour ----

my %honoured = map { $_->{name} => join ' ', sort map { $_->{name} } @{ $_->{parameters} } } listed_by(new_key($user, scopes => ['read']));
is $honoured{sketch}, 'aspect_ratio cfg_scale negative_prompt output_format seed strength', 'a type lists what its only model honours';
is $honoured{'neo-glitch'}, $honoured{sketch}, '... whichever type that is';
error_is(api(GET => '/keys/types', headers => bearer(new_key($user, scopes => ['images']))), 403, 'INSUFFICIENT_SCOPE',
    'one without the scope read sees none');

# ---- a table that is gone ----

my $doomed = 'list-' . $$;
sql("SELECT genflow.create_type(:'type')", type => $doomed);
my $broken = Genflow::Httpd->start(small_site() . $API . <<"END");
<GenflowType $doomed>
    GenflowTypeProviders stability/sd3
</GenflowType>
<GenflowType never-made-$$>
    GenflowTypeProviders stability/sd3
</GenflowType>
END
talk_to($broken);
is state_of($doomed), 'open', 'a type with its table is open';
sql(sprintf 'DROP TABLE public.%s_media CASCADE', $doomed =~ tr/-/_/r);
is state_of($doomed), 'fault', '... without it it is at fault';
is state_of("never-made-$$"), 'fault', 'so is one that create_type() has never made';
is state_of('neo-glitch'), 'open', '... beside the others';
sql("SELECT genflow.create_type(:'type')", type => $doomed);
is state_of($doomed), 'open', 'create_type() opens it';

is join('', map { $_->alarms } $own, $keys), '', 'nothing was wrong with that';
talk_to();
finish;

sub listed {
    my ($user, $headers) = @_;
    my $res = api(GET => '/api/types', user => $user, headers => $headers // {});
    my $list = data($res) or die "$res->{status}: $res->{content}\n";
    return @{ $list->{types} };
}

sub listed_by {
    my ($key) = @_;
    return @{ data(api(GET => '/keys/types', headers => bearer($key)))->{types} };
}

# What a request with this body would cost.
sub priced {
    my ($body) = @_;
    return api(POST => '/api/neo-glitch/generate?dryRun=1', user => $user,
        json => { prompt => 'a cat', presetKey => 'base', %$body });
}

sub good_values {
    my ($it) = @_;
    return @{ $it->{values} } if $it->{kind} eq 'choice';
    return ($it->{min}, $it->{max}, ($it->{default} // ())) if $it->{kind} ne 'text';
    return (@{ $it->{values} // [] }, $it->{name} eq 'size' ? '1024x640' : 'x' x ($it->{max} // 50));
}

sub bad_values {
    my ($it) = @_;
    return ('none of them') if $it->{kind} eq 'choice';
    return ($it->{min} - 0.01, $it->{max} + 1) if $it->{kind} ne 'text';
    return defined $it->{max} ? ('x' x ($it->{max} + 1)) : ();
}

sub taken_are {
    my ($it, $value) = @_;
    return is priced({ parameters => { $it->{name} => $value } })->{status}, 200, "$it->{name} " . substr($value, 0, 20) . ' is taken';
}

sub refused_are {
    my ($it, $value) = @_;
    my $res = priced({ parameters => { $it->{name} => $value } });
    return is_deeply [$res->{status}, map { $_->{field} } @{ data($res)->{validationErrors} // [] }], [422, $it->{name}],
        "$it->{name} " . substr($value, 0, 20) . ' is not';
}

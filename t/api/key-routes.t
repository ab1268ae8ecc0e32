#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every route against every limit of a key: its scopes, its end, its types, its budget. Each row of the tables in the source is
# called, so that a later one is, too: docs/routes.md has what is expected, and a route that costs needs its body here. A key
# without limits goes first: what it makes, the limited ones do not.
#
#     t/api/key-routes.t --page > docs/routes.md
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Genflow::Routes;

BEGIN {
    if (@ARGV) {
        print Genflow::Routes::page("$FindBin::Bin/../..");
        exit;
    }
}

use Genflow::Test;

use Genflow::Httpd qw(small_site);
use Genflow::Keys;

my @ROUTES = Genflow::Routes::all($ENV{GENFLOW_WORK});
my %AT     = (api => '/api', 'older names' => '/old', map { $_ => "/$_" } qw(admin openai replicate fal));
my $NONE   = '01a1fe1d-7cb6-7b32-8952-3100505e2d45';
my %PIECE  = (type => 'neo-glitch', owner => 'studio', name => 'picture', model => 'studio/picture', app => 'picture',
    provider => 'nobody', token => 'x', user => 'nobody', file => 'none', key => 'none', id => $NONE);

open my $page, '<', "$ENV{GENFLOW_WORK}/docs/routes.md" or die "docs/routes.md: $!\n";
is join('', <$page>), Genflow::Routes::page($ENV{GENFLOW_WORK}), 'docs/routes.md has the routes (key-routes.t --page)';

# ---- the site ----

my $user = account(1000);
my %LINE = ('older names' => 'GenflowLegacyNames On', admin => "Require user $user",
    map { $_ => 'GenflowModel studio/picture neo-glitch preset=base' } qw(openai replicate fal));
my $text = small_site() =~ s/(stability\/sd3\n)/$1    GenflowTypeFallback local\/glitch\n/r;
for my $handler (sort keys %AT) {
    my $own  = $LINE{$handler} // '';
    my $who  = $own =~ /Require/ ? $own : "$own\n    Require valid-user";
    my $name = $handler =~ s/older names/api/r;
    $text .= "<Location \"$AT{$handler}\">\n    SetHandler genflow-$name\n    AuthType GenflowKey\n    $who\n</Location>\n";
}
my $httpd = Genflow::Httpd->start("GenflowLimitKeyRate 1000/1s 100000\nGenflowLimitConcurrent 0\nGenflowFrontWait 100ms\nGenflowWebhookSecret env:WEBHOOK_SECRET\n$text" . <<'END');
<GenflowType sketch>
    GenflowTypeProviders stability/sd3
    GenflowTypeCost 1
</GenflowType>
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
END

my @SCOPES = qw(images read keys);
my %key = map { $_ => new_key($user, scopes => [$_]) } @SCOPES;
for my $extra ([], ['keys']) {
    $key{ join ' ', 'admin', @$extra } = data(api(POST => '/admin/keys', headers => basic('admin', 'secret'),
        json => { user => $user, name => 'x', scopes => ['admin', @$extra] }));
}
my %full    = (scopes => \@SCOPES);
my $free    = new_key($user, %full);
my $typed   = new_key($user, %full, types => ['sketch']);
my $spent   = new_key($user, %full, budget => 0);
my $revoked = new_key($user, %full);
api(DELETE => "/api/keys/$revoked->{id}", user => $user);
my $expired = new_key($user, %full, expiresAt => sql1("SELECT to_char((now() + interval '1 s') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"));
ok wait_for(sub { sql1("SELECT expires_at < now() FROM genflow.api_keys WHERE id = :'id'", id => $expired->{id}) eq 't' }), 'a key expires';
talk_to($httpd);

# ---- scopes, and ends ----

# The answer to a request at that route, with what must stand in its address.
sub call_route {
    my ($route, $method, $key, %more) = @_;
    my %piece = (%PIECE, %{ $more{piece} // {} });
    my $path  = "$AT{ $route->{handler} }/$route->{path}" =~ s/\{(\w+)\+?\}/$piece{$1} \/\/ die "a piece '$1'"/ger;
    $path .= '?user=nobody' if "$method $route->{handler}/$route->{path}" eq 'DELETE admin/jobs';    # else of all
    my @body = $method =~ /GET|DELETE/ ? () : (json => $more{json} // {});
    return api($method => $path, headers => { %{ bearer($key) }, Prefer => 'respond-async' }, @body);
}

sub name_of { return "$_[1] $_[0]{handler}/$_[0]{path}" }

# Streams do not end: they are asked for by a key that may not only.
sub is_stream { return $_[0]{path} =~ m{(?:\A|/)(?:events|stream)\z|\Astream/} }

for my $have (sort keys %key) {
    my %has = map { $_ => 1 } split / /, $have;
    my (%expected, %met);
    for my $route (@ROUTES) {
        my $may = !grep { !$has{$_} } split / /, $route->{scope};
        for my $method (@{ $route->{methods} }) {
            next if $may && is_stream($route);
            my $name = name_of($route, $method);
            $expected{$name} = $may ? 'served' : 403;
            my $status = call_route($route, $method, $key{$have})->{status};
            $met{$name} = $status == 401 || $status == 403 && $route->{scope} ? $status : 'served';   # else it is refused for itself
        }
    }
    is_deeply \%met, \%expected, "the routes of a key with $have, " . keys(%met) . ' calls';
}
for my $ended ([revoked => $revoked], [expired => $expired]) {
    my @served;
    for my $route (grep { $_->{scope} } @ROUTES) {
        push @served, grep { call_route($route, $_, $ended->[1])->{status} != 401 && name_of($route, $_) } @{ $route->{methods} };
    }
    is_deeply \@served, [], "no route serves a key that is $ended->[0]";
}

# ---- types, and budgets ----

my %WORDS = (prompt => "of $user", presetKey => 'base');
my %INPUT = (input => { prompt => $WORDS{prompt} });
my %MAKES = (    # a route that begins generations of neo-glitch, or reserves => [body, pieces]
    'api/{type}/generate'           => [{ %WORDS }],
    'api/generation/create'         => [{ %WORDS, type => 'neo-glitch' }],
    'api/generate'                  => [{ %WORDS, type => 'neo-glitch' }],
    'api/generate of one that waits' => [sub { { generationId => waiting() } }],
    (map { my $of = $_; map { ("api/$of/{id}/$_" => [{}, sub { { id => stopped() } }]) } qw(retry fallback) } qw(generation job)),
    'api/credits-reserve'           => [sub { { request_id => "r-$user-" . ++$made::n, cost => 1 } }],
    'older names/{type}/generate'   => [{ %WORDS }],
    'older names/credits-reserve'   => [sub { { request_id => "o-$user-" . ++$made::n, cost => 1 } }],
    'openai/images/generations'     => [{ model => 'studio/picture', prompt => $WORDS{prompt} }],
    'replicate/predictions'         => [{ version => 'studio/picture', %INPUT }],
    (map { ("replicate/$_/{owner}/{name}/predictions" => [\%INPUT]) } qw(models deployments)),
    'fal/queue/{model+}'            => [{ prompt => $WORDS{prompt} }],
    'fal/run/{model+}'              => [{ prompt => $WORDS{prompt} }],
);
my @FREE = (     # ... those that count against a limit and begin nothing
    'api/assets', 'api/keys', 'older names/cloudinary-sign', 'replicate/files', 'fal/rest/storage/upload/initiate',
);
my @NOT_HERE = (    # as images/generations, with a form; of a row of genflow.compositions
    'openai/images/edits', 'older names/image/generate',
);
my %route = map { ("$_->{handler}/$_->{path}" => $_) } @ROUTES;
is_deeply [sort grep { $route{$_}{limits} } keys %route],
    [sort grep { $route{$_} && $route{$_}{limits} } keys(%MAKES), @FREE, @NOT_HERE], 'each route that costs has its case here';

# A generation that waits for its start; one that was cancelled.
sub waiting {
    my ($key) = @_;
    my $made = api(POST => '/api/generation/create', headers => bearer($key // $free), json => { %WORDS, type => 'neo-glitch' });
    return data($made)->{data}{id} // die "no generation but $made->{content}\n";
}

sub stopped {
    my $id = waiting();
    api(POST => "/api/generation/$id/cancel", headers => bearer($free));
    return $id;
}

# What changes when something is begun: there are more holds and reservations, or fewer generations that wait for their start.
sub begun {
    return sql1(<<'END', user => $user);
SELECT (SELECT count(*) FROM genflow.ledger l WHERE l.kind = 'hold' AND l.user_id = genflow.account_of(:'user')) * 2
    + (SELECT count(*) FROM genflow.reservations r WHERE r.user_id = genflow.account_of(:'user'))
    - (SELECT count(*) FROM genflow.work w WHERE w.user_id = genflow.account_of(:'user') AND w.phase = 'pending')
END
}

# The cases in which that key begins something.
sub begins {
    my ($key) = @_;
    my @begun;
    for my $case (sort keys %MAKES) {
        my ($json, $piece) = map { ref eq 'CODE' ? $_->() : $_ } @{ $MAKES{$case} };
        my $before = begun();
        my $res = call_route($route{ $case =~ s/ of one.*//r }, 'POST', $key, json => $json, piece => $piece);
        push @begun, $case if begun() != $before;
        diag "$case: $res->{status} $res->{content}" if $key == $free && begun() == $before;
    }
    return \@begun;
}

is_deeply begins($free), [sort keys %MAKES], 'a key without limits begins in each way';
is_deeply begins($typed), [grep { /reserve/ } sort keys %MAKES], 'a key of another type begins nothing, and may reserve';
is_deeply begins($spent), ['api/generate of one that waits'], 'one without a budget begins only what another has held credits for';

talk_to();
my $other = new_key(account(5), %full);
talk_to($httpd);
error_is(api(POST => '/api/generate', headers => bearer($typed), json => { generationId => waiting($other) }), 403,
    'UNAUTHORIZED', 'a key of another type learns nothing of what others have made');

is $httpd->alarms, '', 'nothing was wrong with any of it';
talk_to();
finish;

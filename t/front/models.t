#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# GenflowModel: names for clients of another API. httpd -t refuses what leads nowhere; an inner
# <Location> replaces names of the outer one.
use Genflow::Test;

use Genflow::Httpd qw(refused accepted small_site);

sub within { return "<Location /openai/v1>\nSetHandler genflow-openai\n@_\n</Location>\n" }

# ---- what httpd -t says ----

refused('a name without a type', within('GenflowModel gpt-image-1'), 'needs a name and a type');
refused('a type that is not there', within('GenflowModel gpt-image-1 nothing'),
    'GenflowModel gpt-image-1 nothing: there is no <GenflowType nothing>');
refused('a name twice', within("GenflowModel a sketch\nGenflowModel a sketch"), 'GenflowModel a: stands twice');
refused('an unknown option', within('GenflowModel a sketch colour=red'), 'a: colour=red: must be preset=KEY');
refused('an output of neither kind', within('GenflowModel a sketch output=both'), 'output=both: must be');
refused('a link without a model', within('GenflowModel a sketch link=local'), 'link=local: must be');
refused('a link that the type does not name', within('GenflowModel a sketch link=stability/sd3'),
    'GenflowTypeProviders of this type does not name it');
refused("the name '$_'", within("GenflowModel '$_' sketch"), 'must be pieces of')
    for 'a b', '/a', 'a/', 'a//b', 'a/../b', 'a?b', 'x' x 201;
refused('a name outside of a section', "GenflowModel a sketch\n", 'not allowed');
accepted('one of each kind', within("GenflowModel a sketch\nGenflowModel o/n sketch output=one\n"
        . "GenflowModel o/n:v1 sketch preset=p output=list"));
accepted('a name again in a section inside', within('GenflowModel a sketch')
        . "<Location /openai/v1/inside>\nGenflowModel a sketch preset=p\n</Location>\n");

my $INSIDE = "<VirtualHost *:1>\n%s\n</VirtualHost>\n";
accepted('a name in a virtual host', sprintf $INSIDE, within('GenflowModel a sketch'));
refused('... of a type that is not there', sprintf($INSIDE, within('GenflowModel a nothing')), 'there is no <GenflowType nothing>');

# ---- in a virtual host ----

my $hosts = Genflow::Httpd->start(small_site() . <<'END');
<VirtualHost *:*>
    <Location "/openai/v1">
        SetHandler genflow-openai
        GenflowUser "%{HTTP:X-User}"
        GenflowModel inside neo-glitch preset=base
    </Location>
</VirtualHost>
END
talk_to($hosts);
my $guest = account(3);
my $made  = api(POST => '/openai/v1/images/generations', user => $guest, json => { model => 'inside', prompt => 'a cat in the rain' });
is $made->{status}, 200, 'a name of a virtual host has its type' or diag $made->{content};
credits_are $guest, 2, 0, '... and its price';
is_deeply [map { $_->{id} } @{ data(api(GET => '/openai/v1/models', user => $guest))->{data} }], ['inside'], '... and is listed';
talk_to();

# ---- what clients get ----

my $user = account(0);
my $res  = api(GET => '/openai/v1/models', user => $user);
my $list = data($res);
is_deeply [$res->{status}, $list->{object}, $list->{data}[0]{id}, $list->{data}[0]{object}],
    [200, 'list', 'gpt-image-1', 'model'], 'the names are listed in their order';
$res = api(GET => '/openai/v1/models/studio/unset', user => $user);
is_deeply [$res->{status}, data($res)->{id}], [200, 'studio/unset'], 'one with parts is found by all of them';
$res = api(GET => '/openai/v1/models/nobody', user => $user);
is_deeply [$res->{status}, data($res)->{error}{code}], [404, 'model_not_found'], 'another name is unknown';
$res = api(GET => '/openai/v1/models/%FF', user => $user);
is_deeply [$res->{status}, data($res)->{error}{message}], [404, "The model '' does not exist"],
    'a name that is no UTF-8 is not repeated';
$res = api(GET => '/openai/v1/models');
is_deeply [$res->{status}, data($res)->{error}{code}], [401, 'invalid_api_key'], 'strangers get 401';
$res = api(GET => '/openai/v1/files', user => $user);
is_deeply [$res->{status}, data($res)->{error}{code}], [404, 'unknown_url'], 'an unknown route has its error';
$res = api(GET => '/openai/v1/images/edits', user => $user);
is_deeply [$res->{status}, $res->{headers}{allow}, data($res)->{error}{type}],
    [405, 'POST', 'invalid_request_error'], 'a wrong method, too';
finish;

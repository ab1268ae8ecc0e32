#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# genflow-fal behind AuthType GenflowKey, as conf/genflow-fronts.conf has it: a key that is no use is
# refused in fal's shape, holds nothing, and stands in no log.
use Genflow::Test;

use Genflow::Httpd qw(small_site);
use Genflow::Keys;

my $httpd = Genflow::Httpd->start(small_site() . <<'END');
LogLevel warn genflow:debug
GenflowLimitKeyRate 1000/1s 100000
<GenflowType custom-prompt>
    GenflowTypeProviders stability/sd3
    GenflowTypeCost 2
    GenflowTypePromptMin 10
</GenflowType>
Include "${GENFLOW_WORK}/conf/genflow-fronts.conf"
END
my ($user, $other) = (account(20), account(20));
my %key = (
    good    => new_key($user),
    revoked => new_key($user),
    reading => new_key($user, scopes => ['read']),
    images  => new_key($user, scopes => ['images']),
    small   => new_key($user, budget => 0),
    other   => new_key($other),
);
is api(DELETE => "/api/keys/$key{revoked}{id}", user => $user)->{status}, 200, 'a key is revoked';
talk_to($httpd);
my $RUN   = '/fal/run/genflow/neo-glitch';
my $QUEUE = '/fal/queue/genflow/neo-glitch';

my $made = fal($key{good}{key}, POST => $RUN, json => { prompt => "a cat of $user" });
is $made->{status}, 200, 'a key makes a picture' or diag $made->{content};
ok data($made)->{images}[0]{url}, '... which is there';
is api(POST => $RUN, json => { prompt => 'a cat' }, headers => bearer($key{good}))->{status}, 200, 'also as Bearer, as the AI SDK may send it';
my $queued = data(fal($key{good}{key}, POST => $QUEUE, json => { prompt => 'a cat' }));
my $path   = $queued->{status_url} =~ s{\Ahttp://[^/]+}{}r;
ok wait_for { data(fal($key{good}{key}, GET => $path))->{status} eq 'COMPLETED' }, 'a request of the queue ends';
my $before = credits($user);

my @BAD = (    # what, key, status, type
    ['no key',                undef,               401, 'unauthorized'],
    ['an unknown key',        stranger(),          401, 'unauthorized'],
    ['a misspelled key',      misspelled($key{good}), 401, 'unauthorized'],
    ['a revoked key',         $key{revoked}{key},  401, 'unauthorized'],
    ['a key to read',         $key{reading}{key},  403, 'forbidden'],
    ['a key over its budget', $key{small}{key},    402, 'insufficient_credits'],
);
for my $case (@BAD) {
    my ($what, $text, $status, $type) = @$case;
    for my $address ($RUN, $QUEUE) {
        my $res   = fal($text, POST => $address, json => { prompt => 'x' });
        is_deeply [$res->{status}, data($res)->{error_type}], [$status, $type], "$what is refused"
            or diag $res->{content};
        like $res->{headers}{'www-authenticate'} // '', qr/\ABearer realm=/, '... with the challenge of a key' if $status == 401;
        is $res->{headers}{'x-fal-retryable'}, 'false', '... and a repetition is of no use';
    }
}
is_deeply credits($user), $before, 'nothing is held for all of these';
is fal($key{reading}{key}, GET => $path)->{status}, 200, 'a key to read reads a status';
is fal($key{other}{key}, GET => $path)->{status}, 404, "another user's key does not find it";
is fal($key{images}{key}, GET => $path)->{status}, 403, 'a key for images alone does not read';
is fal($key{reading}{key}, PUT => $path =~ s/status\z/cancel/r)->{status}, 403, 'a key to read cancels nothing';
is fal($key{reading}{key}, POST => '/fal/rest/storage/upload/initiate', json => {})->{status}, 403, '... and uploads nothing';
my $proxied = fal(undef, GET => '/fal', headers => { 'x-fal-target-url' => 'https://queue.fal.run/genflow/neo-glitch/requests/x' });
is $proxied->{status}, 401, 'a proxied request needs a key as any other';

talk_to();
my $log = $httpd->log_text;
is_deeply [grep { index($log, $key{$_}{key}) >= 0 } sort keys %key], [], 'no key is in the log';
finish;

sub fal {
    my ($text, $method, $address, %more) = @_;
    my %headers = (%{ $more{headers} // {} }, defined $text ? (Authorization => "Key $text") : ());
    return api($method => $address, %more, headers => \%headers);
}

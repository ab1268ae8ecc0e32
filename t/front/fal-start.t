#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Requests of fal's clients that nobody begins: their place in the queue, a stream of it, and a run that
# has to begin in a time (x-fal-request-timeout).
use Genflow::Test;

use Time::HiRes qw(time);

use Genflow::Httpd qw(small_site);

# Nothing here is begun.
my $httpd = Genflow::Httpd->start(small_site('fal-waits') . <<'END');
GenflowDispatch Off
GenflowFrontWait 15s
<Location "/fal">
    SetHandler genflow-fal
    GenflowUser "%{HTTP:X-User}"
    GenflowModel fal-ai/waits fal-waits
</Location>
END
talk_to($httpd);

my $user = account(20);
my @queued = map { data(fal(POST => '/fal/queue/fal-ai/waits', { prompt => "number $_" })) } 1, 2;
is $queued[1]{status}, 'IN_QUEUE', 'a request is in the queue';
my @path = map { $_->{status_url} =~ s{\Ahttp://[^/]+}{}r } @queued;
my $res  = fal(GET => $path[1]);
is_deeply [$res->{status}, @{ data($res) }{qw(status queue_position)}], [202, 'IN_QUEUE', 1], '... at its place';
is fal(PUT => $path[0] =~ s/status\z/cancel/r)->{status}, 202, 'the one before it is cancelled';
is data(fal(GET => $path[1]))->{queue_position}, 0, '... and it moves up';

# ---- a stream ----

# Its client sees the first state, and cancels.
my ($content, $cancelled) = ('', 0);
$res = HTTP::Tiny->new(timeout => 90)->get($httpd->base . "$path[1]/stream?logs=1", {
    headers       => { 'X-User' => $user },
    data_callback => sub {
        $content .= $_[0];
        fal(PUT => $path[1] =~ s/status\z/cancel/r) if $content =~ /^data: /m && !$cancelled++;
    },
});
is $res->{headers}{'content-type'}, 'text/event-stream', 'its states are streamed';
my @events = map { Genflow::Test::data({ content => $_ }) } $content =~ /^data: (.*)$/mg;
is_deeply [map { $_->{status} } @events], [qw(IN_QUEUE COMPLETED)], '... until it has ended';
is $events[-1]{error_type}, 'client_cancelled', '... with the reason';
unlike $content, qr/^(?:event|id):/m, '... without names';

# ---- a run ----

my %limit = (headers => { 'x-fal-request-timeout' => '1.2' });
my $begin = time;
$res = fal(POST => '/fal/run/fal-ai/waits', { prompt => 'soon' }, %limit);
is_deeply [$res->{status}, $res->{headers}{'x-fal-request-timeout-type'}, data($res)->{error_type}],
    [504, 'user', 'startup_timeout'], 'a run that does not begin in its time is over';
cmp_ok time - $begin, '>=', 1.1, '... then';
cmp_ok time - $begin, '<', 12, '... and not later';
is_deeply [sql("SELECT status FROM public.fal_waits_media WHERE user_id = genflow.account_of(:'user') AND prompt = 'soon'", user => $user)],
    ['cancelled'], '... it is cancelled';
credits_are $user, 20, 0, 'and nothing is held';

$res = fal(POST => '/fal/run/fal-ai/waits', { prompt => 'late' });
is_deeply [$res->{status}, data($res)->{error_type}], [503, 'service_unavailable'], 'a run has GenflowFrontWait';
is $res->{headers}{'retry-after'}, 1, '... and its client comes back';
credits_are $user, 20, 1, '... to the same request, for which a credit is held';
talk_to();
cancel_ours();
finish;

sub fal {
    my ($method, $path, $json, %more) = @_;
    return api($method => $path, user => $user, ($json ? (json => $json) : ()), %more);
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child dies at an exact point, as a proxy between it and PostgreSQL sees it: before its create is
# sent, with the provider's answer in hand, with the picture stored, with the end committed and not
# known to it. Another host goes on from there.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Proxy;
use Genflow::Test;

my $mark = log_mark();
my $proxy = Genflow::Proxy->postgres;
my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . $proxy->params . <<'END');
GenflowPublicUrl "http://127.0.0.1:${GENFLOW_PORT}/api"
GenflowFetchAllow 127.0.0.1
<GenflowProvider replicate>
    GenflowProviderUrl "${GENFLOW_FAKE}/replicate/v1"
    GenflowProviderKey env:PEERS_API_KEY
</GenflowProvider>
<GenflowProvider fal>
    GenflowProviderUrl "${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
</GenflowProvider>
<GenflowProvider echo-hook-replicate>
    GenflowProviderKind replicate
    GenflowProviderUrl "${GENFLOW_FAKE}/replicate/v1"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderHookSecret env:PEERS_HOOK_SECRET
</GenflowProvider>
<GenflowType echo-replicate>
    GenflowTypeProviders replicate/black-forest-labs/flux-dev
    GenflowTypeCost 1
</GenflowType>
<GenflowType echo-fal>
    GenflowTypeProviders fal/fal-ai/fast-sdxl
    GenflowTypeCost 1
</GenflowType>
<GenflowType hook-replicate>
    GenflowTypeProviders echo-hook-replicate/black-forest-labs/flux-dev
    GenflowTypeCost 1
</GenflowType>
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType sketch>
    GenflowTypeProviders local
    GenflowTypeCost 1
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END

my %died = map { $_ => 0 } 'hang_request create', 'hang_request accepted', 'hang_request settle', 'hang_answer settle';

# ---- before its create is sent (fault 4) ----

my $user = account(10);
$proxy->order('hang_request', 'create');
talk_to $httpd;
my ($first) = in_parallel(2, sub {
    return die_at('hang_request create') if $_[0];
    return generate($user, { prompt => 'unborn' }, 'Idempotency-Key' => 'unborn')->{status};
});
is $first, 599, 'a child dies before its create is sent: the client has no answer';
is rows_of($user, 'genflow.idempotency_keys'), 0, '... there is no generation';
credits_are $user, 10, 0, '... and nothing is held';
wait_for { api(GET => '/api/health')->{status} == 200 };
is generate($user, { prompt => 'unborn' }, 'Idempotency-Key' => 'unborn')->{status}, 200,
    '... the repeated call makes it';
credits_are $user, 9, 0, '... and is charged';
is submissions('unborn'), 1, '... for one submission';

# ---- with the provider's answer in hand (8), with the picture stored (11), with the end committed (13) ----

my @POINTS = (
    # type, prompt, order, statement, status, submissions, the test's name
    ['echo-replicate', 'poll=1',   'hang_request', 'accepted', 'completed', 1, 'with the id of a run from a list'],
    ['echo-fal',       'poll=1',   'hang_request', 'accepted', 'completed', 1, 'with the id of a run from another list'],
    ['hook-replicate', 'hook=end', 'hang_request', 'accepted', 'completed', 1, 'with the id of a run from a webhook'],
    ['neo-glitch',     'poll=1',   'hang_request', 'accepted', 'failed',    1, 'with the id of an unknown run'],
    ['neo-glitch',     '',         'hang_request', 'settle',   'completed', 1, 'with the picture stored'],
    ['sketch',         '',         'hang_request', 'settle',   'completed', 0, 'with its drawing stored'],
    ['neo-glitch',     '',         'hang_answer',  'settle',   'completed', 1, 'with the end committed'],
);
for my $point (@POINTS) {
    my ($type, $script, $order, $statement, $status, $sent, $name) = @$point;
    my %before = map { $_ => 1 } pictures($type);
    $user = account(10);
    $proxy->order($order, $statement);
    talk_to $httpd;
    my $id = later($user, { type => $type, prompt => "{{$script}} [$user]" });
    ok die_at("$order $statement"), "a child dies $name";

    # A client that waits at another child learns of it by that child's own queries.
    talk_to;
    my $reply = wait_for {
        my $job = data(api(GET => "/api/generation/$id", user => $user, headers => { Prefer => 'wait=15' }));
        $job->{finishedAt} && $job;
    } 60;
    is $reply->{status}, $status, "... a client that waits at another host gets: $status";
    is submissions("[$user]"), $sent, "... after $sent submissions";
    my $charge = $status eq 'completed' ? 9 : 10;
    if ($type eq 'sketch') {
        my ($cost) = sql1("SELECT cost FROM public.sketch_media WHERE id = :'id'", id => $id);
        $charge = 10 - $cost;
    }
    credits_are $user, $charge, 0, '... and charged once or not at all';
    my @new = grep { !$before{$_} } pictures($type);
    is scalar(@new), $status eq 'completed' ? 1 : 0, '... the store has one picture of it or none' or diag join "\n", @new;
    is(HTTP::Tiny->new->get($reply->{imageUrl})->{status}, 200, '... which is served') if $reply->{imageUrl};
}

# An unknown run may end at this host or at the other, which has a log of its own.
expect_log 'GF0202' if log_since($mark) =~ /GF0202/;

finish;

# Kills the children of the other httpd as soon as the proxy has done that.
sub die_at {
    my ($event) = @_;
    wait_for { (grep { /\A\Q$event\E(?: ok)?\z/ } $proxy->events) > $died{$event} } or return;
    $died{$event}++;
    kill KILL => $httpd->children;
    $proxy->cut;
    return 1;
}

sub pictures {
    my ($type) = @_;
    return glob "$ENV{GENFLOW_WORK}/store/$type/*/*";
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Clients write down each answer that they get, while children are killed and stand still, PostgreSQL
# is stopped hard, and its connections are cut. In the end nothing that was acknowledged is missing,
# and each call without an answer came to nothing or to one generation, which its key finds.
# GENFLOW_SEED repeats the clients' choices.
use Genflow::Fault;
use Genflow::Seed;
use Genflow::Test;
use Time::HiRes qw(sleep);

my $CLIENTS = 6;
my $PATIENT = 2;                                 # seconds: many calls end without an answer
my @HARM    = qw(kill cut stop freeze kill stop);

my $seed = seed();
my $mark = log_mark();
my $over = "$ENV{GENFLOW_WORK}/tmp/journal-is-over";
my $lost = "$ENV{GENFLOW_WORK}/tmp/journal-has-lost";      # a call without an answer
my @users = map { account(10_000) } 1 .. 3;
my $JSON  = JSON::PP->new->canonical;

my ($harmed, @journals) = in_parallel(1 + $CLIENTS, sub {
    my ($i) = @_;
    return $i == 0 ? harm() : client($i);
}, 1 + $CLIENTS);
my @journal = map { @$_ } @journals;

is_deeply $harmed, [map { "$_ done" } @HARM], "httpd and PostgreSQL were harmed: @HARM";
my $drained = wait_for {
    !sql1("SELECT count(*) FROM genflow.work JOIN genflow.accounts USING (user_id)"
        . " WHERE phase <> 'pending' AND starts_with(name, 'journal-')");
};
ok $drained, 'all that was begun ends';
# What was killed or cut may be said by these.
expect_log grep { log_since($mark) =~ /\b$_\b/ } qw(GF0121 GF0202 GF0201 GF0205 GF0103);

# ---- the journal says ----

my %count;
$count{ $_->{act} . ' ' . ($_->{status} == 599 ? 'without an answer' : $_->{status}) }++ for @journal;
diag join ', ', map { "$count{$_} $_" } sort keys %count;
ok scalar(grep { $_->{status} == 599 } @journal), 'some calls had no answer';
cmp_ok scalar(grep { $_->{status} == 200 } @journal), '>', 3 * $CLIENTS, '... and many had one';
is_deeply [grep { !/\A(?:200|201|202|400|404|409|503|500|599)\z/ } map { $_->{status} } @journal], [],
    "... no other than those in a client's response";

my %row = map { my ($id, @of) = split /\|/; $id => \@of } sql(<<'SQL');
    SELECT m.id, m.status, coalesce(m.image_url, ''), a.name
      FROM (SELECT id, status, image_url, user_id FROM public.sketch_media
            UNION ALL
            SELECT id, status, image_url, user_id FROM public.neo_glitch_media) m
      JOIN genflow.accounts a USING (user_id)
     WHERE starts_with(a.name, 'journal-')
SQL
my %key = map { my ($user, $key, $id) = split /\|/; ("$user $key" => $id) } sql(<<'SQL');
    SELECT name, substr(key, strpos(key, 'journal-')), job_id
      FROM genflow.idempotency_keys JOIN genflow.accounts USING (user_id)
     WHERE starts_with(name, 'journal-')
SQL
my %deleted = map { $_->{id} => 1 } grep { $_->{act} eq 'delete' } @journal;

is_deeply [map { $JSON->encode($_) } grep { is_missing($_) } @journal], [], 'nothing that was acknowledged is missing';
my @makers = grep { defined $_->{key} } @journal;
my @once   = grep { !$key{"$_->{user} $_->{key}"} && $_->{id} } @makers;
is_deeply [map { $JSON->encode($_) } @once], [], 'each generation is found by its key';
my %made = map { $_ => 1 } values %key;
is_deeply [grep { !$made{$_} } keys %row], [], '... and there is none without a key of a client';
is scalar(keys %made), scalar(values %key), '... and no two keys have the same one';

# ---- who had no answer repeats the call with its key ----

my @lost  = grep { $_->{status} == 599 || $_->{status} == 503 } @makers;
$PATIENT = 60;
my @again = in_parallel(scalar @lost, sub { call($lost[ $_[0] ]) }, 8);
my @wrong;
for my $i (0 .. $#lost) {
    my ($before, $now) = ($key{"$lost[$i]{user} $lost[$i]{key}"}, $again[$i]);
    push @wrong, $JSON->encode($now) if $before && ($now->{id} // '') ne $before && !$deleted{$before};
    push @wrong, $JSON->encode($now) if !$before && $now->{status} !~ /\A20/;
}
ok scalar(@lost), 'who had no answer repeats the call';
is_deeply \@wrong, [], '... and has the generation that the first call made, or a new one';
my $all_ended = wait_for {
    !sql1("SELECT count(*) FROM genflow.work JOIN genflow.accounts USING (user_id)"
        . " WHERE phase <> 'pending' AND starts_with(name, 'journal-')");
};
ok $all_ended, '... all of which end';
is sql1(<<'SQL'), '0|0', 'each generation has one charge or none, as it ended';
    SELECT count(*) FILTER (WHERE n > 2), count(*) FILTER (WHERE charged > cost)
      FROM (SELECT l.ref, count(*) AS n, sum(l.amount) FILTER (WHERE l.kind = 'capture') AS charged,
                   max(l.amount) FILTER (WHERE l.kind = 'hold') AS cost
              FROM genflow.ledger l JOIN genflow.accounts a USING (user_id)
             WHERE starts_with(a.name, 'journal-') AND l.kind <> 'grant' GROUP BY 1) g
SQL

finish;

# ---- the load ------------------------------------------------------------------------------------

# A client: its request and the answer, as {act, user, key, id, status, said}.
sub client {
    my ($number) = @_;
    srand $seed + $number;
    my @journal;
    my $begun = 0;
    while (!-e $over) {
        my $user  = $users[rand @users];
        my @mine  = grep { $_->{id} } @journal;
        my $roll  = rand;
        my $entry = { user => $user };
        if (@mine && $roll < 0.3) {
            my $of = $mine[rand @mine];
            %$entry = (act => $roll < 0.1 ? 'cancel' : $roll < 0.2 ? 'delete' : 'status', user => $of->{user},
                id => $of->{id}, type => $of->{type});
        }
        elsif ($roll < 0.4) {
            %$entry = (act => 'reserve', user => $user, run => "reserved-$number-" . ++$begun);
        }
        else {
            my $type = rand() < 0.1 ? 'sketch' : 'neo-glitch';
            %$entry = (act => 'generate', user => $user, key => "journal-$number-" . ++$begun, type => $type,
                prompt => '{{quick delay=' . int(rand 300) . '}}', prefer => (qw(wait=2 respond-async))[rand 2]);
        }
        push @journal, call($entry);
        sleep 0.1;
    }
    return \@journal;
}

# One call; its entry with what was answered.
sub call {
    my ($entry) = @_;
    my %way = (
        generate => [POST => "/api/" . ($entry->{type} // '') . '/generate',
            { prompt => $entry->{prompt}, presetKey => 'base' }],
        cancel  => [POST => '/api/generation/' . ($entry->{id} // '') . '/cancel'],
        delete  => [DELETE => '/api/generation/' . ($entry->{id} // '')],
        status  => [GET => '/api/generation/' . ($entry->{id} // '')],
        reserve => [POST => '/api/credits-reserve', { request_id => $entry->{run}, cost => 1 }],
    );
    my ($method, $path, $body) = @{ $way{ $entry->{act} } };
    my %headers = ('X-User' => $entry->{user}, 'Content-Type' => 'application/json');
    $headers{'Idempotency-Key'} = $entry->{key} if defined $entry->{key};
    $headers{Prefer} = $entry->{prefer} if $entry->{prefer};
    my $res = HTTP::Tiny->new(timeout => $PATIENT, keep_alive => 0)->request($method, base() . $path,
        { headers => \%headers, $body ? (content => $JSON->encode($body)) : () });
    touch($lost) if $res->{status} == 599;
    my $said = data($res);
    my %reply = ref $said eq 'HASH' ? %$said : ();
    my $id   = $entry->{id} // $reply{id} // $reply{generationId};
    return { %$entry, status => 0 + $res->{status}, said => $reply{status}, $id ? (id => $id) : () };
}

# Was it acknowledged, and is not there?
sub is_missing {
    my ($entry) = @_;
    my ($act, $status, $id) = @$entry{qw(act status id)};
    return if $status !~ /\A20/;
    my $row = $id ? $row{$id} : undef;
    return !sql1("SELECT 1 FROM genflow.reservations WHERE user_id = genflow.account_of(:'user') AND request_id = :'run'",
        user => $entry->{user}, run => $entry->{run}) if $act eq 'reserve';
    return !!$row if $act eq 'delete';
    return if $deleted{$id};                     # by a later call, answered or not
    return 1 if !$row || $row->[2] ne $entry->{user};
    return $row->[0] ne 'cancelled' if $act eq 'cancel';
    return $row->[0] ne $entry->{said} if ($entry->{said} // '') =~ /\A(?:completed|failed|cancelled)\z/;
    return 0;
}

# ---- the harm ------------------------------------------------------------------------------------

sub harm {
    my @done;
    for my $harm (@HARM) {
        sleep 0.7;
        my $did = $harm eq 'kill' ? kill_child((children())[rand 2])
            : $harm eq 'cut'      ? cut_connections()
            : $harm eq 'stop'     ? pg('stop', 'immediate') && pg('start')
            :                       stand_still((children())[rand 2]);
        push @done, $harm . ($did ? ' done' : ' failed');
    }
    sleep 0.7;
    for (1 .. 10) {
        last if -e $lost;
        stand_still((children())[rand 2]);
    }
    touch($over);
    return \@done;
}

sub touch {
    my ($path) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    return;
}

sub cut_connections {
    return sql1(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'genflow_app'});
}

# For longer than a lease and than a client waits.
sub stand_still {
    my ($pid) = @_;
    freeze $pid;
    sleep $PATIENT + 0.5;
    return kill CONT => $pid;
}

END { kill CONT => children() }

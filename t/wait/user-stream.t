#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One stream of everything that happens to a user: generations, credits, places in our queue, in order and
# each event once, to each tab. Who comes back with the last id gets what came since; who is away for
# too long, or brings an id that is none, is told to read the lists anew. No user sees another one's events.
use Genflow::Test;
use Genflow::Wait;

use Genflow::Session ();
use Genflow::Tab ();

plan(skip_all => 'only the event MPM parks') if $ENV{GENFLOW_MPM} ne 'event';
use constant { THREADS => 4, REPLAY => 100 };

my $user  = account(500);
my $other = account(50);
my $httpd = wait_site(THREADS, "Timeout 6\nGenflowWatchUser 20\n");

# ---- what happens ----

my $stream = Genflow::Tab->open($user);
my $first  = $stream->next_event;
is $first->{event}, 'balance', 'the stream begins with the credits';
is_deeply $first->{data}, { balance => 500, held => 0, remaining => 500 }, '... as they are';
like $stream->head, qr{\AHTTP/1.1 200 .*^Content-Type: text/event-stream\r$}ms, 'it is a stream of events';
like $stream->head, qr/^X-Accel-Buffering: no\r$/m, '... which no proxy holds back';
my $tab     = Genflow::Tab->open($user);
my $foreign = Genflow::Tab->open($other);
$_->next_event for $tab, $foreign;

my $id = waiting_generation($user);
my @begin = each_sees(2);
is_deeply [map { $_->{event} } @begin], [qw(generation balance)], 'a generation begins: its object, then the credits';
is_deeply timeless($begin[0]{data}), object_of($user, $id), '... the object as GET returns it';
is_deeply $begin[1]{data}, { balance => 500, held => 1, remaining => 499 }, '... and what is held';
change_generation($id, 'half of it');
my ($progress) = each_sees(1);
is_deeply [$progress->{event}, $progress->{data}{logs}], ['generation', ['half of it']], 'progress is an event';
cancel_generation($id);
my @end = each_sees(2);
is_deeply [map { $_->{event} } @end], [qw(generation balance)], 'its end: the object, then the credits';
is_deeply timeless($end[0]{data}), object_of($user, $id), '... the object as GET returns it';
is_deeply $end[1]{data}, { balance => 500, held => 0, remaining => 500 }, '... and nothing is held';
my @all = ($first, @begin, $progress, @end);
my %ids = map { $_->{id} => 1 } @all;
is scalar keys %ids, scalar @all, 'each event has an id of its own';
is api(DELETE => "/api/generation/$id", user => $user)->{status}, 200, 'its user deletes it';
grant($user, 5);
is_deeply $stream->next_event->{data}, { balance => 505, held => 0, remaining => 505 },
    '... which is no event; credits that were granted are one';
grant($other, 5);
is_deeply $foreign->next_event->{data}, { balance => 55, held => 0, remaining => 55 },
    'another user has seen nothing of it, and gets the own credits';

# ---- our queue ----

my @queued = map { waiting_generation($user) } 1 .. 2;
my @places = map { my $of = $_; $stream->event_of($of)->{data} } @queued;
is_deeply [map { $_->{queuePosition} } @places], [0, 1], 'what waits in our queue has its place in the object';
my $single = Genflow::Wait->get("/api/generation/$queued[1]/events", $user);
ok $single->streams(qr/"queuePosition":1/), '... also in the stream of the generation';
sql("UPDATE genflow.work SET turn = turn + interval '1 minute' WHERE job_id = :'id'", id => $queued[0]);
my $moved = $stream->event_of($queued[1], 'queue');
is_deeply $moved->{data}, { id => $queued[1], position => 0, expectedSeconds => $moved->{data}{expectedSeconds} },
    '... and a new place is an event of its own, also without other news';
ok $single->streams(qr/"queuePosition":0/), '... which sends a new place, too';
cancel_generation($_) for @queued;
ok $single->streams(qr/"cancelled"/), '... to its end';
$stream->event_of($_) for @queued;

# ---- who comes back, beside a transaction that stays open ----

# The generations that come up to the credits: each once.
sub since_has {
    my ($id, $says, @wanted) = @_;
    my $back = Genflow::Tab->open($user, $id);
    my (@got, $event);
    push @got, $event->{data}{id} while %{ $event = $back->next_event } && $event->{event} eq 'generation';
    return is_deeply [@got, $event->{event}], [@wanted, 'balance'], $says;
}

my $open = Genflow::Session->new($ENV{PGDATABASE});
$open->sql('BEGIN', 'SELECT pg_current_xact_id()');
Genflow::Tab->close_all;
ok all_wait(0), 'tabs that were closed leave their places';
my $now = Genflow::Tab->open($user)->next_event->{id};
my @new = sort map { waiting_generation($user) } 1 .. 3;
since_has($now, 'who comes back gets what happened since', @new);
since_has($now, '... each time', @new);
my $partly = Genflow::Tab->open($user, $now);
my @parts  = map { $partly->event_of($_) } @new;
since_has($parts[0]{id}, 'with the id of any event the rest of them', @new[1, 2]);
since_has($parts[2]{id}, '... to the last');
cancel_generation($new[0]);
since_has($parts[1]{id}, '... and then what has changed meanwhile', @new[2, 0]);
$partly->event_of($new[0]);
my $last = $partly->next_event->{id};
grant($user, 1);
my $idle = Genflow::Tab->open($user, $last);
is_deeply $idle->next_event->{data}, { balance => 506, held => 2, remaining => 504 },
    'who has everything gets what comes next, and nothing else';
$open->sql('COMMIT');
cancel_generation($_) for @new;
Genflow::Tab->close_all;

# ---- too much, and ids that are none ----

for my $bad (
    ['an invented id',        'none'],
    ['an empty word',         '.'],
    ['8 kB of it',            'a' x 8000],
    ['bytes that are no text', "\xff\xfe\xc3"],
    ['a later instant',       $last =~ s/\A(\w+\.\d+\.)\d+/${1}99999999999/r],
    ['another line',          $last =~ s/\A\w+/00000000/r],
) {
    my ($what, $value) = @$bad;
    my $back = Genflow::Tab->open($user, $value);
    my $event = $back->next_event;
    is_deeply [@$event{qw(event data)}], ['reset', {}], "$what: the client is told to read its lists anew";
    grant($user, 1);
    is $back->next_of('balance')->{event}, 'balance', '... and gets what comes next';
}
my $theirs = Genflow::Tab->open($other, $last);
is $theirs->next_event->{event}, 'reset', 'the id of another user: the same';
grant($other, 1);
is_deeply $theirs->next_event->{data}, { balance => 56, held => 0, remaining => 56 },
    '... and no event of that user';
Genflow::Tab->close_all;
$now = Genflow::Tab->open($user)->next_event->{id};
my @many = map { waiting_generation($user) } 1 .. REPLAY + 1;
my $away = Genflow::Tab->open($user, $now)->next_event;
is $away->{event}, 'reset', 'more than ' . REPLAY . ' generations are not replayed';
cancel_generation(pop @many);
Genflow::Tab->close_all;
my $live = Genflow::Tab->open($user);
$live->next_event;
sql("SELECT genflow.admin_cancel(w.job_id) FROM genflow.work w WHERE w.user_id = genflow.account_of(:'user')", user => $user);
my %ended;
$ended{ $live->event_of($_)->{data}{status} }++ for sort @many;
is_deeply \%ended, { cancelled => REPLAY }, 'a stream that is open gets as many as there are';

# ---- bounds ----

Genflow::Tab->close_all;
ok all_wait(0), 'no tab is open';
my @tabs = map { Genflow::Tab->open($user) } 1 .. 20;
ok all_wait(20), 'a user has as many streams as GenflowWatchUser allows';
my $full = api(GET => '/api/events', user => $user);
error_is($full, 503, 'QUEUE_FULL', '... and one more is refused');
ok $full->{headers}{'retry-after'}, '... for now';
is api(HEAD => '/api/events', user => $user)->{status}, 200, 'the head is to be had';
is api(GET => '/api/events')->{status}, 401, 'nobody has no events';
is api(POST => '/api/events', user => $user)->{status}, 405, 'events are read';
Genflow::Tab->close_all;
ok all_wait(0), 'all places are free';

is $httpd->alarms, '', 'nothing is wrong in the log';
$httpd->stop;
talk_to();
finish;

# So many events, of which the other tab gets the same.
sub each_sees {
    my ($count) = @_;
    my ($here, $there) = map { my $of = $_; [map { $of->next_event } 1 .. $count] } $stream, $tab;
    is_deeply [map { [$_->{event}, timeless($_->{data})] } @$there],
        [map { [$_->{event}, timeless($_->{data})] } @$here], 'another tab gets the same';
    return @$here;
}

# The object without the hint when to poll, which grows with time.
sub object_of {
    my ($user, $id) = @_;
    return timeless(data(api(GET => "/api/generation/$id", user => $user)));
}

sub timeless {
    my ($object) = @_;
    return { map { $_ => $object->{$_} } grep { $_ ne 'retryAfter' } keys %$object };
}

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every transition is stamped in the generation, and logged once: which generation, of what
# type and user, by which provider, model and attempt, with what code, after how long.
use Genflow::Test;
use Genflow::TwoStep;

my $user = account(30);
my %id   = (success => data(generate($user, {}, Prefer => 'wait=60'))->{id});
$id{$_}  = later($user, { prompt => "{{$_ retry-after=0}} [$user]" })
    for 'status=400', 'status=503', 'status=503 times=1', 'moderation', 'poll-hang';
$id{"$_ in two steps"} = made($user, {}) for qw(started late cancelled);
start($user, $id{'started in two steps'});
wait_for { status_of($user, $id{'poll-hang'})->{startedAt} };
api(POST => "/api/generation/$id{$_}/cancel", user => $user) for 'poll-hang', 'cancelled in two steps';
take_from_child($id{'late in two steps'}, 'due_at = now(), deadline_at = now()');

my $by = ' provider=stability model=sd3';
my %LOGGED = (    # after "job=... type=... user=..."
    'success' => [': created, 1 credit held', "$by attempt=1/4: succeeded",
        "$by attempt=1/4: completed and charged after N ms: FILE"],
    'status=400' => [': created, 1 credit held', "$by attempt=1/4: failed: HTTP 400 WHY",
        "$by attempt=1/4: failed and released after N ms: API_ERROR: HTTP 400 WHY"],
    'status=503' => [': created, 1 credit held',
        (map { tried($_, 'failed for now: HTTP 503 WHY') } 1 .. 4),
        "$by attempt=4/4: failed and released after N ms: MAX_RETRIES_EXCEEDED after API_ERROR: HTTP 503 WHY"],
    'status=503 times=1' => [': created, 1 credit held',
        tried(1, 'failed for now: HTTP 503 WHY'), tried(2, 'succeeded'),
        "$by attempt=2/4: completed and charged after N ms: FILE"],
    'moderation' => [': created, 1 credit held', "$by attempt=1/4: filtered: HTTP 403 WHY",
        "$by attempt=1/4: failed and released after N ms: CONTENT_FILTERED: HTTP 403 WHY"],
    'poll-hang' => [': created, 1 credit held', "$by attempt=1/4: working",
        ': cancelled and released, worked on by HOST'],
    'started in two steps' => [': created, 1 credit held', ': started', "$by attempt=1/4: succeeded",
        "$by attempt=1/4: completed and charged after N ms: FILE"],
    'late in two steps' => [': created, 1 credit held',
        ': cancelled and released after N ms: it was not started'],
    'cancelled in two steps' => [': created, 1 credit held',
        ': cancelled and released, worked on by no process'],
);
expect_log qw(GF0203 GF0205);
for my $case (sort keys %LOGGED) {
    my $job = ended($user, $id{$case});
    wait_for { @{ steps_logged($id{$case}) } >= @{ $LOGGED{$case} } };      # the log follows the commit
    is_deeply steps_logged($id{$case}), $LOGGED{$case}, "$case: the log has each step";
    my ($made, $began, $over) = @{$job}{qw(createdAt startedAt finishedAt)};
    ok $made le ($began // $over) && ($began // $made) le $over, '... which have their times';
    is !defined $began, $case =~ /^late|^cancelled/, '... each that was begun';
    my $off = $began ? abs $job->{processingTime} - 1000 * lasted($began, $over) : $job->{processingTime};
    cmp_ok $off // 0, '<=', 1, '... and how long it took, to the millisecond';
}

finish;

# An attempt, and for each but the first that it waited.
sub tried {
    my ($no, $how) = @_;
    my $waited = "$by attempt=$no/4: retry queued in N ms after API_ERROR, next provider: stability";
    return (($waited) x ($no > 1), "$by attempt=$no/4: $how");
}

# What the log says of the generation, without what differs each time. That an answer came second is
# no transition.
sub steps_logged {
    my ($id) = @_;
    my $who = qr/\bGF(?!0404)\d+: job=\Q$id\E type=neo-glitch user=\Q$user\E/;
    my @steps = map { /$who(.*)/ ? $1 : () } split /\n/, log_since(0);
    s/\d+ ms/N ms/, s{ms: /.*}{ms: FILE}, s/worked on by \d.*/worked on by HOST/, s/(HTTP \d+) .*/$1 WHY/
        for @steps;
    return \@steps;
}

# Seconds from one time to another.
sub lasted {
    my ($from, $to) = @_;
    return sql1("SELECT extract(epoch FROM :'to'::timestamptz - :'from'::timestamptz)",
        from => $from, to => $to);
}

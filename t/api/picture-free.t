#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# No user gets a picture without paying: its name cannot be known before a completed generation shows
# it. Two attacks, on a provider that answers at once with the picture and on one that draws here:
# poll every address that can be guessed or was sent and cancel at the first 200; cancel at once and
# keep polling. GENFLOW_FREE_ROUNDS sets how often each attack is tried (60).
use Genflow::Inject;
use Genflow::Test;

use Time::HiRes qw(sleep time);

my $ROUNDS  = $ENV{GENFLOW_FREE_ROUNDS} || 60;
my $WORKERS = 6;
my $PATIENT = 60;                               # seconds until a generation must have ended
my $LINGER  = 0.5;                              # of polling after the late picture came
my @WAYS    = (
    # type, prompt, its price, the test's name
    ['neo-glitch', '{{delay=120}} free', 1, 'a provider that answers with the picture'],
    ['sketch',     'free, drawn here',   2, 'a picture that is drawn here'],
);
my %ATTACK = (
    'poll, and cancel at the first 200' => \&poll_first,
    'cancel at once, and keep polling'  => \&cancel_first,
);

for my $way (@WAYS) {
    my ($type, $prompt, $price, $name) = @$way;
    for my $attack (sort keys %ATTACK) {
        my $user = account($price * $ROUNDS);
        my @got  = in_parallel($ROUNDS, sub { $ATTACK{$attack}->($user, $type, $prompt) }, $WORKERS);
        my $free = grep { $_->[0] eq 'cancelled' && $_->[1] } @got;
        my $paid = grep { $_->[0] eq 'completed' } @got;
        diag sprintf '%s: %s: %d of %d free, %d paid', $name, $attack, $free, $ROUNDS, $paid if $free || $ENV{GENFLOW_FREE_ROUNDS};
        is $free, 0, "$name: $attack: no picture without paying";
        is grep({ $_->[0] ne 'cancelled' && $_->[0] ne 'completed' } @got), 0, '... all have ended';
        credits_are $user, $price * ($ROUNDS - $paid), 0, '... what completed was paid';
        is join(' ', grep { $_ } map { $_->[2] } @got), '', '... no response had an address before its generation completed';
        my @left = map { $_->[3] } grep { $_->[0] eq 'cancelled' } @got;
        ok wait_for { !grep { -e picture_file($_, $type) } @left }, '... and unpaid pictures are removed';
    }
}

# Nothing that is shown while it runs, or of what was cancelled, holds the random part of its name.
my $user = account(2);
my $id   = later($user, { prompt => 'shown {{poll-hang}}' });
wait_for { status_of($user, $id)->{stabilityJobId} };
my $secret = sql1("SELECT picture_secret FROM genflow.work WHERE job_id = :'id'", id => $id);
like $secret, qr/\A[0-9a-f]{32,}\z/, 'the random part of a name has 128 bits and is on the row before the picture';
unlike join(' ', map { $_->{content} } shown($user, $id)), qr/$secret/, '... and in no answer while it runs';
inject('park.after', for => $user, delay => 0);
my @replies = in_parallel(2, sub {
    return api(GET => "/api/generation/$id/events", user => $user)->{content} if $_[0];
    reached('park.after', for => $user);
    return api(POST => "/api/generation/$id/cancel", user => $user)->{content};
}, 2);
unlike "@replies", qr/$secret/, '... nor in its event stream, nor in the answer to a cancel';
like $replies[1], qr/cancelled/, '... which has the end';
unlike join(' ', map { $_->{content} } shown($user, $id)), qr/$secret/, '... nor once it is cancelled';
unlike log_since(0), qr/$secret/, '... nor in the log';

my $reply = data(generate($user, { prompt => 'bought' }));
my ($name) = $reply->{imageUrl} =~ m{(/generated/.*)\z};
like $name, qr{/\Q$reply->{id}\E-[0-9a-f]{32}\.png\z}, 'what is paid shows its address';
is api(GET => $name)->{status}, 200, '... which serves the picture';
is api(GET => $name =~ s/-[0-9a-f]{32}//r)->{status}, 404, '... and no other does';

finish;

# ---- the attacks: [status, did the picture come before that?, what was sent too early, id] ----

sub poll_first {
    my ($who, $type, $prompt) = @_;
    my $job = later($who, { type => $type, prompt => $prompt });
    my ($early, $got) = ('', 0);
    my $end = time + $PATIENT;
    while (time < $end) {
        my $now = status_of($who, $job, $type);
        my @shown = addresses($now);
        last if $now->{finishedAt};
        $early = "@shown" if @shown;
        my ($old) = guesses($job, $type);
        if (grep { serves($_) } ($old) x 10, guesses($job, $type), @shown) {
            $got = 1;
            api(POST => "/api/generation/$job/cancel", user => $who);
        }
    }
    return [status_of($who, $job, $type)->{status}, $got, $early, $job];
}

sub cancel_first {
    my ($who, $type, $prompt) = @_;
    my $job = later($who, { type => $type, prompt => $prompt });
    my ($early, $got, $came) = ('', 0, 0);
    my $end = time + 3;
    api(POST => "/api/generation/$job/cancel", user => $who);
    while (time < ($came ? $came + $LINGER : $end) && !$got) {
        my $now  = status_of($who, $job, $type);
        my @shown = addresses($now);
        last if $now->{status} eq 'completed';
        $early = "@shown" if @shown;
        $got   = 1 if grep { serves($_) } guesses($job, $type), @shown;
        $came ||= sql1("SELECT 1 FROM genflow.late_results WHERE job_id = :'id'", id => $job) ? time : 0;
        sleep 0.01;
    }
    return [status_of($who, $job, $type)->{status}, $got, $early, $job];
}

sub serves { return api(GET => $_[0])->{status} == 200 }

# Names that follow from what a client knows.
sub guesses {
    my ($job, $type) = @_;
    return map { "/generated/$type/" . substr($job, -2) . "/$job$_.png" } '', '-', '.1', '-1';
}

# Every address in a generation object that a picture could be at.
sub addresses {
    my ($object) = @_;
    return map { m{(/generated/[^"]+)} ? $1 : $_ } grep { defined && !ref && m{\Ahttps?://|/generated/} }
        map { ref eq 'ARRAY' ? @$_ : $_ } @{$object}{qw(imageUrl cloudinaryUrl originalUrl resultImages resultUrl)},
        @{ $object->{logs} // [] };
}

# Every answer that shows a generation.
sub shown {
    my ($who, $job) = @_;
    return map { api(GET => $_, user => $who) } "/api/generation/$job", "/api/job/$job",
        "/api/neo-glitch/status?id=$job", '/api/generations', '/api/generations?status=cancelled';
}

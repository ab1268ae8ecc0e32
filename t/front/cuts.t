#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Clients whose connections are cut at any moment, and repeat their requests until they are answered.
# Each call gets a picture of its own, each picture is charged and submitted once, and the ones that no
# client got are in the history. GENFLOW_SEED makes other cuts.
use Genflow::Test;
use Genflow::Front;
use Genflow::Seed;

use Time::HiRes qw(sleep time);

use constant { CLIENTS => 50, CUTS => 3, LONGEST => 1.2 };

seed(1);

# ---- a small response, cut behind our kernel ----

# The response was written whole, the client has not read it, and our socket does not show the cut in time.
for my $shape (@Genflow::Front::SHAPES) {
    my $user   = account(5);
    my $prompt = "unread-$shape-$user";
    my $client = Genflow::Front->call($shape, $user, $prompt);
    ok wait_for { made($user, 'completed') == 1 }, "$shape: a picture is made";
    sleep 0.5;
    $client->cut;
    my @pictures = Genflow::Front::pictures($shape, Genflow::Front->call($shape, $user, $prompt, 1)->answer);
    is scalar @pictures, 1, '... its response is lost behind our socket, and the repetition gets a picture';
    my $made = $shape eq 'openai' ? 1 : 2;
    is_deeply [made($user), submissions($prompt)], [$made, $made], '... '
        . ($made == 1 ? 'that one' : 'a second one: the first is in the history');
    credits_are $user, 5 - $made, 0, '... and each is paid once';
    diag "$shape: a small response cut behind our kernel: $made made and paid, 1 delivered, ", $made - 1, ' in the history alone';
}

# ---- many at once ----

my $user  = account(10 * CLIENTS);
my @calls = map { start_call($_) } 0 .. CLIENTS - 1;
my $end   = time + 240;
while (time < $end && grep { !$_->{done} } @calls) {
    step($_) for grep { !$_->{done} } @calls;
    sleep 0.01;
}
is scalar(grep { !$_->{done} } @calls), 0, CLIENTS . ' calls of four clients end';
my $cuts = 0;
$cuts += $_->{tries} for @calls;
cmp_ok $cuts, '>', 10, "... $cuts requests were cut";
my %delivered = map { ($_ => 1) } map { @{ $_->{pictures} } } @calls;
is scalar(keys %delivered), CLIENTS, '... and each has a picture of its own';
ok wait_for { !credits($user)->[1] }, 'what was cut ends, too';
my $made = made($user);
is made($user, 'completed'), $made, 'every generation has a picture in the history';
my $tables = rows_of($user, 'public.neo_glitch_media',
    "status = 'completed' AND image_url = ANY (string_to_array(:'urls', ' '))",
    urls => join ' ', map { s{\Ahttp://[^/]+}{}r } keys %delivered);
is $tables, CLIENTS, '... those of the clients among them';
credits_are $user, 10 * CLIENTS - $made, 0, '... and is charged once';
is submissions("many-$user"), $made, '... and was submitted once';
diag "$made made and charged, ${\CLIENTS} delivered, ", $made - CLIENTS, ' in the history alone';
finish;

# Calls of one client come in pairs of equal ones, but for OpenAI's, whose marks find an equal one of the
# last minute if the response was lost behind our socket.
sub start_call {
    my ($i) = @_;
    my $shape = $Genflow::Front::SHAPES[$i % 4];
    my $pair  = $shape eq 'openai' ? $i : int($i / 8) * 8 + $i % 4;
    my $call  = { shape => $shape, prompt => "many-$user number $pair {{delay=${\(100 * (1 + $pair % 7))}}}", tries => 0, pictures => [] };
    # before each of its first requests is read: after how long it is cut, and whether its response is read if it comes first
    $call->{cuts} = [map { rand() < 0.6 ? { after => rand LONGEST, is_read => rand() < 0.5 } : {} } 1 .. CUTS];
    send_call($call);
    return $call;
}

sub send_call {
    my ($call) = @_;
    $call->{client} = Genflow::Front->call($call->{shape}, $user, $call->{prompt}, $call->{tries});
    my $cut = $call->{cuts}[$call->{tries}] // {};
    $call->{cut_at}  = $cut->{after} ? time + $cut->{after} : undef;
    $call->{is_read} = !$cut->{after} || $cut->{is_read};
    return;
}

# Cuts the connection if it is time, or reads the response if it is there.
sub step {
    my ($call) = @_;
    if ($call->{cut_at} && time > $call->{cut_at}) {
        $call->{client}->cut;
        $call->{tries}++;
        return send_call($call);
    }
    return if !$call->{is_read} || !$call->{client}->is_readable;
    my $answer = $call->{client}->answer;
    my @pictures = Genflow::Front::pictures($call->{shape}, $answer);
    if (!@pictures) {
        diag "$call->{shape}: ", $answer->{status} // 'no response', ' ', $answer->{content} // '';
        $call->{tries}++;
        return send_call($call);
    }
    @$call{qw(done pictures)} = (1, \@pictures);
    return;
}

sub made {
    my ($who, $status) = @_;
    return rows_of($who, 'public.neo_glitch_media', $status && "status = '$status'");
}

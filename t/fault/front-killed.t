#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child is killed between the commit of a creation and the response. It leaves no record: OpenAI's
# marked repetition finds the generation, once; the repetition of any other client makes a second one,
# and the first is in the history, paid once (docs/decisions/0058).
use Genflow::Fault;
use Genflow::Test;
use Genflow::Front;

my %MADE = (openai => 1, 'ai-sdk' => 2, replicate => 2, fal => 2);
my %user   = map { $_ => account(10) } @Genflow::Front::SHAPES;
my %tag    = map { $_ => "killed-$_-$$" } @Genflow::Front::SHAPES;
my %client = map { $_ => call($_, 0) } @Genflow::Front::SHAPES;

ok wait_for { submissions($tag{$_}) == 1 }, "$_: a client waits" for @Genflow::Front::SHAPES;
ok kill_child($_), 'a child is killed' for children();
for my $shape (@Genflow::Front::SHAPES) {
    is_deeply $client{$shape}->answer, {}, "$shape: the client gets no response";
    is lost($shape), 0, '... and there is no record';
    $client{$shape} = call($shape, 1);
    ok wait_for { made($shape) == $MADE{$shape} }, '... its repetition ' . ($MADE{$shape} == 1 ? 'makes nothing' : 'makes a second generation');
}
ok wait_for { submissions($tag{$_}) == $MADE{$_} }, "$_: each generation is submitted" for @Genflow::Front::SHAPES;
open_gate($tag{$_}) for @Genflow::Front::SHAPES;
for my $shape (@Genflow::Front::SHAPES) {
    my @pictures = Genflow::Front::pictures($shape, $client{$shape}->answer);
    is scalar @pictures, 1, "$shape: the repetition gets a picture";
    ok wait_for { made($shape, 'completed') == $MADE{$shape} }, '... and what was made is in the history';
    credits_are $user{$shape}, 10 - $MADE{$shape}, 0, '... each paid once';
    is made($shape), $MADE{$shape}, '... and nothing else was made';
    is submissions($tag{$shape}), $MADE{$shape}, '... and each was submitted once';
}
finish;

sub call {
    my ($shape, $tries) = @_;
    return Genflow::Front->call($shape, $user{$shape}, "a $tag{$shape} {{poll-gate=$tag{$shape}}}", $tries);
}

sub made {
    my ($shape, $status) = @_;
    return rows_of($user{$shape}, 'public.neo_glitch_media', $status && "status = '$status'");
}

sub lost { return rows_of($user{ $_[0] }, 'genflow.lost_responses') }

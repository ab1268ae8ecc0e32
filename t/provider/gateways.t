#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A gateway answers a paid submission in place of the provider (t/gateways.list), which goes on with
# the run behind it. Whatever the gateway says, the generation is submitted once, however many retries
# it may have, and ends as one whose answer was lost: found in the provider's list, or failed without a
# charge.
use Genflow::Gateways;
use Genflow::Test;

my @NAMES = Genflow::Gateways::names();
my %KINDS = (    # its type, how a generation ends
    stability => ['neo-glitch',     'NETWORK_ERROR'],
    openai    => ['echo-openai',    'NETWORK_ERROR'],
    aiml      => ['echo-aiml',      'NETWORK_ERROR'],    # its log says that it was paid
    replicate => ['echo-replicate', 'completed'],        # its list has the run
    fal       => ['echo-fal',       'completed'],
);
my @KINDS = qw(stability openai aiml replicate fal);

expect_log qw(GF0202 GF0403);

my %user = map { $_ => account(scalar @NAMES) } @KINDS;
my @runs = map { my $name = $_; map { [$name, $_] } @KINDS } @NAMES;
my @done = in_parallel(scalar @runs, sub {
    my ($i) = @_;
    my ($name, $kind) = @{ $runs[$i] };
    my %input = (type => $KINDS{$kind}[0], prompt => "{{gateway=$name}} [$name $user{$kind}]", maxRetries => 3);
    return ended($user{$kind}, later($user{$kind}, \%input), $input{type});
});

my (%sent, %end);
for my $i (0 .. $#runs) {
    my ($name, $kind) = @{ $runs[$i] };
    my $of = "[$name $user{$kind}]";
    $sent{$name}{$kind} = submissions($of);
    $end{$name}{$kind}  = $done[$i]{errorCode} // $done[$i]{status};
    is "$sent{$name}{$kind} $end{$name}{$kind}", "1 $KINDS{$kind}[1]", "$name before $kind: one submission, $KINDS{$kind}[1]";
}
for my $kind (@KINDS) {
    my $made = grep { $end{$_}{$kind} eq 'completed' } @NAMES;
    credits_are $user{$kind}, @NAMES - $made, 0, "$kind: the user pays for pictures alone";
    is join(' ', sql(q{SELECT kind || '=' || count(*) FROM genflow.ledger WHERE user_id = genflow.account_of(:'user')}
        . q{ AND kind <> 'grant' GROUP BY kind ORDER BY kind}, user => $user{$kind})),
        join(' ', ("capture=$made") x !!$made, 'hold=' . @NAMES, ('release=' . (@NAMES - $made)) x ($made < @NAMES)),
        '... each generation is held once, and ends once';
    is sql1('SELECT count(*) || \' \' || max(a.no) FROM genflow.attempts AS a JOIN genflow.ledger AS l ON l.ref = a.job_id'
        . q{ WHERE l.user_id = genflow.account_of(:'user') AND l.kind = 'hold'}, user => $user{$kind}), @NAMES . ' 1',
        '... and each has one attempt on record';
}

# By the gateway's maker: how many answers, and for each provider the submissions and ends that there were.
my %family;
push @{ $family{ s/-\w*\d+.*//r } }, $_ for @NAMES;
diag sprintf "%-34s%s", 'submissions and ends', join '', map { sprintf '%-18s', $_ } @KINDS;
for my $family (sort keys %family) {
    my @cells = map {
        my $kind = $_;
        my %seen = map { ("$sent{$_}{$kind} $end{$_}{$kind}" => 1) } @{ $family{$family} };
        join ' or ', sort keys %seen;
    } @KINDS;
    diag sprintf "%-34s%s", "$family, answers: " . @{ $family{$family} }, join '', map { sprintf '%-18s', $_ } @cells;
}

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The counters of generations and credits equal the database after generations of all outcomes at
# once, while children are killed and httpd restarts; promtool is content meanwhile, and counters of
# the host never fall.
use Genflow::Database ();
use Genflow::Fault;
use Genflow::Httpd qw(small_site);
use Genflow::Metrics;
use Genflow::Test;
use List::Util qw(sum0);

my $COUNT = 60;

my $db = Genflow::Database->new;             # that only this httpd uses
my $httpd = do {
    local $ENV{PGDATABASE} = $db->name;
    Genflow::Httpd->start(qq(Include "\${GENFLOW_WORK}/t/conf/test.conf"\n));
};
talk_to $httpd;
my $user = 'mixed';
$db->sql("SELECT genflow.create_type(name) FROM unnest(ARRAY['relay', 'sketch', 'echo-aiml', 'echo-replicate']) AS t(name)");
$db->sql("SELECT genflow.grant_credits('$user', 1000, 'for the test', 'metrics-1')");
my @ways = ('', '', '', '{{status=503}}', '{{status=401}}', '{{empty}}', '{{garbage}}', '{{cut-before}}');
my @types = qw(neo-glitch relay sketch echo-aiml echo-replicate);

my ($falls, $wrong, %last) = (0, '');
for my $round (0 .. 2) {
    my @ids = in_parallel($COUNT / 3, sub {
        my ($i) = @_;
        my $way = $ways[($i + $round) % @ways];
        my $res = generate($user, { type => $types[$i % @types], prompt => "$way a lighthouse $user",
                maxRetries => 1 }, Prefer => 'respond-async');
        return data($res)->{id} // '';
    }, 8);
    look();
    api(POST => "/api/generation/$_/cancel", user => $user, json => {}) for grep { $_ } @ids[0 .. 2];
    kill KILL => ($httpd->children)[0] if $round == 0;
    kill USR1 => $httpd->pid if $round == 1;
    look();
}
my $all_ended = wait_for { !$db->sql('SELECT count(*) FROM genflow.work') };
ok $all_ended, 'all generations end';
is $wrong, '', 'promtool finds nothing wrong while they run' if has_promtool();
diag 'no promtool: support/packages metrics installs it'      if !has_promtool();
is $falls, 0, 'no counter of the host falls, through a kill and a graceful restart';

# The values are at most some seconds old: the two are compared until they meet.
my (%is, %ought);
my $same = wait_for {
    %is    = counters();
    %ought = ledger();
    "@{[map { qq($_=$is{$_}) } sort keys %is]}" eq "@{[map { qq($_=$ought{$_}) } sort keys %ought]}";
};
ok $same, 'counters of generations and credits equal the ledger' or diag explain [\%is, \%ought];
cmp_ok $is{'released'}, '>', 0, '... with failures';
cmp_ok $is{'captured'}, '>', 0, '... and successes';
is $db->sql('SELECT kind, n, amount, released FROM (SELECT kind, sum(n) AS n, sum(amount) AS amount, sum(released) AS released
                  FROM genflow.ledger_sums() GROUP BY 1) s EXCEPT
                SELECT kind, count(*), sum(amount), sum(released) FROM genflow.ledger GROUP BY 1'), '',
    'the sums are those of the ledger';
$httpd->stop;

finish;

sub look {
    my $res = api(GET => '/metrics');
    my %now = values_of($res->{content});
    $falls += grep { /_total\b/ && !/credits|generations_/ && $now{$_} < ($last{$_} // 0) } keys %now;
    %last = %now;
    $wrong .= join "\n", @{ promtool($res->{content}) } if has_promtool();
    return;
}

# What the metrics say.
sub counters {
    my %values = metrics();
    my $sum = sub { my ($name) = @_; sum0 map { $values{$_} } grep { /\A\Q$name\E\b/ } keys %values };
    return (
        created   => $sum->('genflow_generations_created_total'),
        held      => $sum->('genflow_credits_held_total'),
        captured  => $sum->('genflow_credits_captured_total'),
        released  => $sum->('genflow_credits_released_total'),
        granted   => $sum->('genflow_credits_granted_total'),
        completed => sum0(map { $values{$_} } grep { /\Agenflow_generations_ended.*"completed"/ } keys %values),
        ended     => $sum->('genflow_generations_ended_total'),
    );
}

# What the ledger says, read itself.
sub ledger {
    my ($row) = $db->sql(<<'SQL');
        SELECT count(*) FILTER (WHERE kind = 'hold' AND genflow.id_type(ref) <> 0),
               coalesce(sum(amount) FILTER (WHERE kind = 'hold'), 0),
               coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0), coalesce(sum(released), 0),
               coalesce(sum(amount) FILTER (WHERE kind = 'grant'), 0),
               count(*) FILTER (WHERE kind = 'capture'),
               count(*) FILTER (WHERE kind IN ('capture', 'release') AND genflow.id_type(ref) <> 0)
          FROM genflow.ledger
SQL
    my %ledger;
    @ledger{qw(created held captured released granted completed ended)} = split /\|/, $row;
    return %ledger;
}

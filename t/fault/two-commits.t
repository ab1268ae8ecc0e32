#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation that begins at once, and whose client waits for it, takes two statements and two
# transactions that write: one creates it, with the intent to submit it, and one settles it and
# returns it. The exceptions take those that they need.
use Genflow::Database ();
use Genflow::Httpd qw(small_site);
use Genflow::Test;

use constant { ROUNDS => 20 };

# A database that only this httpd uses.
my $db = Genflow::Database->new;
$db->sql("ALTER DATABASE @{[$db->name]} SET track_functions = 'all'");
$db->sql("SELECT genflow.create_type('$_')") for qw(sketch with-source with-queue);
my $httpd;
{
    local $ENV{PGDATABASE} = $db->name;
    $httpd = Genflow::Httpd->start(small_site() . <<'END');
ServerLimit 1
MaxRequestWorkers 25
GenflowDispatchLease 60s
GenflowFetchAllow 127.0.0.1
GenflowSourceAllow 127.0.0.1
GenflowJanitorInterval 0s
GenflowStoreThumbnail Off
<GenflowProvider fal>
    GenflowProviderUrl "${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderPoll 100ms
</GenflowProvider>
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType sketch>
    GenflowTypeProviders local
    GenflowTypeCost 1
</GenflowType>
<GenflowType with-source>
    GenflowTypeProviders stability/sd3
    GenflowTypeSource optional
    GenflowTypeCost 1
</GenflowType>
<GenflowType with-queue>
    GenflowTypeProviders fal/fal-ai/fast-sdxl
    GenflowTypeCost 1
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
}
talk_to $httpd;
$db->sql("SELECT genflow.grant_credits('user', 1000, 'for a test')");

my $picture = "$ENV{GENFLOW_FAKE}/_source/picture/two_commits";
my %plain   = (create => 1, attempt_begin => 0, accepted => 0, settle => 1, get => 0);
my @CASES   = (
    # type, of the body, statements of each generation, the test's name; the last one alone may begin attempts
    ['neo-glitch', {}, \%plain, 'a provider that answers with the picture'],
    ['sketch', {}, \%plain, 'a picture that is drawn here'],
    ['with-queue', {}, { %plain, accepted => 1 }, 'a provider with a queue'],
    ['with-source', { sourceUrl => $picture }, { %plain, attempt_begin => 1 }, 'a source picture is fetched first'],
);

for my $case (@CASES) {
    my ($type, $body, $statements, $name) = @$case;
    one($type, $body);                                   # connections, presets
    my $xid    = next_xid();
    my @got    = map { one($type, $body) } 1 .. ROUNDS;
    my $xids   = next_xid() - $xid - 1;                  # asking takes one
    is_deeply [grep { ($_->{status} // '') ne 'completed' || !$_->{imageUrl} } @got], [], "$name: its client gets the picture";
    my %expected = map { $_ => $statements->{$_} * (ROUNDS + 1) } keys %$statements;
    wait_for { my %now = counts($type); !grep { $now{$_} < $expected{$_} } keys %expected };
    my %calls = counts($type);
    is_deeply { map { $_ => $calls{$_} } keys %expected }, \%expected, '... with these statements';
    my $writes = $statements->{create} + $statements->{attempt_begin} + $statements->{accepted} + $statements->{settle};
    cmp_ok $xids, '>=', $writes * ROUNDS, "... and $writes transactions that write";
    cmp_ok $xids, '<', ($writes + 1) * ROUNDS, '... and no further one for each' or diag "$xids of " . ROUNDS . ' generations';
    print_window() if $type eq 'neo-glitch';
}
is $db->sql('SELECT count(*) FROM genflow.check()'), 0, 'the books are sound';
talk_to undef;
$httpd->stop;

finish;

# How long a child that dies leaves an attempt that nobody has sent: from the intent, before its commit,
# until the provider has read the request.
sub print_window {
    my @sent    = split / /, $db->sql('SELECT string_agg(extract(epoch FROM sent_at)::text, \' \' ORDER BY sent_at) FROM genflow.attempts');
    my @arrived = map { $_->{time} } @{ data(HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_submissions?match=counted")) };
    my @window  = sort { $a <=> $b } map { 1000 * ($arrived[$_] - $sent[$_]) } 0 .. $#sent;
    return diag sprintf 'from the intent to its arrival: median %.1f ms, longest %.1f ms', $window[@window / 2], $window[-1];
}

# Requests one, and waits for it.
sub one {
    my ($type, $body) = @_;
    return data(generate('user', { type => $type, prompt => 'counted', %$body }, Prefer => 'wait=60'));
}

# The number of the next transaction that writes; asking takes one.
sub next_xid { return $db->sql('SELECT pg_current_xact_id()') }

# How many calls there were; they count there some seconds later. settle_get calls get: that is no
# statement.
sub counts {
    my ($type) = @_;
    my $prefix = $type =~ tr/-/_/r;
    my %calls  = split / /, $db->sql(<<"SQL");
        SELECT string_agg(funcname || ' ' || calls, ' ') FROM pg_stat_user_functions
         WHERE schemaname = 'genflow' AND funcname ~ '^(attempt_begin|${prefix}_(create|accepted|settle|settle_get|get))\$'
SQL
    my %count = map { $_ => $calls{"${prefix}_$_"} // 0 } qw(create accepted settle settle_get get);
    return (%count, attempt_begin => $calls{attempt_begin} // 0, get => $count{get} - $count{settle_get});
}

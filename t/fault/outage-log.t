#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# While PostgreSQL is away, the log gets at most four lines a minute about it, whatever the requests and
# on however many children; when it is back, one line says so. What is wrong inside the database has
# a text for each cause, and a fault of its disk is a 503 with the time to come back.
use Genflow::Httpd ();
use Genflow::Test;

expect_log 'GF0121';

my $user = account(20);
my $site = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/test.conf"
LogLevel warn
END
talk_to($site);
is generate($user, { type => 'sketch' })->{status}, 200, 'the site serves';
api(GET => '/api/getQuota', user => $user) for 1 .. 20;

# ---- away ----

my $before = length $site->log_text;
my $outage = $before;
my $mark   = log_mark();
my $begin  = time;
ok pg('stop', 'immediate'), 'PostgreSQL dies';
my $ROUNDS  = 40;
my @answers = map { @$_ } in_parallel(8, sub {
    return [map { api(GET => '/api/getQuota', user => $user)->{status} } 1 .. $ROUNDS];
}, 8);
is_deeply [grep { $_ != 503 } @answers], [], 'every request of ' . @answers . ' is refused';
my @lines = split /\n/, substr $site->log_text, $before;
my @ours  = grep { /\[genflow:/ } @lines;
cmp_ok scalar @ours, '>=', 1, 'the log says it';
my $most = 4 * (1 + int((time - $begin) / 60));
cmp_ok scalar @ours, '<=', $most, '... in four lines a minute, from all children together';
cmp_ok scalar @lines, '<=', 2 * $most, '... and the other tags add few lines' or diag join "\n", @lines;
diag scalar(@answers) . ' refusals, ' . @ours . ' lines of ours, ' . @lines . ' in all';

# ---- back ----

ok wait_for { log_since($mark) =~ /GF0121/ }, 'the httpd beside it, which has no request, notices it, too';
$before = length $site->log_text;
ok pg('start'), 'PostgreSQL is back';
# Each child tries again at most once a second.
my $all = wait_for { !grep { api(GET => '/api/getQuota', user => $user)->{status} != 200 } 1 .. 20 };
ok $all, 'and so are answers, from all children';
my $logged = () = substr($site->log_text, $outage) =~ /GF0121: /g;
cmp_ok $logged, '<=', 4 * (1 + int((time - $begin) / 60)), '... of which each looks again by itself, without more lines';
ok wait_for { $site->log_text =~ /GF0730: the database answers again, after \d+ s/ }, 'as the log says';

# ---- what is wrong inside ----

my $definition = join "\n", sql("SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON"
    . " n.oid = p.pronamespace WHERE n.nspname = 'genflow' AND p.proname = 'ledger_list'");
my ($head) = $definition =~ /\A(CREATE OR REPLACE FUNCTION .*?)\bAS \$/s;
for my $case (    # SQLSTATE, status, what the log says, the word of health
    ['58030', 503, qr/GF0121: .*SQLSTATE 58030/],
    ['53100', 503, qr/GF0121: .*SQLSTATE 53100/],
    ['42501', 503, qr/GF0122: .*run sql\/apply with --role/, 'database_role'],
    ['42P01', 503, qr/GF0122: .*a table of schema genflow is gone: run sql\/apply/, 'schema_old'],
    ['42883', 503, qr/GF0122: .*the database is older than this module: run sql\/apply/, 'schema_old'],
) {
    my ($state, $status, $line, $fault) = @$case;
    sql("$head AS \$x\$BEGIN RAISE EXCEPTION 'told so' USING ERRCODE = '$state'; END\$x\$");
    my $res = api(GET => '/api/credits', user => $user);
    is $res->{status}, $status, "SQLSTATE $state is answered $status" or diag $res->{content};
    ok $res->{headers}{'retry-after'}, '... with the time to come back';
    is data($res)->{fault}, $fault, '... and the word of health' if $fault;
    ok wait_for { $site->log_text =~ $line }, '... and the log has the text of that cause';
}
sql($definition);
is api(GET => '/api/credits', user => $user)->{status}, 200, 'all is well again';
talk_to(undef);
$site->stop;

finish;

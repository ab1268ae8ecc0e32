#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# PgBouncer between httpd and PostgreSQL. Pooling transactions it takes GenflowPrepare Off; without that
# the log says what to set. Pooling sessions it takes the default.
use Genflow::Httpd qw(small_site);
use Genflow::PgBouncer ();
use Genflow::Test;

use constant { CLIENTS => 6, ROUNDS => 20, EACH => 5, COST => 1 };

# A pooler refuses it as it refuses options= in DBDParams.
delete $ENV{PGOPTIONS};

my $API = qq(Include "\${GENFLOW_WORK}/t/conf/api.conf"\n);

for my $case (['transaction', 'pooled-off', "GenflowPrepare Off\n"], ['session', 'pooled-on', "DBDMax 5\nDBDKeep 5\n"]) {
    my ($mode, $type, $lines) = @$case;
    my $pooler = Genflow::PgBouncer->start($mode);
    my $httpd  = Genflow::Httpd->start(small_site($type) . <<"END");
DBDParams "@{[$pooler->params]}"
ServerLimit 1
MaxRequestWorkers 25
$lines$API
END
    talk_to $httpd;
    my $user = account(CLIENTS * EACH * COST);
    my @made = map { @$_ } in_parallel(CLIENTS, sub {
        return [map { generate($user, { type => $type })->{status} } 1 .. EACH];
    }, CLIENTS);
    is_deeply [grep { $_ != 200 } @made], [], "pool_mode $mode: each request makes a picture";
    credits_are $user, 0, 0, '... and each is charged once';
    is rows_of($user, 'genflow.work'), 0, '... and none is left';
    is $httpd->alarms, '', '... and the log has no warning' or diag $pooler->log_text;
    talk_to undef;
    $httpd->stop;
}

my $pooler = Genflow::PgBouncer->start('transaction');
my $httpd  = Genflow::Httpd->start(small_site('pooled-wrong') . <<"END");
DBDParams "@{[$pooler->params]}"
ServerLimit 1
MaxRequestWorkers 25
$API
END
talk_to $httpd;
my $user  = account(ROUNDS * CLIENTS * EACH * COST);
my $round = 0;
# until the pooler gives a statement to a connection that has not prepared it
while ($round++ < ROUNDS && $httpd->log_text !~ /GF0122/) {
    in_parallel(CLIENTS, sub { return generate($user, { type => 'pooled-wrong' })->{status} }, CLIENTS * EACH);
}
like $httpd->log_text, qr/GF0122: .*set GenflowPrepare Off, or let it pool sessions: SQLSTATE 26000/,
    'transactions are pooled without GenflowPrepare Off: the log says what to do';
talk_to undef;
$httpd->stop;

cancel_ours();
finish;

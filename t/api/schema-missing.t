#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# After a start the error log names, once, what statements of the module name and the database does
# not have: a function, a parameter, a column.
use Genflow::Test;

use Genflow::Httpd qw(small_site);

my $API  = qq(Include "\${GENFLOW_WORK}/t/conf/api.conf"\n);
my $TYPE = "<GenflowType halved>\n    GenflowTypeProviders stability/sd3\n</GenflowType>\n";

sql("SELECT genflow.create_type('halved')");

my $whole = Genflow::Httpd->start(small_site() . $API . $TYPE . "LogLevel genflow:debug\n");
ok wait_for { $whole->log_text =~ /GF0191/ }, 'a child compares the database with its statements';
is $whole->alarms, '', '... and finds all that they name';
$whole->stop;

sql('DROP FUNCTION genflow.halved_cancel');
sql('DROP FUNCTION genflow.halved_delete');
sql('CREATE FUNCTION genflow.halved_cancel(p_user text, p_id uuid, p_call uuid, OUT outcome text,'
        . " OUT status text) LANGUAGE sql AS \$\$ SELECT 'ok', 'cancelled' \$\$");
my $half = Genflow::Httpd->start(small_site() . $API . $TYPE);
ok wait_for { $half->log_text =~ /GF0212/ }, 'what is missing is logged';
like $half->alarms, qr/GF0212: [^\n]*: cancel: owner, delete: halved_delete\(\)\. /,
    '... with the statement and the name of the column or of the function';
like $half->alarms, qr/Run sql\/apply of this version$/m, '... and what to do';
is scalar(split /\n/, $half->alarms), 1, '... in one line' or diag $half->alarms;
$half->stop;

sql("SELECT genflow.create_type('halved')");
finish;

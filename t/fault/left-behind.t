#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A host's look for due jobs begins where its last one found something. A job that was due long before
# that, for instance because its row was locked meanwhile, is found by the looks that begin further back:
# each 8th goes back 8 times as far.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;

my $httpd = Genflow::Httpd->one_child('left-behind', provider => ['GenflowProviderBackoff 100ms']);

my ($user, $other) = (account(10), account(10));
my $first = later($other, { type => 'left-behind', prompt => "{{status=503 times=1}} [$other]" });
is ended($other, $first, 'left-behind')->{status}, 'completed', 'a look has found a retry';

# A retry that has been due for a minute, and that no look has found.
sql(<<"SQL");
    CREATE FUNCTION genflow.test_left() RETURNS trigger LANGUAGE plpgsql AS \$\$
    BEGIN
        NEW.due_at := clock_timestamp() - interval '1 minute';
        RETURN NEW;
    END \$\$;
    CREATE TRIGGER test_left BEFORE UPDATE ON genflow.work FOR EACH ROW
        WHEN (NEW.user_id = genflow.account_of('$user') AND OLD.phase <> 'queued' AND NEW.phase = 'queued')
        EXECUTE FUNCTION genflow.test_left();
SQL
my $id = later($user, { type => 'left-behind', prompt => "{{status=503 times=1}} [$user]" });
is((ended($user, $id, 'left-behind') // {})->{status}, 'completed', 'a job that was due a minute before it is found, too');
is submissions("[$user]"), 2, '... and sent once more';
sql('DROP FUNCTION genflow.test_left() CASCADE');
credits_are $user, 9, 0, '... and charged once';
is $httpd->alarms, '', 'the log has no warning';
talk_to undef;

finish;

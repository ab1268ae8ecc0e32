#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Another host takes a generation over between its start and the intent of its first host to submit
# it: the first host gets stale, and sends nothing. What a request makes and begins at once has its
# intent from the beginning.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;
use Genflow::TwoStep;

my $httpd = Genflow::Httpd->one_child('taken-early');

my ($user, $other) = (account(10), account(10));
my $id = made($user, { type => 'taken-early', customPrompt => "[$user]", productImages => [] });
sql(<<"SQL");
    CREATE FUNCTION genflow.test_taken() RETURNS trigger LANGUAGE plpgsql AS \$\$
    BEGIN
        UPDATE genflow.work w SET epoch = w.epoch + 1, lease_owner = 'another:1:host', due_at = w.deadline_at
         WHERE w.job_id = NEW.job_id;
        RETURN NULL;
    END \$\$;
    CREATE TRIGGER test_taken AFTER UPDATE ON genflow.work FOR EACH ROW
        WHEN (OLD.phase = 'pending' AND NEW.user_id = genflow.account_of('$user')) EXECUTE FUNCTION genflow.test_taken();
SQL
is start($user, $id, Prefer => 'respond-async')->{status}, 200, 'a child starts a generation';
sql('DROP FUNCTION genflow.test_taken() CASCADE');
is leader_of($id), 1, 'another host leads the generation at once';

# The child takes its generations one after another: by then it has come to that one, too.
for my $n (1 .. 3) {
    my $next = later($other, { type => 'taken-early', prompt => "[$other] $n" });
    is ended($other, $next, 'taken-early')->{status}, 'completed', "the child makes generation $n after it";
}
is submissions("[$user]"), 0, '... and has not sent the one that another host leads';
is status_of($user, $id, 'taken-early')->{status}, 'processing', '... which goes on';

take_from_child($id, 'due_at = now()');
is ended($user, $id, 'taken-early')->{status}, 'completed', 'when the other host dies it completes';
is submissions("[$user]"), 1, '... sent once';
credits_are $user, 9, 0, '... and charged once';
is $httpd->alarms, '', 'the log has no warning';
talk_to undef;

finish;

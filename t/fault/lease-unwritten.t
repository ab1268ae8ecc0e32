#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A provider has taken a generation, and PostgreSQL does not take its id. Another host leads the job by
# the time the heartbeat reports it: the id is still written when PostgreSQL takes it again, because
# without it the run would be paid for nothing.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;

my $httpd = Genflow::Httpd->one_child('unwritten', lines => "GenflowDispatchLease 2s\n", provider => ['GenflowProviderPoll 100ms']);

my ($user, $other) = (account(10), account(10));
my $id      = later($user, { type => 'unwritten', prompt => "{{gate=$user poll=3}} [$user]" });
my $witness = later($other, { type => 'unwritten', prompt => "{{gate=$other}} [$other]" });
ok wait_for(sub { submissions("[$user]") && submissions("[$other]") }), 'two generations are sent';

sql(<<'SQL');
    CREATE FUNCTION genflow.test_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
    END $$;
    CREATE TRIGGER test_full BEFORE UPDATE ON public.unwritten_media FOR EACH ROW
        WHEN (NEW.provider_ref IS NOT NULL) EXECUTE FUNCTION genflow.test_full();
SQL
open_gate($user);
ok wait_for(sub { $httpd->log_text =~ /GF0121: .*53100/ }), 'the id of one cannot be written';

take_over($id);
for my $number (1 .. 2) {                 # the first may have been under way
    my $was = lease_end($witness);
    ok wait_for(sub { lease_end($witness) ne $was }), "another host leads it: heartbeat $number reports it";
}
sql('DROP FUNCTION genflow.test_full() CASCADE');
ok wait_for(sub { sql1("SELECT provider_ref FROM genflow.work WHERE job_id = :'id'", id => $id) }),
    'the id is written as soon as PostgreSQL takes it';

take_from_child($id, 'due_at = now()');
is ended($user, $id, 'unwritten')->{status}, 'completed', 'by it the generation completes';
is submissions("[$user]"), 1, '... sent once';
credits_are $user, 9, 0, '... and charged once';
open_gate($other);
is ended($other, $witness, 'unwritten')->{status}, 'completed', 'the other one completes as ever';
talk_to undef;

finish;

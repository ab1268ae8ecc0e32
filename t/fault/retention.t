#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# With GenflowJanitorMedia a generation goes some time after its end, as if its user had deleted it:
# from history and status, its picture from the store. What lives stays, and so does the ledger.
use Genflow::Fault;
use Genflow::Httpd;
use Genflow::Test;

# What other tests made is younger than that, all the while.
sql(<<'SQL');
SET session_replication_role = replica;      -- past the guard of what has ended
DO $$
DECLARE
    t genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL LOOP
        EXECUTE format('UPDATE %I.%I SET created_at = created_at + interval ''1 day''', t.media_schema, t.media_table);
    END LOOP;
END $$
SQL
my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/test.conf"
GenflowJanitorInterval 1s
GenflowJanitorMedia 15s
END
talk_to $httpd;

my $user = account(100);
my $live = later($user, { prompt => "{{poll=200}} $user lives", type => 'hook-fal' });
my $done = data(generate($user, {}))->{id};
my $file = picture_file($done);
ok -e $file, 'a generation has its picture';
is status_of($user, $done)->{status}, 'completed', 'and can be looked at';
my $shown = sub { [map { $_->{id} } @{ data(api(GET => '/api/generations', user => $user))->{items} }] };
is_deeply $shown->(), [$done, $live], 'and is in the history';

ok wait_for(sub { status_of($user, $done)->{code} }), 'when its time is over it is gone';
error_is(api(GET => "/api/generation/$done", user => $user), 404, 'GENERATION_NOT_FOUND',
    'as if it had been deleted');
is_deeply $shown->(), [$live], 'history has what lives, and nothing else';
ok wait_for(sub { !-e $file }), 'the picture is removed from the store';
ok wait_for(sub { !sql1("SELECT 1 FROM genflow.removals WHERE job_id = :'id'", id => $done) }),
    'then nothing is left to do for it';
is sql1("SELECT string_agg(kind, ' ' ORDER BY kind) FROM genflow.ledger WHERE ref = :'id'",
    id => $done), 'capture hold', 'the ledger has its entries';
credits_are $user, 99, 1, 'and nothing is given back';
is status_of($user, $live, 'hook-fal')->{status}, 'processing', 'what lived all the while still does';
is api(POST => "/api/generation/$live/cancel", user => $user)->{status}, 200, 'until it is cancelled';
talk_to undef;
is $httpd->alarms, '', 'there was nothing to complain about';

finish;

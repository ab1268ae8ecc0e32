#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One child of an httpd looks for due jobs, for all of them. When it has no free place, it hands over at
# once. When it hangs or dies, another one goes on: no lock stays locked.
use Genflow::Database ();
use Genflow::Fault;
use Genflow::Httpd qw(small_site);
use Genflow::Test;
use Time::HiRes qw(time);

use constant { CHILDREN => 6, PLACES => 4, SELDOM => 60, OFTEN => 3 };    # seconds between two looks

# A database that only this httpd uses.
my $db = Genflow::Database->new;
$db->sql("SELECT genflow.grant_credits('user', 50, 'for a test')");

# Its children look so often.
sub httpd_of {
    my ($seconds) = @_;
    local $ENV{PGDATABASE} = $db->name;
    return Genflow::Httpd->start(small_site() . <<"END");
StartServers @{[CHILDREN]}
ServerLimit @{[CHILDREN]}
<IfModule mpm_prefork_module>
    MaxRequestWorkers @{[CHILDREN]}
    MaxSpareServers @{[CHILDREN]}
</IfModule>
<IfModule !mpm_prefork_module>
    MaxRequestWorkers @{[25 * CHILDREN]}
    MaxSpareThreads @{[25 * CHILDREN]}
</IfModule>
GenflowDispatchPoll ${seconds}s
GenflowDispatchJobs @{[PLACES]}
END
}

# ---- more jobs than one child has places for ----

# One child finds them, and has places for a few. The others do not wait for their own time.
my $gate = "turn-$$";
my @ids  = $db->sql(create("{{gate=$gate}} a cat") . ' FROM generate_series(1, ' . 5 * PLACES . ') i') =~ /(\S+)/g;
my $httpd = httpd_of(SELDOM);
my $found = wait_for { leaders() };
ok $found, 'a look finds jobs in the queue';
my $begin = time;
my $all = wait_for { leaders() && $db->sql('SELECT count(*) FROM genflow.work WHERE lease_owner IS NOT NULL') == @ids };
my $took = time - $begin;
ok $all, 'all of ' . @ids . ' are claimed';
diag sprintf 'by %d children, %.2f s after the first ones', leaders(), $took;
cmp_ok leaders(), '>=', 5, '... by children that have places for them';
cmp_ok $took, '<', SELDOM / 2, '... which did not wait for their time';
open_gate($gate);
my $ended = wait_for { $db->sql('SELECT count(*) FROM genflow.work') == 0 };
ok $ended, '... and all end';
$httpd->stop;

# ---- the child that looks is stopped, then dies ----

$httpd = httpd_of(OFTEN);
my $started = wait_for { $httpd->children == CHILDREN };
ok $started, CHILDREN . ' children run';
for my $child ($httpd->children) {
    kill STOP => $child;
    ok made(), "child $child is stopped: another one finds a job";
    kill CONT => $child;
}
for my $round (1 .. 2) {
    my ($child) = $httpd->children;
    kill KILL => $child;
    ok made(), "child $child is killed: another one finds a job";
}
is $db->sql('SELECT count(*) FROM genflow.check()'), 0, 'the books are sound';
$httpd->stop;

# ---- the parts ----

# So many children have jobs.
sub leaders {
    return $db->sql('SELECT count(DISTINCT lease_owner) FROM genflow.work');
}

# Makes generations in the queue. In the prompt, i is a number.
sub create {
    my ($prompt) = @_;
    return <<"SQL";
        SELECT (genflow.neo_glitch_create('user', gen_random_uuid()::text, '\\x01', NULL, 'base',
            '$prompt', NULL, '{}', 7, 1, 3::smallint, '10 minutes', NULL, NULL)).id
SQL
}

# A job comes into the queue, and ends completed.
sub made {
    my $id = $db->sql(create('a cat'));
    return wait_for {
        $db->sql("SELECT status FROM public.neo_glitch_media WHERE id = '$id'") eq 'completed';
    };
}

finish;

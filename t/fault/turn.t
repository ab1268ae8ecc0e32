#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One child of an httpd asks the database for due jobs, for all of them. When the child whose turn it
# is hangs or dies, another one goes on: no lock stays locked.
use Genflow::Database ();
use Genflow::Fault;
use Genflow::Httpd qw(small_site);
use Genflow::Test;
use Time::HiRes qw(sleep time);

use constant { CHILDREN => $ENV{GENFLOW_CHILDREN} // 6, SECONDS => 10, A_SECOND => 2 };    # A_SECOND: statements of an idle host

# A database that only this httpd uses.
my $db = Genflow::Database->new;
$db->sql("ALTER DATABASE @{[$db->name]} SET track_functions = 'all'");
my $httpd;
{
    local $ENV{PGDATABASE} = $db->name;
    $httpd = Genflow::Httpd->start(small_site() . <<"END");
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
GenflowDispatchPoll 1s
END
}
my $started = wait_for { $httpd->children == CHILDREN };
ok $started, CHILDREN . ' children run';
my $claims = wait_for { statements() };
ok $claims, '... and ask the database';

# ---- idle ----

my ($before, $begin) = (statements(), time);
sleep SECONDS;
my ($asked, $passed) = (statements() - $before, time - $begin);
diag sprintf '%.1f statements a second while idle, %d children', $asked / $passed, CHILDREN;
cmp_ok $asked, '<=', A_SECOND * $passed + 3, 'idle children ask no more than one would';
cmp_ok $asked, '>', 0, '... which goes on asking';

# ---- the child that asks is stopped, then dies ----

$db->sql("SELECT genflow.grant_credits('user', 20, 'for a test')");
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

# Questions and claims that the children sent. They count there a second later, at most.
sub statements {
    return $db->sql(<<'SQL');
        SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions
         WHERE schemaname = 'genflow' AND funcname ~ '^(due|site_look|health|.*_claim)$'
SQL
}

# A job comes into the queue, and ends completed.
sub made {
    my $id = $db->sql(<<'SQL');
        SELECT id FROM genflow.neo_glitch_create('user', gen_random_uuid()::text, '\x01', NULL, 'base',
            'a cat', NULL, '{}', 7, 1, 3::smallint, '10 minutes', NULL, NULL)
SQL
    return wait_for {
        $db->sql("SELECT status FROM public.neo_glitch_media WHERE id = '$id'") eq 'completed';
    } 20;
}

finish;

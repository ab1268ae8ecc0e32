#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The table of one type is locked for long, as by a careless ALTER TABLE: the type's calls are
# refused for now, and soon; the other types serve as if nothing were. Unlocked, the type goes on.
use Genflow::Fault;
use Genflow::Site ();
use Genflow::Test;

my ($params) = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/t/conf/database.conf") =~ /^(DBDParams ".*?"\n)/ms;
ok configure($params =~ s/lock_timeout=\K\d+/2000/r), 'statements wait for two seconds';

expect_log 'GF0121';

my $mark = log_mark();
my $user = account(100);
my $live = later($user, { type => 'relay', prompt => "{{gate=$user}} under way" });
ok wait_for { submissions('under way') }, 'a generation is with its provider';

open my $lock, '|-', 'psql', '-Xqo', '/dev/null' or die "psql: $!\n";
$lock->autoflush(1);
print $lock "BEGIN; LOCK TABLE public.relay_media;\n";
ok wait_for { is_locked() }, 'a type\'s table is locked';
open_gate($user);

# One request is for the locked type, the others for others, all at once.
my ($refused, @others) = in_parallel(7, sub {
    my ($i)  = @_;
    my $type = $i == 0 ? 'relay' : $i % 2 ? 'sketch' : 'neo-glitch';
    return generate($i ? account(10) : $user, { type => $type });
}, 7);
error_is $refused, 503, 'DATABASE_UNAVAILABLE', 'the type is unavailable';
ok $refused->{headers}{'retry-after'}, '... for now';
is_deeply [map { $_->{status} } @others], [(200) x 6], 'the other types serve';
ok is_locked(), '... all that while the table is locked';
my $retry = account(10);
my $tries = later($retry, { prompt => '{{status=503 times=1}} beside a locked type' });
is ended($retry, $tries)->{status}, 'completed', '... their attempts go on';

my $waits = wait_for { log_since($mark) =~ /GF0121: job=\Q$live\E/ };
ok $waits, 'what the provider made meanwhile waits for its row';
print $lock "COMMIT;\n";
close $lock;
is ended($user, $live, 'relay')->{status}, 'completed', 'unlocked: what was under way completes';
is submissions('under way'), 1, '... without a second submission';
is generate($user, { type => 'relay' })->{status}, 200, '... and the type serves again';
credits_are $user, 100 - 2 * 2, 0, 'what was refused costs nothing';
ok configure(''), 'all is as before';

finish;

sub is_locked {
    return sql1(<<'SQL');
        SELECT 1 FROM pg_locks WHERE relation = 'public.relay_media'::regclass
           AND mode = 'AccessExclusiveLock' AND granted
SQL
}

# SPDX-License-Identifier: Apache-2.0
#
# What every .t file speaks: accounts, generations, credits, and the servers behind them. It brings
# Test::More along, and turns on strict and warnings.
#
#     use Genflow::Test;
#
#     my $user = account(10);
#     my $res  = generate($user, { prompt => 'a neon cat' });
#     is $res->{status}, 200, 'a generation completes in its own request';
#     credits_are $user, 9, 0, 'and costs one credit';
#     finish;
#
# THE BOOKS. finish() fails the file for broken rules of genflow.check() about its own users: files
# run side by side, and each judges what is its own. The rest of the ledger is checked after the run,
# by t/run.pl. Of a database of the file's own (PGDATABASE) the whole ledger is its own.
#
# WHAT GOES ON. finish() fails the file while a generation of its users lives: of a type that no process
# works on, cancel_ours() ends them.
#
# THE LOG GUARD. finish() fails the file for every log line of ours at warning or above whose tag it
# did not announce by expect_log('GF0310'), and for every tag that it announced and that never came.
# Which lines are the file's? Files run side by side, therefore only those that name one of its
# users or their generations; a file in t/fault has its site for itself, and all lines written
# meanwhile are its own. Lines without a subject are checked after the run, by t/run.pl.

package Genflow::Test;

use strict;
use warnings;

use Compress::Zlib ();
use HTTP::Tiny ();
use JSON::PP ();
use parent 'Exporter';
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Genflow::Limit;
use Genflow::Psql ();
use Genflow::Site ();
use if $ENV{GENFLOW_PRISM}, 'Genflow::Prism';

our @EXPORT = (
    @Test::More::EXPORT,
    qw(account credits credits_are grant rows_of broken_rules),
    qw(base talk_to api generate data status_of error_is submissions cancels poll_gaps open_gate),
    qw(later ended take_from_child take_over cancel_ours picture_file),
    qw(png upload),
    qw(sql sql1 wait_for HANG_LIMIT presets_known in_parallel),
    qw(httpd_pid children kill_child restart_httpd pg),
    qw(log_mark log_since expect_log finish),
);

use constant {
    PRESETS_AGE  => 6,        # a child remembers presets for 5 seconds
    WORKERS      => 32,       # processes of in_parallel
    READERS      => 24,       # requests at once, so that each child gets one soon, with prefork, too
};

my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;
my $NO   = JSON::PP::false();
my $site = Genflow::Site->attach;

sub import {
    my ($class) = @_;
    strict->import;
    warnings->import;
    return $class->export_to_level(1, @_);
}

my $begin = log_mark();
my %announced;                # tags that this file expects in the log

# ---- accounts and credits ------------------------------------------------------------------------

# All users of this file have names that begin with this; a worker of in_parallel adds its own pid.
my ($FILE_NAME) = $0 =~ m{([^/]+?)(?:\.t)?\z};
my $FILE_PID  = $$;
my $OUR_USERS = "$FILE_NAME-$FILE_PID-";
my $users     = 0;

# The name of a new user who has that many credits.
sub account {
    my ($credits) = @_;
    my $user = $OUR_USERS . ($$ == $FILE_PID ? '' : "$$-") . ++$users;
    grant($user, $credits) if $credits;
    return $user;
}

sub grant {
    my ($user, $credits) = @_;
    sql("SELECT genflow.grant_credits(:'user', :'credits', 'for a test', NULL)",
        user => $user, credits => $credits);
    return;
}

# [balance, held]
sub credits {
    my ($user) = @_;
    my $line = sql1("SELECT balance, held FROM genflow.accounts WHERE user_id = genflow.account_of(:'user')",
        user => $user);
    return [split /\|/, $line // '0|0'];
}

sub credits_are {
    my ($user, $balance, $held, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply credits($user), [$balance, $held], $sentence;
}

# How many rows of a table are that user's, of those with a condition:
# rows_of($user, 'genflow.work', "phase = :'phase'", phase => 'queued').
sub rows_of {
    my ($user, $table, $condition, %variable) = @_;
    my $also = $condition ? "AND $condition" : '';
    return sql1("SELECT count(*) FROM $table WHERE user_id = genflow.account_of(:'user') $also",
        user => $user, %variable);
}

# What genflow.check() finds among the file's own users, or in the database of its own.
sub broken_rules {
    return sql('SELECT rule, n, sample FROM genflow.check()') if has_own_database();
    return sql(<<'SQL', ours => $OUR_USERS);
        SELECT rule, n, sample
          FROM genflow.check(ARRAY(SELECT user_id FROM genflow.accounts WHERE starts_with(name, :'ours')))
SQL
}

sub has_own_database { return $ENV{PGDATABASE} ne 'genflow' }

# ---- requests ------------------------------------------------------------------------------------

my $other;

sub base { return $other ? $other->base : $site->base }

# From here on requests go to that httpd (a Genflow::Httpd); without one, to the site's again.
sub talk_to { $other = shift; return }

# A request: api(GET => '/api/health'),
# api(POST => '/api/...', user => $user, json => {...}, headers => {...}), or with body => 'text' in
# place of json. Returns HTTP::Tiny's answer: {status, headers, content, ...}.
sub api {
    my ($method, $path, %option) = @_;
    my %headers = %{ $option{headers} // {} };
    my $body    = $option{body};
    $headers{'X-User'} = $option{user} if defined $option{user};
    if (exists $option{json}) {
        $headers{'Content-Type'} //= 'application/json';
        $body = $JSON->encode($option{json});
    }
    my %request = (headers => \%headers, defined $body ? (content => $body) : ());
    return client()->request($method, base() . $path, \%request);
}

# With GENFLOW_PRISM that judges the answers (t/run.pl --prism).
my $CLIENT = $ENV{GENFLOW_PRISM} ? 'Genflow::Prism' : 'HTTP::Tiny';

sub client {
    return $CLIENT->new(timeout => HANG_LIMIT, keep_alive => 0, max_redirect => 0);
}

# One-step generation: generate($user, {prompt => '...', type => 'sketch'}, Prefer => 'wait=5').
# Without type it is neo-glitch; without prompt and presetKey these are something harmless.
sub generate {
    my ($user, $input, %headers) = @_;
    my %body = (prompt => 'a cat in the rain', presetKey => 'base', %{ $input // {} });
    my $type = delete $body{type} // 'neo-glitch';
    return api(POST => "/api/$type/generate", user => $user, json => \%body, headers => \%headers);
}

# A sound PNG, of exactly that many bytes if it is smaller: chunks of nothing fill it up, several
# because readers refuse very long ones. Of more than a million pixels there are none behind its head.
sub png {
    my ($width, $height, $bytes) = @_;
    my $lines  = $width * $height > 1_000_000 ? '' : ("\0" . "\x40\x80\xc0" x $width) x $height;
    my $head   = "\x89PNG\r\n\x1a\n" . png_chunk('IHDR', pack 'NN C5', $width, $height, 8, 2);
    my $pixels = png_chunk('IDAT', Compress::Zlib::compress($lines)) . png_chunk('IEND', '');
    my $more   = ($bytes // 0) - length($head . $pixels);
    while ($more >= 12) {
        my $take = $more < 2_000_000 ? $more : 1_000_000;
        $head .= png_chunk('paDd', "\0" x ($take - 12));
        $more -= $take;
    }
    return $head . $pixels;
}

sub png_chunk {
    my ($type, $content) = @_;
    return pack('N', length $content) . $type . $content
        . pack 'N', Compress::Zlib::crc32($type . $content);
}

# Brings a source picture: upload($user, png(3, 2)), or of another Content-Type.
sub upload {
    my ($user, $body, $type) = @_;
    return api(POST => '/api/assets', user => $user, body => $body,
        headers => { 'Content-Type' => $type // 'image/png' });
}

# The answer's JSON, or undef.
sub data {
    my ($res) = @_;
    return eval { $JSON->decode($res->{content}) };
}

# The generation as its status endpoint returns it.
sub status_of {
    my ($user, $id, $type) = @_;
    $type //= 'neo-glitch';
    return data(api(GET => "/api/$type/status?id=$id", user => $user));
}

# The answer is that error, in the one shape that errors have.
sub error_is {
    my ($res, $status, $code, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $body   = data($res);
    my %member = ref $body eq 'HASH' ? %$body : ();
    my %got    = (status => $res->{status}, map { $_ => $member{$_} } qw(error code success ok));
    my %wanted = (status => $status, error => $code, code => $code, success => $NO, ok => $NO);
    return is_deeply(\%got, \%wanted, $sentence) || diag "the answer was: $res->{content}";
}

# How many submissions have reached the fake provider whose prompt contains this text.
sub submissions { return scalar @{ call_fake('_submissions', @_) } }

# How often the fake provider got a cancel of a run whose prompt contains this text.
sub cancels { return call_fake('_cancels', @_) }

# When the fake provider was polled for runs whose prompt contains this text: for each of them in
# order the seconds since the poll before, or since the submission.
sub poll_gaps {
    my ($text) = @_;
    my $before = call_fake('_submissions', $text)->[0]{time};
    my @at     = @{ call_fake('_poll_times', $text) };
    return map { my $gap = $_ - $before; $before = $_; $gap } @at;
}

# Lets the fake provider answer what waits for that gate ({{gate=NAME}}), now and from now on. Returns
# how many waited.
sub open_gate { return call_fake('_open', @_) }

sub call_fake {
    my ($question, $text) = @_;
    my $match = $text =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger;
    my $fake  = HTTP::Tiny->new(timeout => HANG_LIMIT);
    my $res   = $fake->get("$ENV{GENFLOW_FAKE}/$question?match=$match");
    die "the fake provider answered $res->{status}: $res->{content}\n" if !$res->{success};
    return data($res);
}

# The id of a new generation that no request waits for: later($user, {prompt => ...}).
sub later {
    my ($user, $input, %headers) = @_;
    my $res = generate($user, $input, Prefer => 'respond-async', %headers);
    my $job = data($res) // {};
    return $job->{id} // die "no generation but $res->{status}: $res->{content}\n";
}

# Another host claims these generations, as if their leases were over, and leads them until their
# deadlines. It never does anything.
sub take_over {
    my (@ids) = @_;
    return change_work(\@ids, "epoch = epoch + 1, lease_owner = 'another:1:host', led = false, due_at = deadline_at");
}

# Changes the times of a live generation: take_from_child($id, 'due_at = now()'). A child that leads
# it learns of its loss by its next heartbeat; until then it would set times and lease of its own. The
# host of take_over() keeps its lease.
sub take_from_child {
    my ($id, $changes) = @_;
    my $is_other = "lease_owner = 'another:1:host'";
    return change_work([$id], "epoch = epoch + CASE WHEN lease_owner IS NULL OR $is_other THEN 0 ELSE 1 END,"
        . " lease_owner = CASE WHEN $is_other THEN lease_owner END, led = false, $changes");
}

# In one transaction, because children renew leases and claim work meanwhile.
sub change_work {
    my ($ids, $changes) = @_;
    my $which = q{job_id = ANY (string_to_array(:'ids', ',')::uuid[])};
    return sql(<<"SQL", ids => join ',', @$ids);
        BEGIN;
        SELECT FROM genflow.work WHERE $which ORDER BY job_id FOR UPDATE \\g /dev/null
        SELECT genflow.recall(string_to_array(:'ids', ',')::uuid[]) \\g /dev/null
        UPDATE genflow.work SET $changes WHERE $which;
        COMMIT;
SQL
}

# The file that a generation's picture is in, or, if there is none, one that is not there.
sub picture_file {
    my ($id, $type) = @_;
    my $folder = "$ENV{GENFLOW_WORK}/store/" . ($type // 'neo-glitch') . '/' . substr($id, -2);
    return (grep { !/-384\.webp\z/ } glob "$folder/$id*")[0] // "$folder/$id.png";
}

# ---- SQL, as the owner ---------------------------------------------------------------------------

# sql("SELECT ... WHERE user_id = genflow.account_of(:'user')", user => $user): lines, with bars
# between columns.
sub sql { return Genflow::Psql::sql(@_) }

sub sql1 { return (sql(@_))[0] }

# ---- time and numbers ----------------------------------------------------------------------------

# wait_for { condition }: what the condition returns once that is true; false after HANG_LIMIT. A wait
# for what must not come has its own seconds: wait_for { condition } 1. A green test waits that long.
sub wait_for (&;$) {
    my ($condition, $seconds) = @_;
    my $end   = time + ($seconds // HANG_LIMIT);
    my $pause = 0.02;
    while (1) {
        my $result = $condition->();
        return $result if $result || time >= $end;
        sleep $pause;
        $pause *= 1.2 if $pause < 0.2;      # a look costs the machine more than a wait
    }
}

# Waits until every child must have read the presets anew: each remembers them on its own.
sub presets_known { return sleep PRESETS_AGE }

# The generation when it has ended; false if it does not.
sub ended {
    my ($user, $id, $type) = @_;
    return wait_for {
        my $job = status_of($user, $id, $type);
        $job && $job->{finishedAt} && $job;
    };
}

# in_parallel(100, sub { my $i = shift; ... }): calls the function for 0..99 in that many processes
# (at most $limit), which all begin at the same moment. Returns the results in order; each is copied
# as JSON.
sub in_parallel {
    my ($count, $function, $limit) = @_;
    my $workers = $limit // WORKERS;
    $workers = $count if $workers > $count;

    pipe my $at_gate, my $gate or die "pipe: $!\n";
    my @pipes = map { worker($_, $workers, $count, $function, $at_gate, $gate) } 0 .. $workers - 1;
    close $gate;                                    # each worker reads the end of the file now

    my %result;
    for my $pipe (@pipes) {
        local $/ = "\n";
        while (my $line = <$pipe>) {
            my ($i, $value) = @{ $JSON->decode($line) };
            $result{$i} = $value;
        }
        close $pipe or die "a worker of in_parallel died\n";
    }
    return map { $result{$_} } 0 .. $count - 1;
}

# One process, which does each $workers-th call and prints its results into the returned pipe.
sub worker {
    my ($first, $workers, $count, $function, $at_gate, $gate) = @_;
    my $pid = open(my $pipe, '-|') // die "fork: $!\n";
    return $pipe if $pid;

    close $gate;
    readline $at_gate;
    my $ok = eval {
        for (my $i = $first; $i < $count; $i += $workers) {
            print $JSON->encode([$i, scalar $function->($i)]), "\n" or die "pipe: $!\n";
        }
        close STDOUT;
    };
    print STDERR $@ if !$ok;
    POSIX::_exit($ok ? 0 : 1);                      # without the END blocks of Test::More
}

# ---- the servers, for t/fault --------------------------------------------------------------------

sub httpd_pid { return $site->httpd_pid }

# The pids of the children that serve requests.
sub children { return $site->httpd_children }

# Kills a child (this one, or the first) as a crash would, and waits until it is replaced and the
# server answers.
sub kill_child {
    my ($pid) = @_;
    $pid //= (children())[0];
    kill KILL => $pid or return;
    return wait_for { (grep { $_ != $pid } children()) >= 2 && serves() };
}

# Sends the signal (USR1: graceful, HUP: now) to httpd, and waits until it says that it is back and
# answers.
sub restart_httpd {
    my ($signal) = @_;
    my $mark = log_mark();
    kill $signal // 'USR1', httpd_pid();
    return wait_for { log_since($mark) =~ /resuming normal operations/ && serves() };
}

sub serves {
    return api(GET => '/server-status?auto')->{status} == 200;
}

# pg('restart', 'immediate'), pg('stop', 'fast'), pg('start')
my $database_was_away;

sub pg {
    $database_was_away = 1;
    Genflow::Psql::forget();
    return $site->pg_ctl(@_);
}

# Waits until each child has read from the database: on its own, a child finds out up to a second
# later than another one that the database is back, and may log an error until then.
sub children_read {
    my $mark = log_mark();
    my $path = '/api/generation/00000000-0000-7000-8000-000000000000';
    return wait_for {
        in_parallel(READERS, sub { api(GET => $path, user => $OUR_USERS)->{status} }, READERS);
        my $log = log_since($mark);
        !grep { $log !~ /\[pid $_:[^\n]*GF0106: / } children();
    };
}

# The httpd of this file alone goes to the next file as it came. After an outage its children are
# replaced: httpd logs an outage twice a minute at most, and the next file may expect its line.
sub leave_site {
    talk_to();
    ok children_read(), 'each child has the database';
    return if !$database_was_away && !$announced{GF0121};
    my @old = children();
    ok restart_httpd(), 'httpd begins anew after the outage';
    ok wait_for { !grep { -e "/proc/$_" } @old }, '... and its old children are gone';
    return;
}

# ---- the error log -------------------------------------------------------------------------------

# A place in the error log, for log_since.
sub log_mark { return -s $site->error_log // 0 }

# What was logged after that place.
sub log_since {
    my ($mark) = @_;
    open my $file, '<', $site->error_log or return '';
    seek $file, $mark, 0;
    local $/ = undef;
    return <$file> // '';
}

# Announces tags of lines at warning or above that this file will cause.
sub expect_log {
    my @tags = @_;
    $announced{$_} = 1 for @tags;
    open my $file, '>>', $ENV{GENFLOW_WORK} . '/t/logs/expected_tags' or die "expected_tags: $!\n";
    print $file map { "$_\n" } @tags;
    close $file;
    return;
}

# Tag and line of this file's lines at warning or above.
sub our_alarms {
    my @alarms = Genflow::Site::alarms(split /\n/, log_since($begin));
    return @alarms if Genflow::Site::is_alone();
    my $names = join '|', map { quotemeta } $OUR_USERS, our_generations();
    return grep { $_->[1] =~ /$names/ } @alarms;
}

sub our_generations {
    return sql(<<'SQL', ours => $OUR_USERS);
        SELECT DISTINCT ref FROM genflow.ledger
          JOIN genflow.accounts a USING (user_id)
         WHERE kind = 'hold' AND starts_with(a.name, :'ours')
SQL
}

sub guard_log {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for { !silent_tags(our_alarms()) };
    my @alarms     = our_alarms();
    my @unexpected = map { $_->[1] } grep { !$announced{ $_->[0] } } @alarms;
    is join("\n", @unexpected), '', 'nothing unexpected was logged';
    is join(' ', silent_tags(@alarms)), '', 'what was announced was logged' if %announced;
    return;
}

# What was announced and is not among these.
sub silent_tags {
    my @alarms = @_;
    my %seen = map { $_->[0] => 1 } @alarms;
    return grep { !$seen{$_} } sort keys %announced;
}

# Generations of this file's users that somebody still works on, or is to. They would disturb other
# files: by their lines in the log, their pictures, their place in a queue; not those in a database of the
# file's own.
sub left_alive {
    return if has_own_database();
    return sql(<<'SQL', ours => $OUR_USERS);
        SELECT concat_ws(' ', t.name, w.phase, a.name, w.job_id)
          FROM genflow.work w JOIN genflow.types t ON t.no = w.type_no
          JOIN genflow.accounts a USING (user_id)
         WHERE w.phase <> 'pending' AND starts_with(a.name, :'ours')
SQL
}

# Cancels what a file made for no process to work on.
sub cancel_ours {
    return sql(<<'SQL', ours => $OUR_USERS);
        SELECT genflow.admin_cancel(w.job_id)
          FROM genflow.work w JOIN genflow.accounts a USING (user_id)
         WHERE starts_with(a.name, :'ours')
SQL
}

# Ends the file: nothing of it goes on, the log is as announced, and its books are sound.
sub finish {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is join("\n", Genflow::Inject::never_reached()), '', 'each armed point was reached' if $INC{'Genflow/Inject.pm'};
    wait_for { !left_alive() };
    is join("\n", left_alive()), '', 'no generation is left alive';
    leave_site() if Genflow::Site::is_alone();
    guard_log();
    is join("\n", broken_rules()), '', 'the books are sound';
    return done_testing();
}

1;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The table of one type is dropped: the type's calls are refused clearly, the log says which type it
# is and what to do, and does not say it all the time; the other types serve. One SQL call repairs
# it, without a restart. So for a type of a site's own, and for each of the five that ship.
use Genflow::Fault;
use Genflow::Test;
use Genflow::Types;
use Time::HiRes qw(time);

my $LONG = 3;                                    # seconds, in which each child looks 30 times

expect_log 'GF0122';

sql("SELECT genflow.create_type('doomed')");
ok configure(<<'END'), 'a type of its own is made';
<GenflowType doomed>
    GenflowTypeProviders local
</GenflowType>
END

my $user = account(100);
my $job  = data(generate($user, { type => 'doomed' }));
is $job->{status}, 'completed', '... and serves';
generate($user, { type => 'doomed' }) for 1 .. 5;    # every child has met it

# ---- dropped ----

my $before = credits($user);
my $mark   = log_mark();
sql('DROP TABLE public.doomed_media CASCADE');
for my $try (1 .. 6) {
    my $res = generate($user, { type => 'doomed' });
    error_is $res, 503, 'DATABASE_UNAVAILABLE', "without its table the type is refused, try $try";
}
my $status = api(GET => "/api/doomed/status?id=$job->{id}", user => $user);
error_is $status, 503, 'DATABASE_UNAVAILABLE', '... and so is the status of what it made';
is_deeply credits($user), $before, '... nothing is held';
is_deeply [map { generate(account(10), { type => $_ })->{status} } qw(sketch neo-glitch relay)],
    [200, 200, 200], '... the other types serve';
my $retry = account(10);
my $tries = later($retry, { prompt => '{{status=503 times=2}} beside a broken type' });
is ended($retry, $tries)->{status}, 'completed', '... and their attempts go on';

# A child asks for work of all types several times a second. Without a due job of this one it claims
# none, and needs no line of its own.
my $until = time + $LONG;
wait_for { time > $until };
my @lines = grep { /GF0122/ } split /\n/, log_since($mark);
cmp_ok scalar @lines, '>=', 1, 'the log has it';
cmp_ok scalar(grep { !/request=/ } @lines), '<=', scalar children(), '... at most once per child beside the requests';
like $lines[0], qr/doomed/, '... which type it is';
like $lines[0], qr/genflow\.create_type\(/, '... and what to do';

# ---- repaired ----

sql("SELECT genflow.create_type('doomed')");
is_deeply [map { generate($user, { type => 'doomed' })->{status} } 1 .. 8], [(200) x 8],
    'genflow.create_type repairs it at once, in all children';
error_is api(GET => "/api/doomed/status?id=$job->{id}", user => $user), 404,
    'GENERATION_NOT_FOUND', '... what was in the table is gone';

# ---- of the five that ship, each in turn ----

ok configure(<<'END'), 'all five are drawn here';
<GenflowType neo-glitch>
    GenflowTypeProviders local
</GenflowType>
END

my @names = map { $_->{name} } shipped();
# What other tests have begun there ends first: its table is no place to lose a hold in.
ok wait_for(sub { !sql1(<<'SQL', names => '{' . join(',', @names) . '}') }), 'nothing lives in them';
    SELECT 1 FROM genflow.work w JOIN genflow.types t ON t.no = w.type_no WHERE t.name = ANY (:'names'::text[]) LIMIT 1
SQL
is_deeply [served(@names)], [(200) x 5], 'all five serve';
for my $name (@names) {
    sql('DROP TABLE public.' . $name =~ tr/-/_/r . '_media CASCADE');
    error_is generate_type($user, $name), 503, 'DATABASE_UNAVAILABLE', "without its table $name is refused";
    is_deeply [served(grep { $_ ne $name } @names)], [(200) x 4], '... and the other four serve';
    sql("SELECT genflow.create_type(:'name')", name => $name);
    is_deeply [served($name)], [200], '... until it is made again';
}

ok configure(''), 'the types are what they were';

finish;

# What a request for each of these is answered, by an account that has enough.
sub served { return map { generate_type(account(10), $_)->{status} } @_ }

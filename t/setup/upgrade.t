#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A package upgrade under load: the module of today on a database of an earlier schema (33, three migrations ago, with the functions
# of its day: t/upgrade/33.tar.xz). Clients send keys all the time; sql/apply runs meanwhile, and once more. Before it they are
# answered, or refused until sql/apply has run; after it every key has one generation, which is charged once.

use File::Temp qw(tempdir);
use Genflow::Database ();
use Genflow::Httpd ();
use Genflow::Test;
use Time::HiRes qw(sleep time);

use constant { OLD => 33, CLIENTS => 4, PATIENCE => 120 };

my $work = $ENV{GENFLOW_WORK};
my $done = tempdir(DIR => "$work/tmp", CLEANUP => 1) . '/applied';
my $old  = old_schema();
my $db   = Genflow::Database->new(empty => 1);
my $said = $db->apply(folder => $old);
is $?, 0, 'a database of the earlier schema is made' or diag $said;
is $db->sql('SELECT max(version) FROM genflow.migrations'), OLD, '... which says so';
$db->sql("SELECT genflow.grant_credits('upgrader', 1000, 'test', NULL)");

local $ENV{PGDATABASE} = $db->name;
my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/database.conf"
GenflowStoreFolder "${GENFLOW_WORK}/store"
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType neo-glitch>
    GenflowTypeProviders local/glitch
    GenflowTypePromptMin 0
    GenflowTypeSource optional
    GenflowTypeCost 1
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
my $health = HTTP::Tiny->new->get($httpd->base . '/api/health');
is $health->{status}, 503, 'health of the module of today says that the schema is too old';
like $health->{content}, qr/"schema":33,"schemaNeeded":\d+/, '... and which one it needs';

my ($applied, @clients) = in_parallel(1 + CLIENTS, sub { return $_[0] ? client($_[0]) : apply_twice() }, 1 + CLIENTS);
is_deeply $applied, [0, 0], 'sql/apply of today runs twice under the load';
my (%answers, @keys);
for my $client (@clients) {
    push @keys, @{ $client->{keys} };
    for my $when (keys %{ $client->{answers} }) {
        $answers{$when}{$_} += $client->{answers}{$when}{$_} for keys %{ $client->{answers}{$when} };
    }
}
for my $when (sort keys %answers) {
    diag "$when: ", join ', ', map { "$answers{$when}{$_} $_" } sort keys %{ $answers{$when} };
}
is_deeply [grep { !/\A(?:200|202|409 later|503(?: later)?|500 not set up)\z/ } sort keys %{ $answers{'before and during'} }], [],
    'before it every request was answered, or refused';
is_deeply [grep { !/\A(?:200|202|409 later)\z/ } sort keys %{ $answers{after} // {} }], [], 'after it all are answered';
is_deeply [map { $_->{gave_up} // () } @clients], [], 'no client gave up a key';
my $ended = wait_for { $db->sql("SELECT count(*) FROM genflow.work WHERE user_id = genflow.account_of('upgrader')") eq '0' };
ok $ended, 'all generations end';
is $db->sql('SELECT max(version) FROM genflow.migrations'), newest(), 'the schema is that of today';
is $db->sql("SELECT count(*) FROM neo_glitch_media WHERE user_id = genflow.account_of('upgrader') AND status = 'completed'"), scalar @keys,
    'each key has one picture';
is $db->sql("SELECT balance || ' ' || held FROM genflow.accounts WHERE name = 'upgrader'"), (1000 - @keys) . ' 0', '... charged once';
is $db->sql('SELECT count(*) FROM genflow.check()'), 0, '... and the books are sound';
is(HTTP::Tiny->new->get($httpd->base . '/api/health')->{status}, 200, 'health is good, without a restart of httpd') or diag $httpd->alarms;
$httpd->stop;
finish;

# sql/ of then: its functions, templates and sql/apply, with the migrations that it had.
sub old_schema {
    my $folder = tempdir(DIR => "$work/tmp", CLEANUP => 1);
    system('tar', '-xJf', "$work/t/upgrade/" . OLD . '.tar.xz', '-C', $folder) == 0 or die "cannot unpack the earlier schema\n";
    mkdir "$folder/sql/migrations";
    for my $file (grep { m{/(\d{4})_[^/]*\z} && $1 <= OLD } glob "$work/sql/migrations/*.sql") {
        system('cp', $file, "$folder/sql/migrations/") == 0 or die "cannot copy $file\n";
    }
    return "$folder/sql";
}

sub newest { return (sort { $a <=> $b } map { m{/0*(\d+)_} } glob "$work/sql/migrations/*.sql")[-1] }

sub apply_twice {
    has_load();
    my @codes;
    for (1 .. 2) {
        $db->apply;
        push @codes, $? >> 8;
    }
    open my $file, '>', $done or die "$done: $!\n";
    close $file or die "$done: $!\n";
    has_load();
    open $file, '>', "$done.over" or die "$done: $!\n";
    return \@codes;
}

# A client is answered from here on.
sub has_load {
    unlink "$done.answer";
    return wait_for { -e "$done.answer" };
}

sub client {
    my ($number) = @_;
    my (%answers, @keys, $gave_up);
    my $http = HTTP::Tiny->new(timeout => 60);
    while (!-e "$done.over" && !$gave_up) {
        my $key = "key-$number-" . @keys;
        push @keys, $key;
        my $end = time + PATIENCE;
        while (1) {
            my $when = -e $done ? 'after' : 'before and during';
            my $res = $http->post($httpd->base . '/api/neo-glitch/generate', { content => '{"prompt":"a cat","presetKey":"visor"}',
                headers => { 'Content-Type' => 'application/json', 'X-User' => 'upgrader', 'Idempotency-Key' => $key } });
            Genflow::Site::write_text("$done.answer", '');
            my $missing = $res->{content} =~ /not set up completely/;
            $answers{$when}{ $res->{status} . (defined $res->{headers}{'retry-after'} ? ' later' : '') . ($missing ? ' not set up' : '') }++;
            last if $res->{status} =~ /\A20[02]\z/;
            $gave_up = "$res->{status} $res->{content}" if time > $end || $res->{status} !~ /\A(?:409|503)\z/ && !$missing;
            last if $gave_up;
            sleep 0.3;
        }
    }
    return { keys => \@keys, answers => \%answers, gave_up => $gave_up };
}

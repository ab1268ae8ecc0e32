#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A small model of credits, written without a look at the SQL, predicts the outcome, the balance and
# what is held after each of many random acts. The database agrees at each step. GENFLOW_SEED makes
# other acts.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();
use Genflow::Seed;

use constant { STEPS => 500, STEPS_MAX => 5000 };

my $seed = seed(1);

my $db = Genflow::Database->new;

# ---- the model ----

my %users = map { $_ => { balance => 0, held => 0, used => 0, account => 0 } } qw(anna bert carl dora);
my (%reservations, %jobs, %references);
my $names = 0;

sub free { my ($user) = @_; return $user->{balance} - $user->{held} }

# The outcome of a hold of that amount if the credits of $spare were free.
sub look {
    my ($user, $amount, $spare) = @_;
    return 'blocked' if $user->{blocked};
    return 'insufficient_credits' if !$user->{account} || free($user) + $spare < $amount;
    return 'quota_exceeded' if defined $user->{limit} && $user->{used} - $spare + $amount > $user->{limit};
    return 'ok';
}

sub hold   { my ($user, $amount) = @_; $_ += $amount for @$user{qw(held used)}; return }
sub unhold { my ($user, $amount) = @_; $_ -= $amount for @$user{qw(held used)}; return }

my %MODEL = (
    grant => sub {
        my ($name, $amount, $reference) = @_;
        my $given = $references{$reference};
        return $given eq "$name $amount" ? 'duplicate' : 'mismatch' if $given;
        $references{$reference} = "$name $amount";
        $users{$name}{balance} += $amount;
        $users{$name}{account} = 1;
        return 'ok';
    },
    take => sub {
        my ($name, $amount) = @_;
        return 'insufficient_credits' if !$users{$name}{account} || free($users{$name}) < $amount;
        $users{$name}{balance} -= $amount;
        return 'ok';
    },
    reserve => sub {
        my ($name, $run, $amount) = @_;
        my $there = $reservations{"$name $run"};
        return $there->{amount} != $amount ? 'mismatch' : $there->{state} =~ /open|used/ ? 'ok' : 'ended' if $there;
        my $refusal = look($users{$name}, $amount, 0);
        return $refusal if $refusal ne 'ok';
        hold($users{$name}, $amount);
        $reservations{"$name $run"} = { amount => $amount, state => 'open' };
        return 'ok';
    },
    finalize => sub {
        my ($name, $run) = @_;
        my $there = $reservations{"$name $run"} or return 'not_found';
        return $there->{state} eq 'used' ? 'used' : 'ended' if $there->{state} ne 'open';
        unhold($users{$name}, $there->{amount});
        $there->{state} = 'returned';
        return 'returned';
    },
    create => sub {
        my ($name, $key, $run, $cost, $body) = @_;
        my $made = $jobs{"$name $key"};
        return $made->{body} eq $body ? 'replay' : 'mismatch' if $made;
        my $there = $reservations{"$name $run"};
        my $spare = $there && $there->{state} eq 'open' ? $there->{amount} : 0;
        my $refusal  = look($users{$name}, $cost, $spare);
        return $refusal if $refusal ne 'ok';
        if ($spare) {
            unhold($users{$name}, $spare);
            $there->{state} = 'used';
        }
        hold($users{$name}, $cost);
        $jobs{"$name $key"} = { user => $name, cost => $cost, body => $body, status => 'live' };
        return 'ok';
    },
    settle => sub {
        my ($job, $status) = @_;
        my $made = $jobs{$job};
        return $made->{status} eq $status ? 'same' : 'settled' if $made->{status} ne 'live';
        my $user = $users{ $made->{user} };
        if ($status eq 'completed') {
            $user->{balance} -= $made->{cost};
            $user->{held}    -= $made->{cost};
        }
        else {
            unhold($user, $made->{cost});
        }
        $made->{status} = $status;
        return 'done';
    },
    refund => sub {
        my ($job) = @_;
        my $made = $jobs{$job};
        return 'not_charged' if $made->{status} ne 'completed';
        return 'refunded' if $made->{refunded}++;
        $users{ $made->{user} }{balance} += $made->{cost};
        return 'ok';
    },
    block => sub {
        my ($name, $blocked) = @_;
        $users{$name}{blocked} = $blocked;
        return 'ok';
    },
);

# ---- the same in SQL ----

sub id_of {
    my ($name, $key) = split / /, $_[0];
    return "(SELECT k.job_id FROM genflow.idempotency_keys k WHERE k.user_id = genflow.account_of('$name') AND k.key = '$key')";
}

my %SQL = (
    grant    => sub { "SELECT genflow.admin_credit('$_[0]', $_[1], 'x', '$_[2]')" },
    take     => sub { "SELECT genflow.admin_credit('$_[0]', -$_[1], 'x', 'take ' || ${\ ++$names})" },
    reserve  => sub { "SELECT outcome FROM genflow.reserve('$_[0]', '$_[1]', $_[2], NULL, '1 hour', 'UTC')" },
    finalize => sub { "SELECT outcome FROM genflow.reserve_finalize('$_[0]', '$_[1]')" },
    create   => sub {
        "SELECT outcome FROM genflow.neo_glitch_create('$_[0]', '$_[1]', '$_[4]', '$_[2]', 'base', 'a cat', NULL, '{}',"
            . " 7, $_[3], 3::smallint, '1 hour', NULL, NULL)";
    },
    settle => sub {
        my ($job, $status) = @_;
        my $image = $status eq 'completed' ? "'/a.png'" : 'NULL';
        my $error = $status eq 'failed'    ? "'X'"      : 'NULL';
        return "SELECT genflow.neo_glitch_settle(${\ id_of($job)}, NULL, '$status', 'acme', 'm', false, $image, NULL, true,"
            . " '{}', $error, NULL, NULL)";
    },
    refund => sub { "SELECT outcome FROM genflow.admin_refund(${\ id_of($_[0])}, NULL, 'x', 'refund ' || ${\ ++$names})" },
    block  => sub { "UPDATE genflow.accounts SET blocked = $_[1] WHERE user_id = genflow.account_of('$_[0]')" },
);

# ---- random acts ----

sub one_of { return $_[rand @_] }

sub arguments {
    my ($act) = @_;
    my $name = one_of(sort keys %users);
    my $some = 1 + int rand 5;
    my $run  = 'run' . int rand 12;
    my ($job) = one_of(sort keys %jobs);
    return $act eq 'grant' ? ($name, $some, 'payment ' . int rand 60)
        : $act eq 'take'     ? ($name, $some)
        : $act eq 'reserve'  ? ($name, $run, $some)
        : $act eq 'finalize' ? ($name, $run)
        : $act eq 'create'   ? ($name, 'key' . int rand 120, $run, $some, one_of('\\x01', '\\x01', '\\x01', '\\x02'))
        : $act eq 'settle'   ? ($job // return, one_of(qw(completed completed failed cancelled)))
        : $act eq 'refund'   ? $job // return
        :                      ($name, one_of(qw(true false false)) eq 'true' ? 1 : 0);
}

my %often = (create => 6, settle => 6, reserve => 3, finalize => 2, grant => 2, take => 1, refund => 1, block => 0.5);
my @acts  = map { ($_) x (2 * $often{$_}) } sort keys %often;
my (%seen, @odd);
my @MET   = ('create ok', 'create replay', 'create mismatch', 'create insufficient_credits', 'settle done',
    'settle settled', 'reserve ok', 'finalize returned', 'refund ok', 'take ok');

for my $name (sort keys %users) {
    next if $name eq 'dora';                     # has no account at first
    $MODEL{grant}->($name, 40, "first of $name");
    $db->sql("SELECT genflow.admin_credit('$name', 40, 'x', 'first of $name')");
}
$users{bert}{limit} = 30;
$db->sql("UPDATE genflow.accounts SET day_limit = 30 WHERE user_id = genflow.account_of('bert')");

my $today = $db->sql('SELECT (clock_timestamp() AT TIME ZONE $$UTC$$)::date');
for my $step (1 .. STEPS_MAX) {
    last if $step > STEPS && !grep { !$seen{$_} } @MET;
    my $act = one_of(@acts);
    my @of  = arguments($act) or next;
    next if $act eq 'block' && !$users{ $of[0] }{account};
    my $says   = $db->sql($SQL{$act}->($act eq 'block' ? ($of[0], $of[1] ? 'true' : 'false') : @of));
    my $should = $MODEL{$act}->(@of);
    $says = 'ok' if $act eq 'block';
    $seen{"$act $should"}++;
    my $stands = $db->sql('SELECT string_agg(format($$%s %s %s$$, name, balance, held), $$, $$ ORDER BY name) FROM genflow.accounts WHERE opened');
    my $model  = join ', ', map { "$_ $users{$_}{balance} $users{$_}{held}" } grep { $users{$_}{account} } sort keys %users;
    next if $says eq $should && $stands eq $model;
    push @odd, "step $step, $act @of: $says, the model says $should; $stands, the model has $model";
    last;
}
SKIP: {
    skip 'a day has passed, and with it its quota', 1
        if $today ne $db->sql('SELECT (clock_timestamp() AT TIME ZONE $$UTC$$)::date');
    is_deeply \@odd, [], STEPS . ' random acts: the database does what the model predicts' or diag "seed $seed";
}
for my $met (@MET) {
    ok $seen{$met}, "among them was: $met" or diag explain { seed => $seed, %seen };
}
is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

done_testing;

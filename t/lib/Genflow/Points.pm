# SPDX-License-Identifier: Apache-2.0
#
# What the tables of kills share (t/fault/points*.t): a process is killed at a point while it works on
# a generation, its leases end at once, and the generation goes on elsewhere.
#
#     my $user = account(10);
#     my $id   = killed_at('settle.before', $user, { type => 'points', prompt => "a cat [$user]" });
#     is end_of($user, $id, 'points')->{status}, 'completed', 'another child completes it';

package Genflow::Points;

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime);

use Genflow::Inject;
use Genflow::Test;

use constant MOMENT => 0.5;         # seconds, between a death and the look at it

use parent -norequire, 'Exporter';

our @EXPORT = qw(killed_at kills_at end_leases end_of id_of is_gone);

# Requests a generation whose process dies at that point, or at those points one after another. The id
# of the generation, once the processes are gone; undef: there is none, for whoever died was to make it.
sub killed_at {
    my ($points, $user, $input) = @_;
    my @points = ref $points ? @$points : $points;
    # a claim is one of a type; the type is the case's alone
    my %for    = map { $_ => /\Aclaim\./ ? $input->{type} : $user } @points;
    inject($_, for => $for{$_}, kill => 1) for @points;
    generate($user, $input, Prefer => 'respond-async');       # whose answer may be lost
    return kills_at($user, map { [$_, $for{$_}] } @points);
}

# Waits until a process has died at each of these armed points: [its name, its subject].
sub kills_at {
    my ($user, @points) = @_;
    my @pids;
    for my $point (@points) {
        my $pid = wait_for {
            end_leases($user, @pids);
            Genflow::Inject::pid_at(Genflow::Inject::armed_path(@$point));
        } or return;
        push @pids, $pid;
        is_gone($pid);
    }
    end_leases($user, @pids);
    withdraw($_->[0], for => $_->[1]) for grep { $_->[1] ne $user } @points;   # the next one's subject, too
    return id_of($user);
}

# Has that process, which is about to die, ended? Its number may be another's by then, who may live long: one that began since.
sub is_gone {
    my ($pid) = @_;
    my $now = clock_gettime(CLOCK_MONOTONIC);
    return wait_for {
        my $began = began($pid);
        !defined $began || $began > $now - MOMENT;
    };
}

# Seconds since the start of the machine; undef: there is no such process.
sub began {
    my ($pid) = @_;
    open my $file, '<', "/proc/$pid/stat" or return;
    my $line = <$file> // return;
    return (split ' ', $line =~ s/.*\)//r)[19] / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub id_of {
    my ($user) = @_;
    return sql1("SELECT ref FROM genflow.ledger WHERE kind = 'hold' AND user_id = genflow.account_of(:'user')", user => $user);
}

# The leases that these dead processes have on the user's generations are over now, not after
# GenflowDispatchLease; so are the pauses before what nobody leads: a retry, or the lease of grace of
# what was being sent.
sub end_leases {
    my ($user, @pids) = @_;
    sql(<<'SQL', user => $user, pids => join ',', @pids, 0);
        UPDATE genflow.work w SET due_at = clock_timestamp(), led = false
         WHERE w.user_id = genflow.account_of(:'user') AND w.due_at > clock_timestamp()
           AND (w.lease_owner IS NULL OR split_part(w.lease_owner, ':', 2) = ANY (string_to_array(:'pids', ',')));
        UPDATE genflow.restores r SET due_at = clock_timestamp()
         WHERE r.job_id IN (SELECT ref FROM genflow.ledger WHERE kind = 'hold' AND user_id = genflow.account_of(:'user'));
        UPDATE genflow.removals r SET due_at = clock_timestamp()
         WHERE r.job_id IN (SELECT ref FROM genflow.ledger WHERE kind = 'hold' AND user_id = genflow.account_of(:'user'));
        UPDATE genflow.deliveries r SET due_at = clock_timestamp()
         WHERE r.job_id IN (SELECT ref FROM genflow.ledger WHERE kind = 'hold' AND user_id = genflow.account_of(:'user'));
SQL
    return;
}

# The generation when it has ended, though all who had it are dead.
sub end_of {
    my ($user, $id, $type) = @_;
    return wait_for {
        end_leases($user);
        my $job = status_of($user, $id, $type);
        $job && $job->{finishedAt} && $job;
    };
}

1;

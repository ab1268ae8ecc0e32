# SPDX-License-Identifier: Apache-2.0
#
# The harness that t/run.pl gives to prove: it says which test runs next, and on which site.
#
#     GENFLOW_SITES='main=/tmp/gf.1 fault=/tmp/gf.2 fault=/tmp/gf.3' prove --harness Genflow::Harness ...
#
# Tests of t/fault and t/chaos break things for everybody (kill a child, stop the database): each has one of the sites `fault` to itself, and
# they share one queue. Those of t/studio run one after another, because each drives a browser. All others run side by side on the
# site `main`, in any order. Within these three the order is that of the command line.

package Genflow::Harness;

use strict;
use warnings;

use parent 'TAP::Harness';

use Genflow::Times ();

sub new {
    my ($class, $args) = @_;
    my $self = $class->SUPER::new({ %{ $args // {} }, exec => \&command_of });
    $self->callback(after_test => \&note_skipped);
    return $self;
}

# Names of skipped files, for t/run.pl.
sub note_skipped {
    my ($test, $parser) = @_;
    return if !defined $parser->skip_all;
    open my $skipped, '>>', 't/logs/skipped' or die "t/logs/skipped: $!\n";
    print $skipped "$test->[0]\n";
    return;
}

sub make_scheduler {
    my ($self, @tests) = @_;
    my %free;
    for (split ' ', $ENV{GENFLOW_SITES}) {
        my ($name, $folder) = split /=/, $_, 2;
        push @{ $free{$name} }, $folder;
    }
    $self->{queue} = Genflow::Harness::Queue->new(\%free, $self->_add_descriptions(@tests));
    return $self->{queue};
}

sub command_of {
    my ($self, $test) = @_;
    my @command = ('t/exec', $test, $self->{queue}{folder_of}{$test});
    return $ENV{GENFLOW_TIMES} ? [$^X, '-MGenflow::Times', '-e', 'Genflow::Times->measure(@ARGV)', @command] : \@command;
}

# What TAP::Harness asks of a TAP::Parser::Scheduler.
package Genflow::Harness::Queue;

use strict;
use warnings;

use TAP::Parser::Scheduler::Job     ();
use TAP::Parser::Scheduler::Spinner ();

# What has to wait for others of its kind comes first.
my @KINDS = qw(fault studio main);

# $sites: the folders of the free sites by name.
sub new {
    my ($class, $sites, @tests) = @_;
    my $main = $sites->{main}[0];
    my $self = bless { waiting => {}, folder_of => {} }, $class;
    $self->{free} = { fault => $sites->{fault}, studio => [$main], main => [$main] };
    push @{ $self->{waiting}{ kind_of($_->[0]) } }, TAP::Parser::Scheduler::Job->new(@$_) for @tests;
    return $self;
}

sub kind_of {
    my ($test) = @_;
    return $test =~ m{\At/(?:fault|chaos)/} ? 'fault' : $test =~ m{\At/studio/} ? 'studio' : 'main';
}

sub get_all { return map { @{ $_[0]{waiting}{$_} // [] } } @KINDS }

# A job; a spinner while there are only jobs that have to wait; nothing at the end.
sub get_job {
    my ($self) = @_;
    for my $kind (@KINDS) {
        my ($waiting, $free) = ($self->{waiting}{$kind}, $self->{free}{$kind});
        next if !@{ $waiting // [] } || !@{ $free // [] };
        my $job = shift @$waiting;
        my $folder = $self->{folder_of}{ $job->filename } = $kind eq 'main' ? $free->[0] : shift @$free;
        $job->on_finish(sub { push @$free, $folder }) if $kind ne 'main';
        return $job;
    }
    return $self->get_all ? TAP::Parser::Scheduler::Spinner->new : ();
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# Older systems' tables, and support/genflow-migrate on them, for t/migrate/*.t.
#
#     my $old = Genflow::Migrate->new;                        # a database of its own, empty
#     $old->sql('CREATE TABLE media_assets ...');
#     my ($said, $code) = $old->migrate('--apply');
#     is_deeply balance($said)->{all}, { rows => 72, moved => 60, already => 0, unclassified => 5, rejected => 7 };

package Genflow::Migrate;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);

use parent qw(Exporter Genflow::Database);

our @EXPORT_OK = qw(balance);

my $TOOL = dirname(abs_path(__FILE__)) . '/../../../support/genflow-migrate';

# Options: of Genflow::Database; it is empty unless an option says so.
sub new {
    my ($class, %option) = @_;
    return $class->SUPER::new(empty => 1, %option);
}

# What it says, both outputs, and its exit code.
sub migrate {
    my ($self, @options) = @_;
    return run($self->name, @options);
}

# The same in any database.
sub run {
    my ($database, @options) = @_;
    my $pipe = start($database, @options);
    my $said = do { local $/; <$pipe> };
    close $pipe;
    return ($said, $? >> 8);
}

# The same, under way: a pipe to read and close.
sub start {
    my ($database, @options) = @_;
    local $ENV{PGDATABASE} = $database;
    my $words = join ' ', map { q(') . s/'/'\\''/gr . q(') } @options;
    open my $pipe, '-|', "exec '$TOOL' $words 2>&1" or die "genflow-migrate: $!\n";
    return $pipe;
}

# All that the database holds, but for what genflow-migrate remembers.
sub dump {
    my ($self) = @_;
    open my $pipe, '-|', 'pg_dump', '-N', 'genflow_migrate', '-d', $self->name or die "pg_dump: $!\n";
    my $text = do { local $/; <$pipe> };
    close $pipe or die "pg_dump failed\n";
    return $text =~ s/^\\(?:un)?restrict .*$//mgr;
}

# The numbers of a report by table, and of all of them. A line that does not balance has a member `wrong`.
sub balance {
    my ($said) = @_;
    my %lines;
    while ($said =~ /^(\w+): (\d+) = (\d+) moved \+ (\d+) already there \+ (\d+) unclassified \+ (\d+) rejected$/mg) {
        my %n = (rows => $2, moved => $3, already => $4, unclassified => $5, rejected => $6);
        my $sum = $n{moved} + $n{already} + $n{unclassified} + $n{rejected};
        $n{wrong} = $sum if $sum != $n{rows};
        $lines{$1} = \%n;
    }
    return \%lines;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# One connection to a database, held by a psql that runs beside the test. Statements are started and
# their answers fetched later, so that several sessions can be under way at once. Genflow::Database
# makes sessions and says what an answer is.

package Genflow::Session;

use strict;
use warnings;

use IO::Handle ();
use IPC::Open3 qw(open3);

use Genflow::Limit;

# No statement may hang longer than this.

my $MARK = '--- answered';

sub new {
    my ($class, $database, $user) = @_;
    open my $nowhere, '>', '/dev/null' or die "/dev/null: $!\n";
    my ($in, $out);
    my $pid = open3($in, $out, '>&' . fileno $nowhere, 'psql', '-XqAt', '-d', $database,
        defined $user ? ('-U', $user) : ());
    $in->autoflush(1);
    my $self = bless { pid => $pid, in => $in, out => $out, open => 0 }, $class;
    $self->sql(q(SET statement_timeout = ') . HANG_LIMIT . q(s'));
    $self->{backend} = $self->sql('SELECT pg_backend_pid()');
    return $self;
}

# Begins statements, each without its semicolon, or with psql's \gset in place of it.
sub start {
    my ($self, @statements) = @_;
    my $text = '';
    for my $statement (@statements) {
        my $end = $statement =~ /\\g\w*\s*\z/ ? '' : ';';
        $text .= "$statement$end\n\\echo '$MARK' :SQLSTATE\n";
    }
    $self->{open} += @statements;
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{in} } $text or die "psql is gone\n";
    return;
}

# The answers of all statements begun since.
sub answers {
    my ($self) = @_;
    my @answers;
    push @answers, $self->next_answer while $self->{open} > 0;
    return @answers;
}

# The answer of the last of them.
sub answer { return ($_[0]->answers)[-1] }

sub sql {
    my ($self, @statements) = @_;
    $self->start(@statements);
    return $self->answer;
}

sub next_answer {
    my ($self) = @_;
    my @lines;
    my $out = $self->{out};
    while (my $line = <$out>) {
        chomp $line;
        if ($line =~ /\A$MARK (\w+)\z/) {
            $self->{open}--;
            return $1 eq '00000' ? join("\n", @lines) : "!$1";
        }
        push @lines, $line;
    }
    die "psql ended; its last words: @lines\n";
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $@, $!);
    close $self->{in};
    kill TERM => $self->{pid} if $self->{open};
    waitpid $self->{pid}, 0;
    return;
}

1;

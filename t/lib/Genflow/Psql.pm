# SPDX-License-Identifier: Apache-2.0
#
# SQL of a test file, by one psql that stays: to start one for each statement took a quarter of the suite's CPU time.
#
#     my @lines = Genflow::Psql::sql("SELECT name FROM genflow.accounts WHERE name = :'name'", name => $user);
#
# As Apache::TestGenflow::Postgres::sql(), which takes what would leave something in the session: a transaction that is not ended,
# a setting, a temporary table. Each process has a session of its own for each database and role.

package Genflow::Psql;

use strict;
use warnings;

use Apache::TestGenflow::Postgres ();
use POSIX ();

# A longer text might fill the pipe while psql waits for somebody to read its answers.
use constant LONGEST => 16_000;

my $MARK    = '--- answered';
my $LEAVES  = qr/\b(?:BEGIN|START|SET|RESET|TEMP|TEMPORARY|PREPARE|LISTEN|DISCARD|advisory_lock)\b|^\s*\\/im;
my %session;                  # of this process, by where it leads: [in, out, pid]
my $owner = 0;

sub sql {
    my ($text, %value) = @_;
    return alone($text, %value) if length $text > LONGEST || $text =~ $LEAVES;
    my $where   = join "\0", map { $ENV{$_} // '' } qw(PGHOST PGDATABASE PGUSER PGOPTIONS);
    forget() if $owner != $$;
    my $is_new  = !$session{$where};
    my $session = $session{$where} //= begin();
    my $answer  = ask($session, $text, %value);
    return @$answer if $answer;

    # psql ends with the first error, and without its server. A session that lost it while it rested has sent nothing.
    delete $session{$where};
    close $session->[0];
    my $code = end_of($session->[2]);
    return alone($text, %value) if $code == 2 && !$is_new;
    die "psql failed: $text\n";
}

# After a restart of PostgreSQL.
sub forget {
    %session = ();
    $owner   = $$;
    return;
}

sub alone { return Apache::TestGenflow::Postgres::sql($ENV{PG_BINDIR}, @_) }

sub begin {
    pipe my $stdin, my $in or die "pipe: $!\n";
    pipe my $out, my $stdout or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<&', $stdin  or POSIX::_exit(127);
        open STDOUT, '>&', $stdout or POSIX::_exit(127);
        exec "$ENV{PG_BINDIR}/psql", qw(-XqAt -v ON_ERROR_STOP=1 -f -) or POSIX::_exit(127);
    }
    $in->autoflush(1);
    binmode $_, ':utf8' for $in, $out;
    return [$in, $out, $pid];
}

# The lines of the answer; undef: psql has ended.
sub ask {
    my ($session, $text, %value) = @_;
    my ($in, $out) = @$session;
    my $script = join '', (map { "\\set $_ " . quoted($value{$_}) . "\n" } sort keys %value), "$text\n;\n",
        (map { "\\unset $_\n" } sort keys %value), "\\echo '$MARK'\n";
    local $SIG{PIPE} = 'IGNORE';
    print $in $script or return;
    local $/ = "\n";
    my @lines;
    while (defined(my $line = <$out>)) {
        chomp $line;
        return \@lines if $line eq $MARK;
        push @lines, $line;
    }
    return;
}

# As psql reads an argument of \set.
sub quoted {
    my ($value) = @_;
    $value =~ s/\\/\\\\/g;
    $value =~ s/'/''/g;
    $value =~ s/\n/\\n/g;
    $value =~ s/\r/\\r/g;
    return "'$value'";
}

sub end_of {
    my ($pid) = @_;
    local $?;
    waitpid $pid, 0;
    return $? >> 8;
}

1;

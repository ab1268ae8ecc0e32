# SPDX-License-Identifier: Apache-2.0
#
# SQL of a test file, by one psql that stays: to start one for each statement took a quarter of the suite's CPU time.
#
#     my @lines = Genflow::Psql::sql("SELECT name FROM genflow.accounts WHERE name = :'name'", name => $user);
#
# As Apache::TestGenflow::Postgres::sql(), which takes what would leave something in the session (a transaction that is not ended, a
# setting, a temporary table) and what is for another database than the site's, which tests copy and drop. Each process has a session
# of its own for each role.

package Genflow::Psql;

use strict;
use warnings;

use Apache::TestGenflow::Postgres ();
use POSIX ();

# A longer text might fill the pipe while psql waits for somebody to read its answers.
use constant LONGEST => 16_000;

my $MARK    = '--- answered';
my $LEAVES  = qr/\b(?:BEGIN|START|SET|RESET|TEMP|TEMPORARY|PREPARE|LISTEN|DISCARD|advisory_lock)\b|^\s*\\/im;
my $LOST    = qr/server closed the connection|terminating connection|connection to server was lost/;
my %session;                  # of this process, by where it leads: [in, out, pid, what it says]
my $owner = 0;

sub sql {
    my ($text, %value) = @_;
    return alone($text, %value) if length $text > LONGEST || $text =~ $LEAVES || ($ENV{PGDATABASE} // '') ne 'genflow';
    my $where   = join "\0", map { $ENV{$_} // '' } qw(PGHOST PGUSER PGOPTIONS);
    forget() if $owner != $$;
    my $is_new  = !$session{$where};
    my $session = $session{$where} //= begin();
    my $answer  = ask($session, $text, %value);
    my $says    = $answer ? said($session) : end_of(delete $session{$where});

    # psql ends with the first error, and without its server. A session that lost it while it rested has sent nothing.
    return alone($text, %value) if !$answer && !$is_new && $says =~ $LOST;
    print STDERR $says;
    return $answer ? @$answer : die "psql failed: $text\n";
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
    open my $says, '+>', undef or die "temporary file: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<&', $stdin  or POSIX::_exit(127);
        open STDOUT, '>&', $stdout or POSIX::_exit(127);
        open STDERR, '>&', $says   or POSIX::_exit(127);
        exec "$ENV{PG_BINDIR}/psql", qw(-XqAt -v ON_ERROR_STOP=1 -f -) or POSIX::_exit(127);
    }
    $in->autoflush(1);
    binmode $_, ':utf8' for $in, $out;
    return [$in, $out, $pid, $says];
}

# What psql has said since the last look, warnings most of all. The file has one place for both processes: it is put back.
sub said {
    my ($session) = @_;
    my $says = $session->[3];
    return '' if !-s $says;
    seek $says, 0, 0;
    local $/ = undef;
    my $text = <$says>;
    truncate $says, 0;
    seek $says, 0, 0;
    return $text;
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

# Its last words.
sub end_of {
    my ($session) = @_;
    local $?;
    close $session->[0];
    waitpid $session->[2], 0;
    return said($session);
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# A provider that plays recorded answers, on the loopback address. Its answers are files of one folder, as Apache::TestGenflow
# describes them ("RECORDED ANSWERS"). A request that none of them is for is answered with 400 and written to a log.
#
#     my @wrong = Apache::TestGenflow::Recorded::faults($folder);
#     my ($pid, $port) = Apache::TestGenflow::Recorded->start($folder, $log);       # ends on TERM

package Apache::TestGenflow::Recorded;

use strict;
use warnings;

use IO::Socket::INET ();
use POSIX ();

use constant { BODY_MAX => 64 << 20, PATIENCE => 30 };

# Each answer of the folder: { file, method, path (a pattern), status, type, headers, body, wrong }, in the order of their names.
sub answers {
    my ($folder) = @_;
    return map { read_answer($folder, $_) } sort glob "$folder/*.answer";
}

sub read_answer {
    my ($folder, $file) = @_;
    my ($head, $body) = split /\r?\n\r?\n/, slurp($file), 2;
    my ($request, $status, @headers) = split /\r?\n/, $head // '';
    my %answer = (file => $file =~ s{.*/}{}r, headers => [map { /\A([\w-]+):\s*(.*)\z/ ? "$1: $2" : () } @headers]);
    return { %answer, wrong => 'its first line must be a method and a path, as in `POST /v1/images`' }
        if ($request // '') !~ m{\A([A-Z]+) (/\S*)\z};
    @answer{qw(method path)} = ($1, join '.*', map { quotemeta } split /\*/, $2, -1);
    return { %answer, wrong => 'its second line must be a status and a type, as in `200 application/json`' }
        if ($status // '') !~ m{\A([1-5]\d\d) (\S+/\S+)\z};
    @answer{qw(status type)} = ($1, $2);
    $answer{body} = $body // '';
    if ($answer{body} =~ m{\A<\s*([\w.-]+)\s*\z}) {
        my $picture = "$folder/$1";
        return { %answer, wrong => "there is no $picture" } if !-e $picture;
        $answer{body} = slurp($picture);
    }
    elsif ($answer{body} =~ m{(https?:\\?/\\?/(?!\{base\})[^\s"'<>]+)}) {
        return { %answer, wrong => "it names $1, which a test must not fetch: put that file into the folder, with an answer for it, "
                . 'and write {base}/... here' };
    }
    return \%answer;
}

# What is wrong with the answers of this folder, one text each.
sub faults {
    my ($folder) = @_;
    my @answers = answers($folder);
    return "$folder has no file *.answer" if !@answers;
    return map { defined $_->{wrong} ? "$folder/$_->{file}: $_->{wrong}" : () } @answers;
}

# Starts it: its pid and its port.
sub start {
    my ($class, $folder, $log) = @_;
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 64, ReuseAddr => 1)
        or die "no free port: $!\n";
    my @answers = answers($folder);
    my $pid = fork // die "fork: $!\n";
    return ($pid, $socket->sockport) if $pid;

    $0 = "recorded answers of $folder";
    POSIX::setsid();
    local $SIG{CHLD} = 'IGNORE';
    @SIG{qw(TERM INT HUP)} = (sub { POSIX::_exit(0) }) x 3;
    while (1) {
        my $client = $socket->accept or next;
        my $worker = fork // next;
        next if $worker;
        alarm PATIENCE;
        eval { serve($client, $folder, $log, \@answers); 1 };
        POSIX::_exit(0);
    }
}

# One request, then the connection is closed.
sub serve {
    my ($client, $folder, $log, $answers) = @_;
    local $/ = "\r\n";
    my ($method, $target) = (<$client> // '') =~ m{\A(\S+) (\S+) HTTP/1} or return;
    my %header;
    while (my $line = <$client>) {
        last if $line eq "\r\n";
        $header{ lc $1 } = $2 if $line =~ /\A([^:\s]+):\s*(.*?)\r\n\z/;
    }
    print $client "HTTP/1.1 100 Continue\r\n\r\n" if ($header{expect} // '') =~ /100-continue/i;
    skip_body($client, \%header);

    my $path = $target =~ s/\?.*//sr;
    my ($answer) = grep { $_->{method} eq $method && $path =~ m{\A$_->{path}\z} } @$answers;
    append($log, "$method $path: " . ($answer ? $answer->{file} : "no answer is recorded in $folder") . "\n");
    $answer //= { status => 400, type => 'text/plain', headers => [], body => "no answer is recorded for $method $path\n" };
    my $body = $answer->{type} =~ m{\A(?:text/|application/json)} ? $answer->{body} =~ s{https?://\{base\}|\{base\}}{http://$header{host}}gr
        : $answer->{body};
    print $client "HTTP/1.1 $answer->{status} Recorded\r\nContent-Type: $answer->{type}\r\nContent-Length: ", length $body,
        "\r\nConnection: close\r\n", (map { "$_\r\n" } @{ $answer->{headers} }), "\r\n", $method eq 'HEAD' ? '' : $body;
    close $client;
    return;
}

sub skip_body {
    my ($client, $header) = @_;
    my $left = $header->{'content-length'} // 0;
    die "too large\n" if $left > BODY_MAX;
    while ($left > 0) {
        my $read = read $client, my $part, $left < 65536 ? $left : 65536;
        last if !$read;
        $left -= $read;
    }
    return if ($header->{'transfer-encoding'} // '') !~ /chunked/i;
    while (defined(my $size = <$client>)) {
        my $bytes = hex $size =~ s/[;\r\n].*//sr;
        last if !$bytes;
        read $client, my $part, $bytes + 2;
    }
    return;
}

sub append {
    my ($path, $text) = @_;
    open my $file, '>>', $path or return;
    syswrite $file, $text;
    close $file;
    return;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/ = undef;
    return <$file> // '';
}

1;

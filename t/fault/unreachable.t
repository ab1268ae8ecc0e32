#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A provider whose name does not resolve, or whose server does not speak TLS, never got the request: it is
# retried by the rules, then the generation fails and nothing is charged. The key is not
# sent.
use Genflow::Fault;
use Genflow::Test;
use IO::Socket::INET;

my $heard = "$ENV{GENFLOW_WORK}/tmp/unreachable-heard";
my ($port, $listener) = start_listener();

my @CASES = (
    # type, address of its provider, the test's name
    ['no-name', 'http://provider.invalid',  'a name that does not resolve'],
    ['no-tls',  "https://127.0.0.1:$port",  'a server without TLS'],
);

expect_log 'GF0205';

sql("SELECT genflow.create_type(:'type')", type => $_->[0]) for @CASES;
ok configure(join '', map { section(@$_) } @CASES), 'providers that cannot be reached';

for my $case (@CASES) {
    my ($type, undef, $name) = @$case;
    my $user = account(10);
    my $job  = data(generate($user, { type => $type }));
    is $job->{errorCode}, 'MAX_RETRIES_EXCEEDED', "$name: every attempt fails";
    like $job->{causeCode}, qr/\A(?:NETWORK_ERROR|TIMEOUT)\z/, '... because of the network';
    is sql1("SELECT count(*) FROM genflow.attempts WHERE job_id = :'id'", id => $job->{id}), 3,
        '... as often as it may';
    credits_are $user, 10, 0, '... for nothing';
}
kill TERM => $listener;
waitpid $listener, 0;
my $text = do { open my $file, '<:raw', $heard or die "$heard: $!\n"; local $/; <$file> };
cmp_ok length $text, '>', 0, 'the server without TLS was called';
unlike $text, qr/Bearer|$ENV{STABILITY_API_KEY}|POST/, '... and learns nothing';

ok configure(''), 'the providers are taken out again';

sub section {
    my ($type, $url) = @_;
    return <<"END";
<GenflowProvider $type>
    GenflowProviderKind stability
    GenflowProviderUrl $url
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderConnectTimeout 1s
    GenflowProviderBackoff 50ms
</GenflowProvider>
<GenflowType $type>
    GenflowTypeProviders $type/sd3
    GenflowTypeRetries 2
</GenflowType>
END
}

# Port and pid of somebody who writes down what he hears and answers in plain text.
sub start_listener {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 5)
        or die "no listener: $!\n";
    my $pid = fork // die "fork: $!\n";
    return ($socket->sockport, $pid) if $pid;
    open my $file, '>:raw', $heard or die "$heard: $!\n";
    $file->autoflush(1);
    while (my $client = $socket->accept) {
        sysread $client, my $bytes, 4096;
        print $file $bytes;
        print $client "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        close $client;
    }
    POSIX::_exit(0);
}

finish;

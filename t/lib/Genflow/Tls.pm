# SPDX-License-Identifier: Apache-2.0
#
# A port with TLS for an httpd of a test, and clients of it.
#
#     my $tls = Genflow::Tls->new or plan(skip_all => 'there is no mod_ssl, or no openssl');
#     my $httpd  = wait_site(4, $tls->lines);
#     my $client = $tls->connection->request('/api/health', $user);      # a Genflow::Wait
#     kill TERM => $client->{pid};                                       # it leaves
#     system 'curl', '-k', $tls->base . '/api/health';

package Genflow::Tls;

use strict;
use warnings;

use POSIX ();
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);

use Genflow::Site ();
use Genflow::Wait ();

# undef: this machine has not what it takes.
sub new {
    my ($class) = @_;
    my $module = "$ENV{GENFLOW_LIBEXEC}/mod_ssl.so";
    my $key    = "$ENV{GENFLOW_WORK}/tmp/tls-$$.pem";
    -e $module && 0 == system 'openssl req -x509 -newkey rsa:2048 -nodes -days 1'
        . " -subj /CN=localhost -keyout '$key' -out '$key.crt' >/dev/null 2>&1"
        or return;
    return bless { module => $module, key => $key, port => Genflow::Site::free_port() }, $class;
}

sub port { return $_[0]{port} }

sub base { return "https://127.0.0.1:$_[0]{port}" }

# For the configuration of an httpd.
sub lines {
    my ($self) = @_;
    return <<"END";
LoadModule ssl_module $self->{module}
SSLSessionCache none
Listen 127.0.0.1:$self->{port}
<VirtualHost 127.0.0.1:$self->{port}>
    SSLEngine on
    SSLCertificateFile "$self->{key}.crt"
    SSLCertificateKeyFile "$self->{key}"
</VirtualHost>
END
}

# A connection: a process of openssl holds it and passes on what it reads as long as we read.
sub connection {
    my ($self) = @_;
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!\n";
    defined(my $pid = fork) or die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<&', $theirs or POSIX::_exit(127);
        open STDOUT, '>&', $theirs or POSIX::_exit(127);
        open STDERR, '>', '/dev/null' or POSIX::_exit(127);
        exec qw(openssl s_client -quiet -connect), "127.0.0.1:$self->{port}" or POSIX::_exit(127);
    }
    close $theirs;
    return bless { socket => $ours, bytes => '', pid => $pid }, 'Genflow::Wait';
}

1;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Thumbnails of a virtual host, many of them at once over HTTP/2, and a graceful restart while thumbnails
# are drawn: each comes in the end, no generation notices, and nothing stays in the spool.
use Genflow::Fault;
use Genflow::Test;

use Genflow::Httpd ();
use Genflow::Site ();

my $HTTP2 = -f "$ENV{GENFLOW_LIBEXEC}/mod_http2.so" && $ENV{GENFLOW_MPM} ne 'prefork';
my $COUNT = 8;

configure("GenflowStoreThumbnail On\n");
my $user = account(200);

# ---- a graceful restart amid drawing ----

my @ids = make($COUNT);
ok restart_httpd('USR1'), 'httpd is restarted gracefully while thumbnails are drawn';
is_deeply [map { status_of($user, $_, 'sketch')->{status} } @ids], [('completed') x $COUNT], '... all generations stay completed';
credits_are $user, 200 - 2 * $COUNT, 0, '... and are charged once';
is join(' ', grep { $_ ne '200 image/webp' } map { thumbnail($_) } @ids), '', '... and each has its thumbnail at a request';
is join(' ', map { spooled($_) } @ids), '', '... and nothing stays in the spool';

# ---- a virtual host, HTTP/2 ----

my $port  = Genflow::Site::free_port();
my $load  = $HTTP2 ? qq(LoadModule http2_module "\${GENFLOW_LIBEXEC}/mod_http2.so"\n) : '';
my $h2    = $HTTP2 ? "Protocols h2c http/1.1\n" : '';
my $httpd = Genflow::Httpd->start(<<"END");
${load}Include "\${GENFLOW_WORK}/t/conf/database.conf"
GenflowDispatch Off
GenflowStoreFolder "\${GENFLOW_WORK}/store"
<GenflowProvider local>
</GenflowProvider>
<GenflowType sketch>
    GenflowTypeProviders local
</GenflowType>
Listen 127.0.0.1:$port
<VirtualHost 127.0.0.1:$port>
    ServerName pictures.example
    $h2
    <Location "/generated">
        SetHandler genflow-result
        Require all granted
    </Location>
</VirtualHost>
END
for my $id (@ids) {
    unlink thumbnail_of($id) or die $!;
}
my @paths = map { path_of($_) } @ids;
my $elsewhere = HTTP::Tiny->new->get($httpd->base . $paths[0]);
like $elsewhere->{status}, qr/\A40[34]\z/, 'another host of the site serves none';
ok !-e thumbnail_of($ids[0]), '... and makes none';
my @said = ('curl', qw(--no-progress-meter -Z --parallel-immediate --parallel-max 20 -w), '%{http_code} %{content_type} %{http_version}\n',
    ($HTTP2 ? '--http2-prior-knowledge' : ()), map { ('-o', '/dev/null', "http://127.0.0.1:$port$_") } @paths, @paths);
my @got = fetch(@said);
is scalar @got, 2 * $COUNT, 'a virtual host is asked for many at once';
my $version = $HTTP2 ? '2' : '1.1';
is join("\n", grep { !m{\A200 image/(?:webp|png) \Q$version\E\z} } @got), '', "... over HTTP/$version: each is a thumbnail, or the picture for now";
cmp_ok scalar(grep { m{webp} } @got), '>', 0, '... some are thumbnails';
my $all = wait_for { !grep { !m{webp} } fetch(@said) };
ok $all, '... and in the end all';
is scalar(() = $httpd->log_text =~ /GF0790/g), $COUNT, '... each made once';
is join(' ', map { spooled($_) } @ids), '', '... and nothing stays in the spool';
is $httpd->alarms, '', '... and nothing is wrong';

configure('');
finish;

# The ids of so many completed generations.
sub make {
    my ($count) = @_;
    return in_parallel($count, sub {
        return data(generate($user, { type => 'sketch', prompt => "site $_[0]" }, Prefer => 'wait=30'))->{id};
    }, $count);
}

sub thumbnail_of { return picture_file($_[0], 'sketch') =~ s/\.png\z/-384.webp/r }
sub path_of      { return '/generated' . (thumbnail_of($_[0]) =~ s{\A\Q$ENV{GENFLOW_WORK}\E/store}{}r) }
sub spooled      { return glob "$ENV{GENFLOW_WORK}/store/.spool/$_[0]*" }

# Status and type of its thumbnail, once that is no picture in its place.
sub thumbnail {
    my ($id) = @_;
    my $res;
    wait_for { ($res = api(GET => path_of($id)))->{headers}{'content-type'} ne 'image/png' };
    return "$res->{status} $res->{headers}{'content-type'}";
}

sub fetch {
    my @command = @_;
    open my $curl, '-|', @command or die "curl: $!\n";
    chomp(my @lines = <$curl>);
    close $curl;
    return @lines;
}

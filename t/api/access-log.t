#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# conf/genflow-log.conf: the access log names the generation, and carries neither prompt nor query.
use Genflow::Httpd;
use Genflow::Test;

my $log   = "$ENV{GENFLOW_WORK}/t/logs/genflow-access-$$.log";
my $httpd = Genflow::Httpd->start(<<"END");
Include "\${GENFLOW_WORK}/t/conf/test.conf"
Include "\${GENFLOW_WORK}/conf/genflow-log.conf"
GenflowDispatch Off
CustomLog "$log" genflow
END
talk_to $httpd;
my $user = account(10);
my $made = data(generate($user, { type => 'neo-glitch', prompt => 'a lighthouse' }));
is $made->{status}, 'completed', 'a picture is made';
api(GET => "/api/generation/$made->{id}?names=both", user => $user);
api(GET => '/api/me', user => $user);
my $written = wait_for { lines() >= 3 };
ok $written, 'requests are logged';
my @lines = lines();
my ($post) = grep { /"POST / } @lines;
like $post, qr/ id=\Q$made->{id}\E type=neo-glitch provider=stability cost=1 outcome=completed key=-\z/,
    'a line has id, type, provider, cost and outcome';
like $post, qr/ request=\S{16,} /, '... and the id in the error log';
my ($get) = grep { m{"GET /api/generation/} } @lines;
like $get, qr{"GET /api/generation/\Q$made->{id}\E HTTP/1\.1" 200 .* id=\Q$made->{id}\E }, 'so has the one of a look';
my ($me) = grep { m{"GET /api/me } } @lines;
like $me, qr/ id=- type=- provider=- cost=- outcome=- key=-\z/, 'another request names none';
is_deeply [grep { /lighthouse|names=/ } @lines], [], 'no line has a prompt or a query';
$httpd->stop;
unlink $log or die "$log: $!\n";

finish;

sub lines {
    open my $file, '<', $log or return;
    chomp(my @all = <$file>);
    return @all;
}

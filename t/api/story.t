#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# genflow-doctor story ID joins what the database, the error log and the access log of a generation
# know, in order of time, whatever the time zone of the logs is.
use Genflow::Httpd qw(small_site);
use Genflow::Test;

my $DOCTOR = "$ENV{GENFLOW_WORK}/support/genflow-doctor";
my $ACCESS = "$ENV{GENFLOW_WORK}/tmp/story-access-$$";
my $TYPE   = 'story';
my $user   = account(10);

local $ENV{TZ} = 'JST-9';
my $site = Genflow::Httpd->start(small_site($TYPE) . <<"END");
Include "\${GENFLOW_WORK}/t/conf/api.conf"
CustomLog "$ACCESS" "%h %l %u %t \\"%r\\" %>s %b"
END
talk_to($site);
my $id    = later($user, { type => $TYPE, prompt => "{{delay=1500}} [$user]" });
my $other = later($user, { type => $TYPE });
is api(GET => "/api/generation/$id", user => $user)->{status}, 200, 'a generation is read while it is made';
is ended($user, $id, $TYPE)->{status}, 'completed', '... and completes';
ended($user, $other, $TYPE);
is api(GET => "/api/generation/$id/nothing", user => $user)->{status}, 404, '... and somebody asks for more';
my $read = wait_for { Genflow::Site::read_text($ACCESS) =~ m{$id/nothing} };
ok $read, '... which the access log has';

my @logs = ('--error-log', $site->{log}, '--access-log', $ACCESS);
my ($code, $says) = doctor('story', $id, @logs);
is $code, 0, 'its story is printed' or diag $says;
my @lines = $says =~ /^  (\d{4}-\S+ .*)$/mg;
is_deeply \@lines, [sort { (split / /, $a)[0] cmp (split / /, $b)[0] } @lines], '... in order of time';
like join("\n", @lines), qr{
    database:\ requested:\ $TYPE .*
    ^\S+\ error\ log:\ .*GF0502:\ job=$id .*
    ^\S+\ database:\ capture: .*
    ^\S+\ error\ log:\ .*GF0405:\ job=$id .*
    ^\S+\ access\ log:\ .*"GET\ /api/generation/$id/nothing
}xms, '... of all three' or diag $says;
like $says, qr{access log: .*"GET /api/generation/$id }, '... with what was read meanwhile';
unlike $says, qr/$other/, '... and nothing of another generation';
my @at = sort map { /^(\d{4}-\d\d-\d\dT\d\d)/ } @lines;
my ($first, $last) = map { /T(\d\d)/ } @at[0, -1];
ok +($last - $first) % 24 <= 1, '... by one clock: the logs are in another time zone than the database' or diag $says;
unlike $says, qr/^  unknown/m, '... and each line has its time';

($code, $says) = doctor('story', $id);
like $says, qr/not joined: error logs.*not joined: access logs/s, 'without logs it says what is missing';
($code, $says) = doctor('story', 'deadbeef-0000-4000-8000-000000000000', @logs);
is $code, 1, 'an unknown generation is a fault';
like $says, qr/there is no such generation/, '... by its name';

talk_to(undef);
$site->stop;
finish;

sub doctor {
    my @arguments = @_;
    open my $pipe, '-|', 'sh', '-c', 'exec "$0" "$@" 2>&1', $DOCTOR, @arguments or die "sh: $!\n";
    local $/ = undef;
    my $text = <$pipe>;
    close $pipe;
    return ($? >> 8, $text);
}

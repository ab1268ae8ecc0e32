#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The second system's page without sign-in, by the section that conf/genflow-legacy.conf shows: visitors
# are users by their addresses, with first credits and limits. A job that fails has the members that
# the page reads; its administrator lists and clears jobs below the same address.
use Genflow::Admin qw(signed_in);
use Genflow::Test;

use Genflow::Database ();
use Genflow::Httpd ();

my $JSON = JSON::PP->new->canonical;
my $db   = Genflow::Database->new;
$ENV{PGDATABASE} = $db->name;

my $file = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-legacy.conf");
$db->sql(q(SELECT genflow.admin_amounts('initial=10')));
my $section = join '', map { "$_\n" } $file =~ /^#     (GenflowCreditInitial.*|GenflowLimit.*)$/mg;
$section .= join '', map { s/^#     //mgr } $file =~ m{^(#     <Location "/api(?:/admin)?">\n.*?^#     </Location>\n)}msg;
$section =~ s{"conf/genflow-users"}{"\${GENFLOW_WORK}/t/conf/users"};
is scalar(() = $section =~ /GenflowUser "guest-|SetHandler genflow-admin|GenflowLimitAddressRate 5/g), 3,
    'the file shows how visitors are users';
my $httpd = Genflow::Httpd->start(<<"END");
Include "\${GENFLOW_WORK}/t/conf/database.conf"
LoadModule remoteip_module "\${GENFLOW_LIBEXEC}/mod_remoteip.so"
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
StartServers 1
GenflowStoreFolder "\${GENFLOW_WORK}/tmp/guests-$$"
GenflowDispatchPoll 50ms
<GenflowProvider stability>
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderPoll 50ms
</GenflowProvider>
<GenflowType custom-prompt>
    GenflowTypeProviders stability/sd3
    GenflowTypeCost 2
    GenflowTypePromptMin 10
</GenflowType>
$section
<Location "/generated">
    SetHandler genflow-result
</Location>
END
talk_to($httpd);

# ---- a visitor, from the request to the picture ----

my %mood  = (mood => 'calm', duration => 90, motifTags => ['sea'], stylePreset => 'abstract-oil', seed => 7);
my $visitor = guest('192.0.2.7');
my $res = $visitor->{call}->(POST => 'image/generate', \%mood);
is_deeply [$res->{status}, @{ data($res) }{qw(status message)}], [202, 'queued', 'Image generation started'],
    'a visitor without sign-in makes a picture' or diag $res->{content};
my $job = $visitor->{poll}->(data($res)->{jobId});
is $job->{status}, 'succeeded', '... polls it' or diag $JSON->encode($job);
is $visitor->{get}->($job->{resultUrl})->{status}, 200, '... and sees it';
credits_are $visitor->{name}, 8, 0, '... for its price, of the first credits';
is guest('192.0.2.8')->{call}->(GET => "job/$job->{id}")->{status}, 403, "another visitor's job is another's";

# ---- of IPv6, a network of 64 bits is one visitor ----

my @of_network = map { guest($_) } qw(2001:db8:1:2::7 2001:db8:1:2:ffff::8 2001:db8:1:2:3:4:5:6);
$_->{call}->(GET => 'getQuota') for @of_network;
is_deeply [map { data($_->{call}->(GET => 'getQuota'))->{currentBalance} } @of_network], [10, 10, 10],
    'visitors of one network have the first credits';
my $of_six = data($of_network[0]{call}->(POST => 'image/generate', \%mood))->{jobId};
is $of_network[1]{poll}->($of_six)->{status}, 'succeeded', 'another address of the network has the same jobs';
is_deeply [map { data($_->{call}->(GET => 'getQuota'))->{currentBalance} } @of_network], [8, 8, 8],
    '... and they have the first credits together';
is data(guest('2001:db8:1:3::7')->{call}->(GET => 'getQuota'))->{currentBalance}, 10, 'another network is another visitor';
is data(guest('::ffff:192.0.2.7')->{call}->(GET => 'getQuota'))->{currentBalance}, 8,
    'an IPv4 address is the same visitor over IPv6';

# ---- a job that fails ----

scripted('{{status=400}}');
my %bad = (%mood, mood => 'wild');
$job = $visitor->{poll}->(data($visitor->{call}->(POST => 'image/generate', \%bad))->{jobId});
is $job->{status}, 'failed', 'a job fails';
is_deeply $job->{input}, \%bad, '... its input is what was sent, to be sent again';
is_deeply $job->{inputSummary}, { mood => $bad{mood}, duration => 90, stylePreset => 'abstract-oil', seed => 7 },
    '... with its summary';
is_deeply [@$job{qw(errorCode provider model retryCount maxRetries result resultUrl)}],
    ['API_ERROR', 'stability', 'sd3', 0, 3, undef, undef], '... and what was tried';
ok $job->{error} && $job->{error} eq $job->{errorMessage} && !ref $job->{error}, '... why, for people';
ok $job->{createdAt} && $job->{startedAt} && $job->{finishedAt}, '... and when';
credits_are $visitor->{name}, 8, 0, '... which costs nothing';
my $again = $visitor->{poll}->(data($visitor->{call}->(POST => 'image/generate', $job->{input}))->{jobId});
is_deeply [$again->{status}, $again->{input}], ['failed', \%bad], 'its input posted again is a further job';
isnt $again->{id}, $job->{id}, '... of its own';

# ---- 3 at once, 5 a minute ----

scripted("{{gate=eager-$$}}");
my $eager = guest('192.0.2.9');
my @jobs  = map { data($eager->{call}->(POST => 'image/generate', { mood => "eager $_" }))->{jobId} } 1 .. 3;
is scalar(grep { defined } @jobs), 3, 'a visitor has three jobs at once';
$res = $eager->{call}->(POST => 'image/generate', { mood => 'eager 4' });
is_deeply [$res->{status}, data($res)->{error}], [429, 'TOO_MANY_CONCURRENT'], '... and no fourth';
like data($res)->{message}, qr/too many generations at once/, '... which the answer says for people, too';
ok $res->{headers}{'retry-after'}, '... and when to come again';
is $eager->{call}->(POST => 'image/generate', { mood => '' })->{status}, 400, 'a fifth request counts';
$res = $eager->{call}->(POST => 'image/generate', { mood => 'eager 6' });
is_deeply [$res->{status}, data($res)->{error}], [429, 'RATE_LIMIT'], '... and the sixth of a minute is one too many';
like data($res)->{message}, qr/Too many requests/, '... as the answer says';
is_deeply [grep { $_ != 200 } map { $eager->{call}->(GET => "job/$jobs[0]")->{status} } 1 .. 8], [], 'polling has no limit';
is guest('192.0.2.10')->{call}->(POST => 'image/generate', { mood => 'another' })->{status}, 202, 'another visitor has limits of his own';

# ---- administration below the same address ----

my %ADMIN = (headers => { %{ signed_in('admin') }, 'X-Client' => '192.0.2.1' });
is api(GET => '/api/admin/jobs')->{status}, 401, 'a visitor does not administer';
my $list;
# 503 says to come again, when the database is slow
wait_for { ($list = data(api(GET => '/api/admin/jobs', %ADMIN)))->{jobs} };
is $list->{count}, scalar @{ $list->{jobs} }, 'an administrator lists jobs and their number';
cmp_ok $list->{count}, '>=', 6, '... of all visitors';
is_deeply [grep { $_->{status} !~ /\A(?:queued|running|succeeded|failed)\z/ } @{ $list->{jobs} }], [], '... in the states of job/{id}';
my ($shown) = grep { $_->{id} eq $job->{id} } @{ $list->{jobs} };
delete @$job{qw(success ok)};
is_deeply { %$shown, user => undef }, { %$job, user => undef }, '... each as job/{id} shows it';
is data(api(DELETE => '/api/admin/jobs', %ADMIN))->{message}, 'All jobs cleared', 'and clears them';
my $gone = $eager->{poll}->($jobs[0]);
is $gone->{status}, 'failed', '... a job that was cancelled has failed for its page';
like $gone->{error}, qr/cancelled/, '... and says why';
credits_are $eager->{name}, 10, 0, '... for nothing';
open_gate("eager-$$");
is_deeply [broken_rules()], [], 'the books are sound';
talk_to();
undef $httpd;

finish;

# What the fake provider does with pictures from now on: no text of a visitor can say that.
sub scripted {
    my ($script) = @_;
    sql("UPDATE genflow.compositions SET template = split_part(template, ' {{', 1) || ' ' || :'script' WHERE name = 'image'",
        script => $script);
    return;
}

# A visitor from that address: calls below the address of the API.
sub guest {
    my ($address) = @_;
    my %guest = (name => "guest-$address");
    $guest{get} = sub {
        my ($path) = @_;
        return api(GET => $path =~ s{\Ahttp://[^/]+}{}r, headers => { 'X-Client' => $address });
    };
    $guest{call} = sub {
        my ($method, $path, $json) = @_;
        return api($method => "/api/$path", headers => { 'X-Client' => $address }, $json ? (json => $json) : ());
    };
    $guest{poll} = sub {
        my ($id) = @_;
        my $reply;
        wait_for {
            $reply = data($guest{call}->(GET => "job/$id"));
            $reply->{status} !~ /\A(?:queued|running)\z/;
        };
        return $reply;
    };
    return \%guest;
}

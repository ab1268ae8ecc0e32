#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Every block of docs/manual that is marked as one that runs does so as it stands there, but for the host and the database, and
# prints what the page says. Receivers of webhooks take ours and refuse others. A language whose interpreter is missing is skipped.
use Genflow::Test;

use Genflow::Database ();
use Genflow::Httpd ();
use Genflow::Pages;
use Genflow::Site ();

# The site of the pages: the shipped types, drawn here, in a database of its own.
my $db = Genflow::Database->new;
grant_all($db);
local $ENV{FAL_KEY} = 'of no use';      # what is drawn here needs none; without one the types are closed, which is logged
my $port  = Genflow::Site::free_port();
my $httpd = Genflow::Httpd->start(<<"END" =~ s/\$\{PGDATABASE\}/$db->name/ger);
@{[ Genflow::Site::read_text("$ENV{GENFLOW_WORK}/t/conf/database.conf") ]}
StartServers 1
GenflowStoreFolder "\${GENFLOW_WORK}/tmp/manual-store-$$"
GenflowPublicUrl "http://127.0.0.1:$port/api"
GenflowFetchAllow 127.0.0.1
GenflowSourceAllow 127.0.0.1
GenflowWebhookAllow http://127.0.0.1
GenflowWebhookSecret env:WEBHOOK_SECRET
GenflowDispatchPoll 100ms
Listen 127.0.0.1:$port
Include "\${GENFLOW_WORK}/conf/genflow-types.conf"
<GenflowType custom-prompt>
    GenflowTypeProviders local/film
</GenflowType>
<GenflowType neo-glitch>
    GenflowTypeProviders local/glitch
</GenflowType>
<Location "/api">
    SetHandler genflow-api
    AuthType Basic
    AuthName pictures
    AuthBasicProvider genflow file
    AuthUserFile "\${GENFLOW_WORK}/t/conf/users"
    Require valid-user
    <If "%{HTTP:Authorization} =~ m#^Bearer #">
        AuthType GenflowKey
    </If>
</Location>
<Location "/generated">
    SetHandler genflow-result
</Location>
Include "\${GENFLOW_WORK}/t/conf/admin.conf"
END
my $base = "http://127.0.0.1:$port";
ok wait_for { my $res = get("$base/api/health"); $res->{status} == 200 }, 'the site is there';

$db->sql("SELECT genflow.grant_credits('alice', 1000, 'for a test', NULL)");
my $made = data(HTTP::Tiny->new->post("$base/api/keys", { content => '{"name":"guide","scopes":["images","read"]}',
    headers => { 'Content-Type' => 'application/json', Authorization => 'Basic YWxpY2U6c2VjcmV0' } }));
local $ENV{GENFLOW_KEY}            = $made->{key};
local $ENV{ADMIN_PASSWORD}         = 'secret';
local $ENV{ALICE_PASSWORD}         = 'secret';
local $ENV{PGDATABASE}             = $db->name;
local $ENV{GENFLOW_WEBHOOK_SECRET} = data(get("$base/api/webhook-secret", $made->{key}))->{secret};

for my $page (map { s{\A\Q$ENV{GENFLOW_WORK}\E/}{}r } sort glob "$ENV{GENFLOW_WORK}/docs/manual/*.md") {
    my $folder = "$ENV{GENFLOW_WORK}/tmp/manual-$$-" . ($page =~ s{.*/|\.md}{}gr);
    mkdir $folder or die "$folder: $!\n";
    run_block($page, $folder, $_) for grep { $_->{use} eq 'run' } blocks($page);
}
is $httpd->alarms, '', 'nothing was wrong with that';
is $db->sql('SELECT count(*) FROM genflow.check()'), 0, 'the books of the site are sound';
$httpd->stop;
finish;

sub run_block {
    my ($page, $folder, $block) = @_;
    my ($name, $language) = @$block{qw(name language)};
  SKIP: {
        skip "$page, $name: there is no interpreter of $language here", 1 if !has_interpreter($language);
        my $text = ours($block->{text});
        return receiver_works($page, $name, $language, $text, $folder) if $name =~ /\Areceiver/;
        my ($code, $said) = run_program($language, $text, $folder);
        my $good = $code == 0 && (!defined $block->{prints} || $said =~ printed(ours($block->{prints})));
        ok $good, "$page, $name runs and prints what the page says" or diag "exit code $code, and it prints:\n$said";
    }
    return;
}

# The page's host and database are those of the test.
sub ours {
    my ($text) = @_;
    my $name = $db->name;
    return $text =~ s{https://images\.example}{$base}gr =~ s{\bdbname=genflow\b}{dbname=$name}gr =~ s{\bpsql genflow\b}{psql -XqAt $name}gr;
}

sub receiver_works {
    my ($page, $name, $language, $text, $folder) = @_;
    my $receiver = Genflow::Site::free_port();
    local $ENV{PORT} = $receiver;
    my ($pid, $out) = start_program($language, $text, $folder, $language eq 'php' ? ('-S', "127.0.0.1:$receiver") : ());
    ok wait_for { get("http://127.0.0.1:$receiver/")->{status} != 599 }, "$page, $name listens";
    my $forged = HTTP::Tiny->new->post("http://127.0.0.1:$receiver/", { content => '{"id":"forged","status":"completed"}',
        headers => { 'webhook-id' => 'forged', 'webhook-timestamp' => time, 'webhook-signature' => 'v1,AAAA' } });
    is $forged->{status}, 401, '... refuses what we did not sign';
    my $res = HTTP::Tiny->new->post("$base/api/custom-prompt/generate", {
        headers => { Authorization => "Bearer $ENV{GENFLOW_KEY}", 'Content-Type' => 'application/json' },
        content => qq({"prompt":"a lighthouse over a neon city","webhookUrl":"http://127.0.0.1:$receiver/receiver"}) });
    my $id = data($res)->{id} // diag $res->{content};
    my $said = '';
    while ($said !~ /\b$id completed\b/ && defined(my $line = <$out>)) { $said .= $line }     # it is answered before it is printed
    ok wait_for { $db->sql("SELECT count(*) FROM genflow.deliveries WHERE job_id = '$id'") == 0 }, '... takes what we did';
    kill TERM => $pid;
    local $/ = undef;
    $said .= <$out> // '';
    close $out;
    like $said, qr/\b$id completed\b/, '... and prints it';
    unlike $said, qr/forged completed/, '... and nothing else';
    return;
}

sub get {
    my ($url, $key) = @_;
    return HTTP::Tiny->new(timeout => 10)->get($url, { headers => $key ? { Authorization => "Bearer $key" } : {} });
}

# sql/apply of the database knows the role of requests alone.
sub grant_all {
    my ($database) = @_;
    local $ENV{PGDATABASE} = $database->name;
    system("$ENV{GENFLOW_WORK}/sql/apply --role genflow_app --admin-role genflow_admin >/dev/null 2>&1") == 0 or die "sql/apply failed\n";
    return;
}

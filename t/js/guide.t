#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Each example of docs/api.md runs as it stands there, but for hosts and the port of the receiver, in the order of
# the page, with curl and with genflow.js: both print the same, and pay once for each picture.
use Genflow::Test;

use Genflow::Keys;
use Genflow::Pages;
use Genflow::Site ();
use Genflow::Webhooks;

plan skip_all => 'curl or jq is not installed: support/packages check' if system('curl --version >/dev/null && jq --version >/dev/null') != 0;
my $httpd = drawing_site(<<'END');
GenflowWebhookSecret env:WEBHOOK_SECRET
GenflowWebhookAllow http://127.0.0.1
GenflowSourceAllow 127.0.0.1
<Location "/api">
    SetHandler genflow-api
    AuthType GenflowKey
    Require valid-user
</Location>
END
my $user = account(40);
$ENV{GENFLOW_KEY} = new_key($user, scopes => ['images', 'read'])->{key};

my $ID    = '[0-9a-f]{8}-[0-9a-f-]{27}';
my %wants = (    # what both print
    'What there is' => qr/^custom-prompt costs 2, open\n(?:.*\n)?40 credits, 0 held\n\z/m,
    'Wait'          => qr{\Ahttp://\S+/generated/\S+\.png\n\z},
    'Poll'          => qr/\Acompleted\n\z/,
    'Stream'        => qr/\Acompleted\n\z/,
    'Webhook'       => qr/\A(?:true\n(?:pending|processing)|completed)\n\z/,
    'Idempotency'   => qr/\A($ID)\n\g1\n\z/,
    'Find again'    => qr/\A\Q[["sea"],true,"The one"]\E\n1\n\z/,
    'Errors'        => qr/\AVALIDATION_FAILED\nstrength\n\z/,
);
my %credits = ('What there is' => 0, 'Find again' => 0, 'Errors' => 0);    # of each; else 2
my %begin;
my @examples = grep { $_->{section} || !($begin{ $_->{language} } = $_->{text}) } programs_of('docs/api.md');
is_deeply [map { "$_->{section} $_->{language}" } @examples],
    [map { ("$_ sh", "$_ javascript") } 'What there is', qw(Wait Poll Stream Webhook Idempotency), 'Find again', 'Errors'],
    'each example is there with curl and with genflow.js';

my $balance = 40;
for my $example (@examples) {
    my ($section, $language) = @$example{qw(section language)};
    my $is_sh = $language eq 'sh';
    my $port  = Genflow::Site::free_port();
    my $hook  = $is_sh ? hook('ok', "$user-guide") : "http://127.0.0.1:$port/done";
    my $text  = $begin{$language} . $example->{text};
    $text =~ s{https://program\.example/done}{$hook};
    $text =~ s{listen\(8080\)}{listen($port)};
    unlike $text =~ s{https://images\.example}{}gr, qr{https://}, "$section, $language: it names our host alone";
    my $says = output_of({ %$example, text => $text }, $httpd->base) =~ s/^curl: \(22\) .*\n//mr;    # a refusal
    like $says, $wants{$section}, '... and prints what it should';
    is scalar(deliveries($hook, 1)), 1, '... and its webhook is delivered' if $section eq 'Webhook' && $is_sh;
    $balance -= $credits{$section} // 2;
    wait_for { credits($user)->[1] == 0 };
    credits_are $user, $balance, 0, '... for what it has made';
}
like Genflow::Site::read_text("$ENV{GENFLOW_WORK}/README.md"), qr{\Qdocs/api.md\E}, 'README leads there';
finish;

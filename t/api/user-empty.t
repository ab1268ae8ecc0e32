#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# GenflowUser is a user only if each of its variables has a value: an absent header does not make
# all clients the one user "site-".
use Genflow::Test;

use Genflow::Httpd qw(accepted refused small_site);

my $user = account();
my @VALUES = (    # expression, headers, the user
    ['site-%{HTTP:X-A}',            {},                              undef],
    ['site-%{HTTP:X-A}',            { 'X-A' => '' },                 undef],
    ['site-%{HTTP:X-A}',            { 'X-A' => '  ' },               undef],
    ['site-%{HTTP:X-A}',            { 'X-A' => $user },              "site-$user"],
    ['%{HTTP:X-A}@%{HTTP:X-B}',     { 'X-A' => $user },              undef],
    ['%{HTTP:X-A}@%{HTTP:X-B}',     { 'X-B' => 'b' },                undef],
    ['%{HTTP:X-A}@%{HTTP:X-B}',     { 'X-A' => $user, 'X-B' => 'b' }, "$user\@b"],
    ['u-%{tolower:ABC}-%{HTTP:X-A}', {},                             undef],
    ['u-%{tolower:ABC}-%{HTTP:X-A}', { 'X-A' => $user },             "u-abc-$user"],
    ['%{HTTP:X-A}}',                { 'X-A' => $user },              "$user}"],
    ["fixed-$user",                 {},                              "fixed-$user"],
);
my $text = small_site() . "GenflowDispatch Off\n";
for my $i (0 .. $#VALUES) {
    $text .= qq(<Location "/api$i">\nSetHandler genflow-api\nGenflowUser "$VALUES[$i][0]"\n</Location>\n);
}
my $httpd = Genflow::Httpd->start($text);
talk_to($httpd);
for my $i (0 .. $#VALUES) {
    my ($expression, $headers, $name) = @{ $VALUES[$i] };
    my $sent = join ', ', map { "$_: $headers->{$_}" } sort keys %$headers;
    grant($name, 7) if defined $name;
    my $res = api(GET => "/api$i/getQuota", headers => $headers);
    defined $name
        ? is(data($res)->{currentBalance}, 7, "$expression with ($sent) is $name")
        : error_is($res, 401, 'AUTHENTICATION_REQUIRED', "$expression with ($sent) is no user");
}
for my $broken ('%{HTTP:X', 'a%{b', '%{nothing:x}') {
    refused("GenflowUser $broken",
        qq(<Location "/x">\nSetHandler genflow-api\nGenflowUser "$broken"\n</Location>\n), 'GenflowUser');
}
$httpd->stop;
talk_to();
finish;

# SPDX-License-Identifier: Apache-2.0
#
# The tests' administrator, beside what Genflow::Test has.
#
#     my $res = admin(GET => '/jobs?limit=5');
#     my $res = admin(POST => '/credits', json => {...}, headers => {...});
#     fields_are($res, 'amount reason', 'each bad field is named');

package Genflow::Admin;

use strict;
use warnings;

use MIME::Base64 qw(encode_base64);
use parent 'Exporter';

use Genflow::Test;

our @EXPORT = qw(admin signed_in fields_are);

# A request below /admin by the administrator.
sub admin {
    my ($method, $path, %option) = @_;
    my %headers = (%{ $option{headers} // {} }, %{ signed_in('admin') });
    return api($method => "/admin$path", %option, headers => \%headers);
}

# The headers of a user of t/conf/users.
sub signed_in {
    my ($user) = @_;
    return { Authorization => 'Basic ' . encode_base64("$user:secret", '') };
}

# It was refused, and these fields are wrong.
sub fields_are {
    my ($res, $fields, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    error_is($res, 422, 'VALIDATION_FAILED', $sentence);
    return is join(' ', sort map { $_->{field} } @{ data($res)->{validationErrors} }),
        join(' ', sort split / /, $fields), "... by name: $fields";
}

1;

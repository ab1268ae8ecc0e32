# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the two-step calls share, beside Genflow::Test.
#
#     my $id  = made($user, { customPrompt => 'a shoe' });
#     my $res = start($user, $id, Prefer => 'respond-async');

package Genflow::TwoStep;

use strict;
use warnings;

use parent 'Exporter';

use Genflow::Test qw(api data);

our @EXPORT = qw(create made start one_step $IMAGE);

# A picture that can be fetched.
our $IMAGE = "$ENV{GENFLOW_FAKE}/_source/picture/1";

# POST generation/create: of a neo-glitch with one picture, unless the body says otherwise.
sub create {
    my ($user, $body, %headers) = @_;
    my $query = delete $headers{query} // '';
    return api(POST => "/api/generation/create$query", user => $user, headers => \%headers,
        json => { type => 'neo-glitch', productImages => [$IMAGE], %$body });
}

# The id of what it made.
sub made { return data(create(@_))->{data}{generationId} }

# POST generate of a generation that was made.
sub start {
    my ($user, $id, %headers) = @_;
    my $query = delete $headers{query} // '';
    return api(POST => "/api/generate$query", user => $user, headers => \%headers,
        json => { generationId => $id });
}

# POST generate of a body that says what to draw.
sub one_step {
    my ($user, $body, %headers) = @_;
    return api(POST => '/api/generate', user => $user, headers => \%headers, json => $body);
}

1;

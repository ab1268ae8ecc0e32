# SPDX-License-Identifier: Apache-2.0
#
# Runs the checks of an official client (t/clients/<name>.mjs, on t/clients/check.mjs) against the site.
# Each check is a test of the calling file. Without the client's package the file is skipped.
#
#     use Genflow::Test;
#     use Genflow::Clients;
#     run_client('fal', rich => account(50), poor => account(0));
#     finish;
#
# A front knows a user by an API key, [user, key], or where it is configured so by the user's name.

package Genflow::Clients;

use strict;
use warnings;

use Genflow::Tap;
use Genflow::Test;
use JSON::PP qw(encode_json);
use parent -norequire, 'Exporter';

our @EXPORT = qw(run_client);

# Name of the accounts in the checks => user, or [user, key]. Their keys are what Authorization names.
sub run_client {
    my ($name, %users) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    plan skip_all => 'the clients are not installed: support/check --clients'
        if !-d 't/clients/node_modules/' || system('node --version >/dev/null 2>&1') != 0;

    local $ENV{GENFLOW_SITE}  = base();
    local $ENV{GENFLOW_USERS} = encode_json({ map { $_ => (pair_of($users{$_}))[0] } keys %users });
    local $ENV{GENFLOW_KEYS}  = encode_json({ map { $_ => (pair_of($users{$_}))[1] } keys %users });
    my $checks = run_tap($name, 'node', "t/clients/$name.mjs");
    is_deeply [broken_rules()], [], 'the ledger is sound';
    return $checks;
}

sub pair_of { return ref $_[0] ? @{ $_[0] } : ($_[0], $_[0]) }

1;

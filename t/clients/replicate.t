#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The official client of Replicate, and the AI SDK's provider for it, get pictures from our front:
# each check is in t/clients/replicate.mjs.
use Genflow::Test;
use Genflow::Clients;
use Genflow::Keys qw(new_key);

use MIME::Base64 qw(encode_base64);

$ENV{GENFLOW_PNG} = encode_base64(png(64, 48), '');
my %users = (rich => account(200), poor => account(0), other => account(20), many => account(300));
expect_log 'GF0203';      # one prediction fails

# Their API keys, and some that may not do all.
my %pairs = map { $_ => [$users{$_}, new_key($users{$_})->{key}] } keys %users;
my %LESS = (reader => { scopes => ['read'] }, typed => { types => ['sketch'] },
    budgeted => { budget => { credits => 2, per => 'total' } }, revoked => {});
for my $name (keys %LESS) {
    my $key = new_key($users{rich}, %{ $LESS{$name} });
    $pairs{$name} = [$users{rich}, $key->{key}];
    api(DELETE => "/api/keys/$key->{id}", user => $users{rich}) if $name eq 'revoked';
}

# More than a page: they wait for a start that never comes.
api(POST => '/api/generation/create', user => $users{many},
    json => { type => 'sketch', productImages => [], customPrompt => 'one of many' }) for 1 .. 105;
run_client('replicate', %pairs);

# Keys are neither in the database nor in a log.
is_deeply [grep { /secret-of-r\d+/ } sql('SELECT parameters FROM public.neo_glitch_media')], [],
    'members of the input that are not known are not stored';
my $log = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/t/logs/error_log");
is_deeply [grep { index($log, $_) >= 0 } map { $_->[1] } values %pairs], [], '... and no log has a key';
unlike $log, qr/secret-of-r\d+/, '... or one of them';
finish;

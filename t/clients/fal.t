#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# @fal-ai/client gets pictures from our front, by rewritten addresses and by proxyUrl: each check is in
# t/clients/fal.mjs.
use Genflow::Test;
use Genflow::Clients;

use MIME::Base64 qw(encode_base64);

$ENV{GENFLOW_PNG} = encode_base64(png(64, 48), '');
my %users = (rich => account(200), poor => account(0), other => account(20));
expect_log 'GF0203';      # some requests fail
run_client('fal', %users);
is rows_of($users{rich}, 'genflow.work'), 0, 'nothing is left behind';
finish;

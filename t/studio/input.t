#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What people bring: source pictures by picker, drop and paste, files that are none, the keyboard alone, prompts of any
# kind: t/studio/input.mjs.
use Genflow::Test;
use Genflow::Studio;

use MIME::Base64 qw(encode_base64);

browse('input', studio_site(users => { rich => 60, keys => 20, odd => 20 }), GENFLOW_PNG => encode_base64(png(64, 48), ''));
finish;

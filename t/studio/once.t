#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Whatever the person does meanwhile, a pressed button is one generation and one charge: double click, reload, a second tab,
# offline, back, an expired sign-in: t/studio/once.mjs. Eight tabs of a person hold one stream.
use Genflow::Test;
use Genflow::Studio;

browse('once', studio_site(users => { rich => 60, late => 20, tabs => 20 }));
finish;

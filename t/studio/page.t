#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A person makes a picture and finds it again, in each look and both languages: t/studio/page.mjs.
use Genflow::Test;
use Genflow::Studio;

browse('page', studio_site(users => { rich => 20, looks => 50 }));
finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What a person does with finished pictures: favourite, title, tags, search, filters, several at once, delete and
# undo, use again, as code; another tab sees each of it: t/studio/history.mjs.
use Genflow::Test;
use Genflow::Studio;

browse('history', studio_site(users => { rich => 60, fresh => 20 }));
finish;

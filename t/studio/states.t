#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What may happen to a generation, as the page shows it, and what it costs: failure and retry, local fallback, cancel in
# the queue and later, no credits: t/studio/states.mjs. A child works on one generation at a time, so that others queue.
use Genflow::Test;
use Genflow::Studio;

browse('states', studio_site(users => { rich => 20, japan => 20, poor => 0, queued => 20 },
    conf => "GenflowDispatchJobs 1\n<IfModule !mpm_prefork_module>\nServerLimit 1\nStartServers 1\nMaxRequestWorkers 25\n</IfModule>\n"));
finish;

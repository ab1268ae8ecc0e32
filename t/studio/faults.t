#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What refuses a request or breaks it: no credits any more, limits, a full queue, a proxy's pages, broken JSON, a wrong clock,
# no storage, no cookies, hostile texts: t/studio/faults.mjs.
use Genflow::Test;
use Genflow::Studio;

browse('faults', studio_site(users => { spent => 1, map { $_ => 20 } qw(fast full proxy clock store cookies odd) }, conf => <<'END'));
GenflowDispatchJobs 1
GenflowLimitQueue 1
GenflowLimitRate 20/1m 12
<IfModule !mpm_prefork_module>
    ServerLimit 1
    StartServers 1
    MaxRequestWorkers 25
</IfModule>
END
finish;

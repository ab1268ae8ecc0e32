# SPDX-License-Identifier: Apache-2.0
#
# Runs checks of genflow.js (t/js/*.checks.js) by t/js/run.mjs against an httpd of the test's own, whose type
# js-sketch is drawn by the fake provider. Each check is a test of the calling file.
#
#     use Genflow::Test;
#     use Genflow::Script;
#     run_checks('node', 'genflow.checks.js');          # or in a page: 'chromium'
#     finish;
#
# Without node, and for a page without Chromium and playwright-core (support/check --studio), the file is skipped.

package Genflow::Script;

use strict;
use warnings;

use Genflow::Httpd ();
use Genflow::Tap;
use Genflow::Test;
use JSON::PP qw(encode_json);
use parent -norequire, 'Exporter';

our @EXPORT = qw(run_checks);

use constant { USERS => 200, CREDITS => 20 };

sub run_checks {
    my ($where, $file) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    plan skip_all => 'node is not installed: support/packages studio' if system('node --version >/dev/null 2>&1') != 0;
    my $chromium = $where eq 'node' ? '' : chromium();

    my $httpd = script_site();
    local $ENV{GENFLOW_SITE}     = $httpd->base;
    local $ENV{GENFLOW_BROWSER}  = $chromium;
    local $ENV{GENFLOW_USERS}    = encode_json([map { account(CREDITS) } 1 .. USERS]);
    my $checks = run_tap("$file of $where", 'node', 't/js/run.mjs', $where, $file);
    is_deeply [broken_rules()], [], 'the ledger is sound';
    talk_to();
    return $checks;
}

# Its program, where a page can be had.
sub chromium {
    my ($program) = grep { -x } '/usr/bin/chromium', '/usr/bin/chromium-browser';
    plan skip_all => 'Chromium or playwright-core is not installed: support/check --js'
        if !$program || !-d 't/studio/node_modules/playwright-core';
    return $program;
}

# An httpd that serves the API, and the tree's scripts and checks.
sub script_site {
    my $site  = Genflow::Httpd::small_site('js-sketch') =~ s/(?=^<.GenflowType>)/    GenflowTypeSource optional\n/mr;
    my $httpd = Genflow::Httpd->start($site . <<'END');
Include "${GENFLOW_WORK}/t/conf/api.conf"
Include "${GENFLOW_WORK}/conf/genflow-legacy.conf"
<Location "/.netlify/functions">
    GenflowUser "%{HTTP:X-User}"
</Location>
GenflowWatchUser 64
<Location "/generated">
    SetHandler genflow-result
</Location>
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
AddType text/javascript .js
Alias "/tree/js/" "${GENFLOW_WORK}/js/"
Alias "/tree/t/js/" "${GENFLOW_WORK}/t/js/"
<Directory "${GENFLOW_WORK}/js">
    Require all granted
</Directory>
<Directory "${GENFLOW_WORK}/t/js">
    Require all granted
</Directory>
END
    talk_to($httpd);
    wait_for { api(GET => '/api/health')->{status} == 200 };
    return $httpd;
}

1;

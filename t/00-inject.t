#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Injection points are in the module of the tests alone: nothing of them is in the one that is installed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Genflow::Site ();

my $NAMES = qr/(GENFLOW_INJECT|gf_inject\w*|base\/inject\.c)/;

like Genflow::Site::read_text("$ENV{GENFLOW_WORK}/modules/mod_genflow.so"), $NAMES, 'the module of the tests has injection points';
SKIP: {
    my $module = $ENV{GENFLOW_INSTALLED_MODULE} or skip 'support/build --clang has not made the module as it is installed', 2;
    my $text   = Genflow::Site::read_text($module);
    like $text, qr/genflow_module/, 'the installed module is one';
    is join(' ', $text =~ /$NAMES/), '', '... and has none';
}

# ---- orders of a test ----

require Genflow::Inject;
for my $case (
    ['an unknown point',     ['settle.never', kill => 1],         qr/no injection point/],
    ['an unknown edge',      ['unheard.before', kill => 1],       qr/no injection point/],
    ['an unknown action',    ['settle.before', stop => 1],        qr/one of kill, wait, fail, delay/],
    ['two actions',          ['settle.before', kill => 1, wait => 1], qr/one of kill, wait, fail, delay/],
    ['an unknown error',     ['settle.before', fail => 'SORRY'],  qr/no error 'SORRY'/],
    ['a failing exchange',   ['generate.sent.after', fail => 'DB_DOWN'], qr/cannot be made to fail/],
    ['a delay in words',     ['settle.before', delay => 'long'],  qr/number of milliseconds/],
) {
    my ($name, $order, $says) = @$case;
    my ($point, @what) = @$order;
    ok !eval { Genflow::Inject::inject($point, for => 'nobody-of-inject', @what); 1 }, "$name is an error of the test";
    like $@, $says, '... which says why';
}
Genflow::Inject::inject('settle.before', for => 'nobody-of-inject', kill => 1);
ok !eval { Genflow::Inject::inject('settle.before', for => 'nobody-of-inject', wait => 1); 1 }, 'a point is armed once for a subject';
ok !eval { Genflow::Inject::release('settle.before', for => 'nobody-of-inject'); 1 }, 'nothing waits there to be released';
ok !eval { Genflow::Inject::reached('settle.before', for => 'somebody-else'); 1 }, 'a point that is not armed cannot be reached';
is_deeply [Genflow::Inject::never_reached()], ['kill at settle.before'], 'a point that was never reached is named';
is_deeply [Genflow::Inject::never_reached()], [], '... once';

done_testing;

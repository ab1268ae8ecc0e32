#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Only its owner starts a generation, and only one that is there; a wrong method and a call without a user
# are refused. What a site says of types, priorities and how long a generation waits is obeyed.
use Genflow::Test;
use Genflow::TwoStep;

use Genflow::Httpd ();

my $user = account(10);

# ---- what is not there, not of this user, not a call ----

my $NO_ID = '01a1fdae-8e2e-7f96-89ab-0100b36ac767';
my $mine  = made($user, {});
my $thief = account(5);
my @STARTS = (    # user, generationId, status, code
    [$user,  7,       400, 'VALIDATION_ERROR'],
    [$user,  ['x'],   400, 'VALIDATION_ERROR'],
    [$user,  'x',     404, 'GENERATION_NOT_FOUND'],
    [$user,  $NO_ID,  404, 'GENERATION_NOT_FOUND'],
    [$user,  $NO_ID =~ s/0100/FF00/r, 404, 'GENERATION_NOT_FOUND'],
    [$thief, $mine,   403, 'UNAUTHORIZED'],
    [undef,  $mine,   401, 'AUTHENTICATION_REQUIRED'],
);
for my $row (@STARTS) {
    my ($who, $id, $status, $code) = @$row;
    my $shown = ref $id ? 'a list' : $id;
    for my $query ('', '?dryRun=1') {
        error_is(start($who, $id, query => $query), $status, $code, "a start of $shown is $code");
    }
}
is status_of($user, $mine)->{status}, 'pending', 'no other user has started it';
for my $path (qw(generation/create generate)) {
    my $res = api(GET => "/api/$path", user => $user);
    if ($path eq 'generate') {
        error_is($res, 405, 'METHOD_NOT_ALLOWED', "$path is not read");
        like $res->{headers}{allow}, qr/\bPOST\b/, 'Allow has the methods';
    }
    else {
        error_is($res, 404, 'GENERATION_NOT_FOUND', 'read, it is a generation of no such name');
    }
    error_is(api(POST => "/api/$path", user => $user, json => []), 400, 'VALIDATION_ERROR',
        "$path takes an object");
    error_is(api(POST => "/api/$path", json => {}), 401, 'AUTHENTICATION_REQUIRED',
        'of somebody who is known');
}
my $poor = account(0);
error_is(create($poor, {}), 402, 'INSUFFICIENT_CREDITS', 'who has no credits makes nothing');
is sql1(<<'SQL', user => $user, poor => $poor), 1, 'all that left no row but one';
    SELECT count(*) FROM public.neo_glitch_media
     WHERE user_id IN (genflow.account_of(:'user'), genflow.account_of(:'poor'))
SQL
credits_are $user, 10, 1, 'and holds nothing but its credit';

# ---- the type of the site ----

is data(create($user, { type => undef }, query => '?dryRun=1'))->{provider},
    'local', 'without a type it is the shipped one';

my $httpd = Genflow::Httpd->start(<<'END');
Include "${GENFLOW_WORK}/t/conf/site.conf"
GenflowDispatch Off
GenflowPendingLifetime 10m
<GenflowType custom-prompt>
    GenflowTypeTwoStep Off
</GenflowType>
<GenflowType sketch>
    GenflowTypeProviders local
    GenflowTypeTwoStep On
    GenflowTypePriorityMax high
</GenflowType>
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($httpd);
my $usual = create($user, {
    type => undef, priority => 'high', productImages => [], customPrompt => 'a shoe',
});
is data($usual)->{data}{type}, 'sketch', 'without a type it is that of GenflowTypeTwoStep';
my $id = data($usual)->{data}{generationId};
is sql1("SELECT priority FROM genflow.work WHERE job_id = :'id'", id => $id), 1,
    'its priority is the highest that is allowed here';
is sql1("SELECT w.deadline_at - m.created_at FROM genflow.work w JOIN public.sketch_media m ON m.id = w.job_id"
    . " WHERE w.job_id = :'id'", id => $id), '00:10:00', 'it waits as long as GenflowPendingLifetime says';
take_from_child($id, 'due_at = now(), deadline_at = now()');
my $over = wait_for { status_of($user, $id, 'sketch')->{status} eq 'cancelled' };
ok $over, '... and no longer';
talk_to();
my $urgent = create($user, { priority => 'high' });
is_deeply [map { $_->{field} } @{ data($urgent)->{validationErrors} }], ['priority'],
    'where the type says nothing more than normal is refused';

finish;

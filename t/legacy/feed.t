#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# GenflowFeedOpen where an authentication module stands before the older names: the feeds need no
# user, and everything else there does.
use Genflow::Admin qw(signed_in);
use Genflow::Httpd ();
use Genflow::Test;

my $OLD  = '/.netlify/functions';
my @FEED = qw(feed getPublicFeed getNeoGlitchFeed);
my $user = account(10);
my $made = data(generate($user, { prompt => "a public picture of $user", type => 'sketch' }, Prefer => 'wait=60'));
is api(POST => "$OLD/togglePublish", user => $user, json => { assetId => $made->{id}, publish => JSON::PP::true() })->{status},
    200, 'a picture is published';

for my $open ('On', 'Off') {
    my $httpd = Genflow::Httpd->start(<<"END");
Include "\${GENFLOW_WORK}/t/conf/database.conf"
GenflowDispatch Off
GenflowStoreFolder "\${GENFLOW_WORK}/store"
GenflowFeedOpen $open
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType sketch>
    GenflowTypeProviders local
</GenflowType>
<GenflowType neo-glitch>
    GenflowTypeProviders local
</GenflowType>
Include "\${GENFLOW_WORK}/conf/genflow-legacy.conf"
<Location "$OLD">
    AuthType Basic
    AuthName genflow
    AuthUserFile "\${GENFLOW_WORK}/t/conf/users"
    Require valid-user
</Location>
<Location "$OLD/getPublicFeed">
    Require all denied
</Location>
END
    talk_to($httpd);
    my $is_open = $open eq 'On';
    for my $name (@FEED) {
        my $status = $name eq 'getPublicFeed' ? 403 : $is_open ? 200 : 401;
        is api(GET => "$OLD/$name")->{status}, $status, "GenflowFeedOpen $open: $name without a user gets $status";
        is api(GET => "$OLD/$name", headers => { Authorization => 'Basic eDp5' })->{status}, $status, '... and with a wrong one';
        is api(POST => "$OLD/$name", json => {})->{status}, $name eq 'getPublicFeed' ? 403 : 401, '... and nothing but GET';
        is api(GET => "$OLD/$name", headers => signed_in('bob'))->{status}, $name eq 'getPublicFeed' ? 403 : 200,
            '... a user reads it';
    }
    if ($is_open) {
        my $res = api(GET => "$OLD/feed?limit=100", headers => { Origin => 'https://front.example' });
        is $res->{headers}{'access-control-allow-origin'}, '*', 'a page of another site reads it';
        my ($item) = grep { $_->{id} eq $made->{id} } @{ data($res)->{items} };
        is $item->{imageUrl} =~ s{\Ahttps?://[^/]+}{}r, $made->{imageUrl} =~ s{\Ahttps?://[^/]+}{}r, '... with the public picture';
        unlike $res->{content}, qr/\Q"$user"/, '... and not the name of its user';
        for my $name ('feed', 'getNeoGlitchFeed') {
            is api(GET => "$OLD/$name?offset=10000")->{status}, 200, "$name without a user goes far ...";
            error_is(api(GET => "$OLD/$name?offset=10001"), 422, 'VALIDATION_FAILED', '... and not for ever');
        }
    }
    else {
        is api(GET => "$OLD/feed?offset=100000", headers => signed_in('bob'))->{status}, 200, 'a user goes farther';
    }
    for my $call ([GET => 'getUserMedia'], [GET => 'whoami'], [GET => 'getQuota'], [POST => 'togglePublish'],
        [POST => 'sketch-generate'], [GET => 'feed/'], [GET => 'feed/x']) {
        is api($call->[0] => "$OLD/$call->[1]", $call->[0] eq 'POST' ? (json => {}) : ())->{status}, 401,
            "... @$call needs a user";
    }
    is $httpd->alarms, '', '... and nothing is wrong about it';
    talk_to();
}

finish;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# An address of one of our uploaded pictures is that picture, absolute or relative, wherever a
# request may name a source picture. It is never fetched over HTTP, and belongs to its owner alone.
use Genflow::Test;

my ($user, $other) = (account(40), account(10));
my $asset = data(upload($user, png(64, 64)));
ok $asset->{id}, 'a picture is uploaded' or BAIL_OUT("no asset: $asset->{message}");
my $path = $asset->{url} =~ s{\Ahttps?://[^/]+}{}r;

my %form = (
    'the address that the upload returned' => $asset->{url},
    'its https address'                    => $asset->{url} =~ s/\Ahttp:/https:/r,
    'its path'                             => $path,
    'its path with a query'                => "$path?v=2",
    'its id'                               => $asset->{id},
);
for my $what (sort keys %form) {
    my $made = make($user, sourceUrl => $form{$what});
    is $made->{status}, 200, "$what makes a picture" or diag $made->{content};
    is data($made)->{sourceUrl}, $asset->{url}, '... and is shown as it was uploaded';
}
is rows_of($user, 'public.neo_glitch_media', "source_url = :'asset'",
    asset => "asset:$asset->{id}"), 5, 'each is stored as the picture, not its address';

# ---- not anybody's, not anything ----

error_is(make($other, sourceUrl => $_), 403, 'UNAUTHORIZED', "another user may not use $_")
    for $asset->{url}, $path, $asset->{id};
my $gone = $asset->{id} =~ tr/0-9a-f/1-9a-f0/r;
error_is(make($user, sourceUrl => $path =~ s/\Q$asset->{id}/$gone/r), 422, 'INVALID_IMAGE_URL',
    'one that is not there is refused');
for my $bad ("$path/x", "/api/asset/$asset->{id}", "//elsewhere.example$path", '/api/assets/', '') {
    error_is(make($user, sourceUrl => $bad), 422, 'INVALID_IMAGE_URL', "'$bad' is no picture of ours");
}
is credits($other)->[1], 0, 'nothing is held for a refusal';
is credits($user)->[1],  0, '... of the owner, either';

finish;

sub make {
    my ($who, %more) = @_;
    return api(POST => '/api/neo-glitch/generate', user => $who,
        json => { prompt => 'an old cat', presetKey => 'base', %more });
}

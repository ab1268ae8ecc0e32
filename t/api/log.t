#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What an operator reads at httpd's usual LogLevel: the beginning and the end of each generation, the
# end with the provider's words; each generation that somebody cancels; everything that administration
# cancels, changes and gives, with ids and values. An address of any length leaves room for the text.
use Genflow::Admin;
use Genflow::Httpd qw(small_site);
use Genflow::Test;

my ($user, $bob, $carol) = (account(20), account(20), account(20));
my $TYPE = 'log-lines';
my $site = Genflow::Httpd->start(small_site($TYPE) . <<"END");
LogLevel warn
<GenflowType $TYPE>
    GenflowTypeTwoStep On
</GenflowType>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
Include "\${GENFLOW_WORK}/t/conf/admin.conf"
END
talk_to($site);

# ---- a generation ----

my $good = data(generate($user, { type => $TYPE }))->{id};
logged(qr/GF0502: job=$good type=$TYPE user=\Q$user\E: created, 1 credit held/,
    'the beginning of a generation');
logged(qr/GF0405: job=$good .*completed and charged/, 'its end');
my $bad = later($user, { type => $TYPE, prompt => "a cat [$user] {{status=400}}" });
ended($user, $bad, $TYPE);
logged(qr/GF0203: job=$bad .*failed and released after \d+ ms: API_ERROR: HTTP 400 .*the fake provider says /,
    'the end of one that failed, with the words of the provider');
my $filtered = later($user, { type => $TYPE, prompt => "a cat [$user] {{filter}}" });
ended($user, $filtered, $TYPE);
logged(qr/\[genflow:notice\].*GF0207: job=$filtered .*failed and released/, 'one that was filtered');
my $cancelled = later($user, { type => $TYPE, prompt => "a cat [$user] {{delay=7000}}" });
api(POST => "/api/generation/$cancelled/cancel", user => $user);
logged(qr/GF0503: job=$cancelled type=$TYPE user=\Q$user\E: cancelled and released/,
    'one that its user cancelled');
unlike $site->log_text, qr/genflow:(?:info|debug)/, 'and nothing of lesser interest';

# ---- a statement that the database refuses ----

my $secret = "the words of $user";
sql("ALTER TABLE public.log_lines_media ADD CONSTRAINT no_words CHECK (prompt NOT LIKE '%the words of%') NOT VALID");
error_is(generate($user, { type => $TYPE, prompt => $secret }), 500, 'INTERNAL_ERROR', 'a row may be refused');
sql('ALTER TABLE public.log_lines_media DROP CONSTRAINT no_words');
logged(qr/GF0120: .*SQLSTATE 23514: .*violates check constraint "no_words"/, 'what was refused');
unlike $site->log_text, qr/\Q$secret/, '... without the prompt, which the row has';

# ---- administration ----

my %made = ($bob => [map { pending($bob) } 1 .. 2], $carol => [pending($carol)]);
for my $query ('user=', 'status=', 'type=', 'status=completed', 'user=x&user=y', 'limit=1') {
    my $res = admin(DELETE => "/jobs?$query");
    is $res->{status}, 422, "DELETE jobs?$query is refused" or diag $res->{content};
}
is status_of($carol, $made{$carol}[0], $TYPE)->{status}, 'pending', '... and cancels nothing';
my $reply = data(admin(DELETE => "/jobs?user=$bob&status=pending&type=$TYPE"));
is_deeply [@{$reply}{qw(cancelled released message)}], [2, 2, 'Jobs cleared'],
    'DELETE jobs obeys its filters';
is status_of($carol, $made{$carol}[0], $TYPE)->{status}, 'pending', '... another user keeps his';
logged(qr/GF0721: job=$_ type=$TYPE user=\Q$bob\E: cancelled by administrator admin, 1 credit released/,
    'each generation that it cancelled') for @{ $made{$bob} };
logged(qr/GF0172: user=admin: cleared jobs, type=$TYPE status=pending user=\Q$bob\E: 2 found, 2 cancelled, 2 credits/,
    'the type of the request');

admin(DELETE => "/jobs/$made{$carol}[0]");
logged(qr/GF0722: job=$made{$carol}[0] user=\Q$carol\E: cancelled by administrator admin, 1 credit released/,
    'one that was cancelled by its id');
admin(POST => '/credits', json => { userId => $carol, amount => -3, reason => 'x', reference => "r-$carol" });
logged(qr/GF0723: user=admin: gave -3 credits, account=\Q$carol\E reference=r-\Q$carol\E: ok/, 'credits');
admin(POST => '/refunds', json => { generationId => $good, reason => 'x', reference => "f-$user" });
logged(qr/GF0723: user=admin: gave back for $good 1 credits, account=\Q$user\E reference=f-\Q$user\E: ok/,
    'a refund');
admin(PUT => "/users/$carol", json => { dayLimit => 7 });
logged(qr/GF0173: user=admin: changed the account \Q$carol\E: \{"dayLimit":7\}/, 'limits');

# ---- a long address ----

my $loud = Genflow::Httpd->start(small_site()
    . qq(Include "\${GENFLOW_WORK}/t/conf/api.conf"\nLogLevel info\n));
talk_to($loud);
api(GET => '/api/' . 'x' x 6000, user => $user);
my ($line) = grep { /GF0107: / } split /\n/, $loud->log_text;
like $line, qr/GF0107: request=\S+ GET \/api\/x{195}\.\.\. client=127\.0\.0\.1: NOT_FOUND: /,
    'a long address leaves room for tag and text';
talk_to(undef);

finish;

sub logged {
    my ($pattern, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok wait_for { $site->log_text =~ $pattern }, "the log has: $what";
}

# A generation that is made and not started.
sub pending {
    my ($whose) = @_;
    return data(api(POST => '/api/generation/create', user => $whose, json => {
        type => $TYPE, customPrompt => 'a cat' }))->{data}{generationId};
}

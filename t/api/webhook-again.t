#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A failed delivery is retried with growing delays, under the same id and each time signed
# anew. 410 ends the retries, and so do ten attempts. Redirects are not followed, what
# is behind an answer's first line does not count, and no private address is connected to.
use Genflow::Test;
use Genflow::Webhooks;
use IO::Socket::INET ();

expect_log 'GF0432';

my $user    = account(20);
my $private = IO::Socket::INET->new(LocalAddr => '127.0.0.2', Listen => 5, Timeout => 0.1) or die "127.0.0.2: $!\n";
my $WITHIN  = 'http://127.0.0.2:' . $private->sockport . '/';
my %HOOK    = (
    map({ $_ => hook($_, "$user-case") } 'status=500,times=1', 'hang,times=1', 'late', 'big', 'redirect',
        'status=503,retry-after=60', map { "status=$_" } 404, 410, 500),
    private => $WITHIN,
    refused => 'http://127.0.0.1:1/',
);
my $mark = log_mark();
my %id   = map { $_ => later($user, { webhookUrl => $HOOK{$_} }) } sort keys %HOOK;

# ---- retries ----

for my $case ('status=500,times=1', 'hang,times=1') {
    my @came = deliveries($HOOK{$case}, 2);
    is scalar(@came), 2, "$case: retried";
    is $_->{header}{'webhook-id'}, $id{$case}, '... by the same id' for @came;
    is $_->{header}{'webhook-signature'}, signature_of($_), '... signed' for @came;
    my ($first, $second) = map { $_->{header}{'webhook-timestamp'} } @came;
    cmp_ok $second - $first, '>=', 4, '... after a pause';
    is $came[0]{body}, $came[1]{body}, '... in the same words';
    ok wait_for { !pending($id{$case}) }, '... and then no more';
}

# ---- how it went ----

my %WAITS = (                   # its first failure is logged with this, the next attempt is after so long
    redirect                   => ['HTTP 302, which is not followed', 5, 7],
    'status=404'               => ['HTTP 404', 5, 7],
    'status=500'               => ['HTTP 500', 5, 7],
    'status=503,retry-after=60' => ['HTTP 503', 55, 65],
    private                    => ['the address is not public', 5, 7],
    refused                    => ['connect', 5, 7],
);
for my $case (sort keys %WAITS) {
    my ($why, $least, $most) = @{ $WAITS{$case} };
    my $line = wait_for { log_since($mark) =~ /^(.*GF0431: job=$id{$case} .*)$/m && $1 };
    like $line, qr/webhook delivery to \S+ failed: .*\Q$why\E/i, "$case: not delivered";
    my ($wait) = $line =~ /retry in (\d+) s/;
    ok $wait >= $least && $wait <= $most, '... retried soon, or after Retry-After' or diag $line;
}
ok !$private->accept, 'no connection goes to a private address';
is scalar(deliveries(hook('ok', "$user-case-moved"), 0)), 0, 'a redirect is not followed';
for my $case (qw(late big status=410)) {
    ok wait_for { !pending($id{$case}) }, "$case: that ends it";
    is scalar(deliveries($HOOK{$case}, 1)), 1, '... with the first attempt';
}
is status_of($user, $id{$_})->{status}, 'completed', "$_: the generation has completed, delivered or not" for sort keys %id;
credits_are $user, 20 - keys %id, 0, 'each for its price';

# ---- later each time, and at last no more ----

for my $step ([1, 300], [4, 5 * 3600], [8, 24 * 3600]) {
    my ($tries, $wait) = @$step;
    make_due($id{'status=500'}, $tries);
    ok wait_for { due_in($id{'status=500'}, $wait, $wait * 1.1) }, "after attempt " . ($tries + 1) . " it waits for $wait s";
}
ok given_up($id{'status=500'}), 'ten attempts end the delivery';
my %ids = map { $_->{header}{'webhook-id'} => 1 } deliveries($HOOK{'status=500'}, 5);
is_deeply [keys %ids], [$id{'status=500'}], '... each was by the same id';
like log_since($mark), qr/GF0432: job=$id{'status=500'} .*HTTP 500.*must answer 2xx/, '... and an operator reads why';

sql("UPDATE public.neo_glitch_media SET webhook_url = 'https://elsewhere.example/x' WHERE id = :'id'", id => $id{redirect});
make_due($id{redirect}, 2);
ok wait_for { log_since($mark) =~ /GF0431: job=$id{redirect} .*elsewhere.example.*sends no webhooks to/ },
    'a host that is no longer allowed gets nothing';
ok given_up(values %id), 'every delivery has ended';

finish;

# After a tenth attempt. Again and again, because an attempt that is under way sets its own time at its end.
sub given_up {
    my @ids = @_;
    return wait_for {
        make_due($_, 9) for @ids;
        !grep { pending($_) } @ids;
    };
}

sub due_in {
    my ($id, $least, $most) = @_;
    return sql1("SELECT 1 FROM genflow.deliveries WHERE job_id = :'id' AND due_at - now() BETWEEN "
        . "make_interval(secs => :'least' - 60) AND make_interval(secs => :'most' + 60)",
        id => $id, least => $least, most => $most);
}

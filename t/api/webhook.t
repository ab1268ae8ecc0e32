#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The end of a generation is delivered to its webhookUrl: once, whatever the end and whichever process
# brings it, signed by Standard Webhooks, in the very words of the generation's own address. Each of
# a batch, and what is made again by retry or fallback, has a delivery of its own. Without webhookUrl there is none.
use Genflow::Test;
use Genflow::TwoStep;
use Genflow::Webhooks;

# ---- a completed one ----

my $user = account(20);
expect_log 'GF0201';      # one is ended past its deadline
my $hook = hook('ok', "$user-completed");
my $made = data(generate($user, { webhookUrl => $hook, prompt => "delivered [$user]" }));
my ($delivery) = deliveries($hook, 1);
my %header = %{ $delivery->{header} };
is $header{'webhook-id'}, $made->{id}, 'the webhook is named by the generation';
is $header{'webhook-signature'}, signature_of($delivery), 'it is signed';
cmp_ok abs($header{'webhook-timestamp'} - time), '<', 60, '... now';
is $header{'content-type'}, 'application/json', '... and is JSON';
is $delivery->{body}, api(GET => "/api/generation/$made->{id}", user => $user)->{content},
    '... word for word what its address answers';
is data({ content => $delivery->{body} })->{status}, 'completed', '... that it has completed';
ok wait_for { !pending($made->{id}) }, '... and that is the end of it';
credits_are $user, 19, 0, 'a delivery costs nothing';

my $quiet = data(generate($user, {}));
is pending($quiet->{id}), 0, 'without webhookUrl nothing is delivered';

# ---- other ends ----

my %ENDS = (                    # what ends it: [how it is made, what is done to it, its status]
    'a failure'      => [sub { one($_[0], '{{filter}}') }, sub { }, 'failed'],
    'its user'       => [sub { one($_[0], '{{poll-hang}}') },
                         sub { api(POST => "/api/generation/$_[0]/cancel", user => $user) }, 'cancelled'],
    'an administrator' => [sub { one($_[0], '{{poll-hang}}') },
                         sub { sql("SELECT genflow.admin_cancel(:'id')", id => $_[0]) }, 'cancelled'],
    'its time'       => [sub { one($_[0], '{{poll-hang}}') }, \&run_out, 'failed'],
    'never started'  => [sub { data(create($user, { webhookUrl => $_[0] }))->{data}{id} }, \&run_out, 'cancelled'],
);
for my $what (sort keys %ENDS) {
    my ($make, $end, $status) = @{ $ENDS{$what} };
    my $url = hook('ok', "$user-" . $what =~ tr/ /-/r);
    my $id  = $make->($url);
    $end->($id);
    my @came = deliveries($url, 1);
    is scalar(@came), 1, "ended by $what: the webhook is delivered";
    my $says = data({ content => $came[0]{body} });
    is_deeply [@$says{qw(id status)}], [$id, $status], "... that it is $status";
    is $came[0]{header}{'webhook-signature'}, signature_of($came[0]), '... signed';
}

# ---- several, and again ----

my $batch = hook('ok', "$user-batch");
my $three = data(generate($user, { n => 3, webhook_url => $batch, type => 'sketch' }));
my @ids   = sort map { $_->{id} } @{ $three->{batch} };
is_deeply [sort map { $_->{header}{'webhook-id'} } deliveries($batch, 3)], \@ids, 'each end of a batch is delivered';

for my $act (qw(retry fallback)) {
    my $url   = hook('ok', "$user-$act");
    my $first = one($url, "{{filter}} $act");
    deliveries($url, 1);
    my $second = data(api(POST => "/api/generation/$first/$act", user => $user))->{id};
    my @came = deliveries($url, 2);
    is $came[1]{header}{'webhook-id'}, $second, "a generation by $act has its own delivery";
}

# ---- the same key ----

my %key   = ('Idempotency-Key' => "k-$user");
my $again = hook('ok', "$user-key");
my $first = data(generate($user, { webhookUrl => $again }, %key));
is data(generate($user, { webhookUrl => $again }, %key))->{id}, $first->{id}, 'a repeated request makes no second one';
error_is(generate($user, { webhookUrl => "$again-other" }, %key), 422, 'IDEMPOTENCY_MISMATCH',
    'another address is another request');
ok wait_for { !pending($first->{id}) }, 'it is delivered';
is scalar(deliveries($again, 1)), 1, '... once';

# ---- deleted before the delivery ----

my $slow = hook('status=500', "$user-deleted");
my $gone = data(generate($user, { webhookUrl => $slow }))->{id};
deliveries($slow, 1);
is api(DELETE => "/api/generation/$gone", user => $user)->{status}, 200, 'a generation may be deleted meanwhile';
ok wait_for { make_due($gone, 1); !pending($gone) }, '... then there is nothing to deliver';
is scalar(deliveries($slow, 1)), 1, '... and nothing is';

finish;

sub one {
    my ($url, $script) = @_;
    return later($user, { webhookUrl => $url, prompt => "$script [$user]" });
}

# Its time is over, in whatever phase it is: only the next claim ends it.
sub run_out {
    my ($id) = @_;
    return take_from_child($id, 'due_at = now(), deadline_at = now()');
}

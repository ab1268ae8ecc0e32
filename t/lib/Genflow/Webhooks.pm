# SPDX-License-Identifier: Apache-2.0
#
# What tests of the clients' webhooks share: addresses of the fake receiver, what came there, and
# whether it is signed as Standard Webhooks says, by code of its own.
#
#     my $hook = hook('status=500,times=1', $user);
#     my $id   = later($user, { webhookUrl => $hook });
#     my @came = deliveries($hook, 2);
#     is signature_of($came[0]), $came[0]{header}{'webhook-signature'}, 'it is signed';

package Genflow::Webhooks;

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_base64);
use Genflow::Test;
use MIME::Base64 qw(decode_base64);
use parent -norequire, 'Exporter';

our @EXPORT = qw(hook deliveries pending signature_of secret_of make_due);

# An address that does this (Genflow::FakeProvider::Receiver) and belongs to one test.
sub hook {
    my ($words, $name) = @_;
    return "$ENV{GENFLOW_FAKE}/_receive/$words/$name";
}

# What came to that address, once so much has come; less, if it does not.
sub deliveries {
    my ($hook, $count) = @_;
    my ($path) = $hook =~ m{(/_receive/.*)\z};
    my $came;
    wait_for { $came = Genflow::Test::call_fake('_received', $path); @$came >= $count };
    return @$came;
}

# Is the webhook of a generation still to be delivered?
sub pending {
    my ($id) = @_;
    return sql1("SELECT count(*) FROM genflow.deliveries WHERE job_id = :'id'", id => $id);
}

# How it is to be signed: with this secret, or with that of the generation's user.
sub signature_of {
    my ($delivery, $secret) = @_;
    my %header = %{ $delivery->{header} };
    $secret //= secret_of(user_of($header{'webhook-id'}));
    my $text   = join '.', @header{qw(webhook-id webhook-timestamp)}, $delivery->{body};
    return 'v1,' . padded(hmac_sha256_base64($text, key_of($secret)));
}

# The secret of a user, made of the site's (or of another one).
sub secret_of {
    my ($user, $site) = @_;
    my $key = key_of($site // $ENV{WEBHOOK_SECRET});
    return 'whsec_' . padded(hmac_sha256_base64("mod_genflow webhook secret of $user", $key));
}

sub key_of {
    my ($secret) = @_;
    my ($key) = $secret =~ /\Awhsec_(.+)\z/ or die "no secret: $secret\n";
    return decode_base64($key);
}

sub padded { return $_[0] . '=' x (-length($_[0]) % 4) }

sub user_of {
    my ($id) = @_;
    return sql1("SELECT genflow.identity_of(user_id) FROM genflow.ledger WHERE kind = 'hold' AND ref = :'id'", id => $id);
}

# The next attempt is now, as if so many had been before it.
sub make_due {
    my ($id, $tries) = @_;
    return sql("UPDATE genflow.deliveries SET due_at = now(), tries = :'tries' WHERE job_id = :'id'",
        id => $id, tries => $tries);
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# What tests of the clients' webhooks share: addresses of the fake receiver, what came there, and
# whether it is signed as Standard Webhooks says, by code of its own.
#
#     my $hook = hook('status=500,times=1', $user);
#     my $id   = later($user, { webhookUrl => $hook });
#     my @came = told($hook, 2);
#     is signature_of($came[0]), $came[0]{header}{'webhook-signature'}, 'it is signed';

package Genflow::Webhooks;

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_base64);
use Genflow::Test;
use MIME::Base64 qw(decode_base64);
use parent -norequire, 'Exporter';

our @EXPORT = qw(hook told pending signature_of make_due);

use constant { TOLD_TIME => 20 };           # seconds, a second try included

# An address that does this (Genflow::FakeProvider::Receiver) and is nobody else's.
sub hook {
    my ($words, $name) = @_;
    return "$ENV{GENFLOW_FAKE}/_receive/$words/$name";
}

# What came to that address, once so much has come; less, if it does not.
sub told {
    my ($hook, $count) = @_;
    my ($path) = $hook =~ m{(/_receive/.*)\z};
    my $came;
    wait_for { $came = Genflow::Test::ask_fake('_received', $path); @$came >= $count } TOLD_TIME;
    return @$came;
}

# Is the webhook of a generation still to be told?
sub pending {
    my ($id) = @_;
    return sql1("SELECT count(*) FROM genflow.deliveries WHERE job_id = :'id'", id => $id);
}

sub signature_of {
    my ($told) = @_;
    my %header = %{ $told->{header} };
    my ($key)  = $ENV{WEBHOOK_SECRET} =~ /\Awhsec_(.+)\z/;
    my $text   = join '.', @header{qw(webhook-id webhook-timestamp)}, $told->{body};
    my $digest = hmac_sha256_base64($text, decode_base64($key));
    return 'v1,' . $digest . '=' x (-length($digest) % 4);
}

# The next try is now, as if so many had been before it.
sub make_due {
    my ($id, $tries) = @_;
    return sql("UPDATE genflow.deliveries SET due_at = now(), tries = :'tries' WHERE job_id = :'id'",
        id => $id, tries => $tries);
}

1;

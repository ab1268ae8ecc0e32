# SPDX-License-Identifier: Apache-2.0
#
# Servers of a test's own whose pictures go to a remote store (the fake one, Genflow::FakeStore), and
# what a test reads and orders there. Each has a type of its own, which no other server works on.
#
#     my $shelf = Genflow::Shelf->start(kind => 's3', type => 'shelf-s3', chain => 'stability/sd3');
#     $shelf->order(act => 'fail', status => 503, times => 2);
#     my $job = $shelf->picture($user, 'poll=1');
#     is_deeply [$shelf->uploads($job->{id})], ['fail', 'fail', 'kept'], 'tried until it was kept';
#
# More directives go into `lines`; `secret` replaces the store's own. thumbnails => 1: pictures get them.

package Genflow::Shelf;

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use HTTP::Tiny ();
use JSON::PP ();

use Genflow::Httpd ();
use Genflow::Test;

use constant { PATIENT => 30 };           # seconds in which what failed has been retried

my $JSON = JSON::PP->new->utf8->canonical;

sub start {
    my ($class, %option) = @_;
    my $self = bless { %option, prefix => "$option{type}-$$" }, $class;
    sql("SELECT genflow.create_type(:'type')", type => $self->{type});
    local $ENV{STORE_SECRET} = $option{secret} // $ENV{STORE_SECRET};
    $self->{httpd} = Genflow::Httpd->start($self->configuration);
    return $self;
}

sub httpd  { return $_[0]{httpd} }
sub prefix { return $_[0]{prefix} }

sub configuration {
    my ($self) = @_;
    my $lines = $self->{lines} // '';
    $lines .= "\nGenflowStoreThumbnail Off" if !$self->{thumbnails};
    return <<"END";
Include "\${GENFLOW_WORK}/t/conf/database.conf"
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
GenflowDispatchLease 2s
GenflowDispatchPoll 100ms
GenflowFetchAllow 127.0.0.1
GenflowStoreFolder "\${GENFLOW_WORK}/store"
@{[ store_lines($self->{kind}, $self->{prefix}) ]}
$lines
<GenflowProvider stability>
    GenflowProviderUrl "\${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderDeadline 8s
    GenflowProviderPoll 100ms
</GenflowProvider>
<GenflowProvider fal>
    GenflowProviderUrl "\${GENFLOW_FAKE}/fal"
    GenflowProviderKey env:PEERS_API_KEY
    GenflowProviderDeadline 8s
    GenflowProviderPoll 100ms
</GenflowProvider>
<GenflowType $self->{type}>
    GenflowTypeProviders $self->{chain}
    GenflowTypeCost 1
</GenflowType>
Include "\${GENFLOW_WORK}/t/conf/api.conf"
<Location "/generated">
    SetHandler genflow-result
</Location>
END
}

# The directives of the fake store of that kind, for pictures under that prefix.
sub store_lines {
    my ($kind, $prefix) = @_;
    return <<"END";
GenflowStoreKind $kind
GenflowStoreApi "\${GENFLOW_STORE}/$kind"
GenflowStoreAccount pictures
GenflowStoreKey env:STORE_KEY
GenflowStoreSecret env:STORE_SECRET
GenflowStoreRegion eu-central-1
GenflowStorePrefix $prefix
END
}

# The section of a store that the pictures were in before.
sub old_store {
    return "<GenflowStoreOld>\n" . store_lines(@_) . "</GenflowStoreOld>\n";
}

# ---- generations ---------------------------------------------------------------------------------

# A generation of this user, as it ended; its prompt is [user] and the provider's script.
sub picture {
    my ($self, $user, $script) = @_;
    talk_to($self->{httpd});
    my %input = (type => $self->{type}, prompt => '{{' . ($script // '') . "}} [$user]");
    return data(generate($user, \%input, Prefer => 'wait=60'));
}

sub now {
    my ($self, $user, $id) = @_;
    talk_to($self->{httpd});
    return status_of($user, $id, $self->{type});
}

# The generation once its picture is kept for good; false if that does not happen.
sub persisted {
    my ($self, $user, $id) = @_;
    return wait_for {
        my $job = $self->now($user, $id);
        $job && $job->{persisted} && $job;
    } PATIENT;
}

# Status and SHA-256 of what an address serves.
sub served {
    my ($self, $url) = @_;
    $url = $self->{httpd}->base . $url if $url =~ m{\A/};
    my $res = HTTP::Tiny->new(timeout => HANG_LIMIT)->get($url);
    return "$res->{status} " . sha256_hex($res->{content});
}

# ---- every way in which an upload can end --------------------------------------------------------

# Each case is what is ordered (undef: nothing), what becomes of the uploads, the test's name. In
# the end every picture is kept once, whole, at an address that begins with $place, for one charge.
sub run_cases {
    my ($self, $place, @cases) = @_;
    for my $case (@cases) {
        my ($order, $became, $name) = @$case;
        my $user = account(10);
        $self->order(%$order) if $order;
        my $job  = $self->picture($user);
        is $job->{status}, 'completed', "$name: completed";
        my $stored = $self->persisted($user, $job->{id}) || {};
        is join(' ', $self->uploads($job->{id})), $became, "... uploads: $became";
        is scalar($self->objects($job->{id})), 1, '... one object is kept';
        like $stored->{imageUrl}, qr{\A\Q$place\E}, '... its address is the store\'s';
        is $self->served($stored->{imageUrl}), "200 $stored->{result}{sha256}",
            '... where the picture is';
        credits_are $user, 9, 0, '... for one credit';
        is submissions("[$user]"), 1, '... and one submission';
    }
    return;
}

# ---- the store -----------------------------------------------------------------------------------

# What shall become of the uploads of this server.
sub order {
    my ($self, %order) = @_;
    my $res = HTTP::Tiny->new->post("$ENV{GENFLOW_STORE}/_orders",
        { content => $JSON->encode({ match => $self->{prefix}, %order }) });
    die "the fake store answered $res->{status}: $res->{content}\n" if !$res->{success};
    return;
}

sub down { return $_[0]->order(act => 'fail', status => 503, times => 1_000_000) }
sub up   { return $_[0]->order(act => 'keep', times => 0) }

# What became of the uploads of a generation, in order.
sub uploads {
    my ($self, $id) = @_;
    return map { $_->{became} } grep { $_->{act} eq 'upload' } @{ $self->read_store("_log?match=$id") };
}

# The names under which a generation's picture is kept.
sub objects {
    my ($self, $id) = @_;
    return @{ $self->read_store("_objects?match=$id") };
}

sub read_store {
    my ($self, $question) = @_;
    my $res = HTTP::Tiny->new->get("$ENV{GENFLOW_STORE}/$question");
    die "the fake store answered $res->{status}: $res->{content}\n" if !$res->{success};
    return $JSON->decode($res->{content});
}

1;

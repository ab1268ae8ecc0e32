# SPDX-License-Identifier: Apache-2.0
#
# A browser's tab with the stream of a user's events, at the httpd of Genflow::Wait.
#
#     my $tab   = Genflow::Tab->open($user);                 # or with the id of the last event
#     my $event = $tab->next_event;                          # {id, event, data}
#     $event    = $tab->event_of($id);                       # the next one of that generation
#     $tab      = Genflow::Tab->by_curl("$base/api/events", $user, $last, '--http2-prior-knowledge');
#     Genflow::Tab->close_all;

package Genflow::Tab;

use strict;
use warnings;

use JSON::PP ();
use POSIX ();

use Genflow::Limit;
use Genflow::Wait ();


my @open;

sub open {
    my ($class, $user, $last) = @_;
    my $header = defined $last ? "Last-Event-ID: $last\r\nX-Tab: 1" : 'X-Tab: 1';
    my $self = bless { client => Genflow::Wait->get_with('/api/events', $user, $header) }, $class;
    push @open, $self;
    return $self;
}

# By curl, with options for another protocol.
sub by_curl {
    my ($class, $url, $user, $last, @options) = @_;
    push @options, '-H', "Last-Event-ID: $last" if defined $last;
    my $pid = CORE::open(my $out, '-|') // die "fork: $!\n";
    if (!$pid) {
        CORE::open(STDERR, '>', '/dev/null') or POSIX::_exit(127);
        exec 'curl', '-sN', @options, '-H', "X-User: $user", $url or POSIX::_exit(127);
    }
    my $client = bless { socket => $out, bytes => '', head => '', plain => 1 }, 'Genflow::Wait';
    my $self   = bless { client => $client, pid => $pid }, $class;
    push @open, $self;
    return $self;
}

sub close_all {
    for my $tab (@open) {
        kill TERM => $tab->{pid} if $tab->{pid};
        $tab->{client}->close;
    }
    @open = ();
    return;
}

sub client { return $_[0]{client} }

# The head of the response, once an event was read.
sub head { return $_[0]{client}{head} }

# The next event; {}: none came.
sub next_event {
    my ($self) = @_;
    my $end = time + HANG_LIMIT;
    while (time < $end) {
        my $block = $self->{client}->next_block // last;
        next if $block !~ /^event: /m;
        my %event = map { /\A(\w+): (.*)/ ? ($1 => $2) : () } split /\n/, $block;
        $event{data} = JSON::PP::decode_json($event{data});
        return \%event;
    }
    return {};
}

# The next event of that name.
sub next_of {
    my ($self, $name) = @_;
    while (1) {
        my $event = $self->next_event;
        return $event if !%$event || $event->{event} eq $name;
    }
}

# The next event of that generation and name.
sub event_of {
    my ($self, $id, $name) = @_;
    $name //= 'generation';
    while (1) {
        my $event = $self->next_event;
        return $event if !%$event || (($event->{data}{id} // '') eq $id && $event->{event} eq $name);
    }
}

1;

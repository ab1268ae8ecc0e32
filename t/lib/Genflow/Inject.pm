# SPDX-License-Identifier: Apache-2.0
#
# Orders at injection points (docs/injection-points.md): a process of httpd dies, waits, fails or is
# delayed at an exact place.
#
#     inject('settle.before', for => $user, kill => 1);         # kill -9 of the process that comes there
#     inject('generate.store.after', for => $id, wait => 1);
#     reached('generate.store.after', for => $id);              # waits until a process stands there
#     release('generate.store.after', for => $id);
#     inject('create.after', for => $user, fail => 'DB_DOWN', pass => 2);
#     inject('claim.after', for => 'neo-glitch', delay => 500); # milliseconds
#
# `for` is a generation, a user, a type, or "pid-" and the pid of a child or of a parent of children;
# without it the order is for any.
# `pass`: at the n-th pass alone; kill, wait, fail and delay are for the first one without it, and
# `pass => 0` is each. An unknown point, action or error dies here; so does a point that is armed for
# the same subject already, by whatever test. finish() fails a test that never reached one of its
# points, unless it has withdrawn it (withdraw()).

package Genflow::Inject;

use strict;
use warnings;

use parent 'Exporter';

use Genflow::Site ();

our @EXPORT = qw(inject reached release withdraw);

my $FOLDER = "$ENV{GENFLOW_WORK}/inject";
my $OWNER  = $$;
my %armed;                    # file of the order => what it is, for messages
my %exchange;                 # edges of exchanges, at which nothing can be made to fail
my %edge;                     # all edges

sub inject {
    my ($point, %order) = @_;
    my $path   = path_of($point, delete $order{for});
    my $pass   = delete $order{pass} // 1;
    my ($action, $argument) = %order;
    keys %order == 1 && $action =~ /\A(?:kill|wait|fail|delay)\z/
        or die "$point: one of kill, wait, fail, delay, not (@{[sort keys %order]})\n";
    if ($action eq 'fail') {
        !$exchange{ edge_of($point) } or die "$point: an exchange cannot be made to fail\n";
        error_symbols()->{$argument} or die "$point: no error '$argument' in err_table.h\n";
    }
    $action ne 'delay' || $argument =~ /\A\d+\z/ or die "$point: delay is a number of milliseconds\n";

    Genflow::Site::write_text("$path.$$", "$action $pass $argument\n");
    Genflow::Site::write_text("$FOLDER/$point", '') if !-e "$FOLDER/$point";
    my $is_new = link "$path.$$", $path;
    unlink "$path.$$";
    $is_new or die "$path is armed already\n";
    $armed{$path} = "$action at $point";
    return;
}

# Waits until a process is there: its pid. False if none came in time.
sub reached {
    my ($point, %of) = @_;
    my $path = armed_path($point, $of{for});
    return Genflow::Test::wait_for(sub { pid_at($path) });
}

# Lets the process that waits there go on.
sub release {
    my ($point, %of) = @_;
    my $path = armed_path($point, $of{for});
    pid_at($path) or die "$point: nothing waits there\n";
    open my $file, '>>', $path or die "$path: $!\n";
    print $file "release\n";
    close $file or die "$path: $!\n";
    return;
}

# Takes the order back, whether a process came there or not; one that waits goes on. How many came.
sub withdraw {
    my ($point, %of) = @_;
    my $path = armed_path($point, $of{for});
    my $passes = () = Genflow::Site::read_text($path) =~ /^pass /mg;
    delete $armed{$path};
    unlink $path;
    return $passes;
}

# For finish(): orders of this test that no process carried out; they are withdrawn.
sub never_reached {
    my @never = map { $armed{$_} } grep { !pid_at($_) } sort keys %armed;
    unlink keys %armed;
    %armed = ();
    return @never;
}

sub pid_at {
    my ($path) = @_;
    return (Genflow::Site::read_text($path) =~ /^reached (\d+)/m)[0];
}

sub armed_path {
    my ($point, $who) = @_;
    my $path = path_of($point, $who);
    $armed{$path} or die "$point is not armed for that subject\n";
    return $path;
}

# As open_orders() of mod_genflow/base/inject.c.
sub path_of {
    my ($point, $who) = @_;
    -d $FOLDER or die "this site has no injection points\n";
    read_page() if !%edge;
    $edge{ edge_of($point) } or die "no injection point '$point' (docs/injection-points.md)\n";
    $who //= '*';
    $who =~ s/[^A-Za-z0-9._*-]/_/g;
    return "$FOLDER/$point\@$who";
}

sub edge_of {
    my ($point) = @_;
    return $point =~ /\A(.+)\.(?:before|after)\z/ ? $1 : '';
}

sub read_page {
    my $page = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/docs/injection-points.md");
    my ($states, $statements, $places) = $page =~ /^## States.*?\n(.*)^## Statements\n(.*)^## Other places\n(.*)/ms
        or die "docs/injection-points.md has another form\n";
    %edge     = map { $_ => 1 } map { /^\| `([\w.]+)`/mg } $states, $places;
    %exchange = map { $_ => 1 } $states =~ /^\| `([\w.]+)` \| exchange/mg;
    $edge{$_} = 1 for $statements =~ /`(\w+)`/g;
    return;
}

sub error_symbols {
    my $table = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/mod_genflow/base/err_table.h");
    return { map { $_ => 1 } $table =~ /^GF_ERR\((\w+),/mg };
}

# A process that waits must not wait for a test that is gone.
END { unlink keys %armed if $$ == $OWNER }

1;

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# httpd is killed after generations were settled and before their thumbnails are made. Nothing is lost:
# each is charged once, and the first request makes its thumbnail. What was left in the spool hinders no
# one, and nothing of a deleted generation stays.
use Genflow::Fault;
use Genflow::Test;

my $GENERATIONS = 12;

configure("GenflowStoreThumbnail On\n");
my ($user, @ids, @bare);
for (1 .. 10) {                 # on a busy machine this test may be slower than httpd
    $user = account(100);
    @ids  = in_parallel($GENERATIONS, sub { data(generate($user, { type => 'sketch', prompt => "thumbnail $_[0]" },
        Prefer => 'wait=30'))->{id} }, $GENERATIONS);
    kill_httpd();
    is scalar(grep { -e picture_file($_, 'sketch') } @ids), $GENERATIONS, 'generations are settled';
    @bare = grep { !-e thumbnail_of($_) } @ids;
    ok start_httpd(), '... and httpd is killed, and started again';
    last if @bare;
}
cmp_ok scalar @bare, '>', 0, '... before all have their thumbnails';
is_deeply [map { status_of($user, $_, 'sketch')->{status} } @ids], [('completed') x $GENERATIONS], 'all stay completed';
credits_are $user, 100 - 2 * $GENERATIONS, 0, '... and are charged once';
my @types = map { api(GET => status_of($user, $_, 'sketch')->{thumbnailUrl} =~ s{\Ahttps?://[^/]+}{}r)->{headers}{'content-type'} } @ids;
is_deeply \@types, [('image/webp') x $GENERATIONS], 'the first request makes each thumbnail that is missing';
is scalar(grep { status_of($user, $_, 'sketch')->{color} } @bare), scalar @bare, '... and its colour is noted';
is join(' ', map { spooled($_) } @ids), '', '... and nothing stays in the spool';

api(DELETE => "/api/generation/$_", user => $user) for @ids;
ok wait_for(sub { !grep { left($_) } @ids }), 'deleted, nothing of them stays' or diag map { left($_) } @ids;
ok wait_for(sub { !sql1("SELECT count(*) FROM genflow.removals WHERE job_id::text = ANY (string_to_array(:'ids', ' '))", ids => "@ids") }),
    '... and nothing is left to do';

configure('');
finish;

sub thumbnail_of { return picture_file($_[0], 'sketch') =~ s/\.png\z/-384.webp/r }

sub left { return join ' ', glob "$ENV{GENFLOW_WORK}/store/sketch/" . substr($_[0], -2) . "/$_[0]*" }

sub spooled { return glob "$ENV{GENFLOW_WORK}/store/.spool/$_[0]*" }

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Which tests run side by side, and on which site (Genflow::Harness); what servers used (Genflow::Times).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Genflow::Harness ();
use Genflow::Times   ();

my @tests = map { [$_, $_] } qw(t/api/a.t t/api/b.t t/fault/a.t t/studio/a.t t/fault/b.t t/chaos/c.t t/studio/b.t);
my $queue = Genflow::Harness::Queue->new({ main => ['/m'], fault => ['/1', '/2'] }, @tests);
is scalar(() = $queue->get_all), 7, 'the queue has all tests';

my @jobs = map { $queue->get_job } 1 .. 5;
is_deeply [map { $_->filename } @jobs], [qw(t/fault/a.t t/fault/b.t t/studio/a.t t/api/a.t t/api/b.t)],
    'one test that breaks things starts for each site, one of the page, and as many others as there is room for';
is_deeply [map { $queue->{folder_of}{ $_->filename } } @jobs], [qw(/1 /2 /m /m /m)], '... each on its site';
ok $queue->get_job->is_spinner, 'the others wait';
$jobs[1]->finish;
my $next = $queue->get_job;
is $next->filename, 't/chaos/c.t', 'the next one starts when a site is free';
is $queue->{folder_of}{'t/chaos/c.t'}, '/2', '... on that site';
$jobs[2]->finish;
is $queue->get_job->filename, 't/studio/b.t', 'and the next one of the page after the one before';
is $queue->get_job, undef, 'then the queue is empty';

my %before = map { $_ => { first => '7', cpu => 5 } } qw(httpd postgres fakes);
my %after  = (httpd => { first => '7', cpu => 6 }, postgres => { first => '9', cpu => 2 }, fakes => { first => '7', cpu => 5 });
is_deeply [Genflow::Times::used(\%before, \%after)], [1, 2, 0],
    'servers that run on have used the difference, and those that have begun meanwhile all that they have used';

done_testing;

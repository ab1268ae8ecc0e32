#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# An administrator clears the jobs: whatever lives ends as cancelled, of all users and types, in
# whichever phase; every hold is released, pictures stay, and what comes later is not touched.
use Genflow::Admin;
use Genflow::Test;

use constant SLOW => 230;    # more than one transaction takes

admin(DELETE => '/jobs');        # what earlier tests left alive
my @users = map { account(SLOW) } 1 .. 3;
my $done  = data(generate($users[0]));
is $done->{status}, 'completed', 'one has its picture';

# A host elsewhere leads most of them; two are with a provider of ours.
sql(<<'END', users => join(',', @users), n => SLOW);
SELECT genflow.sketch_create(u, 'key ' || n, '\x01', NULL, NULL, 'a cat', NULL, '{}', 7, 2, 3::smallint, '1 hour',
                             'elsewhere', '30 minutes')
  FROM unnest(string_to_array(:'users', ',')) AS u, generate_series(1, :'n'::integer / 3) AS n
END
my @slow = map { data(generate($users[$_], { prompt => 'a cat {{delay=20000}}' },
    Prefer => 'respond-async')) } 1, 2;
my $waiting = SLOW - SLOW % 3 + 2;
is held(), (SLOW - SLOW % 3) * 2 + 2, 'what lives holds its price';

my $reply = data(admin(DELETE => '/jobs'));
is_deeply [@{$reply}{qw(message cleared cancelled released)}],
    ['All jobs cleared', $waiting, $waiting, (SLOW - SLOW % 3) * 2 + 2], 'all of it is cleared';
is held(), 0, 'nothing is held any more';
is_deeply [map { status_of($users[$_ + 1], $slow[$_]{id})->{status} } 0, 1],
    ['cancelled', 'cancelled'], 'users see that';
is status_of($users[0], $done->{id})->{status}, 'completed', 'what had a picture has it';
is api(GET => $done->{imageUrl} =~ s{\Ahttp://[^/]+}{}r)->{status}, 200, '... to look at';
is data(admin(GET => "/jobs?status=$_"))->{count}, 0, "nothing is $_" for qw(pending processing);
is data(admin(DELETE => '/jobs'))->{cleared}, 0, 'there is nothing to clear twice';

is data(generate($users[1]))->{status}, 'completed', 'and the next generation is made';
is_deeply [map { credits($_)->[0] } @users], [SLOW - 1, SLOW - 1, SLOW],
    'only what was made was charged';

finish;

sub held {
    return sql1("SELECT sum(held) FROM genflow.accounts WHERE name = ANY (string_to_array(:'u', ','))",
        u => join(',', @users));
}

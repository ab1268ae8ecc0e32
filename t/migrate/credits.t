#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What genflow-migrate does with the older system's credits and settings: balances and open reservations become grants, each once,
# whatever is run again; users' switches come along, and what a user has set here stays.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Migrate qw(balance);

my $old = Genflow::Migrate->new;
$old->sql('CREATE TABLE media_assets (id text PRIMARY KEY, user_id text, final_url text, mode text, created_at timestamp)',
    # reserved at 10:00, :10, :20 and :30; pictures at 10:05 and 10:21
    q(INSERT INTO media_assets VALUES ('picture-of-ann-0001', 'ann', '/1.png', 'preset', '2025-08-25 10:05'),
                                      ('picture-of-ann-0002', 'ann ', '/2.png', 'preset', '2025-08-25 10:21')),
    'CREATE TABLE user_credits (user_id text, credits integer DEFAULT 30, balance numeric)',
    q(INSERT INTO user_credits VALUES ('ann', 30, 10.5), (' ann', 30, 3.5), ('bob', 30, 0), ('cid', 30, -4), ('dan', 30, 'NaN'),
                                      (repeat('e', 255), 30, 1), (repeat('f', 256), 30, 1), (NULL, 30, 1), ('gus', 7, NULL)),
    'CREATE TABLE credits_ledger (id text, user_id text, request_id text, action text, amount numeric, status text, created_at text, meta json)',
    q(INSERT INTO credits_ledger VALUES
        ('1', 'ann', 'r1', 'image.gen', -2, 'reserved', '2025-08-25 10:00', '{"x": "\u0000"}'),
        ('2', 'ann', 'r2', 'image.gen', -2, 'reserved', '2025-08-25 10:10', NULL),
        ('3', 'ann', 'r3', 'image.gen', -3, 'completed', '2025-08-25 10:20', NULL),
        ('4', 'ann', 'r4', 'image.gen', -5, 'reserved', '2025-08-25 10:30', NULL),
        ('5', 'ann', 'r5', 'image.gen', -7, 'refunded', '2025-08-25 10:40', NULL),
        (NULL, 'hal', 'r6', 'image.gen', -4, 'reserved', NULL, NULL),
        ('7', 'hal', 'r7', 'grant', 9.5, 'completed', NULL, NULL), ('8', 'hal', 'r8', 'grant', 0.5, 'completed', NULL, NULL),
        ('9', 'hal', 'r9', 'purchase', 50, 'reserved', NULL, NULL),
        ('4', 'ann', 'ra', 'image.gen', -1, 'reserved', '2025-08-25 11:30', NULL),
        ('b', NULL, 'rb', 'image.gen', -1, 'reserved', NULL, NULL), ('c', 'ida', 'rc', 'image.gen', -6, 'reserved', NULL, NULL)),
    'CREATE TABLE user_settings (user_id text, media_upload_agreed boolean, share_to_feed text, settings jsonb)',
    q(INSERT INTO user_settings VALUES ('ann', true, 'true', NULL), ('ann ', NULL, 'f', NULL), ('bob', NULL, NULL, '{"shareToFeed": true}'),
        ('cid', NULL, 'perhaps', NULL), ('dan', NULL, NULL, NULL), (NULL, true, 'true', NULL), ('eve', true, 'true', NULL)));

# ---- the dry run ----

my $dry = ($old->migrate)[0];
my $RESERVED = qr/^credits_ledger, still reserved: 8 = 4 given back \(17 credits\) \+ 0 already decided \+ 1 spent \+ 3 rejected$/m;
like $dry, $RESERVED, 'the dry run says which reservations it would give back';
is $old->sql('SELECT count(*) FROM genflow_migrate.reserved'), 0, '... and decides nothing';

# ---- moved ----

my ($said, $code) = $old->migrate('--apply');
is $code, 0, 'credits are moved' or diag $said;
like $said, qr/^user_credits, by user: 8 = 3 granted \(22 credits\) \+ 0 already there \+ 2 nothing to grant \+ 3 rejected$/m,
    'balances are granted, of a user in two spellings the sum';
like $said, $RESERVED, 'an open reservation is given back if no picture followed it';
like $said, qr/^  reserved $_$/m, '... or listed: ' . $_
    for '9: rejected: it adds credits', '4: rejected: an earlier entry has this id', 'b: rejected: no user';
my $BALANCES = 'SELECT string_agg(left(name, 3) || balance, \' \' ORDER BY name) FROM genflow.accounts WHERE opened';
is $old->sql($BALANCES), 'ann21 bob0 cid0 eee1 gus7 hal10 ida6', 'each user has what the older system owed';
is $old->sql(q(SELECT count(*) FROM genflow.ledger WHERE external_ref LIKE 'migrate:user_credits:%'
                  AND external_ref = 'migrate:user_credits:' || user_id)), 3, '... by a reference without the name';
$old->sql("SELECT genflow.admin_amounts('initial=30')", "SELECT genflow.allowance('bob')");
is $old->sql($BALANCES), 'ann21 bob0 cid0 eee1 gus7 hal10 ida6', 'a user who spent all there gets no first credits again';

like $said, qr/^user_settings, by user: 6 = 3 moved \+ 0 already there \+ 1 nothing to move \+ 2 rejected$/m, 'settings are moved';
my $SETTINGS = q(SELECT string_agg(name || ' ' || settings, ', ' ORDER BY name)
    FROM genflow.user_settings JOIN genflow.accounts USING (user_id));
is $old->sql($SETTINGS), join(', ', 'ann {"share_to_feed": false, "media_upload_agreed": true}', 'bob {"share_to_feed": true}',
    'eve {"share_to_feed": true, "media_upload_agreed": true}'), '... a user in two spellings publishes only if both say so';
is $old->sql("SELECT genflow.shares(genflow.account_of('bob'))"), 't', '... as the module reads them';

# ---- again ----

$old->sql(q(SELECT genflow.user_settings('eve', '{"share_to_feed": false}')),
    q(DELETE FROM genflow.user_settings WHERE user_id = genflow.account_of('ann')), q(SELECT genflow.user_settings('ann', '{"share_to_feed": true}')),
    # what would decide otherwise now
    'DELETE FROM media_assets',
    # as an older genflow-migrate granted to a user with spaces around the name
    'SET session_replication_role = replica',
    q(UPDATE genflow.ledger SET external_ref = external_ref || ':' || md5(' ann')
       WHERE user_id = genflow.account_of('ann') AND external_ref LIKE 'migrate:user_credits:%'),
    'RESET session_replication_role');
my ($again) = $old->migrate('--apply', '--reserved', 'all');
like $again, qr/^credits_ledger, still reserved: 8 = 0 given back \(0 credits\) \+ 5 already decided \+ 0 spent \+ 3 rejected$/m,
    'a second run gives nothing back, whatever it would decide now';
like $again, qr/^user_credits, by user: 8 = 0 granted \(0 credits\) \+ 3 already there /m, '... and grants no balance';
is $old->sql($BALANCES), 'ann21 bob0 cid0 eee1 gus7 hal10 ida6', '... so that all balances stay';
is $old->sql($SETTINGS), join(', ', 'ann {"share_to_feed": true, "media_upload_agreed": true}', 'bob {"share_to_feed": true}',
    'eve {"share_to_feed": false, "media_upload_agreed": true}'), 'what a user has set here stays';
$old->sql(q(INSERT INTO credits_ledger VALUES ('d', 'bob', 'rd', 'image.gen', -2, 'reserved', NULL, NULL)),
    q(INSERT INTO public.user_settings VALUES ('hal', true, NULL, NULL)));
my ($missing, $wrong) = $old->migrate('--verify');
is $wrong, 1, '--verify misses';
like $missing, qr/^reserved: users or entries without their grant: 1: run genflow-migrate --apply$/m, '... a reservation that came since';
like $missing, qr/^user_settings: users whose settings are not here: 1: /m, '... and settings';
like +($old->migrate('--apply', '--reserved', 'none'))[0], qr/ 0 given back \(0 credits\) \+ 5 already decided \+ 1 spent /, '--reserved none gives none back';
is +($old->migrate('--verify'))[1], 0, '... and that is decided';
is $old->sql('SELECT count(*) FROM genflow.check()'), 0, 'the books are sound';
is +($old->migrate('--reserved', 'some'))[1], 2, 'wrong usage: --reserved some';

# ---- killed between two grants, and run again ----

my $many = Genflow::Migrate->new;
$many->sql('CREATE TABLE user_credits (user_id uuid PRIMARY KEY, balance integer)', 'CREATE TABLE users (id uuid)',
    q(INSERT INTO user_credits SELECT md5(n::text)::uuid, 3 FROM generate_series(1, 1200) n));
$many->apply;
$many->sql('CREATE FUNCTION public.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF (SELECT count(*) FROM genflow.ledger) >= 700 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$',
    'CREATE TRIGGER stop AFTER INSERT ON genflow.ledger FOR EACH ROW EXECUTE FUNCTION public.stop()');
is +($many->migrate('--apply'))[1], 1, 'a run dies while it grants';
is $many->sql('SELECT count(*) FROM genflow.ledger'), 500, '... with some granted';
$many->sql('DROP TRIGGER stop ON genflow.ledger');
like +($many->migrate('--apply'))[0], qr/^user_credits, by user: 1200 = 700 granted \(2100 credits\) \+ 500 already there/m, 'the next one grants the others';
is $many->sql('SELECT count(*), sum(balance) FROM genflow.accounts'), '1200|3600', '... each user once';
done_testing;

-- SPDX-License-Identifier: Apache-2.0
-- The name of a picture cannot be known before its completed generation shows it, and no stored picture stays without a row.

-- The random part of the picture's name in every store: 128 bits, drawn with the row, before any picture is stored. Shown by
-- nothing but the address of a completed generation. NULL: a row from before this migration, whose picture is named by the id.
-- last_look: the deadline is over and one lease was given to look for a picture that an earlier lease may have stored.
ALTER TABLE genflow.work
    ADD COLUMN picture_secret text CHECK (picture_secret ~ '^[0-9a-f]{32}$'),
    ADD COLUMN last_look      boolean NOT NULL DEFAULT false;
ALTER TABLE genflow.work ALTER COLUMN picture_secret
    SET DEFAULT left(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex'), 32);

-- The name under which a picture is stored later.
ALTER TABLE genflow.restores ADD COLUMN picture_secret text;

-- url NULL: a picture that may have been stored: it is removed wherever a store may have it.
ALTER TABLE genflow.removals
    ADD COLUMN picture_secret text,
    ALTER COLUMN url DROP NOT NULL;

-- They tell or take more than before.
DROP FUNCTION IF EXISTS genflow.removal_done(uuid);
DROP FUNCTION IF EXISTS genflow.removal_claim(text[], integer, interval);
DROP FUNCTION IF EXISTS genflow.restore_claim(text[], integer, interval);

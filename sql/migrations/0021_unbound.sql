-- SPDX-License-Identifier: Apache-2.0
-- Clients of older systems reserve credits without saying for which generation. Such a reservation
-- is unbound: the user's next generation of such a client uses the oldest one.
ALTER TABLE genflow.reservations ADD COLUMN unbound boolean NOT NULL DEFAULT false;
CREATE INDEX reservations_unbound ON genflow.reservations (user_id, created_at, id)
    WHERE state = 'open' AND unbound;

-- These two have one parameter more.
DROP FUNCTION IF EXISTS genflow.afford(text, bigint, text, text);
DROP FUNCTION IF EXISTS genflow.reserve(text, text, bigint, text, interval, text);

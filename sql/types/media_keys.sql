-- SPDX-License-Identifier: Apache-2.0
-- What ties the table of a type to the ledger: no generation without its hold, no end without its
-- capture or release. Rendered with media_table.sql. It is a part of its own, because the copy with
-- which genflow.type_upgrade() compares a table has no ledger.
ALTER TABLE {media}
    ADD CONSTRAINT {name}_has_hold FOREIGN KEY (id, hold_kind)
        REFERENCES genflow.ledger (ref, kind) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT {name}_settled FOREIGN KEY (id, settle_kind)
        REFERENCES genflow.ledger (ref, kind) DEFERRABLE INITIALLY DEFERRED;

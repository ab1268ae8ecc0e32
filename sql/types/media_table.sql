-- SPDX-License-Identifier: Apache-2.0
-- The dedicated table of one type. Rendered by genflow.create_type(): {media} the table, {name} its
-- bare name, {no} the type number.
--
-- status moves pending -> processing -> completed | failed | cancelled; an end is final. hold_kind
-- and settle_kind name the ledger rows that this row must have. The deferred foreign keys check it
-- at commit: no job without its hold, no end without its capture or release. A row that
-- genflow-migrate moved from an older system has a legacy_id and no row in the ledger.
CREATE TABLE {media} (
    -- 0: an id that this module did not make
    id               uuid     PRIMARY KEY CHECK (genflow.id_type(id) IN (0, {no})),
    user_id          bigint   NOT NULL,                -- number of the account
    -- the client's own name; NULL: the id serves
    run_id           text     CHECK (length(run_id) BETWEEN 1 AND 200),
    status           text     NOT NULL
        CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    preset           text,
    -- '': the client gave none, or the older system that it comes from kept none
    prompt           text     NOT NULL,
    source_url       text,
    parameters       jsonb    NOT NULL DEFAULT '{}',
    -- from the client, or drawn by the module
    seed             bigint   NOT NULL,
    cost             bigint   NOT NULL CHECK (cost >= 0),
    max_retries      smallint NOT NULL,
    -- 1 high, 0 normal, -1 low
    priority         smallint NOT NULL DEFAULT 0,
    retry_count      smallint NOT NULL DEFAULT 0,
    provider         text,
    model            text,
    provider_kind    text,                           -- the kind of provider that knows the run
    provider_ref     text,                           -- under this id
    image_url        text,                                                     -- ours
    original_url     text,                                                     -- the provider's
    persisted        boolean,
    expires_at       timestamptz,
    -- width, height, bytes, type, sha256
    result           jsonb,
    fallback_used    boolean  NOT NULL DEFAULT false,
    error_code       text,
    error_message    text,
    cause_code       text,
    -- the generation that draws this failed one here; there is no second one
    fallback_id      uuid,
    -- receives the webhook of the end; NULL: none
    webhook_url      text,
    created_at       timestamptz NOT NULL,
    started_at       timestamptz,
    finished_at      timestamptz,
    -- its id in the older system that it was moved from; NULL: made here
    legacy_id        text
        CHECK (legacy_id ~ '^[A-Za-z0-9._:-]+$' AND length(legacy_id) <= 200),
    -- 'public': everybody may see it
    visibility       text     NOT NULL DEFAULT 'private'
        CHECK (visibility IN ('private', 'public')),
    -- others may use its picture as a source image
    allow_remix      boolean  NOT NULL DEFAULT false,
    tags             text[]   CHECK (cardinality(tags) <= 100 AND octet_length(tags::text) <= 8192),
    favourite        boolean  NOT NULL DEFAULT false,
    title            text     CHECK (length(title) BETWEEN 1 AND 200),
    -- a host makes the thumbnail in a store over HTTP (thumbnail_claim.sql)
    thumbnail_until  timestamptz,
    -- an administrator took the picture down (admin_takedown.sql): image_url, original_url,
    -- persisted and result are NULL
    taken_down_at    timestamptz,
    -- what clients or the older system added
    meta             jsonb    CHECK (jsonb_typeof(meta) = 'object'
                                     AND octet_length(meta::text) <= 65536),
    hold_kind        text GENERATED ALWAYS AS (CASE WHEN legacy_id IS NULL THEN 'hold' END) STORED,
    settle_kind      text GENERATED ALWAYS AS (CASE WHEN legacy_id IS NOT NULL THEN NULL
                                                    WHEN status = 'completed' THEN 'capture'
                                                    WHEN status IN ('failed', 'cancelled')
                                                        THEN 'release' END) STORED,
    unsuccessful     text GENERATED ALWAYS AS (CASE WHEN status IN ('failed', 'cancelled')
                                               THEN status END) STORED,
    CONSTRAINT {name}_finished
        CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
    CONSTRAINT {name}_picture
        CHECK ((image_url IS NOT NULL) = (status = 'completed' AND taken_down_at IS NULL)),
    CONSTRAINT {name}_error    CHECK ((error_code IS NOT NULL) = (status = 'failed')),
    -- a moved row has ended, and was paid there
    CONSTRAINT {name}_moved
        CHECK (legacy_id IS NULL OR (cost = 0 AND finished_at IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05,
        fillfactor = 55);

-- fillfactor: the end makes a row longer by its result, and leaves it on its page if that has room.
--
-- Indexes for lists, newest first: of a user, all, by preset and favourites (genflow.tags has those
-- by tag); of all users; and of both those
-- that ended without a picture. No index contains a column that changes when a generation
-- completes, so that this is a heap-only update: no index has the status. Live generations are
-- found by genflow.work. The time of an index over all users is written in another way, because the
-- planner must not walk all users' generations to find those of one user, which may all be old.
CREATE INDEX {name}_user ON {media} (user_id, created_at, id);
CREATE INDEX {name}_preset ON {media} (user_id, preset, created_at, id) WHERE preset IS NOT NULL;
CREATE INDEX {name}_favourite ON {media} (user_id, created_at, id) WHERE favourite;
CREATE INDEX {name}_lost ON {media} (user_id, unsuccessful, created_at, id)
    WHERE unsuccessful IS NOT NULL;
CREATE INDEX {name}_all ON {media} ((created_at AT TIME ZONE 'UTC'), id);
CREATE INDEX {name}_all_lost ON {media} (unsuccessful, (created_at AT TIME ZONE 'UTC'), id)
    WHERE unsuccessful IS NOT NULL;
CREATE INDEX {name}_public ON {media} (created_at, id) WHERE visibility = 'public';
CREATE INDEX {name}_run ON {media} (user_id, run_id) WHERE run_id IS NOT NULL;
CREATE INDEX {name}_provider_ref ON {media} (provider_ref) WHERE provider_ref IS NOT NULL;
CREATE UNIQUE INDEX {name}_legacy_id ON {media} (legacy_id) WHERE legacy_id IS NOT NULL;

CREATE TRIGGER {name}_guard BEFORE UPDATE ON {media} FOR EACH ROW
    WHEN (NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.cost <> OLD.cost
          OR NEW.created_at <> OLD.created_at OR NEW.legacy_id IS DISTINCT FROM OLD.legacy_id
          OR (OLD.status IN ('completed', 'failed', 'cancelled') AND NEW.status <> OLD.status))
    EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {media} FOR EACH ROW
    WHEN (OLD.status IN ('pending', 'processing')) EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {media}
    FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();
-- genflow.tags has each tag (sql/functions/marks.sql)
CREATE TRIGGER {name}_tags_insert AFTER INSERT ON {media} FOR EACH ROW
    WHEN (NEW.tags IS NOT NULL) EXECUTE FUNCTION genflow.tags_keep({no});
CREATE TRIGGER {name}_tags_update AFTER UPDATE OF tags ON {media} FOR EACH ROW
    WHEN (NEW.tags IS DISTINCT FROM OLD.tags) EXECUTE FUNCTION genflow.tags_keep({no});
CREATE TRIGGER {name}_tags_delete AFTER DELETE ON {media} FOR EACH ROW
    WHEN (OLD.tags IS NOT NULL) EXECUTE FUNCTION genflow.tags_keep({no});

-- SPDX-License-Identifier: Apache-2.0
-- Moves what the table of a type from an earlier version has in another place than media_table.sql.
-- genflow.type_upgrade() renders it each time, after it has added the missing columns. A step that
-- finds nothing to move locks nothing.
DO $body$
BEGIN
    -- Before schema version 18 each kind of provider had a column. If several are set, the one
    -- counts that the work continues with, or the one of the provider that brought the end.
    IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = '{media}'::regclass
                  AND a.attname = 'replicate_id' AND NOT a.attisdropped) THEN
        UPDATE {media} m SET provider_kind = r.kind, provider_ref = r.ref
          FROM (SELECT DISTINCT ON (t.id) t.id, k.kind, k.ref
                  FROM {media} t
                 CROSS JOIN LATERAL (
                        VALUES ('stability', t.stability_job_id), ('aiml', t.aiml_job_id),
                               ('fal', t.fal_job_id), ('replicate', t.replicate_id)) k(kind, ref)
                  LEFT JOIN genflow.work w ON w.job_id = t.id
                 WHERE k.ref IS NOT NULL
                 ORDER BY t.id, k.ref = w.provider_ref DESC NULLS LAST,
                          k.kind = t.provider DESC NULLS LAST) r
         WHERE r.id = m.id;
        ALTER TABLE {media} DROP COLUMN stability_job_id, DROP COLUMN aiml_job_id,
            DROP COLUMN fal_job_id, DROP COLUMN replicate_id;
    END IF;
    -- Before schema version 20 every row had to have its entries in the ledger. A generated column
    -- cannot be changed: the table is written anew, and type_upgrade() puts keys and guard back.
    IF EXISTS (SELECT FROM pg_attrdef d
                 JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                WHERE d.adrelid = '{media}'::regclass AND a.attname = 'hold_kind'
                  AND pg_get_expr(d.adbin, d.adrelid) NOT LIKE '%legacy_id%') THEN
        DROP TRIGGER IF EXISTS {name}_guard ON {media};
        ALTER TABLE {media} DROP COLUMN hold_kind, DROP COLUMN settle_kind,
            ADD COLUMN hold_kind text GENERATED ALWAYS AS (
                CASE WHEN legacy_id IS NULL THEN 'hold' END) STORED,
            ADD COLUMN settle_kind text GENERATED ALWAYS AS (
                CASE WHEN legacy_id IS NOT NULL THEN NULL WHEN status = 'completed' THEN 'capture'
                     WHEN status IN ('failed', 'cancelled') THEN 'release' END) STORED;
    END IF;
    -- Before schema version 41 each completed generation had a picture.
    IF EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = '{media}'::regclass
                  AND c.conname = '{name}_result') THEN
        ALTER TABLE {media} DROP CONSTRAINT {name}_result;
    END IF;
    -- Before schema version 42 users were names. The table is written anew, and type_upgrade() puts
    -- the guard back.
    IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = '{media}'::regclass
                  AND a.attname = 'user_id' AND a.atttypid = 'text'::regtype) THEN
        INSERT INTO genflow.accounts (name, opened)
        SELECT DISTINCT m.user_id, false FROM {media} m
         WHERE NOT EXISTS (SELECT FROM genflow.accounts a WHERE a.realm = '' AND a.name = m.user_id)
         ORDER BY 1 ON CONFLICT (realm, name) DO NOTHING;
        DROP TRIGGER IF EXISTS {name}_guard ON {media};
        ALTER TABLE {media}
            ALTER COLUMN user_id TYPE bigint USING genflow.account_named(user_id);
        IF EXISTS (SELECT FROM {media}) THEN
            ANALYZE {media};                               -- a new column has no statistics
        END IF;
    END IF;
    -- Before schema version 36 no table had the tags. The triggers that keep it come with this one.
    IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = '{media}'::regclass
                      AND t.tgname = '{name}_tags_insert') THEN
        INSERT INTO genflow.tags (user_id, tag, type_no, created_at, job_id)
        SELECT DISTINCT m.user_id, u.tag, {no}, m.created_at, m.id
          FROM {media} m CROSS JOIN LATERAL unnest(m.tags) AS u (tag)
         WHERE length(u.tag) <= 200
            ON CONFLICT DO NOTHING;
    END IF;
END $body$;

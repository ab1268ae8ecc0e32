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
END $body$;

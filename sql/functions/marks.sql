-- SPDX-License-Identifier: Apache-2.0
-- What users write at their generations.
--
-- tags_keep(): trigger of the types' tables, with the type number. Keeps genflow.tags as the tags
-- of the rows are. A tag of an older system may be longer than 200 characters: no list finds it.
CREATE OR REPLACE FUNCTION genflow.tags_keep() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM genflow.tags t
         WHERE t.user_id = OLD.user_id AND t.tag = ANY (OLD.tags)
           AND t.type_no = TG_ARGV[0]::smallint AND t.created_at = OLD.created_at
           AND t.job_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO genflow.tags (user_id, tag, type_no, created_at, job_id)
        SELECT DISTINCT NEW.user_id, u.tag, TG_ARGV[0]::smallint, NEW.created_at, NEW.id
          FROM unnest(NEW.tags) AS u (tag) WHERE length(u.tag) <= 200;
    END IF;
    RETURN NULL;
END $$;

-- edit_keep(p_user, p_id, p_type): records that account p_user has edited it. Called by:
-- <prefix>_edit, media_mark, after the update of the row. Locks: the user's edits (advisory), the
-- record. One edit of a user is recorded after the other, so that the newest record is new whenever
-- one of them is.
CREATE OR REPLACE FUNCTION genflow.edit_keep(p_user bigint, p_id uuid, p_type smallint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow edits of ' || p_user, 0));
    INSERT INTO genflow.edits (job_id, type_no, user_id, at)
    VALUES (p_id, p_type, p_user, clock_timestamp())
        ON CONFLICT (job_id) DO UPDATE SET at = EXCLUDED.at;
END $$;

-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_thumbnail(p_id, p_color): the stored picture of a completed generation has a thumbnail
-- beside it, and this mean colour, '#rrggbb'. NULL: it can have none. Written to the row's result;
-- nothing waits for it, so the commit does not wait for the disk: a thumbnail whose note was lost
-- is there all the same, and is removed with its picture by name.
-- A claim (thumbnail_claim.sql) is over.
-- Called by: the dispatcher's thread for thumbnails, a request for one. Locks: media.
-- Outcomes: 'ok'; 'gone' the generation was deleted, or its picture is not stored.
CREATE OR REPLACE FUNCTION genflow.{prefix}_thumbnail(p_id uuid, p_color text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE {media} t SET thumbnail_until = NULL,
        result = coalesce(t.result, '{}') || jsonb_strip_nulls(
            jsonb_build_object('thumbnail', p_color IS NOT NULL, 'color', p_color))
     WHERE t.id = p_id AND t.status = 'completed' AND t.persisted;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'gone' END;
END $body$;

-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_thumbnail_claim(p_id, p_lease): the caller is going to make the thumbnail of a stored
-- picture, as an object beside it in a store over HTTP. For p_lease no other host makes it, and a
-- removal of the picture waits so long (delete), because an upload may be on its way. The commit
-- waits for the disk: nothing is uploaded without it. After a failure nobody tries again before
-- p_lease is over.
-- Called by: each child's thread for thumbnails. Locks: media.
-- Outcomes: 'ok'; 'no' another host makes it, it was made, or there can be none, or the generation
-- was deleted or its picture is not stored.
CREATE OR REPLACE FUNCTION genflow.{prefix}_thumbnail_claim(p_id uuid,
                                                            p_lease interval) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    UPDATE {media} t SET thumbnail_until = v_now + p_lease
     WHERE t.id = p_id AND t.status = 'completed' AND t.persisted
       AND t.result -> 'thumbnail' IS NULL
       AND (t.thumbnail_until IS NULL OR t.thumbnail_until <= v_now);
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'no' END;
END $body$;

-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_restored(p_id, p_image_url, p_result): the store has now accepted a completed picture
-- that it refused before. Called by: the dispatcher's writers. Locks: media, restores, removals.
-- Outcomes: 'ok', also if it was stored before; 'gone' the generation was deleted, or its picture
-- taken down: the removal of the picture is recorded. An existing row keeps its picture, which has
-- this very name.
CREATE OR REPLACE FUNCTION genflow.{prefix}_restored(p_id uuid, p_image_url text,
                                                     p_result jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    UPDATE {media} t SET image_url = p_image_url, result = p_result, persisted = true,
        expires_at = NULL
     WHERE t.id = p_id AND t.status = 'completed' AND NOT t.persisted;
    DELETE FROM genflow.restores r WHERE r.job_id = p_id;
    IF EXISTS (SELECT FROM {media} t WHERE t.id = p_id AND t.status = 'completed'
               AND t.persisted) THEN
        RETURN 'ok';
    END IF;
    PERFORM genflow.removal_add(p_id, {no}::smallint, p_image_url, p_result ->> 'type',
                                genflow.picture_secret(p_id, p_image_url),
                                (SELECT t.run_id FROM {media} t WHERE t.id = p_id));
    RETURN 'gone';
END $body$;

-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_restored(p_id, p_image_url, p_result): the store has now accepted a completed picture
-- that it refused before. Writes its address, and records the removal of its temporary copy, which
-- is in the folder if the picture has no address of its provider that expires. An older system's
-- address is not ours. Called by: the dispatcher's writers. Locks: media, restores, removals.
-- Outcomes: 'ok', also if it was stored before: an existing row keeps its picture, and another one
-- at p_image_url is removed; 'gone' the generation was deleted, or its picture taken down: the
-- removal of the picture is recorded; 'busy' a removal of what is at p_image_url waits: nothing is
-- changed.
CREATE OR REPLACE FUNCTION genflow.{prefix}_restored(p_id uuid, p_image_url text,
                                                     p_result jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    m {media};
BEGIN
    SELECT * INTO m FROM {media} t WHERE t.id = p_id FOR UPDATE;
    IF m.image_url IS NULL THEN
        DELETE FROM genflow.restores r WHERE r.job_id = p_id;
        PERFORM genflow.removal_add(p_id, {no}::smallint, p_image_url, p_result ->> 'type',
                                    genflow.picture_secret(p_id, p_image_url), m.run_id);
        RETURN 'gone';
    ELSIF m.persisted THEN
        PERFORM genflow.removal_spare(p_id, {no}::smallint, p_image_url, true, p_result ->> 'type',
                                      m.run_id, m.image_url);
    ELSIF EXISTS (SELECT FROM genflow.removals r
                   WHERE r.job_id = p_id AND (r.url IS NULL OR r.url = p_image_url)) THEN
        RETURN 'busy';
    ELSE
        UPDATE {media} t SET image_url = p_image_url, result = p_result, persisted = true,
            expires_at = NULL WHERE t.id = p_id;
        PERFORM genflow.removal_add(p_id, {no}::smallint, m.image_url, m.result ->> 'type',
                                    genflow.picture_secret(p_id, m.image_url), m.run_id,
                                    p_copy => true)
          WHERE m.expires_at IS NULL AND m.legacy_id IS NULL AND m.image_url <> p_image_url;
    END IF;
    DELETE FROM genflow.restores r WHERE r.job_id = p_id;
    RETURN 'ok';
END $body$;

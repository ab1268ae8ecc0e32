-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_moved(p_id, p_from, p_to): the picture at p_from was copied to p_to, and read back
-- there. Writes the new address, and records the removal of the old copy for when the move keeps it
-- no longer, nor a thumbnail may be on its way there. Several rows of an older system may have one
-- picture: its old copy stays.
-- Called by: the dispatcher's writers. Locks: media, moving, its move, removals.
-- Outcomes: 'ok', also if it was moved before; 'gone' the generation was deleted, or its picture
-- taken down: the removal of all copies is recorded; 'busy' a removal of a copy of it waits,
-- or it is not under way: others may have removed this copy since. Nothing is changed.
CREATE OR REPLACE FUNCTION genflow.{prefix}_moved(p_id uuid, p_from text, p_to text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_keep interval;
    g      genflow.moving;
    m      {media};
BEGIN
    SELECT * INTO m FROM {media} t WHERE t.id = p_id FOR UPDATE;
    IF m.image_url = p_from AND (EXISTS (SELECT FROM genflow.removals r WHERE r.job_id = p_id)
        OR NOT EXISTS (SELECT FROM genflow.moving w WHERE w.job_id = p_id)) THEN
        RETURN 'busy';
    END IF;
    DELETE FROM genflow.moving d WHERE d.job_id = p_id RETURNING * INTO g;
    IF m.image_url IS NULL THEN
        PERFORM genflow.removal_add(p_id, {no}::smallint, NULL, NULL,
                                    genflow.picture_secret(p_id, p_to), g.run_id);
        RETURN 'gone';
    ELSIF m.image_url = p_from THEN
        -- its thumbnail is beside the old copy: a new one is made
        UPDATE {media} t SET image_url = p_to, thumbnail_until = NULL,
            result = t.result - 'thumbnail' WHERE t.id = p_id;
        UPDATE genflow.moves v SET moved = v.moved + 1,
            bytes = v.bytes + coalesce((m.result ->> 'bytes')::bigint, 0)
         WHERE v.no = g.move_no RETURNING v.keep INTO v_keep;
        PERFORM genflow.removal_add(p_id, {no}::smallint, p_from, m.result ->> 'type',
                                    genflow.picture_secret(p_id, p_from), m.run_id,
                                    greatest(clock_timestamp()
                                             + coalesce(v_keep, interval '1 hour'),
                                             m.thumbnail_until), p_copy => true)
          WHERE m.legacy_id IS NULL;
    END IF;
    RETURN 'ok';
END $body$;

-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_stray(p_id, p_secret, p_run_id): a host gave up an upload that the store had not
-- confirmed, of a generation that had ended without that picture, or was deleted or taken down. The
-- removal that was recorded then may have come before the bytes: it is recorded again, for every
-- name that the picture may have.
--   p_secret  the random part of its name; p_run_id the client's name of the generation
-- Called by: the dispatcher's writers. Locks: the removal's row.
-- Outcomes: 'ok'; 'kept' the generation is live, or completed and not taken down: the picture may
-- be its own.
CREATE OR REPLACE FUNCTION genflow.{prefix}_stray(p_id uuid, p_secret text,
                                                  p_run_id text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF EXISTS (SELECT FROM genflow.work w WHERE w.job_id = p_id)
        OR EXISTS (SELECT FROM {media} t WHERE t.id = p_id AND t.status = 'completed'
                      AND t.taken_down_at IS NULL) THEN
        RETURN 'kept';
    END IF;
    PERFORM genflow.removal_add(p_id, {no}::smallint, NULL, NULL, p_secret, p_run_id);
    RETURN 'ok';
END $body$;

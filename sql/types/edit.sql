-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_edit(...): changes what p_user has written at a generation of their own, in any state.
--   p_tags, p_favourite  NULL: stays; no tags: '{}'
--   p_title              NULL with p_titled: none; without it the title stays
-- An edit that changes nothing writes nothing. Each call changes only what it names, so that two
-- devices may edit at once.
-- Called by: PATCH generation/{id}. Locks: media, the user's edits (advisory). Repeating it is
-- harmless. Outcomes: 'ok'; 'not_found', also for a generation of another user.
CREATE OR REPLACE FUNCTION genflow.{prefix}_edit(
    p_user text, p_id uuid, p_tags text[], p_favourite boolean, p_title text, p_titled boolean,
    OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_user bigint := genflow.account_of(p_user);
BEGIN
    UPDATE {media} m SET
        tags = CASE WHEN p_tags IS NULL THEN m.tags ELSE nullif(p_tags, '{}') END,
        favourite = coalesce(p_favourite, m.favourite),
        title = CASE WHEN p_titled THEN p_title ELSE m.title END
     WHERE m.id = p_id AND m.user_id = v_user
       AND (p_favourite <> m.favourite OR (p_titled AND p_title IS DISTINCT FROM m.title)
            OR (p_tags IS NOT NULL AND nullif(p_tags, '{}') IS DISTINCT FROM m.tags));
    IF FOUND THEN
        PERFORM genflow.edit_keep(v_user, p_id, {no}::smallint);
        outcome := 'ok';
        RETURN;
    END IF;
    outcome := CASE WHEN EXISTS (SELECT FROM {media} m WHERE m.id = p_id AND m.user_id = v_user)
        THEN 'ok' ELSE 'not_found' END;
END $body$;

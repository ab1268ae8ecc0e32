-- SPDX-License-Identifier: Apache-2.0
-- admin_takedown(p_id, p_by, p_call, p_scope): takes down the picture of a generation of any user
-- of p_scope (is_of()). Nobody sees it any more, its owner included; the generation stays
-- completed, and paid. The removal of the picture and its thumbnail is recorded in the same
-- transaction, for now, and once more, by every name, for 15 minutes later: what another host was
-- storing meanwhile goes, too. A host that reports the end of its work after this (settle,
-- restored, thumbnail, stray) records it again. A picture that is not stored yet is at its
-- provider, which keeps it as long as it does. p_by: see audit.sql. p_call: the token of this call
-- (calls.sql). Called by: DELETE admin/jobs/{id}/picture. Locks: media, restores, removals, edits.
-- Outcomes, with the owner, the type and the time: 'ok' image_url is the address that the picture
-- had; 'already' it was taken down before; 'invalid_status' it has no picture, and status tells
-- why; 'not_found'. Only 'ok' changes anything.
CREATE OR REPLACE FUNCTION genflow.admin_takedown(
    p_id uuid, p_by jsonb DEFAULT NULL, p_call uuid DEFAULT NULL, p_scope text DEFAULT NULL,
    OUT outcome text, OUT status text, OUT type text, OUT user_id text, OUT image_url text,
    OUT taken_down_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now    timestamptz := clock_timestamp();
    v_secret text;
    v_first  jsonb;
    t        genflow.types;
    m        record;
BEGIN
    outcome := 'not_found';
    t := genflow.type_row(p_id);
    IF t.no IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT * FROM %I.%I m WHERE m.id = $1 FOR UPDATE', t.media_schema,
                   t.media_table) INTO m USING p_id;
    IF m.id IS NULL OR NOT genflow.is_of(m.user_id, p_scope) THEN
        RETURN;
    END IF;
    status := m.status;
    type := t.name;
    user_id := genflow.identity_of(m.user_id);
    IF m.status <> 'completed' THEN
        outcome := 'invalid_status';
        RETURN;
    ELSIF m.taken_down_at IS NOT NULL THEN
        v_first := genflow.call_answer(p_call);
        outcome := CASE WHEN v_first IS NULL THEN 'already' ELSE 'ok' END;
        image_url := v_first->>'imageUrl';
        taken_down_at := genflow.iso(m.taken_down_at);
        RETURN;
    END IF;
    DELETE FROM genflow.restores r WHERE r.job_id = p_id RETURNING r.picture_secret INTO v_secret;
    EXECUTE format('UPDATE %I.%I m SET taken_down_at = $2, image_url = NULL, original_url = NULL, '
                   'persisted = NULL, expires_at = NULL, result = NULL, thumbnail_until = NULL, '
                   'visibility = ''private'', allow_remix = false WHERE m.id = $1',
                   t.media_schema, t.media_table) USING p_id, v_now;
    -- as in delete.sql: what is not persisted and expires is at its provider
    PERFORM genflow.removal_add(
        p_id, t.no, CASE WHEN m.persisted OR m.expires_at IS NULL THEN m.image_url END,
        m.result ->> 'type', coalesce(genflow.picture_secret(p_id, m.image_url), v_secret),
        CASE WHEN m.legacy_id IS NULL THEN m.run_id END,
        p_again => v_now + interval '15 minutes');
    PERFORM genflow.edit_keep(m.user_id, p_id, t.no);
    PERFORM genflow.audit_add(p_by, 'takedown', p_id::text,
                              jsonb_build_object('type', t.name, 'imageUrl', m.image_url,
                                                 'visibility', m.visibility),
                              jsonb_build_object('takenDownAt', genflow.iso(v_now)), m.user_id);
    outcome := 'ok';
    image_url := m.image_url;
    taken_down_at := genflow.iso(v_now);
    PERFORM genflow.call_keep(p_call, jsonb_build_object('imageUrl', image_url));
END $$;

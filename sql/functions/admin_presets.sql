-- SPDX-License-Identifier: Apache-2.0
-- Presets as an administrator reads and edits them: the rows themselves, active or not.
-- genflow.presets() says which ones are available in a week. The members of the objects have their
-- wire names; `week` is the preset_week of the row.

-- admin_preset(p): one row as an object of the wire. Called by: the functions below.
CREATE OR REPLACE FUNCTION genflow.admin_preset(p genflow.presets_config) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN json_build_object(
        'id', p.id, 'type', p.type, 'key', p.key, 'label', p.label, 'description', p.description,
            'category', p.category,
        'prompt', p.prompt, 'negativePrompt', p.negative_prompt, 'strength', p.strength,
            'parameters', p.parameters,
        'rotationIndex', p.rotation_index, 'week', p.preset_week, 'isActive', p.is_active,
        'createdAt', genflow.iso(p.created_at), 'updatedAt', genflow.iso(p.updated_at));
END $$;

-- admin_presets(p_type, p_key): the presets of a type (NULL: of all types), or of that key alone.
-- Called by: GET admin/presets, GET admin/presets/{key}. Locks: none.
CREATE OR REPLACE FUNCTION genflow.admin_presets(p_type text,
                                                 p_key text DEFAULT NULL) RETURNS SETOF json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT genflow.admin_preset(p) FROM genflow.presets_config p
     WHERE (p_type IS NULL OR p.type = p_type) AND (p_key IS NULL OR p.key = p_key)
     ORDER BY p.type, p.rotation_index, p.id;
END $$;

-- admin_preset_add(p_type, p_key, p_preset, p_call, p_by): adds a preset. p_call: the token of this
-- call (calls.sql). p_by: see audit.sql. Called by: POST admin/presets. Locks: the presets of its
-- type (advisory), against a second addition. Outcomes: 'ok' with the preset; 'exists'; 'full' the
-- type has 200 presets, the limit of genflow.presets(); 'parameters' they are too long.
CREATE OR REPLACE FUNCTION genflow.admin_preset_add(p_type text, p_key text, p_preset jsonb,
                                                    p_call uuid DEFAULT NULL,
                                                    p_by jsonb DEFAULT NULL,
                                                    OUT outcome text, OUT preset json)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r       genflow.presets_config;
    v_first jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow presets ' || p_type, 0));
    IF EXISTS (SELECT FROM genflow.presets_config p WHERE p.type = p_type AND p.key = p_key) THEN
        v_first := genflow.call_answer(p_call);
        outcome := CASE WHEN v_first IS NULL THEN 'exists' ELSE 'ok' END;
        preset := v_first;
        RETURN;
    ELSIF (SELECT count(*) FROM genflow.presets_config p WHERE p.type = p_type) >= 200 THEN
        outcome := 'full';
        RETURN;
    END IF;
    INSERT INTO genflow.presets_config (type, key, label, description, category, prompt,
                                        negative_prompt, strength, parameters,
                                        rotation_index, preset_week, is_active)
    VALUES (p_type, p_key, p_preset->>'label', coalesce(p_preset->>'description', ''),
            p_preset->>'category', p_preset->>'prompt',
            p_preset->>'negativePrompt', (p_preset->>'strength')::numeric,
            coalesce(nullif(p_preset->'parameters', 'null'), '{}'),
            (p_preset->>'rotationIndex')::integer, (p_preset->>'week')::integer,
                coalesce((p_preset->>'isActive')::boolean, true))
    RETURNING * INTO r;
    outcome := 'ok';
    preset := genflow.admin_preset(r);
    PERFORM genflow.call_keep(p_call, preset::jsonb);
    PERFORM genflow.audit_add(p_by, 'preset.add', p_type || '/' || p_key, NULL, preset::jsonb);
EXCEPTION WHEN check_violation THEN
    outcome := 'parameters';
END $$;

-- admin_preset_edit(p_type, p_key, p_changes, p_call, p_by): changes the members that p_changes
-- has. null clears negativePrompt, strength, rotationIndex and week, and changes no other member.
-- Existing generations keep the values that they were created with. p_call: the token of this call
-- (calls.sql), so that a repetition does not undo a later change by another administrator. p_by:
-- see audit.sql. Called by: PUT admin/presets/{key}. Locks: the token, the row. Outcomes: 'ok' with
-- the preset; 'not_found'; 'parameters' they are too long.
CREATE OR REPLACE FUNCTION genflow.admin_preset_edit(p_type text, p_key text, p_changes jsonb,
                                                     p_call uuid DEFAULT NULL,
                                                     p_by jsonb DEFAULT NULL,
                                                     OUT outcome text, OUT preset json)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r       genflow.presets_config;
    b       genflow.presets_config;
    v_first jsonb := genflow.call_begin(p_call);
BEGIN
    IF v_first IS NOT NULL THEN
        outcome := CASE WHEN v_first = '{}' THEN 'not_found' ELSE 'ok' END;
        preset := nullif(v_first, '{}');
        RETURN;
    END IF;
    SELECT * INTO b FROM genflow.presets_config p
     WHERE p.type = p_type AND p.key = p_key FOR UPDATE;
    UPDATE genflow.presets_config p SET
        label           = coalesce(p_changes->>'label', p.label),
        description     = coalesce(p_changes->>'description', p.description),
        category        = coalesce(p_changes->>'category', p.category),
        prompt          = coalesce(p_changes->>'prompt', p.prompt),
        negative_prompt = CASE WHEN p_changes ? 'negativePrompt' THEN p_changes->>'negativePrompt'
            ELSE p.negative_prompt END,
        strength        = CASE WHEN p_changes ? 'strength' THEN (p_changes->>'strength')::numeric
            ELSE p.strength END,
        parameters      = coalesce(nullif(p_changes->'parameters', 'null'), p.parameters),
        rotation_index  = CASE WHEN p_changes ? 'rotationIndex'
            THEN (p_changes->>'rotationIndex')::integer
                               ELSE p.rotation_index END,
        preset_week     = CASE WHEN p_changes ? 'week' THEN (p_changes->>'week')::integer
            ELSE p.preset_week END,
        is_active       = coalesce((p_changes->>'isActive')::boolean, p.is_active)
     WHERE p.type = p_type AND p.key = p_key RETURNING * INTO r;
    outcome := CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
    IF outcome = 'ok' THEN
        preset := genflow.admin_preset(r);
        PERFORM genflow.audit_add(p_by, 'preset.edit', p_type || '/' || p_key,
                                  genflow.admin_preset(b)::jsonb, preset::jsonb);
        PERFORM genflow.call_keep(p_call, preset::jsonb);
    END IF;
EXCEPTION WHEN check_violation THEN
    outcome := 'parameters';
END $$;

-- admin_preset_delete(p_type, p_key, p_call, p_by): deletes a preset. Existing generations keep its
-- key and the values that it gave them. p_call: the token of this call (calls.sql). p_by: see
-- audit.sql. Called by: DELETE admin/presets/{key}. Locks: the row. Outcomes: 'ok'; 'not_found'.
CREATE OR REPLACE FUNCTION genflow.admin_preset_delete(p_type text, p_key text,
                                                       p_call uuid DEFAULT NULL,
                                                       p_by jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r genflow.presets_config;
BEGIN
    DELETE FROM genflow.presets_config p WHERE p.type = p_type AND p.key = p_key RETURNING * INTO r;
    IF FOUND THEN
        PERFORM genflow.audit_add(p_by, 'preset.delete', p_type || '/' || p_key,
                                  genflow.admin_preset(r)::jsonb, NULL);
        PERFORM genflow.call_keep(p_call, '{}');
        RETURN 'ok';
    END IF;
    RETURN CASE WHEN genflow.call_answer(p_call) IS NULL THEN 'not_found' ELSE 'ok' END;
END $$;

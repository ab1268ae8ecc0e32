-- SPDX-License-Identifier: Apache-2.0
-- compose(p_name, p_body): what a body of an older system means: row p_name of
-- genflow.compositions says. Called by: POST image/generate. Locks: none. No such row: all NULL.
--   type        the type of generation that is made
--   prompt      the row's template, whose {member} is the body's text of that name, or what the
--               row's words make of it: an object of texts by value ("*": any other value), or, of
--               a number, a list of {"below": n, "text": t}. A list in the body is joined by
--               commas. What stays empty goes with its comma
--   parameters  the row's, and those numbers of the body that its `takes` names
-- An administrator edits the rows.
CREATE OR REPLACE FUNCTION genflow.compose(p_name text, p_body jsonb, OUT type text,
                                           OUT prompt text, OUT parameters jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c      genflow.compositions;
    v_mark text;
    v_text text;
    v_rule jsonb;
    v_said jsonb;
BEGIN
    SELECT * INTO c FROM genflow.compositions t WHERE t.name = p_name;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    type := c.type;
    prompt := c.template;
    FOR v_mark IN SELECT DISTINCT m[1] FROM regexp_matches(c.template, '\{(\w+)\}', 'g') m LOOP
        v_said := p_body -> v_mark;
        v_rule := c.words -> v_mark;
        v_text := CASE jsonb_typeof(v_said)
            WHEN 'array' THEN (SELECT string_agg(e, ', ') FROM jsonb_array_elements_text(v_said) e)
            WHEN 'object' THEN NULL ELSE v_said #>> '{}' END;
        IF jsonb_typeof(v_rule) = 'object' THEN
            v_text := coalesce(v_rule ->> coalesce(v_text, ''), v_rule ->> '*');
        ELSIF jsonb_typeof(v_rule) = 'array' THEN
            v_text := (SELECT r.value ->> 'text' FROM jsonb_array_elements(v_rule)
                           WITH ORDINALITY AS r(value, no)
                        WHERE jsonb_typeof(v_said) = 'number'
                          AND (r.value ->> 'below' IS NULL
                               OR (v_said #>> '{}')::numeric < (r.value ->> 'below')::numeric)
                        ORDER BY r.no LIMIT 1);
        END IF;
        -- braces of a user's text are no marks
        prompt := replace(prompt, '{' || v_mark || '}',
                          translate(coalesce(v_text, ''), '{}', '()'));
    END LOOP;
    prompt := btrim(regexp_replace(prompt, '(\s*,)+\s*(?=,|$)', '', 'g'), ' ,');
    parameters := c.parameters || coalesce(
        (SELECT jsonb_object_agg(n, p_body -> n) FROM unnest(c.takes) n
          WHERE jsonb_typeof(p_body -> n) = 'number'), '{}');
END $$;

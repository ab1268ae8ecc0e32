-- SPDX-License-Identifier: Apache-2.0
-- admin_check(): genflow.check() as a JSON array of {rule, count, sample}; empty: the books are
-- sound.
-- Called by: GET admin/ledger/check. Locks: none. As slow as the check: statement_timeout of
-- DBDParams ends it.
CREATE OR REPLACE FUNCTION genflow.admin_check() RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(json_agg(json_build_object('rule', c.rule, 'count', c.n, 'sample',
                                                       c.sample)), '[]')
              FROM genflow.check() c);
END $$;

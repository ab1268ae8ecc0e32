-- SPDX-License-Identifier: Apache-2.0
-- admin_check(): genflow.check() as a JSON array of {rule, count, sample}. Empty: the ledger is
-- consistent.
-- Called by: GET admin/ledger/check. Locks: none. It takes as long as the check; statement_timeout
-- of DBDParams bounds it.
CREATE OR REPLACE FUNCTION genflow.admin_check() RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(json_agg(json_build_object('rule', c.rule, 'count', c.n, 'sample',
                                                       c.sample)), '[]')
              FROM genflow.check() c);
END $$;

-- SPDX-License-Identifier: Apache-2.0
-- What may never happen to the ledger and to live work, whoever tries: enforced by triggers, not by habit.
-- The trigger functions are in sql/functions/; here they are only declared, so that the triggers can name them.

-- What the guards need to know of a job, whichever table it is in (genflow.job_brief(id), written by create_type).
CREATE TYPE genflow.job_brief AS (user_id text, cost bigint, status text);

CREATE FUNCTION genflow.forbid() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION genflow.ledger_apply() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION genflow.work_keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON genflow.ledger
    FOR EACH ROW EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON genflow.ledger
    FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER ledger_apply AFTER INSERT ON genflow.ledger
    FOR EACH ROW EXECUTE FUNCTION genflow.ledger_apply();
CREATE TRIGGER work_keep BEFORE DELETE ON genflow.work
    FOR EACH ROW EXECUTE FUNCTION genflow.work_keep();
CREATE TRIGGER work_no_truncate BEFORE TRUNCATE ON genflow.work
    FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();
-- An account carries what its ledger says: it goes only with the database.
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON genflow.accounts
    FOR EACH ROW EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER accounts_no_truncate BEFORE TRUNCATE ON genflow.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();

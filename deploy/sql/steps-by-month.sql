-- Steps in a partition for each month: docs/scaling.md says when. Run it once, by the owner of the tables:
--     psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f deploy/sql/steps-by-month.sql
-- Processes go on meanwhile. Ids are UUIDs of version 7, which begin with their time: a turn's month is that of its id.
-- The part before the swap reads the table once without holding anybody up; the swap itself waits three seconds at most
-- for its locks, changes names and catalogues alone, and is all or nothing. Run it again when it gave up.

CREATE OR REPLACE FUNCTION steps_from(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes the partition of a month (its first day); nothing when it is there. Call it months ahead.
CREATE OR REPLACE PROCEDURE steps_month(month date) LANGUAGE plpgsql AS $$
DECLARE
    part text := 'support_agent_step_' || to_char(month, 'YYYY_MM');
BEGIN
    SET LOCAL lock_timeout = '3s';
    IF to_regclass(part) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF support_agent_step FOR VALUES FROM (%L) TO (%L)', part,
            steps_from(month::timestamp AT TIME ZONE 'UTC'),
            steps_from((month + interval '1 month')::timestamp AT TIME ZONE 'UTC'));
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (id)', part || '_id', part);
    END IF;
END $$;

-- What is there becomes the first partition: everything before the month after next. Checked before the swap.
DO $$
DECLARE
    bound uuid := steps_from((date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months') AT TIME ZONE 'UTC');
BEGIN
    SET LOCAL lock_timeout = '3s';
    ALTER TABLE support_agent_step DROP CONSTRAINT IF EXISTS step_before;
    EXECUTE format('ALTER TABLE support_agent_step ADD CONSTRAINT step_before CHECK (turn_id < %L) NOT VALID', bound);
END $$;
ALTER TABLE support_agent_step VALIDATE CONSTRAINT step_before;

DO $$
DECLARE
    bound uuid := steps_from((date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months') AT TIME ZONE 'UTC');
    found record;
BEGIN
    SET LOCAL lock_timeout = '3s';
    ALTER TABLE support_agent_step RENAME TO support_agent_step_before;
    CREATE TABLE support_agent_step (LIKE support_agent_step_before INCLUDING DEFAULTS) PARTITION BY RANGE (turn_id);
    EXECUTE format('ALTER TABLE support_agent_step ATTACH PARTITION support_agent_step_before '
        'FOR VALUES FROM (MINVALUE) TO (%L)', bound);
    -- The names that Django knows go to the whole; each index of the first partition is taken as it is, not built anew.
    FOR found IN
        SELECT con.conname AS name, pg_get_constraintdef(con.oid) AS words FROM pg_constraint con
        WHERE con.conrelid = 'support_agent_step_before'::regclass AND con.contype IN ('u', 'f')
    LOOP
        EXECUTE format('ALTER TABLE support_agent_step_before RENAME CONSTRAINT %I TO %I', found.name, left(found.name, 56) || '_before');
        EXECUTE format('ALTER TABLE support_agent_step ADD CONSTRAINT %I %s', found.name, found.words);
    END LOOP;
    FOR found IN
        SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS words FROM pg_index i
        WHERE i.indrelid = 'support_agent_step_before'::regclass AND NOT i.indisunique
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', found.name, left(found.name, 56) || '_before');
        EXECUTE replace(found.words, 'support_agent_step_before', 'support_agent_step');
    END LOOP;
    -- Nothing that is written may find no place, should nobody make the next months.
    CREATE TABLE support_agent_step_rest PARTITION OF support_agent_step DEFAULT;
    CREATE UNIQUE INDEX support_agent_step_rest_id ON support_agent_step_rest (id);
    FOR number IN 2..13 LOOP
        CALL steps_month((date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => number))::date);
    END LOOP;
END $$;

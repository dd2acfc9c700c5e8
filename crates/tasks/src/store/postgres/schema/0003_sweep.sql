-- Removes what nobody needs any more, at most `most` rows of each kind, and tells how many. One process at a time.
-- `retention` is that of dead letters; of a queue's fairness keys, `turns` are remembered.
CREATE FUNCTION mare_tasks.sweep(clock bigint, retention bigint, turns bigint, most bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    now bigint := mare_tasks.micros(clock);
    swept bigint;
    in_all bigint := 0;
    queue bigint;
BEGIN
    -- "MareSwee" in ASCII
    IF NOT pg_try_advisory_xact_lock(x'4d61726553776565'::bigint) THEN RETURN 0; END IF;

    DELETE FROM mare_tasks.deleted_queues d WHERE d.until <= now;

    DELETE FROM mare_tasks.tombstones b USING (
        SELECT o.ctid AS row FROM mare_tasks.tombstones o WHERE o.until <= now ORDER BY o.until LIMIT most
        FOR UPDATE SKIP LOCKED) o
    WHERE b.ctid = o.row;
    GET DIAGNOSTICS swept = ROW_COUNT;
    in_all := in_all + swept;

    FOR queue IN SELECT q.id FROM mare_tasks.queues q ORDER BY q.id LOOP
        WITH old AS (
            DELETE FROM mare_tasks.dead d USING (
                SELECT o.ctid AS row FROM mare_tasks.dead o
                WHERE o.queue_id = queue AND o.died_at <= now - retention LIMIT most FOR UPDATE SKIP LOCKED) o
            WHERE d.ctid = o.row RETURNING 1
        )
        UPDATE mare_tasks.queues q SET forgotten = q.forgotten + (SELECT count(*) FROM old)
        WHERE q.id = queue AND EXISTS (SELECT FROM old);

        DELETE FROM mare_tasks.turns t USING (
            SELECT o.ctid AS row FROM mare_tasks.turns o WHERE o.queue_id = queue
            ORDER BY o.turn DESC OFFSET turns LIMIT most FOR UPDATE SKIP LOCKED) o
        WHERE t.ctid = o.row;
    END LOOP;

    -- What is left of queues that are gone. No task can be added to them: their numbers are never given again.
    FOR queue IN
        WITH RECURSIVE ids AS (
            SELECT min(t.queue_id) AS id FROM mare_tasks.tasks t
            UNION ALL
            SELECT (SELECT min(t.queue_id) FROM mare_tasks.tasks t WHERE t.queue_id > i.id) FROM ids i
            WHERE i.id IS NOT NULL
        ), dead_ids AS (
            SELECT min(d.queue_id) AS id FROM mare_tasks.dead d
            UNION ALL
            SELECT (SELECT min(d.queue_id) FROM mare_tasks.dead d WHERE d.queue_id > i.id) FROM dead_ids i
            WHERE i.id IS NOT NULL
        )
        SELECT i.id FROM (SELECT id FROM ids UNION SELECT id FROM dead_ids) i
        WHERE i.id IS NOT NULL AND NOT EXISTS (SELECT FROM mare_tasks.queues q WHERE q.id = i.id)
    LOOP
        DELETE FROM mare_tasks.tasks t USING (
            SELECT o.ctid AS row FROM mare_tasks.tasks o WHERE o.queue_id = queue LIMIT most FOR UPDATE SKIP LOCKED) o
        WHERE t.ctid = o.row;
        GET DIAGNOSTICS swept = ROW_COUNT;
        in_all := in_all + swept;
        DELETE FROM mare_tasks.dead d USING (
            SELECT o.ctid AS row FROM mare_tasks.dead o WHERE o.queue_id = queue LIMIT most FOR UPDATE SKIP LOCKED) o
        WHERE d.ctid = o.row;
        DELETE FROM mare_tasks.turns t WHERE t.queue_id = queue;
    END LOOP;
    RETURN in_all;
END $$;

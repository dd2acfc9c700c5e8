-- Functions: where one round trip does what takes several statements, each with a snapshot of its own.
-- `clock` is the time of a test; null: the database's own.

CREATE FUNCTION mare_tasks.micros(clock bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(clock, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
$$;

-- The first half of a lease: makes due what has become so, and tells what decides how many may go.
-- If there is something to lease it returns with the queue's pace locked. No row: there is no such queue.
CREATE FUNCTION mare_tasks.enter(queue_name text, clock bigint, batch integer) RETURNS TABLE (
    queue_id bigint, settings bytea, now bigint, locked boolean, abandoned boolean, leased bigint,
    next_schedule bigint, next_end bigint, level double precision, at bigint, ramp bigint, throttle double precision, halved bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    queue_state smallint;
BEGIN
    SELECT q.id, q.settings, q.state INTO queue_id, settings, queue_state FROM mare_tasks.queues q
        WHERE q.name = queue_name;
    -- One that is paused has nothing to say.
    IF NOT FOUND OR queue_state <> 1 THEN
        IF FOUND THEN RETURN NEXT; END IF;
        RETURN;
    END IF;
    now := mare_tasks.micros(clock);
    next_schedule := (SELECT min(t.schedule_time) FROM mare_tasks.tasks t
        WHERE t.queue_id = enter.queue_id AND t.state = 0);
    next_end := (SELECT min(t.lease_end) FROM mare_tasks.tasks t WHERE t.queue_id = enter.queue_id AND t.state = 2);
    abandoned := EXISTS (SELECT FROM mare_tasks.tasks t
        WHERE t.queue_id = enter.queue_id AND t.state < 2 AND t.lease_token IS NOT NULL);
    locked := abandoned OR EXISTS (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = enter.queue_id AND t.state = 1)
        OR coalesce(next_schedule <= now, false) OR coalesce(next_end <= now, false);
    IF locked THEN
        SELECT p.level, p.at, p.ramp, p.throttle, p.halved INTO level, at, ramp, throttle, halved
            FROM mare_tasks.paces p WHERE p.queue_id = enter.queue_id FOR NO KEY UPDATE;
        -- Only now: whoever held the lock before has an earlier time, and may have changed the queue.
        now := mare_tasks.micros(clock);
        SELECT q.settings, q.state INTO settings, queue_state FROM mare_tasks.queues q WHERE q.id = enter.queue_id;
        IF NOT FOUND THEN RETURN; END IF;
        IF queue_state <> 1 THEN now := NULL; RETURN NEXT; RETURN; END IF;
        IF next_schedule <= now THEN
            WITH risen AS (
                SELECT t.id FROM mare_tasks.tasks t
                WHERE t.queue_id = enter.queue_id AND t.state = 0 AND t.schedule_time <= now
                ORDER BY t.schedule_time LIMIT batch FOR UPDATE SKIP LOCKED
            )
            UPDATE mare_tasks.tasks t SET state = 1
            FROM risen WHERE t.queue_id = enter.queue_id AND t.id = risen.id;
            next_schedule := (SELECT min(t.schedule_time) FROM mare_tasks.tasks t
                WHERE t.queue_id = enter.queue_id AND t.state = 0);
        END IF;
    ELSE
        SELECT p.level, p.at, p.ramp, p.throttle, p.halved INTO level, at, ramp, throttle, halved
            FROM mare_tasks.paces p WHERE p.queue_id = enter.queue_id;
    END IF;
    -- A count, not a counter: it cannot drift, and it is bounded by the queue's concurrency.
    leased := (SELECT count(*) FROM mare_tasks.tasks t WHERE t.queue_id = enter.queue_id AND t.state = 2);
    IF at IS NOT NULL THEN RETURN NEXT; END IF;
END $$;

-- The second half: leases the next `wanted` due tasks. The caller holds the lock on the queue's pace.
-- Priorities one after the other; within one, keys take turns: round by round, and in each round in the order in
-- which they were served last. A walk from key to key through the index finds them without reading their tasks; of
-- more than `keys_max` keys it looks at so many, and the next time at those after them.
-- `filled` is what the queue's bucket holds at `now`; null: it has none. A last row without an id says in
-- `lease_token` whether (1) more is due.
CREATE FUNCTION mare_tasks.take(queue bigint, wanted integer, now bigint, margin bigint, filled double precision)
RETURNS TABLE (
    id text, schedule_time bigint, create_time bigint, spec bytea, dispatched_count bigint, answered_count bigint,
    executed_count bigint, first_attempt bigint, scheduled bigint, dispatched bigint, outcome bytea,
    previous_outcome bytea, lease_token bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    keys_max CONSTANT bigint := 1000;
    from_key bytea;
    keys bytea[];
    firsts bigint[];
    numbers bigint[];
    level smallint;
    last_turn bigint;
    taken_here integer;
    taken_in_all integer := 0;
BEGIN
    SELECT p.turn, p.next_key INTO last_turn, from_key FROM mare_tasks.paces p WHERE p.queue_id = queue;
    LOOP
        SELECT t.priority INTO level FROM mare_tasks.tasks t
            WHERE t.queue_id = queue AND t.state = 1 AND t.priority < coalesce(level::integer, 32768)
            ORDER BY t.priority DESC LIMIT 1;
        EXIT WHEN level IS NULL OR wanted <= 0;
        WITH RECURSIVE onwards AS (
            (SELECT t.fairness_key, t.schedule_time, t.number, 1 AS place FROM mare_tasks.tasks t
                WHERE t.queue_id = queue AND t.state = 1 AND t.priority = level AND t.fairness_key >= from_key
                ORDER BY t.fairness_key, t.schedule_time, t.number LIMIT 1)
            UNION ALL
            SELECT f.*, o.place + 1 FROM onwards o, LATERAL (
                SELECT t.fairness_key, t.schedule_time, t.number FROM mare_tasks.tasks t
                WHERE t.queue_id = queue AND t.state = 1 AND t.priority = level AND t.fairness_key > o.fairness_key
                ORDER BY t.fairness_key, t.schedule_time, t.number LIMIT 1) f
            WHERE o.place < keys_max
        ), again AS (
            (SELECT t.fairness_key, t.schedule_time, t.number, keys_max + 1 AS place FROM mare_tasks.tasks t
                WHERE t.queue_id = queue AND t.state = 1 AND t.priority = level AND t.fairness_key < from_key
                ORDER BY t.fairness_key, t.schedule_time, t.number LIMIT 1)
            UNION ALL
            SELECT f.*, a.place + 1 FROM again a, LATERAL (
                SELECT t.fairness_key, t.schedule_time, t.number FROM mare_tasks.tasks t
                WHERE t.queue_id = queue AND t.state = 1 AND t.priority = level
                    AND t.fairness_key > a.fairness_key AND t.fairness_key < from_key
                ORDER BY t.fairness_key, t.schedule_time, t.number LIMIT 1) f
            WHERE a.place < 2 * keys_max
        )
        SELECT array_agg(f.fairness_key ORDER BY f.place), array_agg(f.schedule_time ORDER BY f.place),
            array_agg(f.number ORDER BY f.place) INTO keys, firsts, numbers
        FROM (SELECT * FROM onwards UNION ALL SELECT * FROM again LIMIT keys_max) f;
        from_key := CASE WHEN cardinality(keys) < keys_max THEN '' ELSE keys[keys_max] || '\x00' END;

        RETURN QUERY
        WITH ranked AS (
            SELECT f.fairness_key, row_number() OVER (ORDER BY coalesce((
                    SELECT s.turn FROM mare_tasks.turns s
                    WHERE s.queue_id = queue AND s.priority = level AND s.fairness_key = f.fairness_key), 0),
                    f.schedule_time, f.number) AS rank
            FROM unnest(keys, firsts, numbers) f (fairness_key, schedule_time, number) ORDER BY rank LIMIT wanted
        ), picked AS (
            SELECT t.row, row_number() OVER (ORDER BY t.round, k.rank) AS place
            FROM ranked k, LATERAL (
                SELECT t.row, row_number() OVER (ORDER BY t.schedule_time, t.number) AS round FROM (
                    SELECT t.ctid AS row, t.schedule_time, t.number FROM mare_tasks.tasks t
                    WHERE t.queue_id = queue AND t.state = 1 AND t.priority = level
                        AND t.fairness_key = k.fairness_key
                    ORDER BY t.schedule_time, t.number
                    -- One of each is enough if there are keys enough.
                    LIMIT CASE WHEN cardinality(keys) >= wanted THEN 1 ELSE wanted END) t) t
            ORDER BY place LIMIT wanted
        ), locked AS (
            SELECT p.place, t.ctid AS row FROM picked p JOIN mare_tasks.tasks t ON t.ctid = p.row
            WHERE t.state = 1 FOR UPDATE OF t SKIP LOCKED
        ), taken AS (
            UPDATE mare_tasks.tasks t SET
                -- No sequence: a server that forgot a lease must not give its token again.
                state = 2, lease_token = (random() * 9007199254740991)::bigint, lease_end = now + t.deadline + margin,
                dispatched_count = t.dispatched_count + 1, first_attempt = coalesce(t.first_attempt, now),
                scheduled = t.schedule_time, dispatched = now, outcome = NULL,
                previous_scheduled = t.scheduled, previous_dispatched = t.dispatched, previous_outcome = t.outcome
            FROM locked l WHERE t.ctid = l.row
            RETURNING l.place, t.fairness_key, t.id, t.schedule_time, t.create_time, t.spec, t.dispatched_count,
                t.answered_count, t.executed_count, t.first_attempt, t.scheduled, t.dispatched, t.outcome,
                t.previous_outcome, t.lease_token
        ), served AS (
            INSERT INTO mare_tasks.turns (queue_id, priority, fairness_key, turn)
            SELECT queue, level, t.fairness_key, last_turn + max(t.place) FROM taken t GROUP BY t.fairness_key
            ON CONFLICT (queue_id, priority, fairness_key) DO UPDATE SET turn = excluded.turn
        )
        SELECT t.id, t.schedule_time, t.create_time, t.spec, t.dispatched_count, t.answered_count,
            t.executed_count, t.first_attempt, t.scheduled, t.dispatched, t.outcome, t.previous_outcome,
            t.lease_token
        FROM taken t ORDER BY t.place;
        GET DIAGNOSTICS taken_here = ROW_COUNT;
        -- Past the places of those that somebody else had locked, too.
        last_turn := last_turn + wanted;
        wanted := wanted - taken_here;
        taken_in_all := taken_in_all + taken_here;
    END LOOP;
    UPDATE mare_tasks.paces p SET
        turn = last_turn, next_key = from_key,
        level = coalesce(filled - taken_in_all, p.level),
        at = CASE WHEN filled IS NULL THEN p.at ELSE now END
    WHERE p.queue_id = queue AND taken_in_all > 0;
    id := NULL;
    lease_token := EXISTS (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = queue AND t.state = 1)::integer;
    RETURN NEXT;
END $$;

-- Makes tasks of dead letters, but for those whose id a living task has; tells of how many. Null: of all.
CREATE FUNCTION mare_tasks.redrive(queue bigint, clock bigint, ids text[], retention bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    now bigint := mare_tasks.micros(clock);
    letter mare_tasks.dead%ROWTYPE;
    redriven bigint := 0;
BEGIN
    FOR letter IN SELECT d.* FROM mare_tasks.dead d
        WHERE d.queue_id = queue AND (ids IS NULL OR d.id = ANY (ids)) AND d.died_at > now - retention
        ORDER BY d.id FOR UPDATE
    LOOP
        INSERT INTO mare_tasks.tasks (queue_id, number, schedule_time, create_time, deadline, state, priority, named,
            id, fairness_key, spec, retry)
        VALUES (queue, letter.number, now, letter.create_time, letter.deadline, 1, letter.priority, letter.named,
            letter.id, letter.fairness_key, letter.spec, letter.retry)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            DELETE FROM mare_tasks.dead d WHERE d.queue_id = queue AND d.id = letter.id;
            DELETE FROM mare_tasks.tombstones b WHERE b.queue_id = queue AND b.id = letter.id;
            redriven := redriven + 1;
        END IF;
    END LOOP;
    RETURN redriven;
END $$;

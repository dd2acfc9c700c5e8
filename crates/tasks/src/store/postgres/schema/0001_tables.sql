-- Times are microseconds since 1970, as those of Cloud Tasks are; spans are microseconds too.

CREATE TABLE mare_tasks.queues (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    -- 1 running, 2 paused
    state smallint NOT NULL,
    purged_at bigint,
    -- dead letters that were given up, ever
    forgotten bigint NOT NULL DEFAULT 0,
    -- encoding::write_settings
    settings bytea NOT NULL
);

CREATE TABLE mare_tasks.deleted_queues (
    name text COLLATE "C" PRIMARY KEY,
    until bigint NOT NULL
);

-- What all processes share of a queue's speed: `policy::pace::Pace`, and the last turn given. Leasing locks this row;
-- creating tasks never touches it, which is why no foreign key leads from tasks to queues.
CREATE TABLE mare_tasks.paces (
    queue_id bigint PRIMARY KEY,
    turn bigint NOT NULL DEFAULT 0,
    -- where the next walk over fairness keys begins
    next_key bytea NOT NULL DEFAULT '',
    level double precision NOT NULL,
    at bigint NOT NULL,
    ramp bigint,
    throttle double precision NOT NULL DEFAULT 1,
    halved bigint
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- When fairness keys were served last.
CREATE TABLE mare_tasks.turns (
    queue_id bigint NOT NULL,
    priority smallint NOT NULL,
    fairness_key bytea NOT NULL,
    turn bigint NOT NULL,
    PRIMARY KEY (queue_id, priority, fairness_key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Not cached: sessions must not take each other's turn in the order of creation.
CREATE SEQUENCE mare_tasks.task_numbers;

-- The hot table: what has not ended. Each state has an index of its own, so that no scan for one meets the others.
CREATE TABLE mare_tasks.tasks (
    queue_id bigint NOT NULL,
    -- order of creation
    number bigint NOT NULL DEFAULT nextval('mare_tasks.task_numbers'),
    schedule_time bigint NOT NULL,
    create_time bigint NOT NULL,
    -- the dispatch deadline
    deadline bigint NOT NULL,
    -- Of the latest lease, also once it has ended: it may still be settled until there is another.
    lease_token bigint,
    lease_end bigint,
    first_attempt bigint,
    -- of the last attempt, and of the one before it while one is under way
    scheduled bigint,
    dispatched bigint,
    previous_scheduled bigint,
    previous_dispatched bigint,
    dispatched_count bigint NOT NULL DEFAULT 0,
    answered_count bigint NOT NULL DEFAULT 0,
    executed_count bigint NOT NULL DEFAULT 0,
    -- 0 waits for its time, 1 is due, 2 is leased
    state smallint NOT NULL,
    priority smallint NOT NULL,
    -- by its client
    named boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    fairness_key bytea NOT NULL,
    -- encoding::write_spec; it can be long, and only who leases or reads the task needs it
    spec bytea NOT NULL,
    -- encoding::write_retry, if it overrides the queue's
    retry bytea,
    -- encoding::write_outcome: of the last attempt, and of the one before it while one is under way
    outcome bytea,
    previous_outcome bytea,
    PRIMARY KEY (queue_id, id)
) WITH (
    -- It is small and all of it changes: vacuum it by count, at once, at full speed.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
);
CREATE INDEX tasks_waiting ON mare_tasks.tasks (queue_id, schedule_time) WHERE state = 0;
CREATE INDEX tasks_due ON mare_tasks.tasks (queue_id, priority DESC, fairness_key, schedule_time, number)
    WHERE state = 1;
CREATE INDEX tasks_leased ON mare_tasks.tasks (queue_id, lease_end) WHERE state = 2;
-- Those whose lease ended by itself.
CREATE INDEX tasks_abandoned ON mare_tasks.tasks (queue_id) WHERE state < 2 AND lease_token IS NOT NULL;

-- The names of ended tasks.
CREATE TABLE mare_tasks.tombstones (
    queue_id bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    until bigint NOT NULL,
    PRIMARY KEY (queue_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX tombstones_until ON mare_tasks.tombstones (until);

-- Dead letters: tasks that used up their attempts. The columns are those of tasks, in their order.
CREATE TABLE mare_tasks.dead (
    LIKE mare_tasks.tasks,
    died_at bigint NOT NULL,
    PRIMARY KEY (queue_id, id)
);
CREATE INDEX dead_by_time ON mare_tasks.dead (queue_id, died_at, number);

-- How far something has come: the last tick of each schedule.
CREATE TABLE mare_tasks.marks (
    key text COLLATE "C" PRIMARY KEY,
    at bigint NOT NULL
);

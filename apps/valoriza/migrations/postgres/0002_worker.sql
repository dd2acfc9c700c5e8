-- Events the worker handled, so that each has its effects once; the platform may bring one more than once.
CREATE TABLE handled_events (
    subscription    TEXT NOT NULL,
    event_id        TEXT NOT NULL,
    handled_at      BIGINT NOT NULL,
    PRIMARY KEY (subscription, event_id)
);
CREATE INDEX handled_events_by_time ON handled_events (handled_at);

CREATE TABLE reports (
    id          UUID PRIMARY KEY,
    tenant_id   UUID NOT NULL REFERENCES tenants (id),
    month       TEXT COLLATE "C" NOT NULL,
    scheduled   BOOLEAN NOT NULL, -- made by the schedule and not asked for by a person
    status      TEXT NOT NULL CHECK (status IN ('queued', 'ready', 'failed')),
    created_at  BIGINT NOT NULL,
    ready_at    BIGINT,
    UNIQUE (tenant_id, id)
);
CREATE UNIQUE INDEX reports_scheduled_once ON reports (tenant_id, month) WHERE scheduled;

CREATE TABLE report_files (
    tenant_id   UUID NOT NULL,
    report_id   UUID NOT NULL,
    format      TEXT NOT NULL CHECK (format IN ('html', 'csv')),
    bytes       BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, report_id, format),
    FOREIGN KEY (tenant_id, report_id) REFERENCES reports (tenant_id, id) ON DELETE CASCADE
);

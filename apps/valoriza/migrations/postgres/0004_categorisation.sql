-- How a transaction came by its category. Confidence is in ten-thousandths; tags and alternatives are JSON.
ALTER TABLE transactions ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE transactions ADD COLUMN category_source TEXT; -- set with category_id, and with it alone
ALTER TABLE transactions ADD COLUMN category_confidence BIGINT;
ALTER TABLE transactions ADD COLUMN category_reason TEXT;
ALTER TABLE transactions ADD COLUMN categorised_at BIGINT;
-- What was proposed where nobody was sure enough; goes when there is a category.
ALTER TABLE transactions ADD COLUMN suggested_category_id UUID;
ALTER TABLE transactions ADD COLUMN suggested_confidence BIGINT;
ALTER TABLE transactions ADD COLUMN suggested_source TEXT;
ALTER TABLE transactions ADD COLUMN suggested_reason TEXT;
ALTER TABLE transactions ADD COLUMN suggested_others TEXT;

-- Until now only people gave categories.
UPDATE transactions SET category_source = 'user', category_confidence = 10000,
    category_reason = 'Você escolheu', categorised_at = updated_at
WHERE category_id IS NOT NULL;

CREATE INDEX transactions_in_review ON transactions (tenant_id, date, id)
    WHERE category_id IS NULL AND kind = 'normal' AND NOT is_split;
-- What people taught, newest first.
CREATE INDEX transactions_by_choice ON transactions (tenant_id, categorised_at, id) WHERE category_source = 'user';
-- What the engine decided, newest first.
CREATE INDEX transactions_by_decision ON transactions (tenant_id, categorised_at, id)
    WHERE category_source <> 'user' AND category_source <> 'rule';

-- Bumped by whatever changes how a tenant's transactions are categorised, so that a process knows when what it
-- keeps in memory is old. Always the last row a transaction locks.
CREATE TABLE knowledge (
    tenant_id   UUID PRIMARY KEY REFERENCES tenants (id),
    version     BIGINT NOT NULL
);

-- Where the wording of a transaction is among all wordings.
CREATE TABLE embeddings (
    tenant_id       UUID NOT NULL,
    transaction_id  UUID NOT NULL,
    vector          BYTEA NOT NULL,
    made_at         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id),
    FOREIGN KEY (tenant_id, transaction_id) REFERENCES transactions (tenant_id, id) ON DELETE CASCADE
);

-- What a person said about a transaction, until they take it back.
CREATE TABLE corrections (
    id              UUID PRIMARY KEY,
    tenant_id       UUID NOT NULL REFERENCES tenants (id),
    user_id         UUID NOT NULL,
    transaction_id  UUID NOT NULL,
    category_id     UUID NOT NULL,
    created_at      BIGINT NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, transaction_id) REFERENCES transactions (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, category_id) REFERENCES categories (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX corrections_by_time ON corrections (tenant_id, created_at);
CREATE INDEX corrections_by_transaction ON corrections (tenant_id, transaction_id);
CREATE INDEX corrections_by_category ON corrections (tenant_id, category_id);

-- What the transactions a correction changed were before it.
CREATE TABLE correction_changes (
    tenant_id               UUID NOT NULL,
    correction_id           UUID NOT NULL,
    transaction_id          UUID NOT NULL,
    category_id             UUID,
    category_source         TEXT,
    category_confidence     BIGINT,
    category_reason         TEXT,
    categorised_at          BIGINT,
    suggested_category_id   UUID,
    suggested_confidence    BIGINT,
    suggested_source        TEXT,
    suggested_reason        TEXT,
    suggested_others        TEXT,
    PRIMARY KEY (tenant_id, correction_id, transaction_id),
    FOREIGN KEY (tenant_id, correction_id) REFERENCES corrections (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, transaction_id) REFERENCES transactions (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX correction_changes_by_transaction ON correction_changes (tenant_id, transaction_id);

CREATE TABLE automations (
    id              UUID PRIMARY KEY,
    tenant_id       UUID NOT NULL REFERENCES tenants (id),
    name            TEXT NOT NULL,
    enabled         BOOLEAN NOT NULL,
    position        BIGINT NOT NULL, -- the first that matches gives the category
    when_text       TEXT,
    when_account_id UUID,
    when_direction  TEXT CHECK (when_direction IN ('in', 'out')),
    when_min_cents  BIGINT,
    when_max_cents  BIGINT,
    category_id     UUID,
    tags            TEXT NOT NULL, -- JSON
    notify          BOOLEAN NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, when_account_id) REFERENCES accounts (tenant_id, id),
    FOREIGN KEY (tenant_id, category_id) REFERENCES categories (tenant_id, id)
);
CREATE INDEX automations_in_order ON automations (tenant_id, position, id);
CREATE INDEX automations_by_category ON automations (tenant_id, category_id);
CREATE INDEX automations_by_account ON automations (tenant_id, when_account_id);

-- Which transactions an automation met; each once, however often they are looked at.
CREATE TABLE automation_matches (
    tenant_id       UUID NOT NULL,
    automation_id   UUID NOT NULL,
    transaction_id  UUID NOT NULL,
    PRIMARY KEY (tenant_id, automation_id, transaction_id),
    FOREIGN KEY (tenant_id, automation_id) REFERENCES automations (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, transaction_id) REFERENCES transactions (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX automation_matches_by_transaction ON automation_matches (tenant_id, transaction_id);

CREATE TABLE notifications (
    id          UUID PRIMARY KEY,
    tenant_id   UUID NOT NULL REFERENCES tenants (id),
    kind        TEXT NOT NULL CHECK (kind IN ('budget', 'automation', 'import', 'report')),
    title       TEXT NOT NULL,
    text        TEXT NOT NULL,
    link        TEXT,
    read_at     BIGINT,
    created_at  BIGINT NOT NULL
);
CREATE INDEX notifications_by_tenant ON notifications (tenant_id, id);
CREATE INDEX notifications_unread ON notifications (tenant_id) WHERE read_at IS NULL;
CREATE INDEX notifications_by_time ON notifications (created_at);

-- Which alerts a budget, which is one category in one month, gave already.
CREATE TABLE alerts_sent (
    budget_id   UUID NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
    percent     BIGINT NOT NULL,
    sent_at     BIGINT NOT NULL,
    PRIMARY KEY (budget_id, percent)
);

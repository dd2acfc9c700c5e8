-- One schema, two dialects: this file and its twin in the other folder differ in column types only.
-- Instants are milliseconds since 1970 (UTC); days are YYYY-MM-DD and months YYYY-MM, so that text order is time order.

CREATE TABLE signing_keys (
    slot        BIGINT PRIMARY KEY CHECK (slot = 1), -- one key shared by all instances
    kid         TEXT NOT NULL,
    seed        BYTEA NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE tenants (
    id              UUID PRIMARY KEY,
    name            TEXT NOT NULL,
    tree_version    BIGINT NOT NULL DEFAULT 0, -- bumped by every category write, which so happen one at a time
    created_at      BIGINT NOT NULL
);

CREATE TABLE users (
    id              UUID PRIMARY KEY,
    name            TEXT NOT NULL,
    email           TEXT NOT NULL UNIQUE, -- lower case
    password_hash   TEXT NOT NULL,
    created_at      BIGINT NOT NULL
);

CREATE TABLE memberships (
    tenant_id   UUID NOT NULL REFERENCES tenants (id),
    user_id     UUID NOT NULL REFERENCES users (id),
    role        TEXT NOT NULL CHECK (role IN ('owner', 'member', 'viewer')),
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id, created_at);

CREATE TABLE refresh_tokens (
    id          UUID PRIMARY KEY,
    family_id   UUID NOT NULL,
    user_id     UUID NOT NULL REFERENCES users (id),
    tenant_id   UUID NOT NULL REFERENCES tenants (id),
    hash        BYTEA NOT NULL UNIQUE, -- SHA-256; the token itself is never stored
    used_at     BIGINT,
    revoked_at  BIGINT,
    expires_at  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE accounts (
    id                      UUID PRIMARY KEY,
    tenant_id               UUID NOT NULL REFERENCES tenants (id),
    name                    TEXT NOT NULL,
    kind                    TEXT NOT NULL CHECK (kind IN ('checking', 'savings', 'credit_card', 'cash', 'investment')),
    currency                TEXT NOT NULL,
    opening_balance_cents   BIGINT NOT NULL,
    balance_cents           BIGINT NOT NULL, -- opening plus all transactions, kept by every write of one
    archived                BOOLEAN NOT NULL DEFAULT FALSE,
    version                 BIGINT NOT NULL,
    created_at              BIGINT NOT NULL,
    updated_at              BIGINT NOT NULL,
    UNIQUE (tenant_id, id)
);

CREATE TABLE categories (
    id          UUID PRIMARY KEY,
    tenant_id   UUID NOT NULL REFERENCES tenants (id),
    parent_id   UUID,
    name        TEXT NOT NULL,
    name_key    TEXT NOT NULL, -- lower case without accents
    kind        TEXT NOT NULL CHECK (kind IN ('income', 'expense')),
    color       TEXT NOT NULL,
    icon        TEXT,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES categories (tenant_id, id)
);
CREATE UNIQUE INDEX categories_siblings ON categories (tenant_id, parent_id, name_key) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX categories_roots ON categories (tenant_id, name_key) WHERE parent_id IS NULL;
CREATE INDEX categories_by_parent ON categories (tenant_id, parent_id);

CREATE TABLE transactions (
    id                      UUID PRIMARY KEY,
    tenant_id               UUID NOT NULL REFERENCES tenants (id),
    account_id              UUID NOT NULL,
    date                    TEXT COLLATE "C" NOT NULL,
    description             TEXT NOT NULL,
    notes                   TEXT,
    search                  TEXT NOT NULL, -- description and notes, lower case without accents
    amount_cents            BIGINT NOT NULL CHECK (amount_cents <> 0),
    currency                TEXT NOT NULL,
    category_id             UUID,
    is_split                BOOLEAN NOT NULL DEFAULT FALSE,
    kind                    TEXT NOT NULL CHECK (kind IN ('normal', 'transfer')),
    transfer_id             UUID,
    transfer_account_id     UUID,
    version                 BIGINT NOT NULL,
    created_at              BIGINT NOT NULL,
    updated_at              BIGINT NOT NULL,
    UNIQUE (tenant_id, id),
    CHECK ((kind = 'transfer') = (transfer_id IS NOT NULL)),
    CHECK (category_id IS NULL OR (kind = 'normal' AND NOT is_split)),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    FOREIGN KEY (tenant_id, transfer_account_id) REFERENCES accounts (tenant_id, id),
    FOREIGN KEY (tenant_id, category_id) REFERENCES categories (tenant_id, id)
);
CREATE INDEX transactions_by_date ON transactions (tenant_id, date, id);
CREATE INDEX transactions_by_date_account ON transactions (date, account_id);
CREATE INDEX transactions_by_account ON transactions (tenant_id, account_id, date, id);
CREATE INDEX transactions_by_category ON transactions (tenant_id, category_id, date);
CREATE INDEX transactions_by_transfer ON transactions (tenant_id, transfer_id) WHERE transfer_id IS NOT NULL;
CREATE INDEX transactions_by_transfer_account ON transactions (tenant_id, transfer_account_id)
    WHERE transfer_account_id IS NOT NULL;

CREATE TABLE splits (
    id              UUID PRIMARY KEY,
    tenant_id       UUID NOT NULL,
    transaction_id  UUID NOT NULL,
    position        BIGINT NOT NULL,
    category_id     UUID,
    amount_cents    BIGINT NOT NULL CHECK (amount_cents <> 0),
    description     TEXT,
    FOREIGN KEY (tenant_id, transaction_id) REFERENCES transactions (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, category_id) REFERENCES categories (tenant_id, id)
);
CREATE UNIQUE INDEX splits_by_transaction ON splits (tenant_id, transaction_id, position);
CREATE INDEX splits_by_category ON splits (tenant_id, category_id);

CREATE TABLE budgets (
    id              UUID PRIMARY KEY,
    tenant_id       UUID NOT NULL REFERENCES tenants (id),
    category_id     UUID NOT NULL,
    month           TEXT COLLATE "C" NOT NULL,
    amount_cents    BIGINT NOT NULL CHECK (amount_cents > 0),
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    FOREIGN KEY (tenant_id, category_id) REFERENCES categories (tenant_id, id)
);
CREATE UNIQUE INDEX budgets_once ON budgets (tenant_id, category_id, month);
CREATE INDEX budgets_by_month ON budgets (tenant_id, month, id);

CREATE TABLE idempotency_keys (
    scope       TEXT NOT NULL, -- the user's id, or 'anonymous'
    key         TEXT NOT NULL,
    fingerprint BYTEA NOT NULL, -- SHA-256 of method, path, tenant and body
    status      BIGINT NOT NULL,
    body        TEXT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

-- What happened, written in the transaction that made it happen; a dispatcher reads it in order of id.
CREATE TABLE outbox (
    id              UUID PRIMARY KEY,
    tenant_id       UUID NOT NULL REFERENCES tenants (id),
    topic           TEXT NOT NULL,
    payload         TEXT NOT NULL,
    trace_id        TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    dispatched_at   BIGINT
);
CREATE INDEX outbox_pending ON outbox (id) WHERE dispatched_at IS NULL;

-- Bank statements: what was uploaded, its rows as they would be imported, and what was imported from them.

CREATE TABLE imports (
    id          BLOB PRIMARY KEY, -- names the file in the object store too
    tenant_id   BLOB NOT NULL REFERENCES tenants (id),
    filename    TEXT NOT NULL,
    account_id  BLOB, -- named at the upload, for a file that does not say whose it is
    status      TEXT NOT NULL CHECK (status IN
        ('parsing', 'needs_mapping', 'preview', 'committing', 'done', 'failed', 'undoing', 'undone')),
    profile     TEXT,
    statements  TEXT NOT NULL, -- JSON: as clients see them
    sources     TEXT NOT NULL, -- JSON: bank and number of each statement, by which its account is found next time
    chosen      TEXT NOT NULL, -- JSON: the accounts its user chose, by statement
    mapping     TEXT, -- JSON: what its user said about the columns
    error       TEXT, -- JSON
    warnings    TEXT NOT NULL, -- JSON
    rows_total  INTEGER NOT NULL,
    rows_done   INTEGER NOT NULL, -- rows before this position are imported; undoing counts down again
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (tenant_id, id)
);

CREATE TABLE import_rows (
    import_id       BLOB NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    statement       INTEGER NOT NULL,
    date            TEXT,
    description     TEXT NOT NULL,
    amount_cents    INTEGER,
    identity        TEXT, -- becomes the transaction's; null while the account is not known
    status          TEXT NOT NULL CHECK (status IN ('new', 'duplicate', 'invalid')),
    include         BOOLEAN NOT NULL,
    reason          TEXT,
    transaction_id  BLOB, -- made of it; of a duplicate: the one it resembles
    PRIMARY KEY (import_id, position)
);
CREATE INDEX import_rows_by_status ON import_rows (import_id, status, position);

-- Which account a statement is of, by the bank's and the account's number in it.
CREATE TABLE statement_accounts (
    tenant_id   BLOB NOT NULL,
    bank        TEXT NOT NULL,
    number      TEXT NOT NULL,
    account_id  BLOB NOT NULL,
    PRIMARY KEY (tenant_id, bank, number),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX statement_accounts_by_account ON statement_accounts (tenant_id, account_id);

CREATE TABLE csv_mappings (
    tenant_id   BLOB NOT NULL,
    account_id  BLOB NOT NULL,
    signature   TEXT NOT NULL, -- of the table's header
    mapping     TEXT NOT NULL, -- JSON
    PRIMARY KEY (tenant_id, account_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE transactions ADD COLUMN import_id BLOB REFERENCES imports (id);
ALTER TABLE transactions ADD COLUMN import_identity TEXT; -- what makes it the same row when its statement is read again
CREATE UNIQUE INDEX transactions_imported_once ON transactions (tenant_id, import_identity)
    WHERE import_identity IS NOT NULL;
CREATE INDEX transactions_by_import ON transactions (tenant_id, import_id, id) WHERE import_id IS NOT NULL;

-- Whether the user of an import asked for a row to be in or out; null: nobody said.
ALTER TABLE import_rows ADD COLUMN chosen BOOLEAN;

-- How far importing has come: rows before this position are done, and when undoing those from it on. Until now
-- rows_done said so; it counts transactions now.
ALTER TABLE imports ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN rows_included INTEGER NOT NULL DEFAULT 0; -- rows that were confirmed
UPDATE imports SET position = rows_done,
    rows_included = (SELECT COUNT(*) FROM import_rows r WHERE r.import_id = imports.id AND r.include),
    rows_done = (SELECT COUNT(*) FROM import_rows r
        WHERE r.import_id = imports.id AND r.include AND r.transaction_id IS NOT NULL)
WHERE status IN ('committing', 'done', 'undoing', 'undone');

-- What an import had told goes when it is undone: notifications of automations by the import, alerts of budgets by
-- their notification, because a budget may have reached it by something else.
ALTER TABLE notifications ADD COLUMN import_id BLOB;
CREATE INDEX notifications_by_import ON notifications (tenant_id, import_id) WHERE import_id IS NOT NULL;
ALTER TABLE alerts_sent ADD COLUMN notification_id BLOB;

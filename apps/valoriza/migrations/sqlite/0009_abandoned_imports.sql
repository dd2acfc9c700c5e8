-- Imports that wait for a person, by when somebody last came back to them.
CREATE INDEX imports_waiting ON imports (updated_at) WHERE status IN ('needs_mapping', 'preview', 'failed');

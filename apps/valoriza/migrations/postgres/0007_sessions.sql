-- Of which token it was given in exchange; null for the first of its family.
ALTER TABLE refresh_tokens ADD COLUMN predecessor_id UUID;

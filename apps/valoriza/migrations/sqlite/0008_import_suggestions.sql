-- The category a row would get, or be proposed, if it were imported. Confidence is in ten-thousandths.
ALTER TABLE import_rows ADD COLUMN suggested_category_id BLOB;
ALTER TABLE import_rows ADD COLUMN suggested_confidence INTEGER;
ALTER TABLE import_rows ADD COLUMN suggested_source TEXT;
ALTER TABLE import_rows ADD COLUMN suggested_reason TEXT;

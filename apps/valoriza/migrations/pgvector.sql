-- Where PostgreSQL has pgvector: the vectors of transactions in a form it can compare, kept by itself. Run by the first
-- start that finds it; it rewrites the table, at some 0.1 ms a vector.
--
-- There is no index over them. With 60,000 vectors of three tenants HNSW took 14 ms for each one written, against
-- 0.14, and four minutes to be made, while comparing all 50,000 of a tenant takes 0.16 s (pgvector 0.8.2, two busy
-- cores). Nor would it find exactly what is found without pgvector.

CREATE EXTENSION IF NOT EXISTS vector;

-- The numbers of a stored vector, each one signed byte; null unless there are 256.
CREATE OR REPLACE FUNCTION embedding_numbers(bytes bytea) RETURNS vector(256)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        SELECT CASE WHEN length(bytes) = 256 THEN (
            SELECT array_agg((get_byte(bytes, at) + 128) % 256 - 128 ORDER BY at) FROM generate_series(0, 255) AS at
        )::vector END
    $$;

ALTER TABLE embeddings ADD COLUMN numbers vector(256)
    GENERATED ALWAYS AS (embedding_numbers(vector)) STORED;

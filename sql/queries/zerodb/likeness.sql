-- Vectors of contents in SQLite with sqlite-vec 0.1.9 (https://alexgarcia.xyz/sqlite-vec).
-- `contents` knows which version of a content its vector is of; vec0 finds by vector alone.

-- name: configure
PRAGMA journal_mode = WAL;
PRAGMA secure_delete = ON;

-- name: create
CREATE TABLE IF NOT EXISTS models (name TEXT NOT NULL PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS contents (
    content_id TEXT NOT NULL PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    row_id     TEXT NOT NULL,
    version    INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS contents_row ON contents (row_id);
CREATE VIRTUAL TABLE IF NOT EXISTS vectors USING vec0 (
    content_id TEXT PRIMARY KEY,
    tenant_id TEXT PARTITION KEY,
    brand_id TEXT,
    vector int8[256] distance_metric=cosine
);

-- name: known
SELECT content_id, version FROM contents WHERE content_id IN (SELECT value FROM json_each(?));

-- name: of_rows
SELECT content_id FROM contents WHERE tenant_id = ? AND row_id IN (SELECT value FROM json_each(?));

-- name: forget
DELETE FROM vectors WHERE content_id = :content_id;
DELETE FROM contents WHERE content_id = :content_id;

-- name: add
INSERT INTO contents (content_id, tenant_id, row_id, version)
VALUES (:content_id, :tenant_id, :row_id, :version);
INSERT INTO vectors (content_id, tenant_id, brand_id, vector)
VALUES (:content_id, :tenant_id, :brand_id, vec_int8(:vector));

-- name: nearest
SELECT content_id, distance FROM vectors
WHERE vector MATCH vec_int8(?) AND tenant_id = ? AND brand_id = ? AND k = ?
ORDER BY distance;

-- name: is_complete
SELECT 1 FROM models WHERE name = ?;

-- name: note_complete
INSERT OR IGNORE INTO models (name) VALUES (?);

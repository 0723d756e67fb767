-- The embedded ZeroDB's file, in SQLite's dialect (3.37 or newer, for STRICT tables).
-- A collection is a table of documents: `data` is the whole row as JSON, the columns beside it
-- only say where to find it. A content's versions are found by id, which is computed from both.

-- name: configure_writer
-- FULL makes each commit wait for its fsync, in WAL mode too: https://www.sqlite.org/pragma.html
-- secure_delete makes a purge overwrite what it removes. 4,000 pages between two checkpoints
-- write each page of the indexes less often than the default 1,000.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 67108864;

-- name: configure_reader
PRAGMA query_only = ON;

-- name: journal_mode
PRAGMA journal_mode;

-- name: schema_version
PRAGMA user_version;

-- name: create_collections
BEGIN IMMEDIATE;

CREATE TABLE IF NOT EXISTS content_items (
    id         TEXT NOT NULL PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    content_id TEXT NOT NULL,
    version    INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    data       TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS content_media_files (
    id         TEXT NOT NULL PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    content_id TEXT NOT NULL,
    version    INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    data       TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS content_versions (
    id         TEXT NOT NULL PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    content_id TEXT NOT NULL,
    version    INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    data       TEXT NOT NULL
) STRICT;

-- An index entry ends with the rowid, so this one serves the walk over one tenant in rowid order,
-- and new rows land at the end of their tenant instead of anywhere.
CREATE INDEX IF NOT EXISTS content_items_tenant ON content_items (tenant_id);
CREATE INDEX IF NOT EXISTS content_media_files_tenant ON content_media_files (tenant_id);
CREATE INDEX IF NOT EXISTS content_versions_tenant ON content_versions (tenant_id);

PRAGMA user_version = 1;
COMMIT;

-- name: begin_write
BEGIN IMMEDIATE;

-- name: insert_item
INSERT INTO content_items (id, tenant_id, content_id, version, sha256, created_at, data)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, CAST(?7 AS TEXT))
ON CONFLICT DO NOTHING;

-- name: repair_item
-- Whatever says which row this is has to agree, so no body replaces another one.
UPDATE content_items SET created_at = ?6, data = CAST(?7 AS TEXT)
WHERE id = ?1 AND tenant_id = ?2 AND content_id = ?3 AND version = ?4 AND sha256 = ?5;

-- name: items_by_id
SELECT id, data FROM content_items
WHERE id IN (SELECT value FROM json_each(?1));

-- name: insert_version
INSERT INTO content_versions (id, tenant_id, content_id, version, sha256, created_at, data)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, CAST(?7 AS TEXT))
ON CONFLICT DO NOTHING;

-- name: repair_version
UPDATE content_versions SET created_at = ?6, data = CAST(?7 AS TEXT)
WHERE id = ?1 AND tenant_id = ?2 AND content_id = ?3 AND version = ?4 AND sha256 = ?5;

-- name: versions_by_id
SELECT id, data FROM content_versions
WHERE id IN (SELECT value FROM json_each(?1));

-- name: delete_items
-- The plus keeps the planner from walking over the whole tenant by its index:
-- https://www.sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_
DELETE FROM content_items
WHERE +tenant_id = ?1 AND id IN (SELECT value FROM json_each(?2));

-- name: delete_versions
DELETE FROM content_versions
WHERE +tenant_id = ?1 AND id IN (SELECT value FROM json_each(?2));

-- name: last_item
SELECT coalesce(max(rowid), 0) FROM content_items;

-- name: items_after
SELECT rowid, data FROM content_items
WHERE rowid > ?1 AND rowid <= ?2
ORDER BY rowid LIMIT ?3;

-- name: tenant_items_after
SELECT rowid, data FROM content_items
WHERE tenant_id = ?4 AND rowid > ?1 AND rowid <= ?2
ORDER BY rowid LIMIT ?3;

-- name: begin_reading
BEGIN;

-- name: end_reading
COMMIT;

-- name: page_bytes
PRAGMA page_size;

-- name: quick_check
PRAGMA quick_check(1);

-- name: close_log
PRAGMA journal_mode = DELETE;

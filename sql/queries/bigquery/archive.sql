-- What is asked of the archive in BigQuery, in its dialect (GoogleSQL), with named parameters.
-- Tables are looked up in the dataset that each request names as its default. Every statement
-- bounds the column its table is partitioned by, with a parameter or a constant, because only then
-- are other partitions neither read nor paid for. A repeated row is told once.

-- name: content_current
-- A view names its dataset itself; the daemon puts the configured one in its place.
SELECT *
FROM engarde_analytics.content_snapshots
WHERE snapshot_timestamp >= TIMESTAMP '1970-01-01 00:00:00+00'
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, content_id ORDER BY version DESC, ingested_at DESC
) = 1

-- name: can_run_jobs
SELECT 1

-- name: held_content_snapshots
SELECT DISTINCT snapshot_id
FROM content_snapshots
WHERE snapshot_timestamp >= @since
    AND snapshot_timestamp < @until
    AND snapshot_id IN UNNEST(@row_ids)

-- name: held_content_media_snapshots
SELECT DISTINCT snapshot_id
FROM content_media_snapshots
WHERE snapshot_timestamp >= @since
    AND snapshot_timestamp < @until
    AND snapshot_id IN UNNEST(@row_ids)

-- name: held_content_analytics
SELECT DISTINCT metric_id
FROM content_analytics
WHERE metric_date >= DATE(@since)
    AND metric_date <= DATE(@until)
    AND metric_id IN UNNEST(@row_ids)

-- name: erase_content_snapshots
DELETE FROM content_snapshots
WHERE snapshot_timestamp >= TIMESTAMP '1970-01-01 00:00:00+00'
    AND tenant_id = @tenant_id
    AND content_id IN UNNEST(@content_ids)

-- name: erase_content_media_snapshots
DELETE FROM content_media_snapshots
WHERE snapshot_timestamp >= TIMESTAMP '1970-01-01 00:00:00+00'
    AND tenant_id = @tenant_id
    AND content_id IN UNNEST(@content_ids)

-- name: erase_content_analytics
DELETE FROM content_analytics
WHERE metric_date >= DATE '1970-01-01'
    AND tenant_id = @tenant_id
    AND content_id IN UNNEST(@content_ids)

-- name: places_of_versions
-- Where rows are, without their bodies: the narrow first look makes the second one cheap.
SELECT snapshot_id, content_id, snapshot_timestamp
FROM content_snapshots
WHERE snapshot_timestamp >= @since
    AND snapshot_timestamp < @until
    AND tenant_id = @tenant_id
    AND content_id IN UNNEST(@content_ids)
    AND snapshot_id IN UNNEST(@snapshot_ids)

-- name: places_of_newest
SELECT snapshot_id, content_id, snapshot_timestamp
FROM content_snapshots
WHERE snapshot_timestamp >= @since
    AND snapshot_timestamp < @until
    AND tenant_id = @tenant_id
    AND content_id IN UNNEST(@content_ids)
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY content_id ORDER BY version DESC, ingested_at DESC
) = 1

-- name: bodies
-- Both bounds are those of the rows that were found, so the last one is included.
SELECT *
FROM content_snapshots
WHERE snapshot_timestamp >= @since
    AND snapshot_timestamp <= @until
    AND tenant_id = @tenant_id
    AND content_id IN UNNEST(@content_ids)
    AND snapshot_id IN UNNEST(@snapshot_ids)
QUALIFY ROW_NUMBER() OVER (PARTITION BY snapshot_id ORDER BY ingested_at DESC) = 1

-- name: days
-- How many rows each day of a span has: a long walk is cut into stretches by it.
SELECT DATE(snapshot_timestamp) AS day, COUNT(*) AS row_count
FROM content_snapshots
WHERE snapshot_timestamp >= @since
    AND snapshot_timestamp < @until
    AND (@tenant_id IS NULL OR tenant_id = @tenant_id)
    AND (@brand_id IS NULL OR brand_id = @brand_id)
GROUP BY day
ORDER BY day

-- name: scan
SELECT *
FROM content_snapshots
WHERE snapshot_timestamp >= @since
    AND snapshot_timestamp < @until
    AND (@tenant_id IS NULL OR tenant_id = @tenant_id)
    AND (@brand_id IS NULL OR brand_id = @brand_id)
QUALIFY ROW_NUMBER() OVER (PARTITION BY tenant_id, snapshot_id ORDER BY ingested_at DESC) = 1
ORDER BY tenant_id, content_id, version

-- name: keys
SELECT tenant_id, content_id, version, sha256, snapshot_timestamp
FROM content_snapshots
WHERE snapshot_timestamp >= @since
    AND snapshot_timestamp < @until
    AND (@tenant_id IS NULL OR tenant_id = @tenant_id)
    AND (@brand_id IS NULL OR brand_id = @brand_id)
QUALIFY ROW_NUMBER() OVER (PARTITION BY tenant_id, snapshot_id ORDER BY ingested_at DESC) = 1
ORDER BY tenant_id, content_id, version

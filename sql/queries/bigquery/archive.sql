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
SELECT DISTINCT CONCAT(metric_id, '/', CAST(revision AS STRING))
FROM content_analytics
WHERE metric_date >= DATE(@since)
    AND metric_date <= DATE(@until)
    AND CONCAT(metric_id, '/', CAST(revision AS STRING)) IN UNNEST(@row_ids)

-- name: erase_content_snapshots
DELETE FROM content_snapshots
WHERE snapshot_timestamp >= TIMESTAMP '1970-01-01 00:00:00+00'
    AND tenant_id = @tenant_id
    AND content_id IN UNNEST(@content_ids)

-- name: forget_versions
DELETE FROM content_snapshots
WHERE snapshot_timestamp >= TIMESTAMP '1970-01-01 00:00:00+00'
    AND tenant_id = @tenant_id
    AND snapshot_id IN UNNEST(@snapshot_ids)

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

-- name: sums
-- Figures added up, the newest revision of each; `besides` are told by somebody else. By hours those
-- of hours are added up, else those of days.
SELECT
    IF(@by_day, metric_date, NULL) AS of_day,
    IF(@by_hour, metric_hour, NULL) AS of_hour,
    IF(@by_platform, platform, NULL) AS of_platform,
    IF(@by_campaign, campaign_space_id, NULL) AS of_campaign,
    IF(@by_brand, brand_id, NULL) AS of_brand,
    IF(@by_content, content_id, NULL) AS of_content,
    IFNULL(SUM(impressions), 0) AS impressions,
    IFNULL(SUM(clicks), 0) AS clicks,
    IFNULL(SUM(likes), 0) AS likes,
    IFNULL(SUM(shares), 0) AS shares,
    IFNULL(SUM(comments), 0) AS comments,
    IFNULL(SUM(saves), 0) AS saves,
    IFNULL(SUM(IFNULL(conversions_exact, CAST(conversions AS FLOAT64))), 0.0) AS conversions,
    IFNULL(SUM(spend), 0.0) AS spend,
    IFNULL(SUM(revenue), 0.0) AS revenue,
    ARRAY_AGG(DISTINCT currency IGNORE NULLS) AS currencies
FROM (
    SELECT *
    FROM content_analytics
    WHERE metric_date >= @since
        AND metric_date <= @until
        AND tenant_id = @tenant_id
        AND (metric_hour IS NOT NULL) = @by_hour
        AND (@platform IS NULL OR platform = @platform)
        AND (@content_id IS NULL OR content_id = @content_id)
        AND metric_id NOT IN UNNEST(@besides)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY metric_id ORDER BY IFNULL(revision, 0) DESC, created_at DESC
    ) = 1
)
WHERE (@every_brand OR brand_id IN UNNEST(@brand_ids))
    AND (@campaign_space_id IS NULL OR campaign_space_id = @campaign_space_id)
GROUP BY of_day, of_hour, of_platform, of_campaign, of_brand, of_content
LIMIT @most

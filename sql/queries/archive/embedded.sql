-- The embedded archive, in DuckDB's dialect. Times are UTC without a zone, since DuckDB needs another
-- package to hand out those with one. JSON is text in the files.

-- name: configure
SET memory_limit = '256MB';
SET threads = 2;
-- What a walk unpacks ahead of its reader: a page and some, where the default is less than a page of bodies.
SET streaming_buffer_size = '4MiB';
SET TimeZone = 'UTC';
SET autoinstall_known_extensions = false;
SET autoload_known_extensions = false;

-- name: spill_to
SET temp_directory = $folder

-- name: write_content_snapshots
COPY (
    SELECT
        unnest($content_id::VARCHAR[]) AS content_id,
        unnest($snapshot_id::VARCHAR[]) AS snapshot_id,
        unnest($tenant_id::VARCHAR[]) AS tenant_id,
        unnest($brand_id::VARCHAR[]) AS brand_id,
        unnest($campaign_space_id::VARCHAR[]) AS campaign_space_id,
        unnest($user_id::VARCHAR[]) AS user_id,
        unnest($title::VARCHAR[]) AS title,
        unnest($content_body::VARCHAR[]) AS content_body,
        unnest($content_type::VARCHAR[]) AS content_type,
        unnest($status::VARCHAR[]) AS status,
        unnest($metadata::VARCHAR[]) AS metadata,
        unnest($ai_generation_metadata::VARCHAR[]) AS ai_generation_metadata,
        unnest($storage_metadata::VARCHAR[]) AS storage_metadata,
        unnest($version::BIGINT[]) AS version,
        unnest($version_of::VARCHAR[]) AS version_of,
        unnest($snapshot_timestamp::TIMESTAMP[]) AS snapshot_timestamp,
        unnest($content_created_at::TIMESTAMP[]) AS content_created_at,
        unnest($content_updated_at::TIMESTAMP[]) AS content_updated_at,
        unnest($ingested_at::TIMESTAMP[]) AS ingested_at,
        unnest($source_system::VARCHAR[]) AS source_system,
        unnest($deleted_at::TIMESTAMP[]) AS deleted_at,
        unnest($change_type::VARCHAR[]) AS change_type,
        unnest($changed_by::VARCHAR[]) AS changed_by,
        unnest($changes_summary::VARCHAR[]) AS changes_summary,
        unnest($sha256::VARCHAR[]) AS sha256
    ORDER BY tenant_id, content_id, version
) TO $file (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)

-- name: write_content_media_snapshots
COPY (
    SELECT
        unnest($media_id::VARCHAR[]) AS media_id,
        unnest($snapshot_id::VARCHAR[]) AS snapshot_id,
        unnest($tenant_id::VARCHAR[]) AS tenant_id,
        unnest($brand_id::VARCHAR[]) AS brand_id,
        unnest($content_id::VARCHAR[]) AS content_id,
        unnest($file_name::VARCHAR[]) AS file_name,
        unnest($file_type::VARCHAR[]) AS file_type,
        unnest($mime_type::VARCHAR[]) AS mime_type,
        unnest($file_size_bytes::BIGINT[]) AS file_size_bytes,
        unnest($storage_provider::VARCHAR[]) AS storage_provider,
        unnest($storage_path::VARCHAR[]) AS storage_path,
        unnest($public_url::VARCHAR[]) AS public_url,
        unnest($media_metadata::VARCHAR[]) AS media_metadata,
        unnest($snapshot_timestamp::TIMESTAMP[]) AS snapshot_timestamp,
        unnest($media_created_at::TIMESTAMP[]) AS media_created_at,
        unnest($ingested_at::TIMESTAMP[]) AS ingested_at,
        unnest($sha256::VARCHAR[]) AS sha256,
        unnest($processing_status::VARCHAR[]) AS processing_status,
        unnest($deleted_at::TIMESTAMP[]) AS deleted_at
    ORDER BY tenant_id, media_id, snapshot_timestamp
) TO $file (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)

-- name: write_content_analytics
COPY (
    SELECT
        unnest($metric_id::VARCHAR[]) AS metric_id,
        unnest($content_id::VARCHAR[]) AS content_id,
        unnest($tenant_id::VARCHAR[]) AS tenant_id,
        unnest($brand_id::VARCHAR[]) AS brand_id,
        unnest($metric_date::DATE[]) AS metric_date,
        unnest($metric_hour::TIMESTAMP[]) AS metric_hour,
        unnest($platform::VARCHAR[]) AS platform,
        unnest($impressions::BIGINT[]) AS impressions,
        unnest($clicks::BIGINT[]) AS clicks,
        unnest($likes::BIGINT[]) AS likes,
        unnest($shares::BIGINT[]) AS shares,
        unnest($comments::BIGINT[]) AS comments,
        unnest($saves::BIGINT[]) AS saves,
        unnest($engagement_rate::DOUBLE[]) AS engagement_rate,
        unnest($ctr::DOUBLE[]) AS ctr,
        unnest($avg_watch_time::DOUBLE[]) AS avg_watch_time,
        unnest($conversions::BIGINT[]) AS conversions,
        unnest($revenue::DOUBLE[]) AS revenue,
        unnest($custom_metrics::VARCHAR[]) AS custom_metrics,
        unnest($created_at::TIMESTAMP[]) AS created_at,
        unnest($campaign_space_id::VARCHAR[]) AS campaign_space_id,
        unnest($conversions_exact::DOUBLE[]) AS conversions_exact,
        unnest($spend::DOUBLE[]) AS spend,
        unnest($currency::VARCHAR[]) AS currency,
        unnest($revision::BIGINT[]) AS revision
    ORDER BY tenant_id, content_id, metric_date
) TO $file (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)

-- name: merge_content_snapshots
-- The level is zstd's: texts that are not written again soon are worth more of its time.
COPY (
    SELECT * FROM read_parquet($files, hive_partitioning = false)
    ORDER BY tenant_id, content_id, version
) TO $file (
    FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL $level, ROW_GROUP_SIZE 2048
)

-- name: merge_content_media_snapshots
COPY (
    SELECT * FROM read_parquet($files, hive_partitioning = false, union_by_name = true)
    ORDER BY tenant_id, media_id, snapshot_timestamp
) TO $file (
    FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL $level, ROW_GROUP_SIZE 2048
)

-- name: merge_content_analytics
COPY (
    SELECT * FROM read_parquet($files, hive_partitioning = false, union_by_name = true)
    ORDER BY tenant_id, content_id, metric_date
) TO $file (
    FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL $level, ROW_GROUP_SIZE 2048
)

-- name: sizes
-- What the rows of each file take in memory, about.
SELECT file_name, sum(total_uncompressed_size) FROM parquet_metadata($files) GROUP BY file_name

-- name: holding
-- How many rows of these contents each file holds.
SELECT filename, count(*)
FROM read_parquet($files, hive_partitioning = false, filename = true)
WHERE tenant_id = $tenant_id AND content_id IN (SELECT unnest($content_ids::VARCHAR[]))
GROUP BY filename

-- name: rewrite_without
-- The rows keep their order.
COPY (
    SELECT * FROM read_parquet($files, hive_partitioning = false)
    WHERE NOT coalesce(tenant_id = $tenant_id AND list_contains($content_ids::VARCHAR[], content_id), false)
) TO $file (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE 2048)

-- name: holding_versions
SELECT filename, count(*)
FROM read_parquet($files, hive_partitioning = false, filename = true)
WHERE tenant_id = $tenant_id AND snapshot_id IN (SELECT unnest($snapshot_ids::VARCHAR[]))
GROUP BY filename

-- name: rewrite_without_versions
COPY (
    SELECT * FROM read_parquet($files, hive_partitioning = false)
    WHERE NOT coalesce(tenant_id = $tenant_id AND list_contains($snapshot_ids::VARCHAR[], snapshot_id), false)
) TO $file (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE 2048)

-- name: held_content_snapshots
SELECT DISTINCT snapshot_id FROM read_parquet($files, hive_partitioning = false)
WHERE snapshot_id IN (SELECT unnest($row_ids::VARCHAR[]))
    AND snapshot_timestamp >= $since AND snapshot_timestamp < $until

-- name: held_content_media_snapshots
SELECT DISTINCT snapshot_id FROM read_parquet($files, hive_partitioning = false)
WHERE snapshot_id IN (SELECT unnest($row_ids::VARCHAR[]))
    AND snapshot_timestamp >= $since AND snapshot_timestamp < $until

-- name: held_content_analytics
SELECT DISTINCT metric_id || '/' || revision
FROM read_parquet($files, hive_partitioning = false, union_by_name = true)
WHERE metric_id || '/' || revision IN (SELECT unnest($row_ids::VARCHAR[]))
    AND metric_date >= $since::DATE AND metric_date <= $until::DATE

-- name: sums
-- Figures added up, the newest revision of each; `besides` are told by somebody else. By hours those
-- of hours are added up, else those of days.
SELECT
    CASE WHEN $by_day THEN metric_date END AS of_day,
    CASE WHEN $by_hour THEN metric_hour END AS of_hour,
    CASE WHEN $by_platform THEN platform END AS of_platform,
    CASE WHEN $by_campaign THEN campaign_space_id END AS of_campaign,
    CASE WHEN $by_brand THEN brand_id END AS of_brand,
    CASE WHEN $by_content THEN content_id END AS of_content,
    coalesce(sum(impressions), 0)::BIGINT, coalesce(sum(clicks), 0)::BIGINT,
    coalesce(sum(likes), 0)::BIGINT, coalesce(sum(shares), 0)::BIGINT,
    coalesce(sum(comments), 0)::BIGINT, coalesce(sum(saves), 0)::BIGINT,
    coalesce(sum(coalesce(conversions_exact, conversions)), 0)::DOUBLE,
    coalesce(sum(spend), 0)::DOUBLE, coalesce(sum(revenue), 0)::DOUBLE,
    list(DISTINCT currency) FILTER (currency IS NOT NULL)
FROM (
    SELECT * FROM read_parquet($files, hive_partitioning = false, union_by_name = true)
    WHERE tenant_id = $tenant_id AND metric_date >= $since AND metric_date <= $until
        AND (metric_hour IS NOT NULL) = $by_hour
        AND ($platform::VARCHAR IS NULL OR platform = $platform)
        AND ($content_id::VARCHAR IS NULL OR content_id = $content_id)
        AND metric_id NOT IN (SELECT unnest($besides::VARCHAR[]))
    QUALIFY row_number() OVER (
        PARTITION BY metric_id ORDER BY revision DESC NULLS LAST, created_at DESC
    ) = 1
)
WHERE ($every_brand OR list_contains($brand_ids::VARCHAR[], brand_id))
    AND ($campaign_space_id::VARCHAR IS NULL OR campaign_space_id = $campaign_space_id)
GROUP BY of_day, of_hour, of_platform, of_campaign, of_brand, of_content
LIMIT $most

-- name: versions
-- Certain versions. What is compared with a list is read before the bodies are; a join would read all.
SELECT * FROM read_parquet($files, hive_partitioning = false)
WHERE content_id BETWEEN list_min($content_ids::VARCHAR[]) AND list_max($content_ids::VARCHAR[])
    AND list_contains($content_ids::VARCHAR[], content_id)
    AND list_contains($row_ids::VARCHAR[], snapshot_id)
    AND snapshot_timestamp >= $since AND snapshot_timestamp < $until

-- name: newest
-- Where the newest version of each content lies: bodies are read of that one alone.
SELECT content_id, version, filename
FROM read_parquet($files, hive_partitioning = false, filename = true)
WHERE tenant_id = $tenant_id
    AND content_id BETWEEN list_min($content_ids::VARCHAR[]) AND list_max($content_ids::VARCHAR[])
    AND list_contains($content_ids::VARCHAR[], content_id)
    AND snapshot_timestamp >= $since AND snapshot_timestamp < $until
QUALIFY row_number() OVER (PARTITION BY content_id ORDER BY version DESC) = 1

-- name: contents
-- The contents of each file, by their hashes.
SELECT filename, list_sort(list(DISTINCT hash(content_id)))
FROM read_parquet($files, hive_partitioning = false, filename = true)
GROUP BY filename

-- name: hashes
SELECT list_transform($content_ids::VARCHAR[], lambda one: hash(one))

-- name: strays
-- Contents of which a version lies behind one that is not older, in the order in which a scan meets
-- them: a row that was sent late, or twice.
SELECT DISTINCT content_id FROM (
    SELECT content_id, version, lag(version) OVER (
        PARTITION BY tenant_id, content_id ORDER BY file_index, file_row_number
    ) AS earlier
    FROM read_parquet($files, hive_partitioning = false, file_row_number = true)
) WHERE earlier >= version

-- name: scan
-- The rows of files as they lie in them, one file after the other.
SELECT * FROM read_parquet($files, hive_partitioning = false)
WHERE snapshot_timestamp >= $since AND snapshot_timestamp < $until
    AND ($tenant_id IS NULL OR tenant_id = $tenant_id) AND ($brand_id IS NULL OR brand_id = $brand_id)

-- name: scan_without
-- The same but for strays. Bodies pass through a join, which is a tenth of the time of a scan.
SELECT * FROM read_parquet($files, hive_partitioning = false)
WHERE snapshot_timestamp >= $since AND snapshot_timestamp < $until
    AND ($tenant_id IS NULL OR tenant_id = $tenant_id) AND ($brand_id IS NULL OR brand_id = $brand_id)
    AND content_id NOT IN (SELECT unnest($strays::VARCHAR[]))

-- name: scan_strays
-- A few contents, each version once.
SELECT * FROM read_parquet($files, hive_partitioning = false)
WHERE list_contains($content_ids::VARCHAR[], content_id)
    AND snapshot_timestamp >= $since AND snapshot_timestamp < $until
    AND ($tenant_id IS NULL OR tenant_id = $tenant_id) AND ($brand_id IS NULL OR brand_id = $brand_id)
QUALIFY row_number() OVER (PARTITION BY tenant_id, content_id, version) = 1
ORDER BY tenant_id, content_id, version

-- name: keys
SELECT tenant_id, content_id, version, sha256, snapshot_timestamp
FROM read_parquet($files, hive_partitioning = false)
WHERE snapshot_timestamp >= $since AND snapshot_timestamp < $until
    AND ($tenant_id IS NULL OR tenant_id = $tenant_id) AND ($brand_id IS NULL OR brand_id = $brand_id)
ORDER BY tenant_id, content_id, version

-- name: views
-- What analysts ask: the tables as they are in BigQuery, the newest version of each content, and the
-- newest revision of each figure.
CREATE VIEW content_snapshots AS
SELECT * REPLACE (
    metadata::JSON AS metadata, ai_generation_metadata::JSON AS ai_generation_metadata,
    storage_metadata::JSON AS storage_metadata
) FROM read_parquet(getvariable('content_snapshots'), hive_partitioning = false);
CREATE VIEW content_media_snapshots AS
SELECT * REPLACE (media_metadata::JSON AS media_metadata)
FROM read_parquet(getvariable('content_media_snapshots'), hive_partitioning = false, union_by_name = true);
CREATE VIEW content_analytics AS
SELECT * REPLACE (custom_metrics::JSON AS custom_metrics)
FROM read_parquet(getvariable('content_analytics'), hive_partitioning = false, union_by_name = true);
CREATE VIEW content_analytics_current AS
SELECT * FROM content_analytics
QUALIFY row_number() OVER (
    PARTITION BY tenant_id, metric_id ORDER BY revision DESC NULLS LAST, created_at DESC
) = 1;
-- Which rows are the newest is decided on narrow columns alone: bodies would not fit into memory.
CREATE VIEW content_current AS
SELECT * EXCLUDE (file, place) FROM (
    SELECT * EXCLUDE (file_row_number) REPLACE (
        metadata::JSON AS metadata, ai_generation_metadata::JSON AS ai_generation_metadata,
        storage_metadata::JSON AS storage_metadata
    ), file_index AS file, file_row_number AS place
    FROM read_parquet(getvariable('content_snapshots'), hive_partitioning = false, file_row_number = true)
) s
SEMI JOIN (
    SELECT file_index AS file, file_row_number AS place
    FROM read_parquet(getvariable('content_snapshots'), hive_partitioning = false, file_row_number = true)
    QUALIFY row_number() OVER (PARTITION BY tenant_id, content_id ORDER BY version DESC, ingested_at DESC) = 1
) newest USING (file, place);

-- name: analyse
SET memory_limit = '1GB';

-- name: as_json
-- `answer` is whatever was asked.
SELECT to_json(answer) FROM answer

-- name: set_content_snapshots
SET VARIABLE content_snapshots = $files

-- name: set_content_media_snapshots
SET VARIABLE content_media_snapshots = $files

-- name: set_content_analytics
SET VARIABLE content_analytics = $files

-- name: lock_to
SET allowed_directories = $folders

-- name: lock
SET enable_external_access = false;
SET lock_configuration = true;

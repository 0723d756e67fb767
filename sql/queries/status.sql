-- What `engarde status` shows of a database, by figures that are kept up to date anyway.

-- name: holdings
with waiting as (
    select o.destination, count(*) as rows,
        coalesce(extract(epoch from clock_timestamp() - min(o.created_at)), 0)::float8 as age_s
    from engarde.outbox o group by o.destination
)
select current_setting('server_version') as version,
    (select count(*) from public.tenants) as tenants,
    (select coalesce(sum(c.items), 0)::bigint from engarde.content_counts c) as items,
    (select coalesce(sum(c.bytes), 0)::bigint from engarde.content_counts c) as bytes,
    coalesce((select w.rows from waiting w where w.destination = 'zerodb'), 0) as waiting_zerodb,
    coalesce((select w.rows from waiting w where w.destination = 'bigquery'), 0) as waiting_archive,
    coalesce((select w.rows from waiting w where w.destination = 'search'), 0) as waiting_search,
    coalesce((select max(w.age_s) from waiting w), 0) as oldest_age_s,
    (select coalesce(sum(s.size_bytes), 0)::bigint from engarde.staged_bodies s) as staged_bytes,
    (select count(*) from engarde.archive_parked) as parked,
    (select count(*) from engarde.archive_backfill) as backfill,
    (select count(*) from public.content_generation_jobs j
     where j.status in ('pending', 'running') and j.spec is not null) as generation_jobs,
    (select count(*) from engarde.recovery_jobs r where r.state in ('pending', 'running')) as recovery_jobs

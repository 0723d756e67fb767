-- name: heads
-- The present state of items, and the body of those the platform still keeps in its own row.
select * from engarde.read_heads_v1($1::text[], $2::text[])

-- name: versions
select v.* from unnest($1::text[], $2::text[], $3::integer[]) w (tenant_id, content_id, version)
join engarde.content_versions v using (tenant_id, content_id, version)

-- name: commit
select * from engarde.commit_writes_v1($1::jsonb, $2::text[], $3::jsonb)

-- name: commit_traced
-- The same, and by which requests; what is older than a day goes.
with gone as (
    delete from engarde.write_traces t where t.ctid in (
        select o.ctid from engarde.write_traces o
        where o.created_at < clock_timestamp() - interval '1 day'
        order by o.created_at limit 256 for update skip locked)
), kept as (
    insert into engarde.write_traces (tenant_id, content_id, version, traceparent)
    select * from unnest($4::text[], $5::text[], $6::integer[], $7::text[])
)
select * from engarde.commit_writes_v1($1::jsonb, $2::text[], $3::jsonb)

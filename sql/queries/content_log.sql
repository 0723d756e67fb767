-- name: heads
-- The present state of items, and the body of those the platform still keeps in its own row.
select engarde.item_of(i) as item, case when i.zerodb_id is null then coalesce(i.content_body, '') end as legacy_body
from unnest($1::text[], $2::text[]) w (tenant_id, id)
join public.content_items i on i.tenant_id = w.tenant_id and i.id = w.id
where i.brand_id is not null

-- name: versions
select v.* from unnest($1::text[], $2::text[], $3::integer[]) w (tenant_id, content_id, version)
join engarde.content_versions v using (tenant_id, content_id, version)

-- name: commit
select * from engarde.commit_writes_v1($1::jsonb, $2::text[], $3::jsonb)

-- What operators ask of tenants, as engarde_actor.

-- name: page
-- `$1` are the storage limits of the plans; `$2` and `$3` filter, null takes all.
with standing as (
    select t.id as tenant_id, t.name, t.plan_tier as plan,
        coalesce(u.total_content_items, 0)::bigint as items,
        coalesce(u.total_media_files, 0)::bigint as media_files,
        coalesce(u.total_storage_bytes + u.total_media_storage_bytes, 0)::bigint as used_bytes,
        coalesce(u.pending_bytes, 0)::bigint as pending_bytes,
        coalesce(u.warning_level, 'normal') as level
    from public.tenants t left join public.content_storage_usage u on u.tenant_id = t.id
), wanted as (
    select s.*,
        (case when $1::jsonb ? s.plan then $1::jsonb ->> s.plan else $1::jsonb ->> 'free' end)::bigint as limit_bytes
    from standing s
    where ($2::text is null or s.level = $2)
      and ($3::text is null or s.tenant_id = $3 or strpos(lower(s.name), lower($3)) > 0)
)
select w.*, count(*) over () as total from wanted w
order by
    case $4 when '-used_bytes' then -w.used_bytes end,
    case $4 when '-usage' then -(w.used_bytes + w.pending_bytes)::float8 / nullif(w.limit_bytes, 0) end nulls last,
    case $4 when 'name' then w.name end,
    w.tenant_id
limit $5 offset $6

-- name: set_plan
update public.tenants t set plan_tier = $2 from public.tenants o
where t.id = $1 and o.id = t.id returning o.plan_tier as before

-- name: is_tenant
select exists (select from public.content_storage_usage u where u.tenant_id = $1)

-- What operators ask of tenants, as engarde_actor.

-- name: page
-- `$1` are the storage limits of the plans; `$2` to `$4` filter, null takes all.
select * from engarde.list_tenants_v1($1::jsonb, $2, $3, $4, $5, $6, $7)

-- name: count
select engarde.count_tenants_v1($1, $2, $3)

-- name: set_plan
update public.tenants t set plan_tier = $2 from public.tenants o
where t.id = $1 and o.id = t.id returning o.plan_tier as before

-- name: is_tenant
select exists (select from public.content_storage_usage u where u.tenant_id = $1)

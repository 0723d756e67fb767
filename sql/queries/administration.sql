-- What operators do: tenants, plans and keys. The first four run with the rights of the user that
-- migrates, for the platform's tables are not ours to write; all others as engarde_actor.

-- name: add_tenant
insert into public.tenants (id, name, plan_tier) values ($1, $2, $3)

-- name: add_user
insert into public.users (id, tenant_id) values ($1, $2)

-- name: add_brand
insert into public.brands (id, tenant_id, name, plan_tier) values ($1, $2, $3, $4)

-- name: add_brand_member
insert into public.brand_members (brand_id, user_id, tenant_id, role, is_active)
values ($1, $2, $3, 'owner', true)

-- name: become_actor
set local role engarde_actor

-- name: become_self
-- For callers who go on in a transaction of their own.
set local role none

-- name: add_usage
insert into public.content_storage_usage (tenant_id) values ($1) on conflict do nothing

-- name: list_tenants
select t.id as tenant_id, t.name, t.plan_tier as plan,
    coalesce(u.total_content_items, 0) as items,
    coalesce(u.total_storage_bytes + u.total_media_storage_bytes, 0) as bytes
from public.tenants t left join public.content_storage_usage u on u.tenant_id = t.id
order by t.created_at, t.id

-- name: has_tenants
select exists (select from public.tenants)

-- name: set_plan
update public.tenants set plan_tier = $2 where id = $1 returning id

-- name: find_holder
-- The brand and user a key is for: those named, else the tenant's first ones.
select t.id as tenant_id,
    (select b.id from public.brands b
     where b.tenant_id = t.id and b.id = coalesce($2, b.id) order by b.created_at, b.id limit 1) as brand_id,
    (select u.id from public.users u
     where u.tenant_id = t.id and u.id = coalesce($3, u.id) order by u.created_at, u.id limit 1) as user_id
from public.tenants t where t.id = $1

-- name: add_key
insert into engarde.api_keys (id, tenant_id, brand_id, user_id, role, name, secret_sha256, read_only)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: list_keys
select id as key_id, tenant_id, brand_id, user_id, role, read_only, name, created_at, revoked_at
from engarde.api_keys where tenant_id = coalesce($1, tenant_id)
order by created_at, id

-- name: revoke_key
-- A key that was revoked before keeps the time of it.
update engarde.api_keys set revoked_at = coalesce(revoked_at, now())
where id = $1 returning id as key_id, tenant_id, revoked_at

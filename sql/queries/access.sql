-- Who may call, and what is kept beside content: keys, members, brands, voices, campaign spaces and
-- the audit log. Readers call functions as engarde_api; the statements below them run as engarde_actor.

-- name: find_api_keys
select k.id as key_id, f.* from unnest($1::text[]) k (id) cross join lateral engarde.find_api_key_v3(k.id) f

-- name: memberships
select * from engarde.memberships_v1($1, $2)

-- name: brands
select * from engarde.brands_v1($1)

-- name: owns_brand
select engarde.brand_belongs_v1($1, $2) as owns

-- name: brands_of_items
select * from engarde.brands_of_items_v1($1::text[], $2::text[])

-- name: api_keys
select * from engarde.list_api_keys_v1($1, $2, $3::text[], $4::text[], $5, $6, $7)

-- name: audit
select * from engarde.list_audit_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: campaign_spaces_by_id
select * from engarde.read_campaign_spaces_v1($1::text[], $2::text[])

-- name: campaign_spaces
select * from engarde.list_campaign_spaces_v1($1, $2::text[], $3, $4, $5, $6)

-- name: voice
select * from engarde.read_voice_v1($1, $2)

-- name: add_api_key
insert into engarde.api_keys
    (id, tenant_id, brand_id, brand_ids, user_id, role, name, secret_sha256, expires_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (id) do nothing
returning id as key_id, brand_id, brand_ids, user_id, role, name, created_at, created_by, expires_at,
    last_used_at, revoked_at

-- name: revoke_api_key
update engarde.api_keys set revoked_at = coalesce(revoked_at, now())
where tenant_id = $1 and id = $2
returning revoked_at

-- name: note_key_uses
-- Locked in one order, because other daemons note the same keys.
with used as materialized (
    select k.id from engarde.api_keys k
    where (k.tenant_id, k.id) in (select * from unnest($1::text[], $2::text[]))
    order by k.id for no key update
)
update engarde.api_keys k set last_used_at = now() from used u where k.id = u.id

-- name: add_campaign_space
insert into public.campaign_spaces as s
    (id, tenant_id, brand_id, user_id, campaign_name, platform, external_campaign_id, import_source,
     imported_at, imported_by, created_at, updated_at)
select $1, $2, $3, $4, $5, $6, $7, 'manual_upload', n.now, $4, n.now, n.now
from (select clock_timestamp() at time zone 'utc' as now) n
on conflict (id) do nothing
returning engarde.campaign_space_of(s) as space

-- name: campaign_space
select engarde.campaign_space_of(s) as space from public.campaign_spaces s
where s.tenant_id = $1 and s.id = $2

-- name: put_voice
-- `$5` is the version the writer has seen: null for whatever it is, 0 for none yet.
insert into engarde.brand_voices as v (tenant_id, brand_id, version, profile, updated_by, updated_at)
select $1::varchar, $2::varchar, 1, $3::json, $4, clock_timestamp()
where coalesce($5::integer, 0) = 0
   or exists (select from engarde.brand_voices o where o.tenant_id = $1 and o.brand_id = $2)
on conflict (tenant_id, brand_id) do update
set version = v.version + 1, profile = excluded.profile, updated_by = excluded.updated_by,
    updated_at = excluded.updated_at
where $5::integer is null or v.version = $5
returning v.*

-- name: voice_version
select version from engarde.brand_voices where tenant_id = $1 and brand_id = $2

-- name: add_audit_entries
insert into engarde.audit_log
    (tenant_id, id, at, principal_id, user_id, role, operation, subject_id, status, request_id, address)
select e.tenant_id, e.id, e.at, e.principal_id, e.user_id, e.role, e.operation, e.subject_id, e.status,
    e.request_id, e.address
from jsonb_populate_recordset(null::engarde.audit_log, $1::jsonb) e
on conflict (tenant_id, id) do nothing

-- name: forget_audit_entries
delete from engarde.audit_log l
where (l.tenant_id, l.id) in (
    select a.tenant_id, a.id from engarde.audit_log a
    where a.at < clock_timestamp() - make_interval(days => $1) limit $2
)

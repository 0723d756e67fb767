-- PostgreSQL made anew from the archive. Tenants, brands and users are the platform's: they are added
-- with the rights of the user that migrates, all else as engarde_actor.

-- name: is_empty
select not exists (select from public.content_items)

-- name: add_tenants
insert into public.tenants (id, name)
select distinct r.tenant_id, 'restored' from json_populate_recordset(null::engarde.content_versions, $1) r
on conflict do nothing

-- name: add_brands
insert into public.brands (id, tenant_id, name)
select distinct on (r.brand_id) r.brand_id, r.tenant_id, 'restored'
from json_populate_recordset(null::engarde.content_versions, $1) r
on conflict do nothing

-- name: add_users
insert into public.users (id, tenant_id)
select distinct on (r.user_id) r.user_id, r.tenant_id
from json_populate_recordset(null::engarde.content_versions, $1) r
on conflict do nothing

-- name: add_versions
insert into engarde.content_versions
select r.* from json_populate_recordset(null::engarde.content_versions, $1) r
on conflict do nothing

-- name: owe_archive_nothing
-- They came from there.
delete from engarde.outbox o where o.destination = 'bigquery'

-- name: find_carriers
-- A version that kept the body of the one before it has it from the first row with that body.
with runs as (
    select v.tenant_id, v.content_id, v.version, v.body_sha256,
        sum((v.body_sha256 is distinct from p.body_sha256)::integer)
            over (partition by v.tenant_id, v.content_id order by v.version) as run
    from engarde.content_versions v
    left join engarde.content_versions p
      on p.tenant_id = v.tenant_id and p.content_id = v.content_id and p.version = v.version - 1
), carriers as (
    select r.tenant_id, r.content_id, r.version,
        min(r.version) over (partition by r.tenant_id, r.content_id, r.run) as carrier
    from runs r
)
update engarde.content_versions v set body_version = c.carrier
from carriers c
where v.tenant_id = c.tenant_id and v.content_id = c.content_id and v.version = c.version
  and v.body_version <> c.carrier

-- name: add_items
insert into public.content_items (
    id, tenant_id, brand_id, user_id, campaign_space_id, title, content_type, status, content_metadata,
    created_at, updated_at, deleted_at, zerodb_id, storage_size_bytes, version, body_version, body_sha256,
    preview, scheduled_at, published_at, bigquery_backed_up)
select distinct on (v.tenant_id, v.content_id)
    v.content_id, v.tenant_id, v.brand_id, v.user_id, v.campaign_space_id, v.title, v.content_type, v.status,
    v.details, v.content_created_at, v.created_at, v.deleted_at, v.zerodb_id, v.size_bytes, v.version,
    v.body_version, v.body_sha256, v.preview, v.scheduled_at, v.published_at, true
from engarde.content_versions v
order by v.tenant_id, v.content_id, v.version desc

-- name: count_items
insert into engarde.content_counts (tenant_id, brand_id, content_type, status, items, bytes)
select i.tenant_id, i.brand_id, i.content_type, i.status, count(*), sum(i.storage_size_bytes)
from public.content_items i where i.deleted_at is null
group by 1, 2, 3, 4

-- name: add_usage
insert into public.content_storage_usage (tenant_id, total_content_items, total_storage_bytes)
select t.tenant_id, coalesce(sum(c.items), 0), coalesce(sum(c.bytes), 0)
from (select distinct i.tenant_id from public.content_items i) t
left join engarde.content_counts c on c.tenant_id = t.tenant_id
group by t.tenant_id
on conflict (tenant_id) do update
set total_content_items = excluded.total_content_items, total_storage_bytes = excluded.total_storage_bytes

-- name: rebuilt
select (select count(*) from public.tenants) as tenants, (select count(*) from public.content_items) as items,
    (select count(*) from engarde.content_versions) as versions,
    (select coalesce(sum(u.total_storage_bytes), 0) from public.content_storage_usage u)::bigint as bytes,
    (select count(*) from engarde.content_versions v where v.version > 1 and not exists (
        select from engarde.content_versions p where p.tenant_id = v.tenant_id
          and p.content_id = v.content_id and p.version = v.version - 1)) as gaps

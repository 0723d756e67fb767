-- What the platform wrote before the daemon came: found, counted, and cleared once it is safe.

-- name: count_assets
-- What was erased since stays so.
select count(*) as found, coalesce(sum(octet_length(concat_ws('', a.headline_text, a.ad_copy_text,
    a.description, a.cta_text))), 0)::bigint as bytes
from public.campaign_assets a
where a.deleted_at is null
  and not exists (select from public.content_items i where i.id = a.id)
  and not exists (select from engarde.erasures e where e.content_id = a.id)

-- name: assets
select a.id, a.tenant_id, coalesce(a.brand_id, s.brand_id) as brand_id, a.user_id, a.campaign_space_id,
    a.asset_name, a.asset_type::text as asset_type, a.external_asset_id, a.file_url, a.public_url,
    a.mime_type, a.headline_text, a.ad_copy_text, a.description, a.cta_text,
    coalesce(a.tags, '{}') as tags, a.created_at::timestamptz as created_at,
    a.updated_at::timestamptz as updated_at
from public.campaign_assets a join public.campaign_spaces s on s.id = a.campaign_space_id
where a.id > $1 and a.deleted_at is null
  and not exists (select from public.content_items i where i.id = a.id)
  and not exists (select from engarde.erasures e where e.content_id = a.id)
order by a.id limit $2

-- name: count_items
select count(*) as found, coalesce(sum(octet_length(i.content_body)), 0)::bigint as bytes
from public.content_items i where i.zerodb_id is null

-- name: tenants_of_items
select distinct i.tenant_id from public.content_items i where i.zerodb_id is null

-- name: recount
select engarde.recount_content_v1($1)

-- name: items
select engarde.item_of(i) as item, coalesce(i.content_body, '') as body, i.brand_id is null as is_brandless
from public.content_items i where i.id > $1 and i.zerodb_id is null
order by i.id limit $2

-- name: count_cleared
select count(*) from public.content_items i where i.content_body is not null and i.zerodb_id is not null

-- name: clear
-- A text goes only if a version holds the same one, by hash, and ZeroDB has proved that it holds
-- everything of this item.
with held as materialized (
    select i.id, i.tenant_id, encode(sha256(convert_to(i.content_body, 'UTF8')), 'hex') as sha256
    from public.content_items i
    where i.id > $1 and i.content_body is not null and i.zerodb_id is not null
    order by i.id limit $2
), safe as materialized (
    select h.id, h.tenant_id from held h
    where exists (select from engarde.content_versions v
                  where v.tenant_id = h.tenant_id and v.content_id = h.id and v.body_sha256 = h.sha256)
      and not exists (select from engarde.outbox o
                      where o.tenant_id = h.tenant_id and o.content_id = h.id and o.destination = 'zerodb')
), cleared as (
    update public.content_items i set content_body = null
    from safe where i.id = safe.id and i.tenant_id = safe.tenant_id and i.content_body is not null
    returning i.id
)
select (select max(id) from held) as last, (select count(*) from held) as seen,
    (select count(*) from cleared) as cleared

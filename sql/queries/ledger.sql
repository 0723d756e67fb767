-- name: apply
select * from engarde.ledger_apply_v1($1::jsonb, $2::jsonb, $3::jsonb)

-- name: expire
select engarde.expire_reservations_v1($1)

-- name: tenants_after
select u.tenant_id from public.content_storage_usage u where u.tenant_id > $1 order by u.tenant_id limit $2

-- name: drift
select * from engarde.quota_drift_v2($1::text[])

-- name: reconcile
select $1::text as tenant_id, r.* from engarde.reconcile_usage_v1($1) r

-- name: pending
select count(*) from engarde.reservations r where r.state = 'pending'

-- name: note_levels
-- Those whose level is right are read and not locked: every write of theirs would wait for that.
with other as materialized (
    select u.tenant_id
    from public.content_storage_usage u join public.tenants t on t.id = u.tenant_id
    where u.warning_level <> engarde.level_of_v1(
        u.total_storage_bytes + u.total_media_storage_bytes + u.pending_bytes,
        engarde.limit_of_v1($1::jsonb, t.plan_tier))
    order by u.tenant_id limit $2 for update of u
), noted as materialized (
    select engarde.note_levels_v1(array(select o.tenant_id::text from other o), $1::jsonb)
)
select count(*) from other o, noted n

-- name: restate_usage
-- The breakdown by type is for other readers of the platform's table; ours read the counters. Rows are
-- locked in the order of every batch of writes, so that neither waits for the other in a circle.
with stale as materialized (
    select u.tenant_id from public.content_storage_usage u
    where u.tenant_id = any ($1::text[]) and u.last_calculated_at < u.updated_at
    order by u.tenant_id for update
)
update public.content_storage_usage u
set usage_by_type = coalesce(c.by_type, '{}'), last_calculated_at = clock_timestamp() at time zone 'utc'
from stale w
left join lateral (
    select jsonb_object_agg(k.content_type, jsonb_build_object('count', k.items, 'bytes', k.bytes)) as by_type
    from (select content_type, sum(items) as items, sum(bytes) as bytes from engarde.content_counts
          where tenant_id = w.tenant_id group by content_type having sum(items) > 0) k
) c on true
where u.tenant_id = w.tenant_id

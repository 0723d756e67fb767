-- name: erase
select engarde.erase_in_brand_v1($1, $2, $3, $4, $5)

-- name: due_items
select * from engarde.due_items_v1($1)

-- name: expired_trash
select * from engarde.expired_trash_v1($1::jsonb, $2)

-- name: trim_versions
select * from engarde.trim_versions_v3($1::jsonb, $2::jsonb, $3)

-- name: check_media
-- Look at the files that nobody has looked at for the longest time, and name those that may go.
with due as materialized (
    select f.tenant_id, f.id from engarde.media_files f
    where f.checked_at < $2 order by f.checked_at limit $3 for update skip locked
), looked as (
    update engarde.media_files f set checked_at = clock_timestamp() from due
    where f.tenant_id = due.tenant_id and f.id = due.id returning f.*
)
select l.tenant_id, l.id, engarde.media_is_spent_v1(l, $1::jsonb) as spent from looked l

-- name: expire_media
select engarde.expire_media_v1($1, $2, $3::jsonb)

-- name: report
-- What would go now, and how much room that gives back.
with old as materialized (
    select v.size_bytes, engarde.limit_of_v1($2::jsonb, t.plan_tier) = 1 as forgotten
    from engarde.content_versions v
    join public.tenants t on t.id = v.tenant_id
    join public.content_items i on i.tenant_id = v.tenant_id and i.id = v.content_id
    where v.version < i.version
      and v.created_at < (clock_timestamp() at time zone 'utc')
          - make_interval(days => engarde.limit_of_v1($1::jsonb, t.plan_tier)::integer)
      and not exists (select from engarde.outbox o
                      where o.tenant_id = v.tenant_id and o.content_id = v.content_id)
      and not exists (select from engarde.content_versions k
                      where k.tenant_id = v.tenant_id and k.content_id = v.content_id
                        and k.version > v.version and k.body_version = v.version)
)
select 'trashed items' as what, count(*) as pieces, coalesce(sum(i.storage_size_bytes), 0)::bigint as bytes
from engarde.expired_trash_v1($1::jsonb, null) e
join public.content_items i on i.tenant_id = e.tenant_id and i.id = e.content_id
union all
select 'old versions', count(*), coalesce(sum(o.size_bytes), 0)::bigint from old o
union all
select 'of them in the archive', count(*), coalesce(sum(o.size_bytes), 0)::bigint from old o where o.forgotten
union all
select 'media files', count(*), coalesce(sum(f.file_size_bytes), 0)::bigint
from engarde.media_files f where engarde.media_is_spent_v1(f, $1::jsonb)

-- name: claim_removals
-- Lease what must leave ZeroDB or the archive; who dies over it leaves it due again. While a backup is
-- made (`hold`, in backup.sql) nothing leaves: it may have to be copied yet.
with due as materialized (
    select r.id from engarde.removals r where r.due_at <= clock_timestamp() and r.destination = $2
      and (select pg_try_advisory_xact_lock_shared(1734437989, 1))
    order by r.due_at, r.id limit $1 for update skip locked
)
update engarde.removals r set due_at = clock_timestamp() + interval '60 seconds', attempts = r.attempts + 1
from due where r.id = due.id
returning r.id, r.tenant_id, r.record_id, r.version, r.attempts

-- name: settle_removals
-- A row is removed twice before it is forgotten: a delivery that was under way when the content was
-- erased may have put it back, and its lease is shorter than the pause between the two.
delete from engarde.removals r where r.id = any ($1::bigint[]) and r.attempts > 1

-- name: close_erasures
update engarde.erasures e set stores_cleared_at = clock_timestamp()
where e.stores_cleared_at is null
  and not exists (select from engarde.removals r where r.erasure_id = e.id)

-- name: read_erasure
select * from engarde.read_erasure_v1($1, $2)

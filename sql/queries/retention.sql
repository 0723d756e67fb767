-- name: erase
select engarde.erase_in_brand_v1($1, $2, $3, $4, $5)

-- name: due_items
select * from engarde.due_items_v1($1)

-- name: expired_trash
select * from engarde.expired_trash_v1($1::jsonb, $2)

-- name: trim_versions
select engarde.trim_versions_v1($1::jsonb, $2)

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
returning r.id, r.tenant_id, r.record_id, r.attempts

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

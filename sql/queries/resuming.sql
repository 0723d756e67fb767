-- Uploads that can be resumed. Readers call `find` as engarde_api; everything else runs as
-- engarde_actor.

-- name: find
select * from engarde.read_resumable_v1($1, $2)

-- name: open
select engarde.open_resumable_v1($1::jsonb, $2, $3)

-- name: hold
select engarde.hold_resumable_v1($1, $2, $3, $4)

-- name: promises
select engarde.promises_of_v1($1, $2)

-- name: advance
select engarde.advance_resumable_v1($1, $2, $3, $4::bigint[], $5, $6, $7)

-- name: end
select engarde.end_resumable_v1($1, $2, $3, $4, $5::jsonb)

-- name: parts
select p.number, p.token, p.size_bytes from engarde.upload_parts p
where p.tenant_id = $1 and p.upload_id = $2 order by p.number

-- name: claim_whole
with due as materialized (
    select r.id from engarde.resumable_uploads r join engarde.media_uploads m on m.id = r.id
    where r.outcome is null and r.offset_bytes = r.length_bytes and r.join_due_at <= clock_timestamp()
      and m.state = 'pending'
    order by r.join_due_at limit $1 for update of r skip locked
)
update engarde.resumable_uploads r set join_due_at = clock_timestamp() + make_interval(secs => $2)
from due where r.id = due.id
returning r.tenant_id, r.id as upload_id

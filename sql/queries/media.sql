-- Media files: intents, books, examinations and what is left to remove. Readers call functions as
-- engarde_api; everything else runs as engarde_actor.

-- name: begin
select engarde.begin_upload_v1($1, $2, $3, $4, $5, $6::jsonb)

-- name: extend
-- An intent whose time ran out may go on as long as nobody gave it up.
update engarde.media_uploads m
set leased_until = clock_timestamp() + make_interval(secs => $4),
    reservations = m.reservations || array_remove(array[$3::varchar], null)
where m.tenant_id = $1 and m.id = $2 and m.state = 'pending'
returning true

-- name: keep
select engarde.keep_upload_v1($1, $2::jsonb, $3::jsonb, $4::jsonb)

-- name: give_up
select engarde.abandon_upload_v1($1, $2, false, $3::jsonb)

-- name: delete
select engarde.delete_media_v1($1, $2)

-- name: find
select * from engarde.read_media_v1($1, $2::text[])

-- name: page
select * from engarde.list_media_v1($1, $2::text[], $3, $4, $5)

-- name: claim_cases
select * from engarde.claim_media_v1($1, $2)

-- name: settle_case
select engarde.settle_media_v1($1, $2, $3, $4::json, $5)

-- name: defer_case
-- A polite failure is no attempt: an outage must not use up the attempts of a file.
update engarde.media_files f
set leased_until = clock_timestamp() + make_interval(secs => $4), attempts = f.attempts - 1
where f.tenant_id = $1 and f.id = $2 and f.lease_token = $3 and f.processing_status = 'processing'

-- name: overdue
select m.tenant_id, m.id from engarde.media_uploads m
where m.state = 'pending' and m.leased_until <= clock_timestamp() order by m.leased_until limit $1

-- name: give_up_overdue
select engarde.abandon_upload_v1($1, $2, true, $3::jsonb)

-- name: claim_leftovers
-- None while a backup is made (`hold`, in backup.sql).
with due as materialized (
    select m.id from engarde.media_uploads m
    where m.state = 'abandoned' and m.sweep_due_at <= clock_timestamp()
      and (select pg_try_advisory_xact_lock_shared(1734437989, 1))
    order by m.sweep_due_at limit $1 for update skip locked
)
update engarde.media_uploads m set sweep_due_at = clock_timestamp() + make_interval(secs => $2)
from due where m.id = due.id
returning m.id as upload_id, m.storage_path, m.in_parts

-- name: forget_leftovers
delete from engarde.media_uploads m
where m.id = any ($1::text[]) and m.state = 'abandoned' and m.sweeps >= 2

-- name: settle_leftovers
-- A writer that hung may still come to its end: look again after an hour, and after three days.
update engarde.media_uploads m
set sweeps = m.sweeps + 1,
    sweep_due_at = clock_timestamp() + case m.sweeps when 0 then interval '1 hour' else interval '3 days' end
where m.id = any ($1::text[]) and m.state = 'abandoned'

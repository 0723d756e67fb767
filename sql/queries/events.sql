-- name: append
select engarde.append_events_v1(array(
    select d from jsonb_populate_recordset(null::engarde.event_draft, $1::jsonb) d
))

-- name: read
select * from engarde.read_events_v1($1::text[], $2::bigint[], $3)

-- name: bounds
select * from engarde.event_bounds_v1($1)

-- name: forget
select engarde.forget_events_v1($1, $2)

-- name: note_levels
-- The rows are locked first, so that no write comes between the look and the note.
select engarde.note_levels_v1(array(
    select u.tenant_id from public.content_storage_usage u
    where u.tenant_id = any ($1::text[]) order by u.tenant_id for update
), $2::jsonb)

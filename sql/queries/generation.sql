-- name: create
select engarde.create_job_v1($1::jsonb, $2, $3::jsonb, $4::jsonb)

-- name: cancel
select engarde.cancel_job_v1($1, $2, $3::jsonb, $4::jsonb)

-- name: approve
select engarde.approve_job_v1($1, $2)

-- name: retry
select engarde.retry_job_v1($1, $2, $3::date, $4, $5::numeric, $6, $7::jsonb, $8::jsonb)

-- name: claim
-- `$5` names the jobs whose spec is known; `$6` moves the clock in tests, null is the database's.
select i.*, case when i.job_id <> all ($5::text[]) then j.spec end as spec,
    j.brand_id, j.user_id, j.status as job_status
from engarde.claim_items_v2($1, $2, $3::jsonb, $4::text[], coalesce($6::timestamptz, clock_timestamp())) i
join public.content_generation_jobs j on j.id = i.job_id

-- name: begin
select engarde.begin_jobs_v1($1::text[])

-- name: recover
-- `$4` names the jobs whose spec is known; `$5` moves the clock in tests, null is the database's.
select i.*, case when i.job_id <> all ($4::text[]) then j.spec end as spec,
    j.brand_id, j.user_id, j.status as job_status
from engarde.recover_items_v2($1, $2, $3, coalesce($5::timestamptz, clock_timestamp())) i
join public.content_generation_jobs j on j.id = i.job_id

-- name: extend
select engarde.extend_items_v1($1::jsonb, $2)

-- name: note
select * from engarde.note_steps_v2($1::jsonb)

-- name: signatures
select * from engarde.read_signatures_v1($1::text[], $2::text[], $3::integer[], $4)

-- name: draw
select engarde.draw_storage_v1($1::text[], $2::bigint[])

-- name: end
select engarde.end_jobs_v2($1, $2::jsonb, $3::jsonb, coalesce($4::timestamptz, clock_timestamp()))

-- name: pause
select engarde.pause_credential_v2($1, $2, $3, $4)

-- name: key
select c.sealed from engarde.credentials c where c.tenant_id = $1 and c.provider = $2

-- name: put_credential
select engarde.put_credential_v1($1, $2, $3, $4, $5)

-- name: remove_credential
delete from engarde.credentials c where c.tenant_id = $1 and c.provider = $2 returning c.provider

-- name: jobs
select * from engarde.read_jobs_v2($1, $2, $3::text[], $4::text[], $5::timestamptz, $6, $7)

-- name: contents
select * from engarde.read_job_contents_v1($1, $2)

-- name: items
select * from engarde.read_generation_items_v1($1, $2, $3::text[], $4, $5, $6)

-- name: credentials
select * from engarde.read_credentials_v1($1)

-- name: pieces
select * from engarde.read_pieces_v1($1, $2::date)

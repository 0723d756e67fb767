-- name: gather
-- `$4` moves the clock in tests; null is the database's.
select engarde.gather_batch_v1($1, $2, $3::text[], coalesce($4::timestamptz, clock_timestamp()))

-- name: lease
select b.*, j.spec, j.status as job_status
from engarde.lease_batches_v1($1, $2, coalesce($3::timestamptz, clock_timestamp())) b
join public.content_generation_jobs j on j.id = b.job_id

-- name: hold
select engarde.hold_batches_v1($1::text[], $2::text[], $3::integer[], $4)

-- name: move
select engarde.move_batch_v1($1::jsonb)

-- name: claims
-- The items that a batch still has, as its holder works on them.
select i.*, j.brand_id, j.user_id, j.status as job_status
from engarde.generation_items i
join public.content_generation_jobs j on j.id = i.job_id
where i.tenant_id = $1 and i.batch_id = $2 and i.state = 'calling'
order by i.number

-- name: note
select engarde.note_outcomes_v2($1::jsonb)

-- name: named
-- What this daemon's jobs know a provider's batches as, whoever of a tenant's jobs they belong to.
select b.name from engarde.provider_batches b
where b.tenant_id = $1 and b.provider = $2 and b.name is not null and b.id <> $3

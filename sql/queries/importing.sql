-- Imports of campaigns. Readers call the read functions as engarde_api; everything else runs as
-- engarde_actor.

-- name: begin
select engarde.begin_import_v1($1::jsonb, $2)

-- name: receive
select engarde.receive_import_v1($1, $2, $3::jsonb, $4::jsonb, $5)

-- name: cancel
select engarde.cancel_import_v1($1, $2, $3)

-- name: claim
select * from engarde.claim_imports_v1($1, $2)

-- name: extend
update engarde.import_jobs j set leased_until = clock_timestamp() + make_interval(secs => $3)
where j.id = $1 and j.epoch = $2 and j.completed_at is null returning j.status

-- name: list
select engarde.list_import_v1($1, $2, $3::jsonb, $4, $5)

-- name: turn
update engarde.import_jobs j
set stage = $3, cursor = $4, performance_rows = j.performance_rows + $5, attempts = 0
where j.id = $1 and j.epoch = $2 and j.completed_at is null returning true

-- name: tasks
select * from engarde.import_tasks_v1($1, $2, $3)

-- name: is_pending
select exists (select from engarde.import_items i where i.tenant_id = $1 and i.job_id = $2 and i.state = 'pending')

-- name: note
select engarde.note_import_v1($1, $2, $3::jsonb, $4::jsonb)

-- name: adopt
select engarde.adopt_import_media_v1($1, $2, $3, $4, $5)

-- name: files
-- A file that somebody deleted is fetched anew.
select m.identity, case when f.processing_status <> 'failed' then m.media_id end as media_id
from engarde.import_media m
join engarde.media_files f on f.tenant_id = m.tenant_id and f.id = m.media_id
where m.tenant_id = $1 and m.brand_id = $2 and m.platform = $3 and m.identity = any ($4::text[])

-- name: exported
select i.number, i.content_id, i.figures from engarde.import_items i
where i.tenant_id = $1 and i.job_id = $2 and i.number > $3 and i.figures is not null and i.content_id is not null
order by i.number limit $4

-- name: contents
select a.external_asset_id, a.id from public.campaign_assets a
where a.tenant_id = $1 and a.campaign_space_id = $2 and a.external_asset_id = any ($4::text[])
  and a.deleted_at is null and coalesce(a.platform_metadata ->> 'platform', $3) = $3

-- name: postpone
update engarde.import_jobs j
set leased_until = '-infinity', attempts = j.attempts + 1, waiting_reason = left($4, 500),
    due_at = clock_timestamp() + make_interval(secs => $3)
where j.id = $1 and j.epoch = $2 and j.completed_at is null

-- name: settle
select engarde.settle_import_v1($1, $2, $3)

-- name: key
select c.sealed from engarde.credentials c where c.tenant_id = $1 and c.provider = $2

-- name: pause
select engarde.pause_credential_v2($1, $2, $3, $4)

-- name: jobs
select * from engarde.read_imports_v1($1, $2, $3::text[], $4::text[], $5::timestamptz, $6, $7)

-- name: items
select * from engarde.read_import_items_v1($1, $2, $3::text[], $4, $5)

-- name: count
select engarde.count_campaign_assets_v1($1, $2)

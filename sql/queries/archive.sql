-- name: take_turn
select * from engarde.take_archive_turn_v1($1, $2)

-- name: give_turn_back
update engarde.archive_streams s set leased_until = '-infinity'
where s.table_name = $1 and s.lease_token = $2

-- name: number_after
update engarde.archive_streams s set next_id = $2 + 1 where s.table_name = $1 and s.next_id <= $2

-- name: due
select * from engarde.due_versions_v2($1, $2, $3::bigint[])

-- name: load
select o.id, o.attempts, v as version, s.body
from engarde.outbox o
join engarde.content_versions v using (tenant_id, content_id, version)
left join engarde.staged_bodies s
  on s.tenant_id = v.tenant_id and s.content_id = v.content_id and s.version = v.body_version
where o.id = any ($1::bigint[])
order by o.id

-- name: defer
-- Look at these again later, ever later.
update engarde.outbox o
set attempts = o.attempts + 1, last_error = left($2, 300),
    leased_until = clock_timestamp() + make_interval(secs => least(60, 2.0 ^ least(o.attempts, 6)))
where o.id = any ($1::bigint[])

-- name: freeze
select * from engarde.freeze_archive_batch_v1($1, $2, $3, $4, $5::bigint[])

-- name: finish
select engarde.finish_archive_batch_v2($1, $2, $3, $4::bigint[], $5::bigint[], $6::text[], $7, $8)

-- name: stored
select s.first_id, s.outbox_ids from engarde.archive_stored s where s.table_name = $1 order by s.first_id

-- name: settle
select engarde.settle_archived_v1($1, $2)

-- name: mark
-- Answers with those that could not be marked now, because somebody else holds the item.
select * from engarde.mark_archived_v1($1::bigint[])

-- name: mark_one
update public.content_items i
set bigquery_backed_up = true, bigquery_last_sync_at = clock_timestamp() at time zone 'utc'
from engarde.outbox o
where o.id = $1 and i.tenant_id = o.tenant_id and i.id = o.content_id and i.version = o.version

-- name: feed
with fed as (
    delete from engarde.archive_backfill b
    where (b.tenant_id, b.content_id, b.version) in (
        select d.tenant_id, d.content_id, d.version from engarde.archive_backfill d
        order by d.tenant_id, d.content_id, d.version limit $1 for update skip locked)
    returning b.*
), owed as (
    insert into engarde.outbox (destination, tenant_id, content_id, version)
    select 'bigquery', f.tenant_id, f.content_id, f.version
    from fed f join engarde.content_versions v using (tenant_id, content_id, version)
    order by 2, 3, 4
)
select count(*) from fed

-- name: backfill
-- Have every version sent again.
insert into engarde.archive_backfill (tenant_id, content_id, version)
select v.tenant_id, v.content_id, v.version from engarde.content_versions v
where not exists (select from engarde.outbox o where o.destination = 'bigquery'
                    and o.tenant_id = v.tenant_id and o.content_id = v.content_id and o.version = v.version)
on conflict do nothing

-- name: backfill_rows
-- Have every media file told again. Figures are nowhere else: whoever tells them again, it is news.
with news as (
    delete from engarde.performance_keys
)
select engarde.backfill_media_v2()

-- name: due_rows
select d.id, d.row_id, d.at, d.archive_row from engarde.due_rows_v2($1, $2, $3::bigint[]) d

-- name: load_rows
select d.id, d.row_id, d.at, d.archive_row from engarde.archive_dues d
where d.id = any ($1::bigint[]) order by d.id

-- name: finish_rows
select engarde.finish_dues_v2($1, $2, $3, $4::bigint[], $5::bigint[], $6::text[], $7, $8)

-- name: retry_parked
with again as (
    delete from engarde.archive_parked p returning p.*
), owed as (
    insert into engarde.outbox (destination, tenant_id, content_id, version)
    select 'bigquery', a.tenant_id, a.content_id, a.version
    from again a join engarde.content_versions v using (tenant_id, content_id, version)
    order by 2, 3, 4
), ready as (
    update engarde.archive_dues d set reason = null, parked_at = null where d.reason is not null
    returning 1
)
select (select count(*) from again) + (select count(*) from ready)

-- name: parked
select 'content_snapshots' as table_name, p.tenant_id, p.content_id, p.version, p.reason, p.parked_at
from engarde.archive_parked p
union all
select d.table_name, d.tenant_id, d.content_id, null, d.reason, d.parked_at
from engarde.archive_dues d where d.reason is not null
order by parked_at desc, content_id limit $1

-- name: standing
select
    case when $1 = 'content_snapshots' then (select count(*) from engarde.archive_parked)
        else (select count(*) from engarde.archive_dues d where d.table_name = $1 and d.reason is not null)
    end as parked,
    case when $1 = 'content_snapshots' then (select count(*) from engarde.archive_backfill) else 0 end as backfill

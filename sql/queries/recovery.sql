-- name: latches
select l.store from engarde.store_latches l

-- name: latch
insert into engarde.store_latches (store, ordered_by) values ($1, $2) on conflict do nothing

-- name: unlatch
delete from engarde.store_latches l where l.store = $1

-- name: sample
select v as version from engarde.sample_versions_v1($1) v

-- name: operators_tenants
-- Where somebody works who answers for the daemon as a whole.
select distinct k.tenant_id from engarde.api_keys k
where k.role = 'operator' and k.revoked_at is null
  and (k.expires_at is null or k.expires_at > clock_timestamp())

-- name: order
insert into engarde.recovery_jobs as j (id, kind, wish, ordered_by) values ($1, $2, $3, $4)
on conflict do nothing
returning j

-- name: claim
-- Lease the oldest job that nobody works at. One that five daemons in a row died of is left alone.
with due as materialized (
    select j.id from engarde.recovery_jobs j
    where j.state in ('pending', 'running') and j.leased_until <= clock_timestamp()
    order by j.created_at limit 1
    for update skip locked
)
update engarde.recovery_jobs j
set state = case when j.attempts >= 5 then 'failed' else 'running' end,
    error = case when j.attempts >= 5 then 'daemons end while they work at it; see their logs' end,
    finished_at = case when j.attempts >= 5 then clock_timestamp() end,
    leased_until = clock_timestamp() + make_interval(secs => $1),
    lease_token = j.lease_token + 1, attempts = j.attempts + 1,
    started_at = coalesce(j.started_at, clock_timestamp())
from due where j.id = due.id
returning j

-- name: advance
-- Note how far it came. No row: another daemon has taken over.
update engarde.recovery_jobs j
set phase = $3, place = $4, done = $5, total = $6, report = $7, attempts = 0, error = null,
    leased_until = clock_timestamp() + make_interval(secs => $8)
where j.id = $1 and j.lease_token = $2 and j.state = 'running'
returning j.cancel_requested

-- name: postpone
-- Give it back, to be gone on with after a while.
update engarde.recovery_jobs j
set leased_until = clock_timestamp() + make_interval(secs => $3), attempts = 0, error = left($4, 500)
where j.id = $1 and j.lease_token = $2 and j.state = 'running'

-- name: settle
update engarde.recovery_jobs j
set state = $3, error = left($4, 500), finished_at = clock_timestamp()
where j.id = $1 and j.lease_token = $2 and j.state = 'running'
returning j

-- name: cancel
update engarde.recovery_jobs j
set cancel_requested = true,
    state = case when j.state = 'pending' then 'cancelled' else j.state end,
    finished_at = case when j.state = 'pending' then clock_timestamp() end
where j.id = $1 and j.state in ('pending', 'running')

-- name: find
select j from engarde.recovery_jobs j where j.id = $1

-- name: newest
select j from engarde.recovery_jobs j order by j.created_at desc, j.id desc limit $1

-- name: tenant_after
select v.tenant_id from engarde.content_versions v where v.tenant_id > $1 order by v.tenant_id limit 1

-- name: versions_after
-- The next versions of a tenant, each with the one before it, and which destinations still wait.
select v as version, p as previous,
    array(select o.destination::text from engarde.outbox o
          where o.tenant_id = v.tenant_id and o.content_id = v.content_id and o.version = v.version
          union all
          select 'bigquery' from engarde.archive_backfill b
          where b.tenant_id = v.tenant_id and b.content_id = v.content_id and b.version = v.version
    ) as awaited
from engarde.content_versions v
left join engarde.content_versions p
  on p.tenant_id = v.tenant_id and p.content_id = v.content_id and p.version = v.version - 1
where v.tenant_id = $1 and (v.content_id, v.version) > ($2, $3)
  and ($4::text is null or v.brand_id = $4) and ($5::timestamp is null or v.created_at <= $5)
order by v.content_id, v.version limit $6

-- name: versions_named
select v as version, null::engarde.content_versions as previous,
    array(select o.destination::text from engarde.outbox o
          where o.tenant_id = v.tenant_id and o.content_id = v.content_id and o.version = v.version
          union all
          select 'bigquery' from engarde.archive_backfill b
          where b.tenant_id = v.tenant_id and b.content_id = v.content_id and b.version = v.version
    ) as awaited
from unnest($1::text[], $2::text[], $3::integer[]) w (tenant_id, content_id, version)
join engarde.content_versions v using (tenant_id, content_id, version)

-- name: count_versions
select count(*) from engarde.content_versions v
where ($1::text is null or v.tenant_id = $1) and ($2::text is null or v.brand_id = $2)
  and ($3::timestamp is null or v.created_at <= $3)

-- name: unknown
-- Which of these rows are no version's and not about to be removed either.
select w.ordinality::integer as place, v.version is not null as has_version
from unnest($1::text[], $2::text[], $3::integer[], $4::text[])
    with ordinality w (tenant_id, content_id, version, row_id, ordinality)
left join engarde.content_versions v
  on v.tenant_id = w.tenant_id and v.content_id = w.content_id and v.version = w.version
where v.zerodb_id is distinct from w.row_id
  and not exists (select from engarde.removals r
                  where r.tenant_id = w.tenant_id and r.record_id = w.row_id
                    and r.destination = 'zerodb')

-- name: set_aside
-- Stage bodies again, and have their versions delivered after a while; erased ones are left out.
with aside as materialized (
    select w.*, v.size_bytes
    from unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::text[])
        w (tenant_id, content_id, version, body_version, body)
    join engarde.content_versions v using (tenant_id, content_id, version)
    for share of v
), staged as (
    insert into engarde.staged_bodies (tenant_id, content_id, version, body, size_bytes)
    select distinct on (tenant_id, content_id, body_version)
        tenant_id, content_id, body_version, body, size_bytes from aside
    on conflict do nothing
)
insert into engarde.outbox (destination, tenant_id, content_id, version, leased_until)
select 'zerodb', tenant_id, content_id, version, clock_timestamp() + make_interval(secs => $6) from aside

-- name: owe_archive
-- Have versions sent to the archive once more.
insert into engarde.archive_backfill (tenant_id, content_id, version)
select v.tenant_id, v.content_id, v.version
from unnest($1::text[], $2::text[], $3::integer[]) w (tenant_id, content_id, version)
join engarde.content_versions v using (tenant_id, content_id, version)
on conflict do nothing

-- name: in_use
select u.address from engarde.zerodb_in_use u

-- name: point_to
insert into engarde.zerodb_in_use (address) values ($1)
on conflict (only_row) do update set address = excluded.address, since = clock_timestamp()

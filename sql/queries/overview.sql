-- What operators see at a glance, as engarde_actor. None of it counts a table that grows with content.

-- name: beat
-- Also forgets what was not heard of for an hour, and who lived at this address before.
with gone as (
    delete from engarde.daemons d
    where d.id <> $1 and (d.last_seen < clock_timestamp() - interval '1 hour' or (d.name, d.address) = ($2, $3))
)
insert into engarde.daemons as d (id, name, address, version, pid, actors)
values ($1, $2, $3, $4, $5, $6::json)
on conflict (id) do update
set last_seen = clock_timestamp(), stopped_at = null, actors = excluded.actors

-- name: sum_up
select engarde.sum_up_tally_v1($1)

-- name: stop
update engarde.daemons d set stopped_at = clock_timestamp(), last_seen = clock_timestamp() where d.id = $1

-- name: versions
select coalesce(sum(t.versions), 0)::bigint from engarde.version_tally t

-- name: others
select d.id, d.name, d.address, d.version, d.pid, d.started_at, d.last_seen, d.actors,
    case when d.stopped_at is not null then 'stopped'
         when d.last_seen < clock_timestamp() - make_interval(secs => $2) then 'silent'
         else 'running' end as state
from engarde.daemons d where d.id <> $1
order by d.name, d.address, d.id limit 100

-- name: levels
-- Those at no level but the normal one are what remains of all.
select u.warning_level as level, count(*) as tenants
from public.content_storage_usage u where u.warning_level <> 'normal' group by u.warning_level
union all
select 'all', count(*) from public.tenants

-- name: fullest
with near as materialized (
    select u.tenant_id, u.warning_level, coalesce(u.pending_bytes, 0)::bigint as pending_bytes,
        (coalesce(u.total_storage_bytes, 0) + coalesce(u.total_media_storage_bytes, 0))::bigint as used_bytes
    from public.content_storage_usage u where u.warning_level <> 'normal'
    order by u.warning_level limit 1000
)
select t.id as tenant_id, t.name, t.plan_tier as plan, n.warning_level as level, n.used_bytes, n.pending_bytes,
    engarde.limit_of_v1($1::jsonb, t.plan_tier) as limit_bytes
from near n join public.tenants t on t.id = n.tenant_id
order by (n.used_bytes + n.pending_bytes)::float8 / nullif(engarde.limit_of_v1($1::jsonb, t.plan_tier), 0) desc nulls last,
    t.id
limit $2

-- name: live_jobs
select * from (
    (select j.id, 'generation' as kind, j.tenant_id, j.status as state, j.progress::bigint as done,
        j.target_count::bigint as total, j.created_at at time zone 'utc' as created_at,
        j.started_at at time zone 'utc' as started_at, j.completed_at at time zone 'utc' as finished_at,
        '' as phase, j.spent_usd::float8 as cost_usd, coalesce(j.paused_reason, left(j.error_message, 300)) as error,
        (select count(*) from engarde.generation_items i
         where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state = 'failed') as failed
    from public.content_generation_jobs j
    where j.spec is not null and j.status in ('pending', 'running')
      and ($1::text is null or j.tenant_id = $1)
      and (j.created_at, j.id) < (coalesce($2, timestamptz 'infinity') at time zone 'utc', coalesce($3, ''))
    order by j.created_at desc, j.id desc limit $4)
    union all
    (select r.id, r.kind, r.wish #>> '{scope,tenant_id}', r.state, r.done, r.total, r.created_at, r.started_at,
        r.finished_at, r.phase, null, r.error, 0
    from engarde.recovery_jobs r
    where r.state in ('pending', 'running')
      and ($1::text is null or r.wish #>> '{scope,tenant_id}' = $1)
      and (r.created_at, r.id) < (coalesce($2, timestamptz 'infinity'), coalesce($3, ''))
    order by r.created_at desc, r.id desc limit $4)
    union all
    (select m.id, 'import', m.tenant_id, m.status, (m.imported + m.updated + m.unchanged + m.skipped)::bigint,
        greatest(m.total_assets, m.estimated_assets)::bigint, m.created_at, m.started_at, m.completed_at, m.stage,
        null, coalesce(case when m.completed_at is null then m.waiting_reason end, left(m.error_message, 300)), m.failed
    from engarde.import_jobs m
    where m.completed_at is null and m.status in ('receiving', 'pending', 'running')
      and ($1::text is null or m.tenant_id = $1)
      and (m.created_at, m.id) < (coalesce($2, timestamptz 'infinity'), coalesce($3, ''))
    order by m.created_at desc, m.id desc limit $4)
) a order by a.created_at desc, a.id desc limit $4

-- name: all_jobs
select * from (
    (select j.id, 'generation' as kind, j.tenant_id, j.status as state, j.progress::bigint as done,
        j.target_count::bigint as total, j.created_at at time zone 'utc' as created_at,
        j.started_at at time zone 'utc' as started_at, j.completed_at at time zone 'utc' as finished_at,
        '' as phase, j.spent_usd::float8 as cost_usd, coalesce(j.paused_reason, left(j.error_message, 300)) as error,
        (select count(*) from engarde.generation_items i
         where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state = 'failed') as failed
    from public.content_generation_jobs j
    where j.spec is not null
      and ($1::text is null or j.tenant_id = $1)
      and (j.created_at, j.id) < (coalesce($2, timestamptz 'infinity') at time zone 'utc', coalesce($3, ''))
    order by j.created_at desc, j.id desc limit $4)
    union all
    (select r.id, r.kind, r.wish #>> '{scope,tenant_id}', r.state, r.done, r.total, r.created_at, r.started_at,
        r.finished_at, r.phase, null, r.error, 0
    from engarde.recovery_jobs r
    where ($1::text is null or r.wish #>> '{scope,tenant_id}' = $1)
      and (r.created_at, r.id) < (coalesce($2, timestamptz 'infinity'), coalesce($3, ''))
    order by r.created_at desc, r.id desc limit $4)
    union all
    (select m.id, 'import', m.tenant_id, m.status, (m.imported + m.updated + m.unchanged + m.skipped)::bigint,
        greatest(m.total_assets, m.estimated_assets)::bigint, m.created_at, m.started_at, m.completed_at, m.stage,
        null, coalesce(case when m.completed_at is null then m.waiting_reason end, left(m.error_message, 300)), m.failed
    from engarde.import_jobs m
    where ($1::text is null or m.tenant_id = $1)
      and (m.created_at, m.id) < (coalesce($2, timestamptz 'infinity'), coalesce($3, ''))
    order by m.created_at desc, m.id desc limit $4)
) a order by a.created_at desc, a.id desc limit $4

-- name: job
select j.id, 'generation' as kind, j.tenant_id, j.status as state
from public.content_generation_jobs j where j.id = $1 and j.spec is not null
union all
select m.id, 'import', m.tenant_id, m.status from engarde.import_jobs m where m.id = $1
union all
select r.id, r.kind, r.wish #>> '{scope,tenant_id}', r.state from engarde.recovery_jobs r where r.id = $1

-- name: happenings
-- The newest. Rows lie in the order in which they came, so that few pages hold them.
select e.tenant_id, e.position, e.type, e.subject_id, e.version, e.occurred_at, left(e.data::text, 1000) as data
from engarde.events e where e.occurred_at > $1
order by e.occurred_at desc, e.tenant_id, e.position desc limit $2

-- name: put_off
-- What was tried and failed, among the oldest that wait.
select o.tenant_id, o.content_id, o.version, o.last_error as reason, o.created_at as since, o.attempts
from (select * from engarde.outbox w where w.destination = $1 order by w.id limit 1000) o
where o.last_error is not null order by o.id limit $2

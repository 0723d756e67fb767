-- name: claim
-- Lease the oldest rows of a destination. `$4` moves the clock in tests; null is the database's.
with due as materialized (
    select o.id from engarde.outbox o
    where o.destination = $1 and o.leased_until <= coalesce($4::timestamptz, clock_timestamp())
    order by o.id limit $2
    for update skip locked
), claimed as (
    update engarde.outbox o
    set leased_until = coalesce($4::timestamptz, clock_timestamp()) + make_interval(secs => $3),
        lease_token = o.lease_token + 1, attempts = o.attempts + 1
    from due where o.id = due.id
    returning o.id, o.lease_token, o.attempts, o.tenant_id, o.content_id, o.version
)
select c.id, c.lease_token, c.attempts, v as version, p as previous, s.body
from claimed c
join engarde.content_versions v using (tenant_id, content_id, version)
left join engarde.content_versions p
  on p.tenant_id = v.tenant_id and p.content_id = v.content_id and p.version = v.version - 1
left join engarde.staged_bodies s
  on s.tenant_id = v.tenant_id and s.content_id = v.content_id and s.version = v.body_version
order by c.id

-- name: settle
select engarde.settle_outbox_v1($1::bigint[], $2::integer[])

-- name: defer
-- Give claimed rows back, to be tried again after a while.
update engarde.outbox o
set leased_until = clock_timestamp() + make_interval(secs => $3), last_error = left($4, 300)
from unnest($1::bigint[], $2::integer[]) c (id, token)
where o.id = c.id and o.lease_token = c.token

-- name: backlog
select o.destination, count(*) as rows,
    coalesce(extract(epoch from clock_timestamp() - min(o.created_at)), 0)::float8 as oldest_age_s
from engarde.outbox o group by o.destination

-- name: staged_bytes
select coalesce(sum(s.size_bytes), 0)::bigint from engarde.staged_bodies s

-- name: index_pending
select engarde.index_pending_v2($1)

-- name: sweep_staged
select engarde.sweep_staged_v1($1)

-- name: forget_keys
-- Idempotency keys are kept for 72 hours at least.
delete from engarde.idempotency_keys k
where (k.tenant_id, k.principal_id, k.key) in (
    select d.tenant_id, d.principal_id, d.key from engarde.idempotency_keys d
    where d.created_at < clock_timestamp() - interval '96 hours' limit $1
)

-- name: expedite
select engarde.expedite_outbox_v1($1, $2)

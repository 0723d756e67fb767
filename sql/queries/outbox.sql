-- name: claim
-- Lease the oldest rows of a destination, as many as fit into $4 bytes of bodies and the one that
-- does not fit any more. `$5` moves the clock in tests; null is the database's.
with due as materialized (
    select o.id, o.tenant_id, o.content_id, o.version from engarde.outbox o
    where o.destination = $1 and o.leased_until <= coalesce($5::timestamptz, clock_timestamp())
    order by o.id limit $2
    for update skip locked
), weighed as materialized (
    select d.id, v as version, p as previous, coalesce(sum(coalesce(v.size_bytes, 0) + coalesce(p.size_bytes, 0))
        over (order by d.id rows between unbounded preceding and 1 preceding), 0) as before
    from due d
    left join engarde.content_versions v using (tenant_id, content_id, version)
    left join engarde.content_versions p
      on p.tenant_id = v.tenant_id and p.content_id = v.content_id and p.version = v.version - 1
), claimed as (
    update engarde.outbox o
    set leased_until = coalesce($5::timestamptz, clock_timestamp()) + make_interval(secs => $3),
        lease_token = o.lease_token + 1, attempts = o.attempts + 1
    from weighed w where o.id = w.id and w.before < $4
    returning o.id, o.lease_token, o.attempts
)
select c.id, c.lease_token, c.attempts, w.version, w.previous, s.body
from claimed c
join weighed w on w.id = c.id and (w.version).version is not null
left join engarde.staged_bodies s
  on s.tenant_id = (w.version).tenant_id and s.content_id = (w.version).content_id
 and s.version = (w.version).body_version
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
select engarde.index_pending_v3($1)

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

-- name: claim
-- `$5` moves the clock in tests; null is the database's.
select * from engarde.claim_outbox_v1($1, $2, $3, $4, coalesce($5::timestamptz, clock_timestamp()))

-- name: settle
select engarde.settle_outbox_v1($1::bigint[], $2::integer[])

-- name: defer
-- Give claimed rows back, to be tried again after a while.
update engarde.outbox o
set leased_until = clock_timestamp() + make_interval(secs => $3), last_error = left($4, 300)
from unnest($1::bigint[], $2::integer[]) c (id, token)
where o.id = c.id and o.lease_token = c.token

-- name: backlog
select * from engarde.backlog_v1($1)

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

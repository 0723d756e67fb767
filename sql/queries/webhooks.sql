-- name: add
select engarde.add_webhook_v1($1, $2, $3, $4::text[], $5, $6, $7, $8)

-- name: change
select engarde.change_webhook_v1($1, $2, $3, $4::text[], $5, $6)

-- name: renew_secret
-- The present secret stays good for a while beside the new one.
update engarde.webhooks w set
    old_secret = w.secret, old_secret_until = clock_timestamp() + make_interval(secs => $4),
    secret = $3, updated_at = clock_timestamp()
where w.tenant_id = $1 and w.id = $2
returning w.id

-- name: secret
select w.secret from engarde.webhooks w where w.tenant_id = $1 and w.id = $2

-- name: remove
delete from engarde.webhooks w where w.tenant_id = $1 and w.id = $2 returning w.id

-- name: test
select engarde.test_webhook_v1($1, $2, $3::uuid, $4, $5::json)

-- name: retry
select engarde.retry_webhook_v1($1, $2, $3)

-- name: match
select * from engarde.match_webhooks_v1($1::text[], $2)

-- name: claim
select * from engarde.claim_webhook_v1($1, $2, $3, $4::bytea[], $5::timestamptz)

-- name: settle
select engarde.settle_webhook_v1($1, $2, $3, $4::jsonb, $5, $6, $7::timestamptz)

-- name: backlog
select count(*) as waiting,
    coalesce(extract(epoch from clock_timestamp() - min(d.created_at)), 0)::float8 as oldest_age_s,
    (select count(*) from engarde.webhooks w where w.failing_since is not null and w.enabled) as failing,
    (select count(*) from engarde.webhooks w where not w.enabled) as disabled,
    (select count(*) from engarde.webhooks w where engarde.sealing_key_v1(w.secret) <> all ($1::bytea[])) as locked
from engarde.webhook_deliveries d where d.state = 'pending'

-- name: list
select * from engarde.read_webhooks_v1($1, null)

-- name: find
select * from engarde.read_webhooks_v1($1, $2)

-- name: deliveries
select * from engarde.read_deliveries_v1($1, $2, $3, $4, $5)

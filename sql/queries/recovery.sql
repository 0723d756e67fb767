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

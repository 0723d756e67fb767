-- Figures of content on their way to the archive. Readers call a function as engarde_api.

-- name: stage
select * from engarde.stage_performance_v1($1::jsonb)

-- name: waiting
select * from engarde.read_dues_v1($1, $2, $3, $4, $5)

-- name: forget_keys
delete from engarde.performance_keys k
where (k.tenant_id, k.metric_id) in (
    select o.tenant_id, o.metric_id from engarde.performance_keys o
    where o.staged_at < clock_timestamp() - make_interval(secs => $1) limit $2 for update skip locked)

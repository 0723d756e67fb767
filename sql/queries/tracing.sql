-- name: causes
select distinct t.traceparent
from engarde.outbox o
join engarde.write_traces t using (tenant_id, content_id, version)
where o.id = any($1::bigint[]) limit 128

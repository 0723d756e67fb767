-- name: versions_before
select * from engarde.read_history_v1($1, $2, $3, $4, $5)

-- name: versions
select * from engarde.read_versions_v1($1, $2, $3, $4::integer[])

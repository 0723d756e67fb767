-- What `engarde doctor` asks beyond what the daemon asks at its own start.

-- name: server
select current_setting('server_version') as version,
    current_setting('server_version_num')::integer as number,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
        - (select count(*) from pg_stat_activity a where a.backend_type = 'client backend'
           and a.application_name not like 'engarde%')::integer as free_connections

-- name: clock
select clock_timestamp()

-- name: sqlite_faults
pragma quick_check(1)

-- What `engarde doctor` asks beyond what the daemon asks at its own start.

-- name: server
select current_setting('server_version') as version,
    current_setting('server_version_num')::integer as number,
    clock_timestamp() as clock

-- name: sqlite_faults
pragma quick_check(1)

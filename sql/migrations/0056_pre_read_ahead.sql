-- What the archive lacks besides a batch that is under way: it is read while that one is sent.

-- As version 1 (0043), without what is under way.
create function engarde.due_versions_v2(most integer, bytes_max bigint, under_way bigint[])
returns table (id bigint, attempts integer, version engarde.content_versions, body text)
language plpgsql stable set search_path = pg_catalog set enable_seqscan = off as $$
#variable_conflict use_column
begin
    return query
    with due as materialized (
        select o.id, o.attempts, (
            select v from engarde.content_versions v where v.tenant_id = o.tenant_id
               and v.content_id = o.content_id and v.version = o.version) as version
        from (select * from engarde.outbox w
              where w.destination = 'bigquery' and w.leased_until <= clock_timestamp()
              order by w.id limit most + cardinality(under_way)) o
        where not exists (select from unnest(under_way) u (id) where u.id = o.id)
        order by o.id limit most
    ), weighed as materialized (
        select d.*, sum((d.version).size_bytes) over (order by d.id) - (d.version).size_bytes as before
        from due d where (d.version).version is not null
    )
    select w.id, w.attempts, w.version,
        (select s.body from engarde.staged_bodies s where s.tenant_id = (w.version).tenant_id
           and s.content_id = (w.version).content_id and s.version = (w.version).body_version)
    from weighed w
    where w.before + (w.version).size_bytes <= bytes_max or w.before = 0
    order by w.id;
end $$;

-- As version 1 (0052), without what is under way.
create function engarde.due_rows_v2(archive_table text, most integer, under_way bigint[])
returns setof engarde.archive_dues
language plpgsql stable set search_path = pg_catalog set enable_seqscan = off as $$
begin
    return query
    select * from (
        select * from engarde.archive_dues d
        where d.table_name = archive_table and d.reason is null
        order by d.id limit most + cardinality(under_way)) w
    where not exists (select from unnest(under_way) u (id) where u.id = w.id)
    order by w.id limit most;
end $$;

alter function engarde.due_versions_v2 owner to engarde_owner;
alter function engarde.due_rows_v2 owner to engarde_owner;
revoke all on function engarde.due_versions_v2, engarde.due_rows_v2 from public;
grant execute on function engarde.due_versions_v2, engarde.due_rows_v2 to engarde_actor;

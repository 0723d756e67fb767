-- What the archive holds is settled while the next batch is on its way there, not before.

-- Batches that the archive holds, whose versions are owed still. Whoever has the turn settles them before it
-- chooses more, so that nothing is chosen twice.
create table engarde.archive_stored (
    table_name varchar(40) not null references engarde.archive_streams,
    first_id bigint not null,
    outbox_ids bigint[] not null,
    primary key (table_name, first_id)
);
alter table engarde.archive_stored owner to engarde_owner;
grant select, insert, update, delete on engarde.archive_stored to engarde_actor;

-- As version 1 (0052), but what is stored is only noted.
create function engarde.finish_archive_batch_v2(archive_table text, held integer, lease_s float8,
    stored bigint[], refused bigint[], reasons text[], advance bigint, stream_ends boolean)
returns boolean language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
declare
    contents text[];
begin
    perform engarde.hold_archive_turn_v1(archive_table, held, lease_s);
    if not found then
        return false;
    end if;
    update engarde.archive_streams s
    set stream = case when stream_ends then null else s.stream end,
        next_offset = case when stream_ends then 0 else s.next_offset + advance end
    where s.table_name = archive_table;
    with over as (
        delete from engarde.archive_batches b where b.table_name = archive_table returning b.first_id
    )
    insert into engarde.archive_stored (table_name, first_id, outbox_ids)
    select archive_table, o.first_id, stored from over o where cardinality(stored) > 0;
    insert into engarde.archive_parked (tenant_id, content_id, version, reason)
    select o.tenant_id, o.content_id, o.version, left(r.reason, 300)
    from unnest(refused, reasons) r (id, reason)
    cross join lateral (select * from engarde.outbox w where w.id = r.id offset 0) o
    on conflict (tenant_id, content_id, version) do update set reason = excluded.reason, parked_at = now();
    with gone as (
        delete from engarde.outbox o where o.id = any (refused)
        returning o.tenant_id || ' ' || o.content_id as content
    )
    select array_agg(distinct g.content) into contents from gone g;
    perform engarde.release_staged_v1(contents);
    return true;
end $$;

-- Owe the versions of a stored batch no longer. Whoever does so at this moment is waited for.
create function engarde.settle_archived_v1(archive_table text, batch bigint) returns void
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
declare
    ids bigint[];
    contents text[];
begin
    delete from engarde.archive_stored s where s.table_name = archive_table and s.first_id = batch
    returning s.outbox_ids into ids;
    with gone as (
        delete from engarde.outbox o where o.id = any (ids)
        returning o.tenant_id || ' ' || o.content_id as content
    )
    select array_agg(distinct g.content) into contents from gone g;
    perform engarde.release_staged_v1(contents);
end $$;

alter function engarde.finish_archive_batch_v2 owner to engarde_owner;
alter function engarde.settle_archived_v1 owner to engarde_owner;
revoke all on function engarde.finish_archive_batch_v2, engarde.settle_archived_v1 from public;
grant execute on function engarde.finish_archive_batch_v2, engarde.settle_archived_v1 to engarde_actor;

-- What waits for each destination, no more than `most` of it counted: who looks every second must not read the
-- whole of a long outage.
create function engarde.backlog_v1(most bigint) returns table (destination text, rows bigint, oldest_age_s float8)
language plpgsql stable set search_path = pg_catalog set enable_seqscan = off as $$
#variable_conflict use_column
begin
    return query
    select d.name, w.rows, extract(epoch from clock_timestamp() - f.created_at)::float8
    from unnest(array['zerodb', 'search', 'bigquery']) d (name)
    cross join lateral (
        select o.created_at from engarde.outbox o where o.destination = d.name order by o.id limit 1) f
    cross join lateral (
        select count(*) as rows
        from (select from engarde.outbox o where o.destination = d.name limit most) o) w;
end $$;
alter function engarde.backlog_v1 owner to engarde_owner;
revoke all on function engarde.backlog_v1 from public;
grant execute on function engarde.backlog_v1 to engarde_actor;

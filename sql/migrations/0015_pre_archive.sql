-- The archive: what must reach BigQuery, how far that has come, and what was refused.

alter table engarde.outbox drop constraint outbox_destination_check;
alter table engarde.outbox add constraint outbox_destination_check
    check (destination in ('zerodb', 'search', 'bigquery'));

-- Whoever makes a version, in whatever statement, owes it to the archive.
create function engarde.owe_archive_v1() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    insert into engarde.outbox (destination, tenant_id, content_id, version)
    select 'bigquery', m.tenant_id, m.content_id, m.version from made m;
    return null;
end $$;
create trigger owe_archive after insert on engarde.content_versions
    referencing new table as made for each statement execute function engarde.owe_archive_v1();

-- Versions that are older than the archive, or that it is to be given again. They enter the outbox a
-- few at a time, when nothing newer waits there.
create table engarde.archive_backfill (
    tenant_id varchar(36) not null,
    content_id varchar(36) not null,
    version integer not null,
    primary key (tenant_id, content_id, version)
);
insert into engarde.archive_backfill select v.tenant_id, v.content_id, v.version from engarde.content_versions v;

-- Versions that the archive refused, each with the reason, until someone has it tried again.
create table engarde.archive_parked (
    tenant_id varchar(36) not null,
    content_id varchar(36) not null,
    version integer not null,
    reason varchar(300) not null,
    parked_at timestamptz not null default now(),
    primary key (tenant_id, content_id, version)
);

do $$
declare
    guarded text;
begin
    foreach guarded in array array['engarde.archive_backfill', 'engarde.archive_parked'] loop
        execute format('alter table %s owner to engarde_owner', guarded);
        execute format('alter table %s enable row level security', guarded);
        execute format('alter table %s force row level security', guarded);
        execute format(
            'create policy tenant_guard on %s as restrictive to engarde_api '
            'using (tenant_id = current_setting(''app.tenant_id'', true)) '
            'with check (tenant_id = current_setting(''app.tenant_id'', true))', guarded);
        execute format(
            'create policy daemon_access on %s to engarde_owner, engarde_api, engarde_actor '
            'using (true) with check (true)', guarded);
        execute format('grant select, insert, update, delete on %s to engarde_actor, engarde_owner', guarded);
    end loop;
end $$;

-- How far each table of the archive is: the stream that is written to, where its next row goes, and
-- the number of the next row. The lease says who may write; its token fences who once could.
create table engarde.archive_streams (
    table_name varchar(40) primary key,
    stream text,
    next_offset bigint not null default 0,
    next_id bigint not null default 1,
    lease_token integer not null default 0,
    leased_until timestamptz not null default '-infinity'
);
insert into engarde.archive_streams (table_name) values ('content_snapshots');

-- The one batch of a table that is under way. Its composition never changes: whoever sends it again
-- sends the same rows, to the same place.
create table engarde.archive_batches (
    table_name varchar(40) primary key references engarde.archive_streams,
    stream text not null,
    first_offset bigint not null,
    first_id bigint not null,
    last_id bigint not null,
    outbox_ids bigint[] not null,
    frozen_at timestamptz not null default clock_timestamp(),
    check (last_id - first_id + 1 = cardinality(outbox_ids))
);
alter table engarde.archive_streams owner to engarde_owner;
alter table engarde.archive_batches owner to engarde_owner;
grant select, insert, update, delete on engarde.archive_streams, engarde.archive_batches to engarde_actor;

-- Take the right to write a table's stream, if nobody has it, with the batch that is under way. Two
-- statements, so that the batch is looked at after the lock is held.
create function engarde.take_archive_turn_v1(archive_table text, lease_s float8)
returns table (token integer, stream text, batch engarde.archive_batches)
language plpgsql set search_path = pg_catalog as $$
begin
    update engarde.archive_streams s
    set lease_token = s.lease_token + 1, leased_until = clock_timestamp() + make_interval(secs => lease_s)
    where s.table_name = archive_table and s.leased_until <= clock_timestamp()
    returning s.lease_token, s.stream into token, stream;
    if not found then
        return;
    end if;
    select b.* into batch from engarde.archive_batches b where b.table_name = archive_table;
    return next;
end $$;

-- Extend the lease of whoever still holds it, and say where the next rows go.
create function engarde.hold_archive_turn_v1(archive_table text, held integer, lease_s float8)
returns setof engarde.archive_streams
language sql set search_path = pg_catalog as $$
    update engarde.archive_streams s set leased_until = clock_timestamp() + make_interval(secs => lease_s)
    where s.table_name = archive_table and s.lease_token = held
    returning s.*
$$;

-- Freeze a batch of outbox rows. `began` names a stream that was opened for it, null to go on with
-- the present one. Answers with nothing where the turn is over.
create function engarde.freeze_archive_batch_v1(archive_table text, held integer, lease_s float8, began text, ids bigint[])
returns setof engarde.archive_batches
language plpgsql set search_path = pg_catalog as $$
declare
    place engarde.archive_streams;
begin
    select * into place from engarde.hold_archive_turn_v1(archive_table, held, lease_s);
    if place is null then
        return;
    end if;
    if began is not null then
        place.stream := began;
        place.next_offset := 0;
    end if;
    update engarde.archive_streams s
    set stream = place.stream, next_offset = place.next_offset, next_id = place.next_id + cardinality(ids)
    where s.table_name = archive_table;
    return query
    insert into engarde.archive_batches (table_name, stream, first_offset, first_id, last_id, outbox_ids)
    values (archive_table, place.stream, place.next_offset, place.next_id,
            place.next_id + cardinality(ids) - 1, ids)
    returning *;
end $$;

-- End the batch under way: `stored` is there, `refused` is parked with its reasons, the rest will be
-- sent anew. Answers with false where the turn is over, and nothing has changed.
create function engarde.finish_archive_batch_v1(archive_table text, held integer, lease_s float8,
    stored bigint[], refused bigint[], reasons text[], advance bigint, stream_ends boolean)
returns boolean language plpgsql set search_path = pg_catalog as $$
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
    delete from engarde.archive_batches b where b.table_name = archive_table;
    insert into engarde.archive_parked (tenant_id, content_id, version, reason)
    select o.tenant_id, o.content_id, o.version, left(r.reason, 300)
    from unnest(refused, reasons) r (id, reason) join engarde.outbox o on o.id = r.id
    on conflict (tenant_id, content_id, version) do update set reason = excluded.reason, parked_at = now();
    with gone as (
        delete from engarde.outbox o where o.id = any (stored || refused)
        returning o.tenant_id || ' ' || o.content_id as content
    )
    select array_agg(distinct g.content) into contents from gone g;
    perform engarde.release_staged_v1(contents);
    return true;
end $$;

-- Rows that must leave the archive are due like those that must leave ZeroDB.
alter table engarde.removals add column destination varchar(10) not null default 'zerodb'
    check (destination in ('zerodb', 'bigquery'));
comment on column engarde.removals.record_id is 'A row of ZeroDB; of the archive, the content whose rows must go';

-- As the first version, and the archive forgets as well.
create function engarde.erase_content_v2(erasure text, tenant text, content text, who text, why text)
returns integer language plpgsql set search_path = pg_catalog as $$
declare
    erased integer := engarde.erase_content_v1(erasure, tenant, content, who, why);
begin
    if erased is not null then
        insert into engarde.removals (destination, tenant_id, record_id, erasure_id)
        values ('bigquery', tenant, content, erasure);
        delete from engarde.archive_backfill b where b.tenant_id = tenant and b.content_id = content;
        delete from engarde.archive_parked p where p.tenant_id = tenant and p.content_id = content;
    end if;
    return erased;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('owe_archive_v1', 'take_archive_turn_v1', 'hold_archive_turn_v1',
                            'freeze_archive_batch_v1', 'finish_archive_batch_v1', 'erase_content_v2')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;

-- Work on queues and books costs what was asked for, whatever the tables held when a session made its plan.

-- What 0043 did for others: queues are empty most of the time, and a plan that is made then reads them
-- through later. Lookups behind `offset 0` have no other way than their key.

-- As in 0013.
create or replace function engarde.search_fresh_v1(tenant text, has_words boolean)
returns table (content_id text, document tsvector)
language plpgsql stable security definer set search_path = pg_catalog set enable_seqscan = off as $$
begin
    return query
    select p.content_id::text, e.document
    from (
        select distinct on (o.content_id) o.content_id, o.version
        from (select * from engarde.outbox b
              where b.tenant_id = tenant and b.destination = 'search'
              order by b.id desc limit case when has_words then 200 else 4000 end) o
        order by o.content_id, o.version desc
    ) p
    cross join lateral (
        select * from engarde.content_versions w
        where w.tenant_id = tenant and w.content_id = p.content_id and w.version = p.version offset 0) v
    cross join lateral (
        select
            (select s.body from engarde.staged_bodies s where has_words
               and s.tenant_id = tenant and s.content_id = p.content_id and s.version = v.body_version) as body,
            (select d from engarde.content_search d
             where d.tenant_id = tenant and d.content_id = p.content_id) as indexed
        offset 0) k
    cross join lateral engarde.search_entry_v1(v, k.body, k.indexed) e;
end $$;

-- As in 0015.
create or replace function engarde.finish_archive_batch_v1(archive_table text, held integer, lease_s float8,
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
    delete from engarde.archive_batches b where b.table_name = archive_table;
    insert into engarde.archive_parked (tenant_id, content_id, version, reason)
    select o.tenant_id, o.content_id, o.version, left(r.reason, 300)
    from unnest(refused, reasons) r (id, reason)
    cross join lateral (select * from engarde.outbox w where w.id = r.id offset 0) o
    on conflict (tenant_id, content_id, version) do update set reason = excluded.reason, parked_at = now();
    with gone as (
        delete from engarde.outbox o where o.id = any (stored || refused)
        returning o.tenant_id || ' ' || o.content_id as content
    )
    select array_agg(distinct g.content) into contents from gone g;
    perform engarde.release_staged_v1(contents);
    return true;
end $$;

-- As in 0028.
create or replace function engarde.finish_dues_v1(archive_table text, held integer, lease_s float8,
    stored bigint[], refused bigint[], reasons text[], advance bigint, stream_ends boolean)
returns boolean language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
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
    update engarde.archive_dues d
    set reason = left(reasons[array_position(refused, d.id)], 300), parked_at = clock_timestamp()
    where d.id = any (refused);
    delete from engarde.archive_dues d where d.id = any (stored);
    return true;
end $$;
alter function engarde.finish_dues_v2(
    text, integer, float8, bigint[], bigint[], text[], bigint, boolean) set enable_seqscan = off;

-- The oldest rows that a table of the archive lacks and has not refused.
create function engarde.due_rows_v1(archive_table text, most integer) returns setof engarde.archive_dues
language plpgsql stable set search_path = pg_catalog set enable_seqscan = off as $$
begin
    return query
    select * from engarde.archive_dues d
    where d.table_name = archive_table and d.reason is null order by d.id limit most;
end $$;

-- The present state of items, and the body of those the platform still keeps in its own row.
create function engarde.read_heads_v1(tenants text[], ids text[])
returns table (item engarde.item, legacy_body text)
language plpgsql stable rows 25 set search_path = pg_catalog set enable_seqscan = off as $$
begin
    return query
    select engarde.item_of(i), case when i.zerodb_id is null then coalesce(i.content_body, '') end
    from unnest(tenants, ids) w (tenant_id, id)
    cross join lateral (
        select * from public.content_items c where c.tenant_id = w.tenant_id and c.id = w.id offset 0) i
    where i.brand_id is not null;
end $$;

-- Say in the items that their versions are archived. Items whose row somebody else holds are passed over
-- and named: waiting for one row while holding another is how two batches wait for each other.
create function engarde.mark_archived_v1(ids bigint[]) returns setof bigint
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
begin
    update public.content_items i
    set bigquery_backed_up = true, bigquery_last_sync_at = clock_timestamp() at time zone 'utc'
    where i.id = any (array(
        select free.id
        from (select * from engarde.outbox w where w.id = any (ids) offset 0) o
        cross join lateral (
            select c.id from public.content_items c
            where c.tenant_id = o.tenant_id and c.id = o.content_id and c.version = o.version
              and c.bigquery_backed_up is not true
            for no key update skip locked) free));
    return query
    select o.id from (select * from engarde.outbox w where w.id = any (ids) offset 0) o
    where exists (
        select from public.content_items c
        where c.tenant_id = o.tenant_id and c.id = o.content_id and c.version = o.version
          and c.bigquery_backed_up is not true offset 0);
end $$;

alter function engarde.read_heads_v1 owner to engarde_owner;
alter function engarde.mark_archived_v1 owner to engarde_owner;
alter function engarde.due_rows_v1 owner to engarde_owner;
revoke all on function engarde.read_heads_v1, engarde.mark_archived_v1, engarde.due_rows_v1 from public;
grant execute on function engarde.read_heads_v1, engarde.mark_archived_v1, engarde.due_rows_v1
    to engarde_actor;

-- The ledger holds its books against what was settled in each month of each tenant, and callers wait
-- meanwhile: without this it read all that was ever reserved, once a month.
create index reservations_settled on engarde.reservations (tenant_id, period)
    where state = 'settled' and period is not null;

-- Nobody looks an item up by its row in ZeroDB, and each version of each item paid for it.
drop index if exists public.content_items_zerodb_id;

-- Trash that is old enough to go is found by its age, as old versions are since 0047: the look came twice a
-- minute and read all trash of all tenants.
create index content_items_trash_age on public.content_items (deleted_at) where deleted_at is not null;

-- As in 0009. What no plan lets go yet is not read.
create or replace function engarde.expired_trash_v1(retention_days jsonb, most integer)
returns table (tenant_id text, content_id text)
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_custom_plan as $$
declare
    today timestamp := clock_timestamp() at time zone 'utc';
    oldest_kept timestamp := today - make_interval(days => (
        select min(d.value::integer) from jsonb_each_text(retention_days) d));
begin
    return query
    select i.tenant_id::text, i.id::text from public.content_items i join public.tenants t on t.id = i.tenant_id
    where i.deleted_at < oldest_kept
      and i.deleted_at < today
          - make_interval(days => engarde.limit_of_v1(retention_days, t.plan_tier)::integer)
    limit most;
end $$;

-- As in 0017, but under the lock of the jobs: items are locked after their job everywhere, and those of
-- one job that two statements take in two orders would wait for each other.
create or replace function engarde.extend_items_v1(claims jsonb, lease_s double precision)
returns setof integer language plpgsql set search_path = pg_catalog as $$
begin
    perform from public.content_generation_jobs j
    where j.id in (select c ->> 'job_id' from jsonb_array_elements(claims) c)
    order by j.tenant_id, j.id for share;
    return query
    with wanted as (
        select (c ->> 'tenant_id') as tenant_id, (c ->> 'job_id') as job_id, (c ->> 'number')::integer as number,
               (c ->> 'epoch')::integer as epoch, o::integer as place
        from jsonb_array_elements(claims) with ordinality x (c, o)
    )
    update engarde.generation_items i set leased_until = clock_timestamp() + make_interval(secs => lease_s)
    from wanted w
    where i.tenant_id = w.tenant_id and i.job_id = w.job_id and i.number = w.number and i.epoch = w.epoch
      and i.state in ('calling', 'received')
    returning w.place;
end $$;

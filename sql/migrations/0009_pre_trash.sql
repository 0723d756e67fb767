-- The trash, schedules, retention and erasure.

create index content_items_trash on public.content_items (tenant_id, brand_id, deleted_at desc, id desc)
    where deleted_at is not null;
create index content_items_due on public.content_items (scheduled_at)
    where status = 'scheduled' and deleted_at is null;

-- What an erasure removed, kept after everything else of the content is gone: no titles, no texts.
create table engarde.erasures (
    id varchar(36) primary key,
    tenant_id varchar(36) not null,
    content_id varchar(36) not null,
    reason varchar(20) not null check (reason in ('request', 'retention')),
    requested_by varchar(36) not null,
    requested_at timestamptz not null default now(),
    versions integer not null check (versions >= 0),
    bytes bigint not null,
    stores_cleared_at timestamptz
);
create index erasures_open on engarde.erasures (requested_at) where stores_cleared_at is null;
create index erasures_tenant on engarde.erasures (tenant_id, requested_at desc);

-- Rows of ZeroDB that nothing refers to any more and that must go.
create table engarde.removals (
    id bigint generated always as identity primary key,
    tenant_id varchar(36) not null,
    record_id varchar(36) not null,
    erasure_id varchar(36),
    attempts integer not null default 0,
    due_at timestamptz not null default now()
);
create index removals_due on engarde.removals (due_at, id);
create index removals_erasure on engarde.removals (erasure_id);

do $$
declare
    guarded text;
begin
    foreach guarded in array array['engarde.erasures', 'engarde.removals'] loop
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
grant select on engarde.erasures to engarde_api;

-- The trash of a brand, last thrown first.
create function engarde.list_trash_v1(tenant text, brand text, before_at timestamp, before_id text,
                                      size integer, skip integer)
returns table (total bigint, item engarde.item)
language plpgsql as $$
declare
    thrown bigint;
begin
    perform set_config('app.tenant_id', tenant, true);
    select count(*) into thrown from (
        select from public.content_items i
        where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is not null limit 10001) t;
    return query
    select thrown, engarde.item_of(i) from public.content_items i
    where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is not null
      and (before_at is null or (i.deleted_at, i.id) < (before_at, before_id::varchar))
    order by i.deleted_at desc, i.id desc limit size offset skip;
    if not found then
        return query select thrown, null::engarde.item;
    end if;
end $$;

create function engarde.read_erasure_v1(tenant text, erasure text) returns setof engarde.erasures
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query select * from engarde.erasures e where e.tenant_id = tenant and e.id = erasure;
end $$;

-- Erase a content wherever PostgreSQL knows it, and note what else must go. Live content gives its
-- room back. Answers with the number of versions, or null where there is no such content.
create function engarde.erase_content_v1(erasure text, tenant text, content text, who text, why text)
returns integer language plpgsql set search_path = pg_catalog as $$
declare
    gone record;
    erased integer;
    freed bigint;
begin
    perform from public.content_storage_usage u where u.tenant_id = tenant for update;
    delete from public.content_items i where i.tenant_id = tenant and i.id = content
    returning i.brand_id, i.content_type, i.status, coalesce(i.storage_size_bytes, 0) as bytes,
              i.deleted_at is null as live into gone;
    if not found then
        return null;
    end if;
    if gone.live then
        update engarde.content_counts c set items = c.items - 1, bytes = c.bytes - gone.bytes
        where c.tenant_id = tenant and c.brand_id = gone.brand_id
          and c.content_type = gone.content_type and c.status = gone.status;
        update public.content_storage_usage u
        set total_content_items = u.total_content_items - 1,
            total_storage_bytes = u.total_storage_bytes - gone.bytes,
            updated_at = clock_timestamp() at time zone 'utc'
        where u.tenant_id = tenant;
    end if;
    insert into engarde.removals (tenant_id, record_id, erasure_id)
    select v.tenant_id, v.zerodb_id, erasure from engarde.content_versions v
    where v.tenant_id = tenant and v.content_id = content;
    select count(*), coalesce(sum(v.size_bytes), 0) into erased, freed from engarde.content_versions v
    where v.tenant_id = tenant and v.content_id = content;
    delete from engarde.content_versions v where v.tenant_id = tenant and v.content_id = content;
    delete from engarde.staged_bodies s where s.tenant_id = tenant and s.content_id = content;
    delete from engarde.outbox o where o.tenant_id = tenant and o.content_id = content;
    delete from engarde.content_search s where s.tenant_id = tenant and s.content_id = content;
    delete from engarde.idempotency_keys k where k.tenant_id = tenant and k.content_id = content;
    insert into engarde.erasures (id, tenant_id, content_id, reason, requested_by, versions, bytes)
    values (erasure, tenant, content, why, who, erased, freed);
    return erased;
end $$;

-- Scheduled items whose time has come, the longest due first.
create function engarde.due_items_v1(most integer) returns table (tenant_id text, content_id text, version integer)
language sql stable set search_path = pg_catalog as $$
    select i.tenant_id, i.id, i.version from public.content_items i
    where i.status = 'scheduled' and i.deleted_at is null
      and i.scheduled_at <= clock_timestamp() at time zone 'utc'
    order by i.scheduled_at limit most
$$;

-- Trashed items past their tenant's retention.
create function engarde.expired_trash_v1(retention_days jsonb, most integer)
returns table (tenant_id text, content_id text)
language sql stable set search_path = pg_catalog as $$
    select i.tenant_id, i.id from public.content_items i join public.tenants t on t.id = i.tenant_id
    where i.deleted_at is not null
      and i.deleted_at < (clock_timestamp() at time zone 'utc')
          - make_interval(days => engarde.limit_of_v1(retention_days, t.plan_tier)::integer)
    limit most
$$;

-- Forget versions past their tenant's retention: never the current one, none whose body a later one
-- rests on, and none of a content that is still being delivered. Answers with how many went.
create function engarde.trim_versions_v1(retention_days jsonb, most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    trimmed integer;
begin
    with old as materialized (
        select v.tenant_id, v.content_id, v.version
        from engarde.content_versions v
        join public.tenants t on t.id = v.tenant_id
        join public.content_items i on i.tenant_id = v.tenant_id and i.id = v.content_id
        where v.version < i.version
          and v.created_at < (clock_timestamp() at time zone 'utc')
              - make_interval(days => engarde.limit_of_v1(retention_days, t.plan_tier)::integer)
          and not exists (select from engarde.outbox o
                          where o.tenant_id = v.tenant_id and o.content_id = v.content_id)
          and not exists (select from engarde.content_versions k
                          where k.tenant_id = v.tenant_id and k.content_id = v.content_id
                            and k.version > v.version and k.body_version = v.version)
        limit most
    ), gone as (
        delete from engarde.content_versions v using old
        where v.tenant_id = old.tenant_id and v.content_id = old.content_id and v.version = old.version
        returning v.tenant_id, v.zerodb_id
    )
    insert into engarde.removals (tenant_id, record_id) select tenant_id, zerodb_id from gone;
    get diagnostics trimmed = row_count;
    return trimmed;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('list_trash_v1', 'read_erasure_v1', 'erase_content_v1', 'due_items_v1',
                            'expired_trash_v1', 'trim_versions_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
grant execute on function engarde.list_trash_v1, engarde.read_erasure_v1 to engarde_api;

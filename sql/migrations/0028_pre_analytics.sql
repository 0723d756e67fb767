-- How content performs, on its way to the archive.
--
-- A row of `archive_dues` is a row of the archive, ready to be sent and never changed: whoever sends a
-- frozen batch again sends the same rows. It goes when the archive has it.
create table engarde.archive_dues (
    id bigint generated always as identity primary key,
    table_name varchar(40) not null references engarde.archive_streams,
    tenant_id varchar(36) not null,
    content_id varchar(36),
    row_id varchar(80) not null,
    at timestamptz not null,
    archive_row jsonb not null,
    reason varchar(300),
    parked_at timestamptz check ((parked_at is null) = (reason is null)),
    staged_at timestamptz not null default clock_timestamp()
);
comment on column engarde.archive_dues.at is 'What the archive files the row by';
comment on column engarde.archive_dues.reason is 'Why the archive refused it; then it waits until someone has it tried again';
create index archive_dues_next on engarde.archive_dues (table_name, id) where reason is null;
create index archive_dues_parked on engarde.archive_dues (table_name, parked_at) where reason is not null;
create index archive_dues_tenant on engarde.archive_dues (tenant_id, table_name, at);
create index archive_dues_content on engarde.archive_dues (tenant_id, content_id);

-- What was last said under each key, so that saying it again is no news. Forgotten after a while:
-- then it is sent once more, which changes no sum. Revisions are moments, so that they go on
-- growing all the same.
create table engarde.performance_keys (
    tenant_id varchar(36) not null,
    metric_id varchar(36) not null,
    content_id varchar(36) not null,
    digest varchar(64) not null,
    revision bigint not null,
    staged_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, metric_id)
);
create index performance_keys_old on engarde.performance_keys (staged_at);
create index performance_keys_content on engarde.performance_keys (tenant_id, content_id);

do $$
declare
    guarded text;
begin
    foreach guarded in array array['engarde.archive_dues', 'engarde.performance_keys'] loop
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
grant select on engarde.archive_dues to engarde_api;

insert into engarde.archive_streams (table_name) values ('content_analytics'), ('content_media_snapshots');

-- Take figures in, each with a key of its own. What is known of a content is the content's: its brand,
-- and its campaign space where the figure names none.
create function engarde.stage_performance_v1(figures jsonb)
returns table (staged bigint, unchanged bigint, unknown text[])
language plpgsql set search_path = pg_catalog as $$
begin
    return query
    with given as materialized (
        select g.metric_id, g.tenant_id, g.content_id, g.digest, g.at, g.archive_row
        from jsonb_to_recordset(figures) g (
            metric_id text, tenant_id text, content_id text, digest text, at timestamptz, archive_row jsonb)
    ), known as materialized (
        select g.*, i.brand_id, coalesce(g.archive_row ->> 'campaign_space_id', i.campaign_space_id) as space_id
        from given g join public.content_items i on i.tenant_id = g.tenant_id and i.id = g.content_id
        order by g.tenant_id, g.metric_id
        for key share of i  -- an erasure comes before this, or finds what it staged
    ), news as (
        insert into engarde.performance_keys as k (tenant_id, metric_id, content_id, digest, revision)
        select n.tenant_id, n.metric_id, n.content_id, n.digest,
               (extract(epoch from clock_timestamp()) * 1000000)::bigint
        from known n
        on conflict (tenant_id, metric_id) do update
        set digest = excluded.digest, revision = greatest(k.revision + 1, excluded.revision),
            staged_at = clock_timestamp()
        where k.digest <> excluded.digest
        returning k.tenant_id, k.metric_id, k.revision, k.staged_at
    ), owed as (
        insert into engarde.archive_dues (table_name, tenant_id, content_id, row_id, at, archive_row)
        select 'content_analytics', n.tenant_id, n.content_id, n.metric_id || '/' || w.revision, n.at,
               n.archive_row || jsonb_build_object(
                   'brand_id', n.brand_id, 'campaign_space_id', n.space_id,
                   'revision', w.revision, 'created_at', w.staged_at)
        from known n join news w using (tenant_id, metric_id)
        order by n.at, n.tenant_id, n.metric_id
        returning 1
    )
    select (select count(*) from owed), (select count(*) from known) - (select count(*) from owed),
           (select coalesce(array_agg(distinct g.content_id), '{}') from given g
            where not exists (select from known n where n.tenant_id = g.tenant_id and n.content_id = g.content_id));
end $$;

-- The newest revision of each staged figure of some days.
create function engarde.read_dues_v1(tenant text, since timestamptz, until timestamptz, content text, most integer)
returns setof jsonb language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select distinct on (d.archive_row ->> 'metric_id') d.archive_row
    from engarde.archive_dues d
    where d.tenant_id = tenant and d.table_name = 'content_analytics' and d.at >= since and d.at <= until
      and (content is null or d.content_id = content)
    order by d.archive_row ->> 'metric_id', (d.archive_row ->> 'revision')::bigint desc
    limit most;
end $$;

-- As `finish_archive_batch_v1`, of rows that lay ready: `stored` goes, `refused` stays with its reasons.
create function engarde.finish_dues_v1(archive_table text, held integer, lease_s float8,
    stored bigint[], refused bigint[], reasons text[], advance bigint, stream_ends boolean)
returns boolean language plpgsql set search_path = pg_catalog as $$
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
    update engarde.archive_dues d set reason = left(r.reason, 300), parked_at = clock_timestamp()
    from unnest(refused, reasons) r (id, reason) where d.id = r.id;
    delete from engarde.archive_dues d where d.id = any (stored);
    return true;
end $$;

-- Whatever erases a content takes its figures along; the archive is told by the erasure itself.
create function engarde.forget_figures_v1() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    delete from engarde.archive_dues d using gone g
    where d.tenant_id = g.tenant_id and d.content_id = g.content_id;
    delete from engarde.performance_keys k using gone g
    where k.tenant_id = g.tenant_id and k.content_id = g.content_id;
    return null;
end $$;
create trigger forget_figures after insert on engarde.erasures
    referencing new table as gone for each statement execute function engarde.forget_figures_v1();

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('stage_performance_v1', 'read_dues_v1', 'finish_dues_v1', 'forget_figures_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
grant execute on function engarde.read_dues_v1 to engarde_api;

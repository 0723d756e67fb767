-- Events: what happened to a tenant, in an order that never changes. Listeners and webhooks are fed
-- from here.
--
-- A position is drawn from the tenant's usage row, which every write of content holds locked until
-- it commits. So the positions of a tenant have no gaps, become visible in their order, and a reader
-- that asks for "after position n" misses nothing; a sequence promises none of the three. They tell
-- nothing of other tenants either.

alter table public.content_storage_usage
    add column if not exists last_event bigint not null default 0,
    add column if not exists warning_level varchar(10) not null default 'normal';
comment on column public.content_storage_usage.last_event is 'The position of the tenant''s newest event';
comment on column public.content_storage_usage.warning_level is 'How full the plan was when it was last looked at; crossing upwards writes an event';

-- Content is not repeated here: what an event tells of it is read from its immutable version, and
-- goes when the content is erased.
create table engarde.events (
    tenant_id varchar(36) not null,
    position bigint not null check (position > 0),
    type varchar(40) not null,
    brand_id varchar(36),
    subject_id varchar(36),
    version integer,
    actor_id varchar(36),
    data json,
    occurred_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, position)
);
create index events_age on engarde.events using brin (occurred_at) with (autosummarize = on);

alter table engarde.events owner to engarde_owner;
alter table engarde.events enable row level security;
alter table engarde.events force row level security;
create policy tenant_guard on engarde.events as restrictive to engarde_api
    using (tenant_id = current_setting('app.tenant_id', true))
    with check (tenant_id = current_setting('app.tenant_id', true));
create policy daemon_access on engarde.events to engarde_owner, engarde_api, engarde_actor
    using (true) with check (true);
grant select, insert, update, delete on engarde.events to engarde_actor, engarde_owner;
grant select on engarde.events to engarde_api;

create type engarde.event_draft as (
    tenant_id varchar(36),
    type varchar(40),
    brand_id varchar(36),
    subject_id varchar(36),
    version integer,
    actor_id varchar(36),
    data json,
    occurred_at timestamptz
);

-- Write events down, in the transaction of whatever they tell of. Locks the tenants' usage rows in
-- order. Answers with how many there were.
create function engarde.append_events_v1(drafts engarde.event_draft[]) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    written integer;
begin
    insert into public.content_storage_usage (tenant_id)
    select distinct t.id from unnest(drafts) d join public.tenants t on t.id = d.tenant_id
    where not exists (select from public.content_storage_usage u where u.tenant_id = t.id)
    order by 1 on conflict do nothing;
    perform from public.content_storage_usage u
    where u.tenant_id in (select d.tenant_id from unnest(drafts) d) order by u.tenant_id for update;
    insert into engarde.events (tenant_id, position, type, brand_id, subject_id, version, actor_id, data, occurred_at)
    select d.tenant_id, u.last_event + row_number() over (partition by d.tenant_id order by d.ordinality),
        d.type, d.brand_id, d.subject_id, d.version, d.actor_id, d.data, coalesce(d.occurred_at, clock_timestamp())
    from unnest(drafts) with ordinality d
    join public.content_storage_usage u on u.tenant_id = d.tenant_id;
    get diagnostics written = row_count;
    update public.content_storage_usage u set last_event = u.last_event + n.drafts
    from (select d.tenant_id, count(*) as drafts from unnest(drafts) d group by 1) n
    where u.tenant_id = n.tenant_id;
    return written;
end $$;

-- The events of a batch of writes, whose usage rows the caller holds; the caller counts them into
-- `last_event`. Planned once: planning costs several times what the insert itself does.
create function engarde.write_content_events_v1(batch engarde.content_write[]) returns void
language plpgsql set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
begin
    insert into engarde.events (tenant_id, position, type, brand_id, subject_id, version, actor_id, occurred_at)
    select w.tenant_id, u.last_event + row_number() over (partition by w.tenant_id order by w.ordinality),
        'content.' || case w.change_type when 'publish' then 'published' else w.change_type || 'd' end,
        w.brand_id, w.content_id, w.version, w.changed_by, w.updated_at at time zone 'utc'
    from unnest(batch) with ordinality w
    join public.content_storage_usage u on u.tenant_id = w.tenant_id;
end $$;

-- How full a limit is; the same as `level` of engarde_daemon/domain/plans.py.
create function engarde.level_of_v1(used bigint, cap bigint) returns text
language sql immutable as $$
    select case
        when cap is null or used * 100 < cap * 70 then 'normal'
        when used * 100 < cap * 85 then 'warning'
        when used <= cap then 'critical'
        else 'exceeded'
    end
$$;

-- Note how full these tenants' plans are now, and write an event for each that crossed a level
-- upwards. One tenant at a time: a lookup by key keeps its plan, where one by an array of keys is
-- planned anew at every call, which costs more than all the rest.
create function engarde.note_levels_v1(tenants text[], plan_limits jsonb) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    levels constant text[] := array['normal', 'warning', 'critical', 'exceeded'];
    crossed engarde.event_draft[] := '{}';
    one text;
    u record;
    cap bigint;
    level text;
begin
    foreach one in array tenants loop
        select r.warning_level, t.plan_tier,
            r.total_storage_bytes + r.total_media_storage_bytes + r.pending_bytes as used
        into u
        from public.content_storage_usage r join public.tenants t on t.id = r.tenant_id
        where r.tenant_id = one;
        continue when not found;
        cap := engarde.limit_of_v1(plan_limits, u.plan_tier);
        level := engarde.level_of_v1(u.used, cap);
        continue when level = u.warning_level;
        update public.content_storage_usage r set warning_level = level
        where r.tenant_id = one and r.warning_level = u.warning_level;
        if found and array_position(levels, level) > array_position(levels, u.warning_level::text) then
            crossed := crossed || row(one, 'quota.' || level, null, null, null, null,
                json_build_object('plan_tier', u.plan_tier, 'warning_level', level, 'used_bytes', u.used,
                    'limit_bytes', cap, 'usage_percent', round(u.used * 100.0 / cap, 2)), null)::engarde.event_draft;
        end if;
    end loop;
    if cardinality(crossed) > 0 then
        perform engarde.append_events_v1(crossed);
    end if;
    return cardinality(crossed);
end $$;

-- An event's id is computed: drawing and storing one costs as much as the rest of the row. The moment
-- is part of it, so that a database restored from a backup never gives an id to another event.
create function engarde.event_id_v1(e engarde.events) returns uuid
language sql stable as $$
    select md5(e.tenant_id || '/' || e.position || '/' || extract(epoch from e.occurred_at))::uuid
$$;

-- What an event tells of its subject. A version that was erased meanwhile leaves only its ids.
create function engarde.event_data_v1(e engarde.events, v engarde.content_versions) returns json
language sql stable as $$
    select coalesce(e.data, json_strip_nulls(json_build_object(
        'id', e.subject_id, 'version', e.version, 'title', v.title, 'type', v.content_type,
        'status', v.status, 'changes_summary', v.changes_summary, 'size_bytes', v.size_bytes)))
$$;

-- Events after a position each, of several tenants at once; each is answered as if it had come alone.
create function engarde.read_events_v1(tenants text[], places bigint[], most integer)
returns table (tenant_id text, "position" bigint, id uuid, type text, brand_id text, actor_id text,
               occurred_at timestamptz, data json)
language plpgsql as $$
#variable_conflict use_column
begin
    for n in 1 .. cardinality(tenants) loop
        perform set_config('app.tenant_id', tenants[n], true);
        return query
        select e.tenant_id::text, e.position, engarde.event_id_v1(e), e.type::text,
            e.brand_id::text, e.actor_id::text, e.occurred_at, engarde.event_data_v1(e, v)
        from engarde.events e
        left join engarde.content_versions v
          on v.tenant_id = e.tenant_id and v.content_id = e.subject_id and v.version = e.version
        where e.tenant_id = tenants[n] and e.position > places[n]
        order by e.position limit most;
    end loop;
end $$;

-- The positions that can still be read, `first` above `last` where none can.
create function engarde.event_bounds_v1(tenant text) returns table (first bigint, last bigint)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    select u.last_event into last from public.content_storage_usage u where u.tenant_id = tenant;
    last := coalesce(last, 0);
    select e.position into first from engarde.events e
    where e.tenant_id = tenant order by e.position limit 1;
    first := coalesce(first, last + 1);
    return next;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('append_events_v1', 'write_content_events_v1', 'level_of_v1', 'note_levels_v1',
                            'event_id_v1', 'event_data_v1', 'read_events_v1', 'event_bounds_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
grant execute on function engarde.event_id_v1, engarde.event_data_v1, engarde.read_events_v1,
    engarde.event_bounds_v1 to engarde_api;
alter type engarde.event_draft owner to engarde_owner;

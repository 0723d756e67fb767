-- The limit of a plan, null where it has none. A plan nobody configured allows what `free` allows.
create function engarde.limit_of_v1(limits jsonb, plan text) returns bigint
language sql immutable as $$
    select (limits ->> case when limits ? plan then plan else 'free' end)::bigint
$$;

-- One write, as the ingest actor computed it. `growth_bytes` is what the item's size changes by;
-- the `old_` columns say under what it was counted before, null when it was not.
create type engarde.content_write as (
    content_id varchar(36),
    tenant_id varchar(36),
    brand_id varchar(36),
    user_id varchar(36),
    campaign_space_id varchar(36),
    version integer,
    body_version integer,
    zerodb_id varchar(36),
    title text,
    content_type varchar(50),
    status varchar(50),
    details json,
    preview text,
    size_bytes bigint,
    sha256 varchar(64),
    scheduled_at timestamp,
    published_at timestamp,
    change_type varchar(10),
    changed_by varchar(36),
    changes_summary text,
    created_at timestamp,
    updated_at timestamp,
    deleted_at timestamp,
    old_content_type varchar(50),
    old_status varchar(50),
    old_size_bytes bigint,
    growth_bytes bigint,
    principal_id varchar(36),
    idempotency_key varchar(255),
    fingerprint varchar(64)
);

-- Which writes of a batch their tenant's plan has no room for: first come, first served, and a
-- smaller one may still fit where a larger one did not.
create function engarde.refuse_over_limit_v1(batch engarde.content_write[], refused integer[], plan_limits jsonb)
returns table (ordinal integer, used_bytes bigint, limit_bytes bigint, plan text)
language plpgsql set search_path = pg_catalog as $$
declare
    room jsonb := '{}';
    free bigint;
    w record;
    u record;
begin
    for u in
        select s.tenant_id, t.plan_tier, engarde.limit_of_v1(plan_limits, t.plan_tier) as cap,
               s.total_storage_bytes + s.total_media_storage_bytes + s.pending_bytes as used
        from public.content_storage_usage s join public.tenants t on t.id = s.tenant_id
        where s.tenant_id in (select b.tenant_id from unnest(batch) b)
    loop
        room := room || jsonb_build_object(u.tenant_id, jsonb_build_object(
            'free', u.cap - u.used, 'used', u.used, 'cap', u.cap, 'plan', u.plan_tier));
    end loop;
    for w in
        select b.ordinality::integer as ordinal, b.tenant_id, b.growth_bytes
        from unnest(batch) with ordinality b
        where b.ordinality <> all (refused) and b.growth_bytes <> 0
        order by b.ordinality
    loop
        free := (room -> w.tenant_id ->> 'free')::bigint;
        if free is null or w.growth_bytes <= free or w.growth_bytes < 0 then
            room := jsonb_set(room, array[w.tenant_id, 'free'], coalesce(to_jsonb(free - w.growth_bytes), 'null'));
        else
            ordinal := w.ordinal;
            used_bytes := (room -> w.tenant_id ->> 'used')::bigint;
            limit_bytes := (room -> w.tenant_id ->> 'cap')::bigint;
            plan := room -> w.tenant_id ->> 'plan';
            return next;
        end if;
    end loop;
end $$;

-- The one transaction of a write. Locks the tenants' usage rows in order, refuses what must be
-- refused, applies the rest, and answers only for what it did not simply commit:
--   replayed  this key made `content_id` at `version` before
--   reused    this key made something else before
--   missing   no such content for this tenant
--   moved     the content is at another version now
--   full      the plan has no room
create function engarde.commit_writes_v1(writes jsonb, bodies text[], plan_limits jsonb)
returns table (ordinal integer, outcome text, content_id text, version integer,
               used_bytes bigint, limit_bytes bigint, plan text)
language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    batch engarde.content_write[];
    tenants text[];
    refused integer[] := '{}';
    answer record;
    expected integer;
    changed integer;
begin
    select array_agg(row(w.*)::engarde.content_write), array_agg(distinct w.tenant_id)
    into batch, tenants
    from jsonb_populate_recordset(null::engarde.content_write, writes) w;

    perform from public.content_storage_usage u
    where u.tenant_id = any (tenants) order by u.tenant_id for update;
    get diagnostics changed = row_count;
    if changed < cardinality(tenants) then
        insert into public.content_storage_usage (tenant_id)
        select t.id from public.tenants t where t.id = any (tenants)
        on conflict do nothing;
        perform from public.content_storage_usage u
        where u.tenant_id = any (tenants) order by u.tenant_id for update;
    end if;

    -- Replays are written down: a synchronous standby must have the effect before it is repeated.
    for answer in
        update engarde.idempotency_keys k set replays = k.replays + 1
        from unnest(batch) with ordinality w
        where w.idempotency_key is not null and k.tenant_id = w.tenant_id
          and k.principal_id = w.principal_id and k.key = w.idempotency_key
        returning w.ordinality::integer as ordinal, k.content_id, k.version,
                  case when k.fingerprint = w.fingerprint then 'replayed' else 'reused' end as outcome
    loop
        refused := refused || answer.ordinal;
        return query select answer.ordinal, answer.outcome, answer.content_id::text, answer.version,
            null::bigint, null::bigint, null::text;
    end loop;

    for answer in
        select w.ordinality::integer as ordinal, i.version
        from unnest(batch) with ordinality w
        left join public.content_items i on i.id = w.content_id and i.tenant_id = w.tenant_id
        where w.version > 1 and w.ordinality <> all (refused) and i.version is distinct from w.version - 1
    loop
        refused := refused || answer.ordinal;
        return query select answer.ordinal, case when answer.version is null then 'missing' else 'moved' end,
            null::text, answer.version, null::bigint, null::bigint, null::text;
    end loop;

    if exists (
        select from public.content_storage_usage u
        join public.tenants t on t.id = u.tenant_id
        join (select w.tenant_id, sum(greatest(w.growth_bytes, 0)) as growth
              from unnest(batch) w group by w.tenant_id) g on g.tenant_id = u.tenant_id
        where g.growth > 0
          and u.total_storage_bytes + u.total_media_storage_bytes + u.pending_bytes + g.growth
              > engarde.limit_of_v1(plan_limits, t.plan_tier)
    ) then
        for answer in select * from engarde.refuse_over_limit_v1(batch, refused, plan_limits) loop
            refused := refused || answer.ordinal;
            return query select answer.ordinal, 'full', null::text, null::integer,
                answer.used_bytes, answer.limit_bytes, answer.plan;
        end loop;
    end if;

    if refused <> '{}' then
        select array_agg(batch[i] order by i), array_agg(bodies[i] order by i) into batch, bodies
        from generate_subscripts(batch, 1) i where i <> all (refused);
        if batch is null then
            return;
        end if;
    end if;

    insert into public.content_items (
        id, tenant_id, brand_id, user_id, campaign_space_id, title, content_type, status,
        content_metadata, created_at, updated_at, deleted_at, zerodb_id, storage_size_bytes, version,
        body_version, body_sha256, preview, scheduled_at, published_at)
    select w.content_id, w.tenant_id, w.brand_id, w.user_id, w.campaign_space_id, w.title, w.content_type,
        w.status, w.details, w.created_at, w.updated_at, w.deleted_at, w.zerodb_id, w.size_bytes, w.version,
        w.body_version, w.sha256, w.preview, w.scheduled_at, w.published_at
    from unnest(batch) w where w.version = 1;

    update public.content_items i set
        campaign_space_id = w.campaign_space_id, title = w.title, content_type = w.content_type,
        status = w.status, content_metadata = w.details, updated_at = w.updated_at,
        deleted_at = w.deleted_at, zerodb_id = w.zerodb_id, storage_size_bytes = w.size_bytes,
        version = w.version, body_version = w.body_version, body_sha256 = w.sha256, preview = w.preview,
        scheduled_at = w.scheduled_at, published_at = w.published_at, bigquery_backed_up = false
    from unnest(batch) w
    where w.version > 1 and i.id = w.content_id and i.tenant_id = w.tenant_id and i.version = w.version - 1;
    get diagnostics changed = row_count;
    select count(*) into expected from unnest(batch) w where w.version > 1;
    if changed <> expected then
        raise exception 'content_items was changed by someone else during the batch'
            using errcode = 'serialization_failure';
    end if;

    insert into engarde.content_versions (
        tenant_id, content_id, version, body_version, zerodb_id, brand_id, user_id, campaign_space_id,
        title, content_type, status, details, preview, size_bytes, body_sha256, scheduled_at, published_at,
        change_type, changed_by, changes_summary, content_created_at, created_at, deleted_at)
    select w.tenant_id, w.content_id, w.version, w.body_version, w.zerodb_id, w.brand_id, w.user_id,
        w.campaign_space_id, w.title, w.content_type, w.status, w.details, w.preview, w.size_bytes, w.sha256,
        w.scheduled_at, w.published_at, w.change_type, w.changed_by, w.changes_summary, w.created_at,
        w.updated_at, w.deleted_at
    from unnest(batch) w;

    insert into engarde.staged_bodies (tenant_id, content_id, version, body, size_bytes)
    select w.tenant_id, w.content_id, w.version, b.body, w.size_bytes
    from unnest(batch) with ordinality w
    join unnest(bodies) with ordinality b (body, o) on b.o = w.ordinality
    where w.body_version = w.version;

    insert into engarde.outbox (destination, tenant_id, content_id, version)
    select d.destination, w.tenant_id, w.content_id, w.version
    from unnest(batch) w cross join (values ('zerodb'), ('search')) d (destination);

    perform engarde.write_content_events_v1(batch);

    insert into engarde.idempotency_keys (tenant_id, principal_id, key, fingerprint, content_id, version)
    select w.tenant_id, w.principal_id, w.idempotency_key, w.fingerprint, w.content_id, w.version
    from unnest(batch) w where w.idempotency_key is not null;

    with moves as materialized (
        select m.tenant_id, m.brand_id, m.content_type, m.status, sum(m.items) as items, sum(m.bytes) as bytes
        from (
            select w.tenant_id, w.brand_id, w.content_type, w.status, 1 as items, w.size_bytes as bytes
            from unnest(batch) w where w.deleted_at is null
            union all
            select w.tenant_id, w.brand_id, w.old_content_type, w.old_status, -1, -w.old_size_bytes
            from unnest(batch) w where w.old_status is not null
        ) m
        group by 1, 2, 3, 4 having sum(m.items) <> 0 or sum(m.bytes) <> 0
    ), counted as (
        update engarde.content_counts c
        set items = c.items + m.items, bytes = c.bytes + m.bytes
        from moves m
        where c.tenant_id = m.tenant_id and c.brand_id = m.brand_id
          and c.content_type = m.content_type and c.status = m.status
        returning c.tenant_id, c.brand_id, c.content_type, c.status
    )
    insert into engarde.content_counts (tenant_id, brand_id, content_type, status, items, bytes)
    select m.* from moves m
    where not exists (
        select from counted c
        where (c.tenant_id, c.brand_id, c.content_type, c.status)
            = (m.tenant_id, m.brand_id, m.content_type, m.status)
    );

    update public.content_storage_usage u set
        total_content_items = u.total_content_items + g.items,
        total_storage_bytes = u.total_storage_bytes + g.bytes,
        last_event = u.last_event + g.writes,
        updated_at = clock_timestamp() at time zone 'utc'
    from (
        select w.tenant_id, sum(w.growth_bytes) as bytes, count(*) as writes,
               sum((w.deleted_at is null)::integer - (w.old_status is not null)::integer) as items
        from unnest(batch) w group by w.tenant_id
    ) g
    where u.tenant_id = g.tenant_id;
    perform engarde.note_levels_v1(tenants, plan_limits);
end $$;

alter function engarde.limit_of_v1 owner to engarde_owner;
alter function engarde.refuse_over_limit_v1 owner to engarde_owner;
alter function engarde.commit_writes_v1 owner to engarde_owner;
alter type engarde.content_write owner to engarde_owner;
revoke all on function engarde.refuse_over_limit_v1, engarde.commit_writes_v1 from public;
grant execute on function engarde.refuse_over_limit_v1, engarde.commit_writes_v1 to engarde_actor;

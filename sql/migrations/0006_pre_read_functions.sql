-- What readers ask, one round trip each. The functions run with the reader's own rights: they set
-- the tenant for the length of their statement, name it again in every condition, and row level
-- security guards both. plpgsql keeps the order that one statement would not promise.

-- One item as it stands, with times in their zone: the platform's columns mean UTC. Its body stands here only while it is staged, or was never migrated.
create type engarde.item as (
    id varchar(36),
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
    scheduled_at timestamptz,
    published_at timestamptz,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    bigquery_backed_up boolean,
    bigquery_last_sync_at timestamptz
);

-- One expression, so that PostgreSQL puts it into the query that calls it.
create function engarde.item_of(i public.content_items) returns engarde.item
language sql stable as $$
    select row(i.id, i.tenant_id, i.brand_id, coalesce(i.user_id, ''), i.campaign_space_id, i.version,
        i.body_version, i.zerodb_id, i.title, i.content_type, i.status, i.content_metadata,
        coalesce(i.preview, left(i.content_body, 200), ''), coalesce(i.storage_size_bytes, 0), i.body_sha256,
        i.scheduled_at at time zone 'utc', i.published_at at time zone 'utc', i.created_at at time zone 'utc', i.updated_at at time zone 'utc', i.deleted_at at time zone 'utc',
        coalesce(i.bigquery_backed_up, false), i.bigquery_last_sync_at at time zone 'utc')::engarde.item
$$;

-- Many readers' items at once: the pairs may belong to several tenants, and each is answered as if
-- it had come alone. Also answers with the version history, and with the body where it is at hand.
create function engarde.read_items_v1(tenants text[], ids text[])
returns table (slot integer, item engarde.item, body text, versions json)
language plpgsql as $$
begin
    for n in 1 .. cardinality(ids) loop
        perform set_config('app.tenant_id', tenants[n], true);
        return query
        select n, engarde.item_of(i),
            coalesce(
                (select s.body from engarde.staged_bodies s
                 where s.tenant_id = i.tenant_id and s.content_id = i.id and s.version = i.body_version),
                case when i.zerodb_id is null then coalesce(i.content_body, '') end),
            (select json_agg(json_build_object(
                    'version', v.version,
                    'created_at', to_char(v.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                    'changed_by', v.changed_by,
                    'change_type', v.change_type) order by v.version)
             from (select * from engarde.content_versions h
                   where h.tenant_id = i.tenant_id and h.content_id = i.id
                   order by h.version desc limit 100) v)
        from public.content_items i
        where i.tenant_id = tenants[n] and i.id = ids[n] and i.deleted_at is null
          and i.brand_id is not null;
    end loop;
end $$;

-- One immutable version, as it was answered when it was written.
create function engarde.read_version_v1(tenant text, content text, wanted integer)
returns setof engarde.content_versions
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select * from engarde.content_versions v
    where v.tenant_id = tenant and v.content_id = content and v.version = wanted;
end $$;

-- Bodies that PostgreSQL holds: staged ones, and under version 0 those never migrated.
create function engarde.read_staged_v1(tenant text, contents text[], wanted integer[])
returns table (content_id text, version integer, body text)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select s.content_id::text, s.version, s.body
    from unnest(contents, wanted) w (content_id, version)
    join engarde.staged_bodies s
      on s.tenant_id = tenant and s.content_id = w.content_id and s.version = w.version
    union all
    select i.id::text, 0, coalesce(i.content_body, '')
    from unnest(contents, wanted) w (content_id, version)
    join public.content_items i on i.tenant_id = tenant and i.id = w.content_id
    where w.version = 0 and i.zerodb_id is null;
end $$;

-- A page of a brand, newest first, from a place in the list: the common case. The total is read
-- from the maintained counters.
create function engarde.list_page_v1(tenant text, brand text, before_at timestamp, before_id text, size integer, skip integer)
returns table (total bigint, item engarde.item)
language plpgsql as $$
declare
    all_items bigint;
begin
    perform set_config('app.tenant_id', tenant, true);
    select coalesce(sum(c.items), 0)::bigint into all_items
    from engarde.content_counts c where c.tenant_id = tenant and c.brand_id = brand;
    if before_at is null then
        return query
        select all_items, engarde.item_of(i) from public.content_items i
        where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is null
        order by i.created_at desc, i.id desc limit size offset skip;
    else
        return query
        select all_items, engarde.item_of(i) from public.content_items i
        where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is null
          and (i.created_at, i.id) < (before_at, before_id::varchar)
        order by i.created_at desc, i.id desc limit size;
    end if;
    if not found then
        return query select all_items, null::engarde.item;
    end if;
end $$;

-- Many readers' pages at once, each answered as if it had come alone.
create function engarde.list_pages_v1(questions jsonb)
returns table (slot integer, total bigint, item engarde.item)
language plpgsql as $$
declare
    q jsonb;
begin
    for n in 0 .. jsonb_array_length(questions) - 1 loop
        q := questions -> n;
        return query
        select n + 1, p.total, p.item
        from engarde.list_page_v1(q ->> 0, q ->> 1, (q ->> 2)::timestamp, q ->> 3,
                                  (q ->> 4)::integer, (q ->> 5)::integer) p;
    end loop;
end $$;

-- A page under filters. With words or tags the full-text index names the candidates, as long as they
-- are few; otherwise the list is walked newest first and each item is looked at, which finds a page
-- soon just because hits are many. `total` is exact up to `cap`, then it is `cap + 1`.
create function engarde.list_filtered_v1(
    tenant text, brand text, types text[], statuses text[], campaign text, since timestamp, until timestamp,
    words text, tags text[], before_at timestamp, before_id text, size integer, skip integer, cap integer)
returns table (total bigint, item engarde.item)
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
    sought tsquery := engarde.search_query_v1(brand, words, tags);
    candidates text[];
    walk boolean := false;
    hits bigint;
begin
    perform set_config('app.tenant_id', tenant, true);
    if sought is not null then
        candidates := engarde.search_candidates_v1(tenant, sought, cap);
        walk := cardinality(candidates) > cap;
    end if;
    if sought is null and campaign is null and since is null and until is null then
        select coalesce(sum(c.items), 0) into hits from engarde.content_counts c
        where c.tenant_id = tenant and c.brand_id = brand
          and (types is null or c.content_type = any (types))
          and (statuses is null or c.status = any (statuses));
    elsif walk then
        hits := cap + 1;
    else
        select count(*) into hits from (
            select from public.content_items i
            where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is null
              and (candidates is null or i.id = any (candidates))
              and (types is null or i.content_type = any (types))
              and (statuses is null or i.status = any (statuses))
              and (campaign is null or i.campaign_space_id = campaign)
              and (since is null or i.created_at >= since)
              and (until is null or i.created_at <= until)
            limit cap + 1) counted;
    end if;
    return query
    select hits, engarde.item_of(i) from public.content_items i
    where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is null
      and (walk or candidates is null or i.id = any (candidates))
      and (types is null or i.content_type = any (types))
      and (statuses is null or i.status = any (statuses))
      and (campaign is null or i.campaign_space_id = campaign)
      and (since is null or i.created_at >= since)
      and (until is null or i.created_at <= until)
      and (before_at is null or (i.created_at, i.id) < (before_at, before_id::varchar))
      and (not walk or engarde.is_hit_v1(tenant, i.id, sought))
    order by i.created_at desc, i.id desc limit size offset skip;
    if not found then
        return query select hits, null::engarde.item;
    end if;
end $$;

-- The usage row of a tenant, its plan, and what it holds of each type.
create function engarde.read_quota_v1(tenant text)
returns table (plan text, items bigint, bytes bigint, media_files bigint, media_bytes bigint,
               pending_bytes bigint, calculated_at timestamp, by_type json)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select engarde.plan_of_v1(tenant), u.total_content_items::bigint, u.total_storage_bytes,
        u.total_media_files::bigint, u.total_media_storage_bytes, u.pending_bytes, u.updated_at,
        (select json_object_agg(c.content_type, json_build_object('count', c.items, 'bytes', c.bytes))
         from (select k.content_type, sum(k.items) as items, sum(k.bytes) as bytes
               from engarde.content_counts k where k.tenant_id = tenant
               group by k.content_type having sum(k.items) > 0) c)
    from public.content_storage_usage u where u.tenant_id = tenant;
end $$;

do $$
declare
    reader text;
begin
    foreach reader in array array['read_items_v1', 'read_version_v1', 'read_staged_v1', 'list_page_v1', 'list_pages_v1',
                                  'list_filtered_v1', 'read_quota_v1', 'item_of'] loop
        execute format('alter function engarde.%I owner to engarde_owner', reader);
        execute format('revoke all on function engarde.%I from public', reader);
        execute format('grant execute on function engarde.%I to engarde_api, engarde_actor', reader);
    end loop;
end $$;
alter type engarde.item owner to engarde_owner;

-- Lists whose filters leave what is rare or old, and pages that lie deep, at the cost of what they show.

-- Whether the filters leave no more items of their kinds than can be gathered and sorted for a page.
create function engarde.list_is_rare_v1(q engarde.list_question) returns boolean
language plpgsql stable as $$
begin
    return num_nonnulls(q.types, q.statuses) > 0 and (
        select coalesce(sum(c.items), 0) <= 2000 from engarde.content_counts c
        where c.tenant_id = q.tenant and c.brand_id = q.brand
          and (q.types is null or c.content_type = any (q.types))
          and (q.statuses is null or c.status = any (q.statuses)));
end $$;

-- A query for items, `wanted`, taken apart by the kinds that a brand has and the filters allow; `rest`
-- ends it for each. So each kind is reached by its index.
create function engarde.list_by_kind_v1(wanted text, rest text) returns text
language plpgsql immutable set search_path = pg_catalog as $$
begin
    return concat('select k.i from engarde.content_counts c cross join lateral (',
        wanted, ' and i.content_type = c.content_type and i.status = c.status', rest, ') k',
        ' where c.tenant_id = ($1).tenant and c.brand_id = ($1).brand and c.items > 0',
        ' and (($1).types is null or c.content_type = any (($1).types))',
        ' and (($1).statuses is null or c.status = any (($1).statuses))');
end $$;

-- Whether a search with too many hits to be looked up finds its page soon by looking at each item: among
-- a hundred items for each hit of it. Items of rare kinds are few enough anyway.
create function engarde.list_is_dense_v1(q engarde.list_question, sought tsquery) returns boolean
language plpgsql stable as $$
declare
    sort record := engarde.list_sort_v1(q);
    is_dense boolean;
begin
    if engarde.list_is_rare_v1(q) then
        return true;
    end if;
    execute format(
        'select count(*) = ($1).size + ($1).skip from ('
        '    select from (select i.id from public.content_items i where %s and %s'
        '                 order by %s limit 100 * (($1).size + ($1).skip)) n'
        '    where engarde.is_hit_v2(($1).tenant, n.id, $2) limit ($1).size + ($1).skip) h',
        engarde.list_conditions_v1(q, false), case when q.after_id is null then 'true' else sort.beyond end,
        replace(sort.ordering, ' nulls last', ''))
        into is_dense using q, sought;
    return is_dense;
end $$;

-- As in 0042, but items of some kinds are merged from these: PostgreSQL read all of a common one to sort it.
create or replace function engarde.search_walk_v1(q engarde.list_question, waiting engarde.search_waiting, words tsquery,
    sought tsquery, most integer) returns engarde.search_hits
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    hits engarde.search_hits;
    newest text := ' order by i.created_at desc, i.id desc limit $5 + 1';
    wanted text := 'select i from public.content_items i where ' || engarde.list_conditions_v1(q, false);
begin
    if num_nonnulls(q.types, q.statuses) > 0 then
        wanted := engarde.list_by_kind_v1(wanted, newest);
    else
        wanted := wanted || newest;
    end if;
    execute format(
        'with walked as materialized ('
        '    select (s.i).id, (s.i).created_at from (%s) s'
        '    order by (s.i).created_at desc, (s.i).id desc limit $5 + 1'
        '), newest as ('
        '    select w.id, w.created_at, d.document from walked w cross join lateral ('
        '        select coalesce((select f.document from unnest(($4).ids, ($4).documents) f (id, document)'
        '                         where f.id = w.id),'
        '                        (select s.document from engarde.content_search s'
        '                         where s.tenant_id = ($1).tenant and s.content_id = w.id)) as document'
        '        offset 0) d'
        '    where d.document @@ $2 order by w.created_at desc, w.id desc limit ($1).cap + 1'
        ') '
        'select coalesce(array_agg(n.id), ''{}''), coalesce(array_agg(ts_rank_cd(n.document, $3)), ''{}''),'
        '    coalesce(array_agg(n.created_at), ''{}''), count(*), (select count(*) > $5 from walked) from newest n',
        wanted)
        into hits using q, sought, words, waiting, most;
    return hits;
end $$;

-- As in 0013, but what is of a rare kind is counted among that.
create or replace function engarde.list_total_v1(q engarde.list_question) returns bigint
language plpgsql as $$
declare
    hits bigint;
    wanted text;
begin
    if q.campaign is null and q.since is null and q.until is null then
        return (select coalesce(sum(c.items), 0) from engarde.content_counts c
                where c.tenant_id = q.tenant and c.brand_id = q.brand
                  and (q.types is null or c.content_type = any (q.types))
                  and (q.statuses is null or c.status = any (q.statuses)));
    end if;
    wanted := 'select i from public.content_items i where ' || engarde.list_conditions_v1(q, false);
    if engarde.list_is_rare_v1(q) then
        wanted := engarde.list_by_kind_v1(wanted, ' offset 0');
    end if;
    execute format('select count(*) from (%s limit ($1).cap + 1) n', wanted) into hits using q;
    return hits;
end $$;

-- As in 0020, but items of rare kinds are gathered and sorted. In an order other than by creation
-- PostgreSQL walked the whole brand for them.
create or replace function engarde.list_walk_v1(q engarde.list_question, sought tsquery, hits bigint)
returns table (total bigint, item engarde.item, rank real)
language plpgsql as $$
declare
    sort record := engarde.list_sort_v1(q);
    -- Without this the indexes, which know no place for nulls, would not be walked.
    walked text := replace(sort.ordering, ' nulls last', '');
    wanted text := 'select i from public.content_items i where '
                   || engarde.list_conditions_v1(q, sought is not null);
    start text := case when q.after_id is null then 'true' else sort.beyond end;
    unscheduled text := case when q.after_at is null then start else 'true' end;
    first text := ' limit ($1).size + ($1).skip';
    source text := concat(wanted, ' and ', start, ' order by ', walked, first);
begin
    if q.sort like '%created_at' and (q.types is not null or q.statuses is not null)
       and sought is null and q.campaign is null then
        source := engarde.list_by_kind_v1(wanted || ' and ' || start, concat(' order by ', walked, first));
    elsif engarde.list_is_rare_v1(q) then
        source := engarde.list_by_kind_v1(concat(wanted, ' and (', start,
            case when q.sort like '%scheduled_at' and q.after_at is not null then ' or i.scheduled_at is null' end,
            ')'), ' offset 0');
    elsif q.sort like '%scheduled_at' then
        source := concat('(', wanted, ' and i.scheduled_at is not null and ',
            case when q.after_at is null and q.after_id is not null then 'false' else start end,
            ' order by ', walked, first, ') union all (', wanted, ' and i.scheduled_at is null and ', unscheduled,
            ' order by ', walked, first, ')');
    end if;
    return query execute format(
        'select $3, engarde.item_of(s.i), null::real from (%s) s order by %s limit ($1).size offset ($1).skip',
        source, replace(sort.ordering, 'i.', '(s.i).'))
        using q, sought, hits;
    if not found then
        return query select hits, null::engarde.item, null::real;
    end if;
end $$;

-- As in 0020, but hits that are many and yet far from where a page begins are gathered and sorted: they
-- were looked for in each item up to there.
create or replace function engarde.list_items_v1(question jsonb)
returns table (total bigint, item engarde.item, rank real)
language plpgsql as $$
declare
    q engarde.list_question := jsonb_populate_record(null::engarde.list_question, question);
    ranked boolean := q.sort = 'relevance';
    most integer := case when ranked then q.cap else 10000 end;
    sought tsquery;
    words tsquery;
    ids text[];
    ranks real[];
    more boolean;
begin
    perform set_config('app.tenant_id', q.tenant, true);
    if q.said is null and q.tags is null then
        return query select * from engarde.list_walk_v1(q, null, engarde.list_total_v1(q));
        return;
    end if;
    select s.sought, s.words into sought, words from engarde.search_query_v2(q.tenant, q.brand, q.said, q.tags) s;
    if ranked and words is not null then
        select array_agg(h.content_id), array_agg(h.rank) into ids, ranks
        from engarde.search_ranked_v1(q.tenant, sought, words, most) h;
    else
        select array_agg(h.content_id), array_agg(h.rank) into ids, ranks
        from engarde.search_hits_v1(q.tenant, sought, null, q.said is not null, most) h;
    end if;
    more := coalesce(cardinality(ids) > most, false);
    if more and not ranked and not engarde.list_is_dense_v1(q, sought) then
        select array_agg(h.content_id), array_agg(h.rank) into ids, ranks
        from engarde.search_hits_v1(q.tenant, sought, null, q.said is not null, 1000000) h;
        return query select * from engarde.list_hits_v1(q, ids, ranks, false);
        return;
    end if;
    if more and not ranked then
        return query select * from engarde.list_walk_v1(q, sought, q.cap + 1::bigint);
        return;
    end if;
    if more then
        ids := engarde.list_newest_hits_v1(q, sought);
        select array_agg(r.content_id), array_agg(r.rank) into ids, ranks
        from engarde.search_ranks_v1(q.tenant, ids, words) r;
    end if;
    return query select * from engarde.list_hits_v1(q, coalesce(ids, '{}'), coalesce(ranks, '{}'), more);
end $$;
-- Where a page starts is a parameter, never a condition that may be null or a `coalesce`: under a generic
-- plan, to which a session turns after some calls, and under row level security neither reaches an
-- index, and a page cost as much as all before it.

-- The trash of a brand, last thrown first.
create or replace function engarde.list_trash_v1(tenant text, brand text, before_at timestamp, before_id text,
                                      size integer, skip integer)
returns table (total bigint, item engarde.item)
language plpgsql as $$
declare
    thrown bigint;
    start_at timestamp := coalesce(before_at, 'infinity');
    start_id varchar := coalesce(before_id, '');
begin
    perform set_config('app.tenant_id', tenant, true);
    select count(*) into thrown from (
        select from public.content_items i
        where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is not null limit 10001) t;
    return query
    select thrown, engarde.item_of(i) from public.content_items i
    where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is not null
      and (i.deleted_at, i.id) < (start_at, start_id)
    order by i.deleted_at desc, i.id desc limit size offset skip;
    if not found then
        return query select thrown, null::engarde.item;
    end if;
end $$;

-- Versions before a given one, or from the current one on, the newest first. No row says that there
-- is no such item; a row of nulls, that it has no such versions.
create or replace function engarde.read_history_v1(tenant text, content text, with_trash boolean, before_version integer, size integer)
returns setof engarde.content_versions
language plpgsql as $$
declare
    nothing engarde.content_versions;
    below integer := coalesce(before_version, 2147483647);
begin
    perform set_config('app.tenant_id', tenant, true);
    if not engarde.has_history_v1(tenant, content, with_trash) then
        return;
    end if;
    return query
    select * from engarde.content_versions v
    where v.tenant_id = tenant and v.content_id = content and v.version < below
    order by v.version desc limit size;
    if not found then
        return next nothing;
    end if;
end $$;

-- The next items of a brand for an export, oldest first, up to the moment at which it began.
create or replace function engarde.export_page_v1(tenant text, brand text, after_at timestamp, after_id text, until timestamp,
                                       size integer)
returns setof engarde.item
language plpgsql as $$
declare
    start_at timestamp := coalesce(after_at, '-infinity');
    start_id varchar := coalesce(after_id, '');
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select (engarde.item_of(i)).* from public.content_items i
    where i.tenant_id = tenant and i.brand_id = brand and i.deleted_at is null and i.created_at <= until
      and (i.created_at, i.id) > (start_at, start_id)
    order by i.created_at, i.id limit size;
end $$;

-- As in 0033, but each job's mode is looked up: a join read all jobs of the tenant.
create or replace function engarde.read_jobs_v2(tenant text, wanted text, brands text[], states text[],
    before timestamptz, before_id text, most integer)
returns table (id text, brand_id text, user_id text, job_type text, content_type text, status text,
    target_count integer, progress integer, error_message text, provider text, model text,
    total_storage_bytes bigint, spent_usd numeric, unpriced_calls integer, max_cost_usd numeric,
    item_bytes bigint, item_cost_usd numeric, preview_items integer, paused_reason text,
    created_at timestamptz, started_at timestamptz, completed_at timestamptz, expires_at timestamptz,
    platforms json, items json, last_place integer, mode text)
language plpgsql as $$
#variable_conflict use_column
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select r.*, (select coalesce(j.spec ->> 'mode', 'direct') from public.content_generation_jobs j
                 where j.tenant_id = tenant and j.id = r.id::varchar)
    from engarde.read_jobs_v1(tenant, wanted, brands, states, before, before_id, most) r
    order by r.created_at desc, r.id desc;
end $$;

-- Filters that may be null fold away only where each call is planned.
alter function engarde.list_api_keys_v1 set plan_cache_mode = force_custom_plan;
alter function engarde.read_deliveries_v1 set plan_cache_mode = force_custom_plan;
alter function engarde.read_imports_v1 set plan_cache_mode = force_custom_plan;
alter function engarde.read_jobs_v1 set plan_cache_mode = force_custom_plan;
alter function engarde.read_generation_items_v1 set plan_cache_mode = force_custom_plan;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('list_is_rare_v1', 'list_by_kind_v1', 'list_is_dense_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_api, engarde_actor', f);
    end loop;
end $$;

-- Lists by schedule that stay on their index, and receipts of erasures that know their brand.

-- As in 0013, but what has no schedule is also sorted by it: all are equal there, so the order is the
-- same, and only so does PostgreSQL see that the index has it. Without, it walked the primary key
-- through the items of all tenants.
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
    if q.sort like '%scheduled_at' then
        source := concat('(', wanted, ' and i.scheduled_at is not null and ',
            case when q.after_at is null and q.after_id is not null then 'false' else start end,
            ' order by ', walked, first, ') union all (', wanted, ' and i.scheduled_at is null and ', unscheduled,
            ' order by ', walked, first, ')');
    elsif q.sort like '%created_at' and (q.types is not null or q.statuses is not null)
          and sought is null and q.campaign is null then
        source := concat('select k.i from engarde.content_counts c cross join lateral (',
            wanted, ' and i.content_type = c.content_type and i.status = c.status and ', start,
            ' order by ', walked, first, ') k',
            ' where c.tenant_id = ($1).tenant and c.brand_id = ($1).brand and c.items > 0',
            ' and (($1).types is null or c.content_type = any (($1).types))',
            ' and (($1).statuses is null or c.status = any (($1).statuses))');
    end if;
    return query execute format(
        'select $3, engarde.item_of(s.i), null::real from (%s) s order by %s limit ($1).size offset ($1).skip',
        source, replace(sort.ordering, 'i.', '(s.i).'))
        using q, sought, hits;
    if not found then
        return query select hits, null::engarde.item, null::real;
    end if;
end $$;

-- Whose receipt it is: an administrator of one brand is not told what another one erased.
alter table engarde.erasures add column brand_id varchar(36);

-- Erase a content as before, but lock its rows in the order in which deliveries do: outbox first,
-- staged bodies after. The other way round, the two waited for each other until one of them failed.
create function engarde.erase_in_brand_v1(erasure text, tenant text, content text, who text, why text)
returns integer language plpgsql set search_path = pg_catalog as $$
declare
    brand text := (select i.brand_id from public.content_items i where i.tenant_id = tenant and i.id = content);
    erased integer;
begin
    perform from public.content_storage_usage u where u.tenant_id = tenant for update;
    perform from engarde.outbox o where o.tenant_id = tenant and o.content_id = content order by o.id for update;
    erased := engarde.erase_content_v2(erasure, tenant, content, who, why);
    update engarde.erasures e set brand_id = brand where e.id = erasure;
    return erased;
end $$;
alter function engarde.erase_in_brand_v1 owner to engarde_owner;
revoke all on function engarde.erase_in_brand_v1 from public;
grant execute on function engarde.erase_in_brand_v1 to engarde_actor;

-- The hits of a search for words with their ranks, if there are at most `most`. Beyond, the newest are
-- ranked instead, so that ranks would be thrown away.
create function engarde.search_ranked_v1(tenant text, sought tsquery, words tsquery, most integer)
returns table (content_id text, rank real)
language plpgsql stable security definer set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
begin
    return query
    with fresh as materialized (
        select * from engarde.search_fresh_v1(tenant, true)
    ), indexed as (
        select d.content_id::text, d.document from engarde.content_search d
        where d.tenant_id || '' = tenant and d.document @@ sought
          and not exists (select from fresh f where f.content_id = d.content_id)
        limit most + 1
    ), found as materialized (
        select * from fresh f where f.document @@ sought union all select * from indexed
    )
    select h.content_id, case when (select count(*) from found) > most then 0 else ts_rank_cd(h.document, words) end
    from found h;
end $$;

-- As in 0013, but what is too much to be ranked is not ranked first.
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
    more := cardinality(ids) > most;
    if more and not ranked then
        return query select * from engarde.list_walk_v1(q, sought, q.cap + 1::bigint);
        return;
    end if;
    if more then
        ids := engarde.list_newest_hits_v1(q, sought);
        select array_agg(r.content_id), array_agg(r.rank) into ids, ranks
        from engarde.search_ranks_v1(q.tenant, ids, words) r;
    end if;
    return query select * from engarde.list_hits_v1(q, coalesce(ids, '{}'), coalesce(ranks, '{}'), coalesce(more, false));
end $$;
alter function engarde.search_ranked_v1 owner to engarde_owner;
revoke all on function engarde.search_ranked_v1 from public;
grant execute on function engarde.search_ranked_v1 to engarde_api, engarde_actor;

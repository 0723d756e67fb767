-- What a search by relevance ranks is looked up in the order in which it came in, until there is enough.

-- Before, each hit of an era was looked up in the items, a thousand where a word is everywhere, to put
-- them in the order of their creation and rank the newest five hundred. Numbers of documents follow that
-- order, so it can stop where it has what is ranked, two hundred now.

-- What fits of what waits to be indexed, under the number that it has already, or will have.
create function engarde.search_numbered_v1(tenant text, waiting engarde.search_waiting, sought tsquery)
returns table (content_id text, ordinal bigint, document tsvector)
language sql stable rows 10 security definer set search_path = pg_catalog as $$
    select f.id, coalesce((
        select s.ordinal from engarde.content_search s
        where s.tenant_id = tenant and s.content_id = f.id), 9223372036854775807), f.document
    from unnest(waiting.ids, waiting.documents) f (id, document) where f.document @@ sought
$$;

-- As in 0042, but for that, and documents are read again of what is ranked rather than kept of what is
-- not.
create or replace function engarde.search_look_v1(q engarde.list_question, waiting engarde.search_waiting, words tsquery,
    sought tsquery, scope tsquery, near boolean, most integer) returns engarde.search_hits
language plpgsql stable security definer set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
declare
    hits engarde.search_hits;
begin
    with indexed as materialized (
        select d.content_id, d.ordinal
        from (select * from engarde.content_search s
              where s.tenant_id || '' = q.tenant and s.document @@ scope
                and s.content_id <> all (waiting.ids) offset 0) d
        where not near or d.document @@ sought
        limit most + 1
    ), named as materialized (
        select * from indexed n order by n.ordinal desc nulls last limit 10001
    ), found as (
        select n.content_id, n.ordinal, null::tsvector as document from named n
        union all
        select w.* from engarde.search_numbered_v1(q.tenant, waiting, sought) w
    ), newest as (
        select i.id, i.created_at, f.document as waits, f.content_id
        from (select * from found o order by o.ordinal desc nulls last) f
        cross join lateral (
            select * from public.content_items n where n.id = f.content_id::varchar offset 0) i
        where i.tenant_id = q.tenant and i.brand_id = q.brand and i.deleted_at is null
          and (q.types is null or i.content_type = any (q.types))
          and (q.statuses is null or i.status = any (q.statuses))
          and (q.campaign is null or i.campaign_space_id = q.campaign)
          and (q.since is null or i.created_at >= q.since)
          and (q.until is null or i.created_at <= q.until)
        limit q.cap + 1
    ), read as (
        select n.id, n.created_at, n.waits is null as is_indexed, coalesce(n.waits, (
            select s.document from engarde.content_search s
            where s.tenant_id = q.tenant and s.content_id = n.content_id)) as document
        from newest n
    )
    select coalesce(array_agg(r.id), '{}'), coalesce(array_agg(ts_rank_cd(r.document, words)), '{}'),
        coalesce(array_agg(r.created_at), '{}'), count(*) filter (where r.is_indexed),
        (select count(*) > 10000 from named)
    into hits from read r;
    return hits;
end $$;

-- As in 0044, but for that.
create or replace function engarde.search_read_v1(q engarde.list_question, waiting engarde.search_waiting, words tsquery,
    sought tsquery, scope tsquery, below bigint, most integer) returns engarde.search_hits
language plpgsql stable security definer set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
declare
    hits engarde.search_hits;
begin
    with read as materialized (
        select d.content_id, d.ordinal, case when d.document @@ sought then d.document end as document
        from (select * from engarde.content_search s
              where s.tenant_id || '' = q.tenant and s.document @@ scope
                and (s.ordinal < below) is not false
                and s.content_id <> all (waiting.ids) offset 0) d
        limit most + 1
    ), found as (
        select r.content_id, r.ordinal, r.document, true as is_indexed from read r where r.document is not null
        union all
        select w.*, false from engarde.search_numbered_v1(q.tenant, waiting, sought) w
    ), newest as (
        select i.id, i.created_at, f.document, f.is_indexed
        from (select * from found o order by o.ordinal desc nulls last) f
        cross join lateral (
            select * from public.content_items n where n.id = f.content_id::varchar offset 0) i
        where i.tenant_id = q.tenant and i.brand_id = q.brand and i.deleted_at is null
          and (q.types is null or i.content_type = any (q.types))
          and (q.statuses is null or i.status = any (q.statuses))
          and (q.campaign is null or i.campaign_space_id = q.campaign)
          and (q.since is null or i.created_at >= q.since)
          and (q.until is null or i.created_at <= q.until)
        limit q.cap + 1
    )
    select coalesce(array_agg(n.id), '{}'), coalesce(array_agg(ts_rank_cd(n.document, words)), '{}'),
        coalesce(array_agg(n.created_at), '{}'), count(*) filter (where n.is_indexed),
        (select count(*) > most from read), (select count(*) from read)
    into hits from newest n;
    return hits;
end $$;

-- What waits to be indexed.
create function engarde.search_waiting_v1(tenant text) returns engarde.search_waiting
language sql stable security definer set search_path = pg_catalog as $$
    select coalesce(array_agg(f.content_id), '{}'), coalesce(array_agg(f.document), '{}')
    from engarde.search_fresh_v1(tenant, true) f
$$;
alter function engarde.search_waiting_v1 owner to engarde_owner;
alter function engarde.search_numbered_v1 owner to engarde_owner;
revoke all on function engarde.search_waiting_v1, engarde.search_numbered_v1 from public;
grant execute on function engarde.search_waiting_v1, engarde.search_numbered_v1 to engarde_api, engarde_actor;

-- As in 0054, but of a phrase 1,500 documents are read, and it is sought before anything is asked for that
-- only other words need. 2,500 of them took 11 ms among 1,000,000 items, where a lookup by id takes 1.
create or replace function engarde.search_best_v1(q engarde.list_question, out hits engarde.search_hits, out more boolean)
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    asked record := engarde.search_query_v2(q.tenant, q.brand, q.said, q.tags);
    brand tsquery := engarde.search_lexeme_v1(engarde.search_mark_v1('b', q.brand));
    head engarde.search_heads;
    waiting engarde.search_waiting;
    walked engarde.search_hits;
    is_filtered boolean := num_nonnulls(q.types, q.statuses, q.campaign, q.since, q.until) > 0;
    has_beginning boolean := q.said::text like '%["prefix", %';
    eras tsquery;
    items bigint;
    highest integer;
    level integer;
    passed integer := 0;
    is_step boolean := false;
    near boolean;
begin
    if is_filtered then
        waiting := engarde.search_waiting_v1(q.tenant);
        walked := engarde.search_walk_v1(q, waiting, asked.words, asked.sought, 1000);
        if not walked.is_cut or walked.indexed >= 100 then
            hits := walked;
            more := walked.is_cut or cardinality(walked.ids) > q.cap;
            return;
        end if;
    end if;
    hits := engarde.search_phrase_v1(q, 20, 1500);
    if hits.read is not null then
        more := hits.is_cut;
        if more and walked.indexed > hits.indexed then
            hits := walked;
        end if;
        return;
    end if;
    if not is_filtered then
        waiting := engarde.search_waiting_v1(q.tenant);
    end if;
    select * into head from engarde.search_heads h where h.tenant_id = q.tenant and h.brand_id = q.brand;
    select coalesce(sum(c.items), 0) into items
    from engarde.content_counts c where c.tenant_id = q.tenant and c.brand_id = q.brand;
    select coalesce(max(l), -1) into highest
    from generate_series(0, 4) l where coalesce(head.newest - head.oldest, 0) >= greatest(1024, 512 << (2 * l));
    level := case when highest < 0 then 5 else 0 end;
    loop
        if level < 5 then
            eras := engarde.search_newest_eras_v1(q.brand, head.newest, level);
        else
            eras := brand;
        end if;
        near := has_beginning and (level = 0 or items < 1024);
        hits := engarde.search_look_v1(q, waiting, asked.words, asked.sought,
            case when near then eras else ts_rewrite(asked.sought, brand, eras) end, near,
            case when level < 5 then 50000 else 10000 end);
        if level = 5 and hits.is_cut and passed <= highest and not is_step then
            is_step := true;
            level := passed;
        else
            exit when level = 5 or hits.is_cut or hits.indexed >= 100;
            passed := level + 1;
            level := case when is_step then passed
                          else engarde.search_next_level_v1(level, hits.indexed, 100) end;
            level := case when level <= highest then level else 5 end;
        end if;
    end loop;
    if hits.is_cut and walked.indexed > hits.indexed then
        hits := walked;
    end if;
    more := level < 5 or hits.is_cut or cardinality(hits.ids) > q.cap;
end $$;

-- What a search by relevance ranks, found at a bounded cost.

-- What waits to be indexed, kept for all looks of one search.
create type engarde.search_waiting as (ids text[], documents tsvector[]);

-- What a search has found: the newest hits first, and how many of them the index has.
create type engarde.search_hits as (
    ids text[], ranks real[], moments timestamp[], indexed integer, is_cut boolean);

-- The newest `cap` hits that `scope` names in the index, under the filters of `q`, with their ranks; what
-- is only `near` must be read to see whether it fits. Of more than 10,000 names the rest is left out, and
-- `is_cut` says so: of up to `most` the newest stay, beyond any. The offsets keep the plan: the index is
-- asked for `scope` alone, and items are looked up by id. With tenant and brand beside it PostgreSQL
-- preferred an index of these, since it takes them for independent and their items for few.
create function engarde.search_look_v1(q engarde.list_question, waiting engarde.search_waiting, words tsquery,
    sought tsquery, scope tsquery, near boolean, most integer) returns engarde.search_hits
language plpgsql stable security definer set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
declare
    hits engarde.search_hits;
begin
    with indexed as materialized (
        select d.content_id, d.document, d.ordinal
        from (select * from engarde.content_search s
              where s.tenant_id || '' = q.tenant and s.document @@ scope
                and s.content_id <> all (waiting.ids) offset 0) d
        where not near or d.document @@ sought
        limit most + 1
    ), named as materialized (
        select * from indexed n order by n.ordinal desc limit 10001
    ), found as (
        select n.content_id, n.document, true as is_indexed from named n
        union all
        select f.id, f.document, false from unnest(waiting.ids, waiting.documents) f (id, document)
        where f.document @@ sought
    ), newest as (
        select i.id, i.created_at, f.document, f.is_indexed
        from found f cross join lateral (
            select * from public.content_items n where n.id = f.content_id::varchar offset 0) i
        where i.tenant_id = q.tenant and i.brand_id = q.brand and i.deleted_at is null
          and (q.types is null or i.content_type = any (q.types))
          and (q.statuses is null or i.status = any (q.statuses))
          and (q.campaign is null or i.campaign_space_id = q.campaign)
          and (q.since is null or i.created_at >= q.since)
          and (q.until is null or i.created_at <= q.until)
        order by i.created_at desc, i.id desc limit q.cap + 1
    )
    select coalesce(array_agg(n.id), '{}'), coalesce(array_agg(ts_rank_cd(n.document, words)), '{}'),
        coalesce(array_agg(n.created_at), '{}'), count(*) filter (where n.is_indexed),
        (select count(*) > 10000 from named)
    into hits from newest n;
    return hits;
end $$;

-- The newest hits among the newest `most` items under the filters; `is_cut` says that there are more items.
create function engarde.search_walk_v1(q engarde.list_question, waiting engarde.search_waiting, words tsquery,
    sought tsquery, most integer) returns engarde.search_hits
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    hits engarde.search_hits;
begin
    execute format(
        'with walked as materialized ('
        '    select i.id, i.created_at from public.content_items i where %s'
        '    order by i.created_at desc, i.id desc limit $5 + 1'
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
        engarde.list_conditions_v1(q, false))
        into hits using q, sought, words, waiting, most;
    return hits;
end $$;

-- The level to look at after one that had `found` hits: so much larger that it should hold enough.
create function engarde.search_next_level_v1(level integer, found integer, enough integer) returns integer
language sql immutable set search_path = pg_catalog as $$
    select case when found = 0 then 5
                else least(5, level + greatest(1, ceil(log(4, enough::numeric / found))::integer)) end
$$;

-- The hits of a search that are ranked, and whether there may be more. Era after larger era is looked at
-- until 100 hits are found, and at last the whole brand; where that names too many after all, the eras
-- that were passed over.
--
-- Whether words are a phrase is only seen in the documents that hold them, so beyond the smallest eras 20
-- of it are enough. The beginning of a word stands for so many words that the smallest eras are read
-- rather than asking the index for all of them. And where filters leave few items, these are.
create function engarde.search_best_v1(q engarde.list_question, out hits engarde.search_hits, out more boolean)
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    asked record := engarde.search_query_v2(q.tenant, q.brand, q.said, q.tags);
    brand tsquery := engarde.search_lexeme_v1(engarde.search_mark_v1('b', q.brand));
    head engarde.search_heads;
    waiting engarde.search_waiting;
    walked engarde.search_hits;
    enough integer := case when q.said::text like '%["phrase", %' then 20 else 100 end;
    has_beginning boolean := q.said::text like '%["prefix", %';
    eras tsquery;
    items bigint;
    highest integer;
    level integer;
    passed integer := 0;
    is_step boolean := false;
    near boolean;
begin
    select * into head from engarde.search_heads h where h.tenant_id = q.tenant and h.brand_id = q.brand;
    select coalesce(sum(c.items), 0) into items
    from engarde.content_counts c where c.tenant_id = q.tenant and c.brand_id = q.brand;
    select coalesce(array_agg(f.content_id), '{}'), coalesce(array_agg(f.document), '{}')
    into waiting from engarde.search_fresh_v1(q.tenant, true) f;
    select coalesce(max(l), -1) into highest
    from generate_series(0, 4) l where coalesce(head.newest - head.oldest, 0) >= greatest(1024, 512 << (2 * l));
    level := case when highest < 0 then 5 else 0 end;
    if num_nonnulls(q.types, q.statuses, q.campaign, q.since, q.until) > 0 then
        walked := engarde.search_walk_v1(q, waiting, asked.words, asked.sought, 1000);
        if not walked.is_cut or walked.indexed >= 100 then
            hits := walked;
            more := walked.is_cut or cardinality(walked.ids) > q.cap;
            return;
        end if;
    end if;
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
            exit when level = 5 or hits.is_cut
                or hits.indexed >= case when level = 0 then 100 else enough end;
            passed := level + 1;
            level := case when is_step then passed
                          else engarde.search_next_level_v1(level, hits.indexed, enough) end;
            level := case when level <= highest then level else 5 end;
        end if;
    end loop;
    if hits.is_cut and walked.indexed > hits.indexed then
        hits := walked;
    end if;
    more := level < 5 or hits.is_cut or cardinality(hits.ids) > q.cap;
end $$;

-- As version 1, but what is ranked is found at a bounded cost, and the answer itself says whether there
-- is more than that.
create function engarde.list_items_v2(question jsonb)
returns table (total bigint, more boolean, item engarde.item, rank real)
language plpgsql as $$
declare
    q engarde.list_question := jsonb_populate_record(null::engarde.list_question, question);
    best record;
begin
    if q.sort <> 'relevance' then
        return query select l.total, l.total > q.cap, l.item, l.rank from engarde.list_items_v1(question) l;
        return;
    end if;
    perform set_config('app.tenant_id', q.tenant, true);
    select * into best from engarde.search_best_v1(q);
    return query
    with page as (
        select h.*, row_number() over (order by h.rank desc, h.moment desc, h.id desc) as place
        from unnest((best.hits).ids[:q.cap], (best.hits).ranks[:q.cap], (best.hits).moments[:q.cap]) h (id, rank, moment)
        where q.after_id is null or (h.rank, h.moment, h.id) < (q.after_key::real, q.after_at, q.after_id)
        order by place limit q.size offset q.skip
    )
    select least(cardinality((best.hits).ids), q.cap)::bigint, best.more,
        case when i.id is not null then engarde.item_of(i) end, p.rank
    from (values (true)) one left join page p on true
    left join public.content_items i on i.tenant_id = q.tenant and i.id = p.id::varchar
    order by p.place;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('search_look_v1', 'search_walk_v1', 'search_next_level_v1', 'search_best_v1',
              'list_items_v2', 'search_newest_eras_v1', 'search_eras_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_api, engarde_actor', f);
    end loop;
end $$;
alter type engarde.search_waiting owner to engarde_owner;
alter type engarde.search_hits owner to engarde_owner;

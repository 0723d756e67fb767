-- Phrases at a bounded cost, however common their words are.
--
-- Whether words stand side by side is only seen in the documents that hold them. So a phrase is sought
-- era by era, from the newest on, each document read once and no more than 5,000 of them; in an order
-- other than by relevance, where all hits are listed, 50,000.

-- How many documents a look has read, hits or not.
alter type engarde.search_hits add attribute read integer;

-- One term of what somebody said; `any` is one that holds everywhere.
create or replace function engarde.search_term_v1(config regconfig, kind text, said text) returns tsquery
language plpgsql immutable set search_path = pg_catalog as $$
begin
    return case kind
        when 'any' then !!engarde.search_lexeme_v1('@none')
        when 'phrase' then phraseto_tsquery(config, said)
        when 'prefix' then engarde.search_lexeme_v1(lower(said), ':*') || plainto_tsquery(config, said)
        else plainto_tsquery(config, said) end;
end $$;

-- What the index can say of a text with phrases: that their words are there. Beginnings of words it is
-- not asked for, since each asks for a part of the dictionary, and that once an era.
create function engarde.search_loosely_v1(said jsonb) returns jsonb
language sql immutable set search_path = pg_catalog as $$
    select jsonb_agg((
        select jsonb_agg(case
            when term ->> 0 = 'prefix' then '["any", "", false]'
            when term ->> 0 = 'phrase' and not (term ->> 2)::boolean then jsonb_set(term, '{0}', '"word"')
            else term end)
        from jsonb_array_elements(alternative) term))
    from jsonb_array_elements(said) alternative
$$;

-- The newest `cap` hits among the documents that `scope` names in the index, without those from the
-- number `below` on; at most `most` of them are read, and `is_cut` says that there are more. The offsets
-- keep the plan, see 0042.
create function engarde.search_read_v1(q engarde.list_question, waiting engarde.search_waiting, words tsquery,
    sought tsquery, scope tsquery, below bigint, most integer) returns engarde.search_hits
language plpgsql stable security definer set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
declare
    hits engarde.search_hits;
begin
    with read as materialized (
        select d.content_id, case when d.document @@ sought then d.document end as document
        from (select * from engarde.content_search s
              where s.tenant_id || '' = q.tenant and s.document @@ scope
                and (s.ordinal < below) is not false
                and s.content_id <> all (waiting.ids) offset 0) d
        limit most + 1
    ), found as (
        select r.content_id, r.document, true as is_indexed from read r where r.document is not null
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
        (select count(*) > most from read), (select count(*) from read)
    into hits from newest n;
    return hits;
end $$;

-- The newest hits of a search with phrases of several words, or null where it has none; `is_cut` says
-- that there may be more. It reads the newest two eras, and then larger and larger ones until there are
-- `enough` hits or `most` documents were read. Where few of those in the newest eras hold the words, all
-- the rest is asked for at once: GIN walks the rarest word of all tenants with each look.
create function engarde.search_phrase_v1(q engarde.list_question, enough integer, most integer)
returns engarde.search_hits
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    asked record;
    loose tsquery;
    brand tsquery := engarde.search_lexeme_v1(engarde.search_mark_v1('b', q.brand));
    hits engarde.search_hits := row('{}', '{}', '{}', 0, false, 0);
    look engarde.search_hits;
    waiting engarde.search_waiting;
    oldest bigint;
    top bigint;
    below bigint;
    level integer := 0;
    era tsquery;
    is_last boolean;
    may_leap boolean := true;
    leaps boolean;
begin
    if q.said is null or q.said::text not like '%["phrase", %' then
        return null;
    end if;
    asked := engarde.search_query_v2(q.tenant, q.brand, q.said, q.tags);
    loose := (engarde.search_query_v2(q.tenant, q.brand, engarde.search_loosely_v1(q.said), q.tags)).sought;
    if loose = asked.sought then
        return null;
    end if;
    select coalesce(max(h.newest), 0) + 1, coalesce(max(h.oldest), 1) into top, oldest
    from engarde.search_heads h where h.tenant_id = q.tenant and h.brand_id = q.brand;
    select coalesce(array_agg(f.content_id), '{}'), coalesce(array_agg(f.document), '{}')
    into waiting from engarde.search_fresh_v1(q.tenant, true) f;
    below := top;
    loop
        is_last := top - oldest < 1024 or below <= oldest;
        leaps := not is_last and may_leap and 2 * hits.read * (below - oldest) < most * (top - below);
        era := case when is_last or leaps then brand
                    when below = top then engarde.search_newest_eras_v1(q.brand, top - 1, 0)
                    else engarde.search_lexeme_v1((engarde.search_eras_v1(q.brand, below - 1))[level + 1]) end;
        look := engarde.search_read_v1(q, waiting, case when q.sort = 'relevance' then asked.words end,
            asked.sought, ts_rewrite(loose, brand, era), below, most - hits.read);
        if leaps and look.is_cut then
            may_leap := false;
            continue;
        end if;
        hits := row(hits.ids || look.ids, hits.ranks || look.ranks, hits.moments || look.moments,
            hits.indexed + look.indexed, look.is_cut, hits.read + look.read);
        exit when is_last or leaps or look.is_cut;
        waiting.documents := '{}';
        below := ((below - 1) >> (9 + 2 * level) << (9 + 2 * level)) - case when below = top then 512 else 0 end;
        exit when below <= oldest and not exists (select from engarde.content_search d where d.ordinal is null);
        hits.is_cut := hits.indexed >= enough;
        exit when hits.is_cut;
        level := least(4, level + (4 * look.read < most and below % (512 << (2 * level + 2)) = 0)::integer);
    end loop;
    hits.is_cut := hits.is_cut or cardinality(hits.ids) > q.cap;
    return hits;
end $$;

-- As in 0042, but phrases are sought as said above: of them 20 hits are enough.
create or replace function engarde.search_best_v1(q engarde.list_question, out hits engarde.search_hits, out more boolean)
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    asked record := engarde.search_query_v2(q.tenant, q.brand, q.said, q.tags);
    brand tsquery := engarde.search_lexeme_v1(engarde.search_mark_v1('b', q.brand));
    head engarde.search_heads;
    waiting engarde.search_waiting;
    walked engarde.search_hits;
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
    hits := engarde.search_phrase_v1(q, 20, 5000);
    if hits.read is not null then
        more := hits.is_cut;
        if more and walked.indexed > hits.indexed then
            hits := walked;
        end if;
        return;
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

-- As in 0042, but in any other order too the documents are bounded that are read for phrases.
create or replace function engarde.list_items_v2(question jsonb)
returns table (total bigint, more boolean, item engarde.item, rank real)
language plpgsql as $$
declare
    q engarde.list_question := jsonb_populate_record(null::engarde.list_question, question);
    best record;
    hits engarde.search_hits;
begin
    perform set_config('app.tenant_id', q.tenant, true);
    if q.sort <> 'relevance' then
        hits := engarde.search_phrase_v1(q, q.cap + 1, 50000);
        if cardinality(hits.ids) <= q.cap then
            return query select l.total, hits.is_cut, l.item, l.rank
            from engarde.list_hits_v1(q, hits.ids, hits.ranks, false) l;
            return;
        end if;
        return query select l.total, l.total > q.cap, l.item, l.rank from engarde.list_items_v1(question) l;
        return;
    end if;
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
          and p.proname in ('search_loosely_v1', 'search_read_v1', 'search_phrase_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_api, engarde_actor', f);
    end loop;
end $$;

-- What a search by relevance ranks is looked up in the order in which it came in, until there is enough.

-- Before, each hit of an era was looked up in the items, a thousand where a word is everywhere, to put
-- them in the order of their creation and rank the newest five hundred. Numbers of documents follow that
-- order, so it can stop where it has what is ranked, two hundred now.

-- As in 0042, but for that. What waits to be indexed is newer than what is.
create or replace function engarde.search_look_v1(q engarde.list_question, waiting engarde.search_waiting, words tsquery,
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
        select * from indexed n order by n.ordinal desc nulls last limit 10001
    ), found as (
        select n.content_id, n.document, n.ordinal, true as is_indexed from named n
        union all
        select f.id, f.document, null, false from unnest(waiting.ids, waiting.documents) f (id, document)
        where f.document @@ sought
    ), newest as (
        select i.id, i.created_at, f.document, f.is_indexed
        from (select * from found o order by o.is_indexed, o.ordinal desc nulls last) f
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
        (select count(*) > 10000 from named)
    into hits from newest n;
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
        select r.content_id, r.document, r.ordinal, true as is_indexed from read r where r.document is not null
        union all
        select f.id, f.document, null, false from unnest(waiting.ids, waiting.documents) f (id, document)
        where f.document @@ sought
    ), newest as (
        select i.id, i.created_at, f.document, f.is_indexed
        from (select * from found o order by o.is_indexed, o.ordinal desc nulls last) f
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

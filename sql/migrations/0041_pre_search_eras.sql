-- Searches by relevance that read a bounded part of the index, however many items hold the words.
--
-- Documents of a brand are numbered as they come into the index, and carry the eras in which their
-- number lies: 512 numbers are an era of level 0, four of these one of level 1, and so on up to
-- 131,072. A search looks for its words in the newest two eras of level 0 first, and in larger ones
-- only while that finds too few. The GIN index answers words and eras together, so that each look costs
-- about as much as it finds.

-- The numbers a brand has given: `newest` was the last, and below `oldest` go the documents that were
-- indexed before there were numbers.
create table engarde.search_heads (
    tenant_id varchar(36) not null,
    brand_id varchar(36) not null,
    newest bigint not null default 0,
    oldest bigint not null default 1,
    primary key (tenant_id, brand_id)
) with (fillfactor = 70);
alter table engarde.search_heads owner to engarde_owner;
alter table engarde.search_heads enable row level security;
alter table engarde.search_heads force row level security;
create policy tenant_guard on engarde.search_heads as restrictive to engarde_api
    using (tenant_id = current_setting('app.tenant_id', true))
    with check (tenant_id = current_setting('app.tenant_id', true));
create policy daemon_access on engarde.search_heads to engarde_owner, engarde_api, engarde_actor
    using (true) with check (true);
grant select, insert, update, delete on engarde.search_heads to engarde_actor, engarde_owner;

alter table engarde.content_search add column ordinal bigint;
create index content_search_unnumbered on engarde.content_search (content_id desc) where ordinal is null;

-- The eras of a number, from the smallest. A brand stands in them as twelve digits of its hash, which
-- keeps the index small; what two brands might share is told apart where the items are read.
create function engarde.search_eras_v1(brand text, ordinal bigint) returns text[]
language sql immutable set search_path = pg_catalog as $$
    select array(select concat('@e', level, ':', left(md5(brand), 12), ':', ordinal >> (9 + 2 * level))
                 from generate_series(0, 4) level order by level)
$$;

-- The newest two eras of a level.
create function engarde.search_newest_eras_v1(brand text, newest bigint, level integer) returns tsquery
language sql immutable set search_path = pg_catalog as $$
    select engarde.search_lexeme_v1((engarde.search_eras_v1(brand, newest))[level + 1])
        || engarde.search_lexeme_v1((engarde.search_eras_v1(brand, newest - (512 << (2 * level))))[level + 1])
$$;

-- The newest of the versions that are wanted of each content.
create function engarde.wanted_versions_v1(tenants text[], contents text[], wanted integer[])
returns setof engarde.content_versions language sql stable set search_path = pg_catalog as $$
    select v.*
    from (
        select distinct on (t, i) t, i, n from unnest(tenants, contents, wanted) x (t, i, n)
        order by t, i, n desc
    ) w
    join engarde.content_versions v on v.tenant_id = w.t and v.content_id = w.i and v.version = w.n
$$;

-- As version 2, with numbers. The heads are locked first and in one order, so that two daemons that
-- index the same brand wait for each other, and never in a circle.
create function engarde.index_versions_v3(tenants text[], contents text[], wanted integer[], with_bodies boolean)
returns void language plpgsql set search_path = pg_catalog as $$
begin
    insert into engarde.search_heads as h (tenant_id, brand_id, newest)
    select v.tenant_id, v.brand_id, count(*)
    from engarde.wanted_versions_v1(tenants, contents, wanted) v
    where not exists (select from engarde.content_search d
                      where d.tenant_id = v.tenant_id and d.content_id = v.content_id)
    group by v.tenant_id, v.brand_id order by v.tenant_id, v.brand_id
    on conflict (tenant_id, brand_id) do update set newest = h.newest + excluded.newest;

    with entries as materialized (
        select v.tenant_id, v.brand_id, v.content_id, v.version, e.config, e.document,
            case when d.content_id is not null then d.ordinal else h.newest + 1 - row_number() over (
                partition by v.tenant_id, v.brand_id, d.content_id is null order by v.content_id desc) end as ordinal
        from engarde.wanted_versions_v1(tenants, contents, wanted) v
        left join engarde.staged_bodies s on with_bodies
          and s.tenant_id = v.tenant_id and s.content_id = v.content_id and s.version = v.body_version
        left join engarde.content_search d on d.tenant_id = v.tenant_id and d.content_id = v.content_id
        left join engarde.search_heads h on h.tenant_id = v.tenant_id and h.brand_id = v.brand_id
        cross join lateral engarde.search_entry_v1(v, s.body, d) e
    ), languages as (
        insert into engarde.search_languages (tenant_id, brand_id, config)
        select distinct e.tenant_id, e.brand_id, e.config from entries e where e.config <> 'english'
        on conflict do nothing
    )
    insert into engarde.content_search as c (tenant_id, content_id, version, config, document, ordinal)
    select e.tenant_id, e.content_id, e.version, e.config,
        case when e.ordinal is null then e.document
             else e.document || array_to_tsvector(engarde.search_eras_v1(e.brand_id, e.ordinal)) end, e.ordinal
    from entries e order by e.tenant_id, e.content_id
    on conflict (tenant_id, content_id) do update
    set version = excluded.version, config = excluded.config, document = excluded.document,
        ordinal = excluded.ordinal
    where c.version < excluded.version;
end $$;

-- Number documents that were indexed before there were numbers, the newest first, downwards. Until
-- then they are found only where the whole brand is searched.
create function engarde.number_documents_v1(most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    tenants text[];
    contents text[];
begin
    select array_agg(d.tenant_id), array_agg(d.content_id) into tenants, contents
    from (select * from engarde.content_search d where d.ordinal is null
          order by d.content_id desc limit most for update skip locked) d;
    if tenants is null then
        return 0;
    end if;
    insert into engarde.search_heads as h (tenant_id, brand_id, oldest)
    select i.tenant_id, i.brand_id, 1 - count(*)
    from unnest(tenants, contents) u (t, c)
    join public.content_items i
      on i.tenant_id = u.t::varchar and i.id = u.c::varchar and i.brand_id is not null
    group by i.tenant_id, i.brand_id order by i.tenant_id, i.brand_id
    on conflict (tenant_id, brand_id) do update set oldest = h.oldest + excluded.oldest - 1;

    update engarde.content_search d
    set ordinal = coalesce(n.ordinal, 0),
        document = case when n.ordinal is null then d.document
                        else d.document || array_to_tsvector(engarde.search_eras_v1(n.brand_id, n.ordinal)) end
    from (select u.t, u.c, i.brand_id, h.oldest - 1 + row_number() over (
                     partition by i.tenant_id, i.brand_id order by i.id) as ordinal
          from unnest(tenants, contents) u (t, c)
          left join (public.content_items i
                     join engarde.search_heads h on h.tenant_id = i.tenant_id and h.brand_id = i.brand_id)
            on i.tenant_id = u.t::varchar and i.id = u.c::varchar) n
    where d.tenant_id = n.t::varchar and d.content_id = n.c::varchar;
    return cardinality(tenants);
end $$;

-- As version 2, but a version that a newer one waits behind is passed over: nobody will look for it.
-- Where nothing waits, documents without a number get theirs.
create function engarde.index_pending_v3(most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    ids bigint[];
    tokens integer[];
    tenants text[];
    contents text[];
    versions integer[];
begin
    with oldest as materialized (
        select * from engarde.outbox o where o.destination = 'search'
        order by o.id limit 8 * most for update skip locked
    ), judged as (
        select p.*, not exists (
            select from engarde.outbox n
            where n.tenant_id = p.tenant_id and n.content_id = p.content_id
              and n.destination = 'search' and n.version > p.version) as is_newest
        from oldest p
    ), counted as (
        select *, count(*) filter (where j.is_newest) over (order by j.id) as place from judged j
    )
    select array_agg(p.id), array_agg(p.lease_token),
        array_agg(p.tenant_id) filter (where p.is_newest),
        array_agg(p.content_id) filter (where p.is_newest),
        array_agg(p.version) filter (where p.is_newest)
    into ids, tokens, tenants, contents, versions
    from counted p where p.place <= most;
    if ids is null then
        return engarde.number_documents_v1(8 * most);
    end if;
    begin
        perform engarde.index_versions_v3(tenants, contents, versions, true);
    exception when program_limit_exceeded then
        perform engarde.index_versions_v3(tenants, contents, versions, false);
    end;
    perform engarde.settle_outbox_v1(ids, tokens);
    return cardinality(ids);
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('search_eras_v1', 'search_newest_eras_v1', 'wanted_versions_v1', 'index_versions_v3',
              'number_documents_v1', 'index_pending_v3')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;

-- Functions that look up what they are given by key, and never read a table as a whole.
--
-- Queues are empty most of the time. A plan that is made then takes them for a row or none, and reads
-- them through for each row of a batch; and it takes what another function answers for 1,000 rows, for
-- which it reads all documents. Either made a batch cost as much as everything that waited. A lookup
-- behind `offset 0` is planned by itself, so that only its own key can be what it goes by; without
-- sequential scans it goes by an index even where the table was empty when the plan was made.
-- https://www.postgresql.org/docs/current/runtime-config-query.html#RUNTIME-CONFIG-QUERY-ENABLE

-- As in 0008. Deleting by place is safe: what is seen here is not replaced before this statement ends.
create or replace function engarde.release_staged_v1(contents text[]) returns integer
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
declare
    released integer;
begin
    delete from engarde.staged_bodies s where s.ctid = any (array(
        select b.place
        from (select split_part(c, ' ', 1) as tenant, split_part(c, ' ', 2) as content
              from unnest(contents) c offset 0) k
        cross join lateral (
            select b.ctid as place from engarde.staged_bodies b
            where b.tenant_id = k.tenant and b.content_id = k.content offset 0) b
        where not exists (select from engarde.outbox o
                          where o.tenant_id = k.tenant and o.content_id = k.content offset 0)));
    get diagnostics released = row_count;
    return released;
end $$;

-- As in 0008.
create or replace function engarde.settle_outbox_v1(ids bigint[], tokens integer[]) returns integer
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
declare
    contents text[];
    settled integer;
begin
    with gone as (
        delete from engarde.outbox o
        where o.id = any (ids) and o.lease_token = tokens[array_position(ids, o.id)]
        returning o.tenant_id || ' ' || o.content_id as content
    )
    select array_agg(distinct content), count(*) into contents, settled from gone;
    perform engarde.release_staged_v1(contents);
    return settled;
end $$;

-- As in 0041.
create or replace function engarde.wanted_versions_v1(tenants text[], contents text[], wanted integer[])
returns setof engarde.content_versions language sql stable rows 25
set search_path = pg_catalog set enable_seqscan = off as $$
    select v.*
    from (
        select distinct on (t, i) t, i, n from unnest(tenants, contents, wanted) x (t, i, n)
        order by t, i, n desc
    ) w
    cross join lateral (
        select * from engarde.content_versions v
        where v.tenant_id = w.t and v.content_id = w.i and v.version = w.n offset 0) v
$$;

-- As in 0041.
create or replace function engarde.index_versions_v3(
    tenants text[], contents text[], wanted integer[], with_bodies boolean)
returns void language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
begin
    insert into engarde.search_heads as h (tenant_id, brand_id, newest)
    select v.tenant_id, v.brand_id, count(*)
    from engarde.wanted_versions_v1(tenants, contents, wanted) v
    where not exists (select from engarde.content_search d
                      where d.tenant_id = v.tenant_id and d.content_id = v.content_id offset 0)
    group by v.tenant_id, v.brand_id order by v.tenant_id, v.brand_id
    on conflict (tenant_id, brand_id) do update set newest = h.newest + excluded.newest;

    with entries as materialized (
        select v.tenant_id, v.brand_id, v.content_id, v.version, e.config, e.document,
            case when (k.indexed).content_id is not null then (k.indexed).ordinal else k.newest + 1 - row_number() over (
                partition by v.tenant_id, v.brand_id, (k.indexed).content_id is null order by v.content_id desc) end as ordinal
        from engarde.wanted_versions_v1(tenants, contents, wanted) v
        cross join lateral (
            select
                (select s.body from engarde.staged_bodies s where with_bodies
                   and s.tenant_id = v.tenant_id and s.content_id = v.content_id and s.version = v.body_version) as body,
                (select d from engarde.content_search d
                 where d.tenant_id = v.tenant_id and d.content_id = v.content_id) as indexed,
                (select h.newest from engarde.search_heads h
                 where h.tenant_id = v.tenant_id and h.brand_id = v.brand_id) as newest
            offset 0) k
        cross join lateral engarde.search_entry_v1(v, k.body, k.indexed) e
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

-- As in 0041.
create or replace function engarde.index_pending_v3(most integer) returns integer
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
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
              and n.destination = 'search' and n.version > p.version offset 0) as is_newest
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

-- Lease the oldest rows of a destination, as many as fit into `bytes_max` of bodies and the one that
-- does not fit any more.
create function engarde.claim_outbox_v1(wanted text, most integer, lease_s float8, bytes_max bigint, at timestamptz)
returns table (id bigint, lease_token integer, attempts integer, version engarde.content_versions,
               previous engarde.content_versions, body text)
language plpgsql set search_path = pg_catalog set enable_seqscan = off as $$
#variable_conflict use_column
begin
    return query
    with due as materialized (
        select o.id, o.tenant_id, o.content_id, o.version from engarde.outbox o
        where o.destination = wanted and o.leased_until <= at
        order by o.id limit most
        for update skip locked
    ), known as materialized (
        select d.id,
            (select v from engarde.content_versions v where v.tenant_id = d.tenant_id
               and v.content_id = d.content_id and v.version = d.version) as version,
            (select p from engarde.content_versions p where p.tenant_id = d.tenant_id
               and p.content_id = d.content_id and p.version = d.version - 1) as previous
        from due d
    ), weighed as materialized (
        select k.id, k.version, k.previous,
            coalesce(sum(coalesce((k.version).size_bytes, 0) + coalesce((k.previous).size_bytes, 0))
                over (order by k.id rows between unbounded preceding and 1 preceding), 0) as before
        from known k
    ), claimed as (
        update engarde.outbox o
        set leased_until = at + make_interval(secs => lease_s),
            lease_token = o.lease_token + 1, attempts = o.attempts + 1
        where o.id = any (array(select w.id from weighed w where w.before < bytes_max))
        returning o.id, o.lease_token, o.attempts
    )
    select c.id, c.lease_token, c.attempts, w.version, w.previous,
        (select s.body from engarde.staged_bodies s where s.tenant_id = (w.version).tenant_id
           and s.content_id = (w.version).content_id and s.version = (w.version).body_version)
    from claimed c
    join weighed w on w.id = c.id and (w.version).version is not null
    order by c.id;
end $$;

-- The oldest versions that the archive lacks, as many as their bodies leave room for, one at least.
create function engarde.due_versions_v1(most integer, bytes_max bigint)
returns table (id bigint, attempts integer, version engarde.content_versions, body text)
language plpgsql stable set search_path = pg_catalog set enable_seqscan = off as $$
#variable_conflict use_column
begin
    return query
    with due as materialized (
        select o.id, o.attempts, (
            select v from engarde.content_versions v where v.tenant_id = o.tenant_id
               and v.content_id = o.content_id and v.version = o.version) as version
        from (select * from engarde.outbox w
              where w.destination = 'bigquery' and w.leased_until <= clock_timestamp()
              order by w.id limit most) o
    ), weighed as materialized (
        select d.*, sum((d.version).size_bytes) over (order by d.id) - (d.version).size_bytes as before
        from due d where (d.version).version is not null
    )
    select w.id, w.attempts, w.version,
        (select s.body from engarde.staged_bodies s where s.tenant_id = (w.version).tenant_id
           and s.content_id = (w.version).content_id and s.version = (w.version).body_version)
    from weighed w
    where w.before + (w.version).size_bytes <= bytes_max or w.before = 0
    order by w.id;
end $$;

alter function engarde.claim_outbox_v1 owner to engarde_owner;
alter function engarde.due_versions_v1 owner to engarde_owner;
revoke all on function engarde.claim_outbox_v1, engarde.due_versions_v1 from public;
grant execute on function engarde.claim_outbox_v1, engarde.due_versions_v1 to engarde_actor;

-- Acknowledge what was delivered, by claim: a row whose token has moved on belongs to someone else.
-- Bodies that no destination waits for any more leave PostgreSQL with it.
create function engarde.settle_outbox_v1(ids bigint[], tokens integer[]) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    contents text[];
    settled integer;
begin
    with gone as (
        delete from engarde.outbox o using unnest(ids, tokens) c (id, token)
        where o.id = c.id and o.lease_token = c.token
        returning o.tenant_id || ' ' || o.content_id as content
    )
    select array_agg(distinct content), count(*) into contents, settled from gone;
    perform engarde.release_staged_v1(contents);
    return settled;
end $$;

create function engarde.release_staged_v1(contents text[]) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    released integer;
begin
    delete from engarde.staged_bodies s
    using (select split_part(c, ' ', 1) as tenant_id, split_part(c, ' ', 2) as content_id
           from unnest(contents) c) w
    where s.tenant_id = w.tenant_id and s.content_id = w.content_id
      and not exists (select from engarde.outbox o
                      where o.tenant_id = s.tenant_id and o.content_id = s.content_id);
    get diagnostics released = row_count;
    return released;
end $$;

-- Two destinations that acknowledge the same body in the same instant each still see the other's
-- row; this finds what both left behind.
create function engarde.sweep_staged_v1(most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
begin
    return engarde.release_staged_v1(array(
        select distinct s.tenant_id || ' ' || s.content_id from engarde.staged_bodies s
        where not exists (select from engarde.outbox o
                          where o.tenant_id = s.tenant_id and o.content_id = s.content_id)
        limit most));
end $$;

-- Take the oldest unindexed versions into the full-text index. Claim, work and acknowledgement are
-- one transaction, so nothing needs a lease. A text that cannot be indexed is indexed without its
-- words rather than holding up the others.
create function engarde.index_pending_v1(most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    ids bigint[];
    tokens integer[];
    tenants text[];
    contents text[];
    versions integer[];
begin
    select array_agg(p.id), array_agg(p.lease_token), array_agg(p.tenant_id), array_agg(p.content_id),
           array_agg(p.version)
    into ids, tokens, tenants, contents, versions
    from (select * from engarde.outbox o where o.destination = 'search'
          order by o.id limit most for update skip locked) p;
    if ids is null then
        return 0;
    end if;
    begin
        perform engarde.index_versions_v1(tenants, contents, versions);
    exception when program_limit_exceeded then
        perform engarde.index_titles_v1(tenants, contents, versions);
    end;
    perform engarde.settle_outbox_v1(ids, tokens);
    return cardinality(ids);
end $$;

create function engarde.index_titles_v1(tenants text[], contents text[], wanted integer[]) returns void
language sql set search_path = pg_catalog as $$
    insert into engarde.content_search as c (tenant_id, content_id, version, document)
    select distinct on (v.tenant_id, v.content_id) v.tenant_id, v.content_id, v.version,
        engarde.search_document_v1(v.brand_id, v.title, engarde.search_tags_v1(v.details), null)
    from unnest(tenants, contents, wanted) w (t, i, n)
    join engarde.content_versions v on v.tenant_id = w.t and v.content_id = w.i and v.version = w.n
    order by v.tenant_id, v.content_id, v.version desc
    on conflict (tenant_id, content_id) do update
    set version = excluded.version, document = excluded.document
    where c.version < excluded.version
$$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('settle_outbox_v1', 'release_staged_v1', 'sweep_staged_v1', 'index_pending_v1',
                            'index_titles_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;

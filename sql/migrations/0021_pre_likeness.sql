-- Search by meaning: the body store names the contents that are most like a text, PostgreSQL knows
-- which of them the caller may see and wants.

-- A page of these contents, the likest first, under the filters of any list.
create function engarde.list_alike_v1(question jsonb, ids text[], likeness real[])
returns table (total bigint, item engarde.item, rank real)
language plpgsql set search_path = pg_catalog as $$
declare
    q engarde.list_question := jsonb_populate_record(null::engarde.list_question, question);
    sought tsquery;
begin
    perform set_config('app.tenant_id', q.tenant, true);
    if q.tags is not null then
        sought := (engarde.search_query_v2(q.tenant, q.brand, null, q.tags)).sought;
        select array_agg(a.id), array_agg(a.likeness) into ids, likeness
        from unnest(ids, likeness) a (id, likeness) where engarde.is_hit_v2(q.tenant, a.id, sought);
    end if;
    return query select * from engarde.list_hits_v1(q, coalesce(ids, '{}'), coalesce(likeness, '{}'), false);
end $$;

alter function engarde.list_alike_v1 owner to engarde_owner;
revoke all on function engarde.list_alike_v1 from public;
grant execute on function engarde.list_alike_v1 to engarde_api;

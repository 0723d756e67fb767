-- A batch of several tenants must keep its order: bodies are matched to their writes by place.
--
-- `commit_writes_v1` gathers the writes and, with `distinct`, their tenants in one query. From
-- PostgreSQL 16 on such a query may sort its input by the distinct column first, and the writes came
-- out in the order of their tenants while the bodies kept theirs.
-- https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-ENABLE-PRESORTED-AGGREGATE
do $$
begin
    if current_setting('server_version_num')::integer >= 160000 then
        alter function engarde.commit_writes_v1(jsonb, text[], jsonb) set enable_presorted_aggregate = off;
    end if;
end $$;

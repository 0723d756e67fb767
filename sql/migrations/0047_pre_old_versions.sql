-- Old versions are found by their age, and not by reading all there are: the look comes twice a minute.
--
-- Versions are only ever added, in the order of time, so that a summary of each 256 kB tells what is old
-- enough to be looked at. https://www.postgresql.org/docs/current/brin.html
create index content_versions_age on engarde.content_versions
    using brin (created_at) with (pages_per_range = 32, autosummarize = on);

-- As in 0037. What no plan lets go yet is not read; only a plan made for the very day knows how little
-- that leaves.
create or replace function engarde.trim_versions_v2(retention_days jsonb, forgetting jsonb, most integer) returns integer
language plpgsql set search_path = pg_catalog set plan_cache_mode = force_custom_plan as $$
declare
    today timestamp := clock_timestamp() at time zone 'utc';
    oldest_kept timestamp := today - make_interval(days => (
        select min(d.value::integer) from jsonb_each_text(retention_days) d));
    trimmed integer;
begin
    with old as materialized (
        select v.tenant_id, v.content_id, v.version,
            coalesce(engarde.limit_of_v1(forgetting, t.plan_tier), 0) = 1 as forgotten
        from engarde.content_versions v
        join public.tenants t on t.id = v.tenant_id
        join public.content_items i on i.tenant_id = v.tenant_id and i.id = v.content_id
        where v.created_at < oldest_kept
          and v.version < i.version
          and v.created_at < today
              - make_interval(days => engarde.limit_of_v1(retention_days, t.plan_tier)::integer)
          and not exists (select from engarde.outbox o
                          where o.tenant_id = v.tenant_id and o.content_id = v.content_id)
          and not exists (select from engarde.content_versions k
                          where k.tenant_id = v.tenant_id and k.content_id = v.content_id
                            and k.version > v.version and k.body_version = v.version)
        limit most
    ), gone as (
        delete from engarde.content_versions v using old
        where v.tenant_id = old.tenant_id and v.content_id = old.content_id and v.version = old.version
        returning v.tenant_id, v.content_id, v.version, v.zerodb_id, old.forgotten
    ), archived as (
        insert into engarde.removals (tenant_id, record_id, destination, version, due_at)
        select tenant_id, content_id, 'versions', version, date_trunc('day', clock_timestamp()) + interval '1 day'
        from gone where forgotten
    )
    insert into engarde.removals (tenant_id, record_id) select tenant_id, zerodb_id from gone;
    get diagnostics trimmed = row_count;
    return trimmed;
end $$;

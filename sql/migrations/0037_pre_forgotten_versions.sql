-- Old versions that retention forgets leave the archive too, where a tenant's plan says so.

alter table engarde.removals drop constraint removals_destination_check;
alter table engarde.removals
    add constraint removals_destination_check check (destination in ('zerodb', 'bigquery', 'versions')),
    add column version integer check ((version is not null) = (destination = 'versions'));
comment on column engarde.removals.version is 'Of a content, the one version whose row must leave the archive';

-- As before; and of plans that are 1 in `forgetting`, the archive's rows are due as well. They wait for
-- the night, so that one statement removes those of a day.
create function engarde.trim_versions_v2(retention_days jsonb, forgetting jsonb, most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    trimmed integer;
begin
    with old as materialized (
        select v.tenant_id, v.content_id, v.version,
            coalesce(engarde.limit_of_v1(forgetting, t.plan_tier), 0) = 1 as forgotten
        from engarde.content_versions v
        join public.tenants t on t.id = v.tenant_id
        join public.content_items i on i.tenant_id = v.tenant_id and i.id = v.content_id
        where v.version < i.version
          and v.created_at < (clock_timestamp() at time zone 'utc')
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
alter function engarde.trim_versions_v2 owner to engarde_owner;
revoke all on function engarde.trim_versions_v2 from public;
grant execute on function engarde.trim_versions_v2 to engarde_actor;

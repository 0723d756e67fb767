-- Old versions are looked for in one part of the table after the other, not in all of it twice a minute.
--
-- Most versions that are old enough to go are the present ones of their items, so their age does not tell
-- what may go (0047): among 1,000,000 items each look read 69,000 pages, and ten times that among ten times
-- as many, while people wrote. The table is walked in the order of its pages, which is what reading ahead is
-- made for: https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-ENABLE-TIDSCAN

create table engarde.retention_walk (
    is_only boolean primary key default true check (is_only),
    page bigint not null default 0
);
comment on column engarde.retention_walk.page is 'Of content_versions: where the next look begins';
insert into engarde.retention_walk default values;
alter table engarde.retention_walk owner to engarde_owner;
grant select, update on engarde.retention_walk to engarde_actor;

drop index engarde.content_versions_age;

-- As version 2, but it looks at so many pages of the table; `is_through` says that these were the last, so
-- that the next look begins anew. Who looks while another one does goes on behind it.
create function engarde.trim_versions_v3(retention_days jsonb, forgetting jsonb, pages integer,
    out trimmed integer, out is_through boolean)
language plpgsql set search_path = pg_catalog set plan_cache_mode = force_custom_plan as $$
declare
    today timestamp := clock_timestamp() at time zone 'utc';
    oldest_kept timestamp := today - make_interval(days => (
        select min(d.value::integer) from jsonb_each_text(retention_days) d));
    first bigint;
    beyond bigint;
begin
    select w.page, w.page + pages into first, beyond from engarde.retention_walk w for update;
    is_through := beyond >= pg_relation_size('engarde.content_versions') / current_setting('block_size')::integer;
    update engarde.retention_walk w set page = case when is_through then 0 else beyond end;
    with old as materialized (
        select v.tenant_id, v.content_id, v.version,
            coalesce(engarde.limit_of_v1(forgetting, t.plan_tier), 0) = 1 as forgotten
        from (select * from engarde.content_versions w
              where w.ctid >= format('(%s,0)', first)::tid and w.ctid < format('(%s,0)', beyond)::tid
                and w.created_at < oldest_kept offset 0) v
        cross join lateral (
            select * from public.tenants o where o.id = v.tenant_id offset 0) t
        cross join lateral (
            select * from public.content_items n where n.tenant_id = v.tenant_id and n.id = v.content_id offset 0) i
        where v.version < i.version
          and v.created_at < today
              - make_interval(days => engarde.limit_of_v1(retention_days, t.plan_tier)::integer)
          and not exists (select from engarde.outbox o
                          where o.tenant_id = v.tenant_id and o.content_id = v.content_id)
          and not exists (select from engarde.content_versions k
                          where k.tenant_id = v.tenant_id and k.content_id = v.content_id
                            and k.version > v.version and k.body_version = v.version)
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
end $$;
alter function engarde.trim_versions_v3 owner to engarde_owner;
revoke all on function engarde.trim_versions_v3 from public;
grant execute on function engarde.trim_versions_v3 to engarde_actor;

-- What operators see at a glance: which daemons there are, how many versions, which tenants are near
-- their limits, and which jobs run; and keys that may look and do nothing.

-- One row a daemon, written anew every few seconds. `actors` is what it says of itself, for others to
-- show. All times are the database's, so that daemons need not agree on one.
create table engarde.daemons (
    id varchar(36) primary key,
    name varchar(255) not null,
    address varchar(300) not null,
    version varchar(50) not null,
    pid integer not null,
    started_at timestamptz not null default clock_timestamp(),
    last_seen timestamptz not null default clock_timestamp(),
    stopped_at timestamptz,
    actors json not null
) with (fillfactor = 50, autovacuum_vacuum_threshold = 500);

-- How many versions there are, without counting them: each statement that adds or removes some adds a
-- row of its own here, so that nobody waits for anybody, and rows are summed up now and then.
create table engarde.version_tally (
    id bigint generated always as identity primary key,
    versions bigint not null
) with (autovacuum_vacuum_threshold = 1000);

alter table engarde.daemons owner to engarde_owner;
alter table engarde.version_tally owner to engarde_owner;
grant select, insert, update, delete on engarde.daemons, engarde.version_tally to engarde_actor;

create function engarde.tally_versions_v1() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'INSERT' then
        insert into engarde.version_tally (versions) select count(*) from moved having count(*) > 0;
    else
        insert into engarde.version_tally (versions) select -count(*) from moved having count(*) > 0;
    end if;
    return null;
end $$;
alter function engarde.tally_versions_v1 owner to engarde_owner;
revoke all on function engarde.tally_versions_v1 from public;

-- The triggers' lock keeps writers out until this commits, so that what is counted is all there is.
create trigger versions_added after insert on engarde.content_versions
    referencing new table as moved for each statement execute function engarde.tally_versions_v1();
create trigger versions_removed after delete on engarde.content_versions
    referencing old table as moved for each statement execute function engarde.tally_versions_v1();
insert into engarde.version_tally (versions) select count(*) from engarde.content_versions;

-- Sum up some of the rows, where there are many. Rows that another daemon sums up are passed over.
create function engarde.sum_up_tally_v1(most integer) returns void
language sql set search_path = pg_catalog as $$
    with taken as (
        delete from engarde.version_tally t
        where t.id in (select o.id from engarde.version_tally o order by o.id limit most for update skip locked)
          and (select count(*) from (select from engarde.version_tally limit 64) s) = 64
        returning t.versions
    )
    insert into engarde.version_tally (versions) select sum(k.versions) from taken k having count(*) > 0
$$;
alter function engarde.sum_up_tally_v1 owner to engarde_owner;
revoke all on function engarde.sum_up_tally_v1 from public;
grant execute on function engarde.sum_up_tally_v1 to engarde_actor;

-- The few that are near their limits; whoever is far from them is in no index, which costs no write.
create index if not exists content_storage_usage_near_limit
    on public.content_storage_usage (warning_level) where warning_level <> 'normal';

create index if not exists content_generation_jobs_newest
    on public.content_generation_jobs (created_at desc, id desc) where spec is not null;
create index if not exists content_generation_jobs_alive
    on public.content_generation_jobs (created_at desc, id desc)
    where status in ('pending', 'running') and spec is not null;
create index generation_items_failed on engarde.generation_items (tenant_id, job_id) where state = 'failed';

-- A key that may look at whatever its role may, and do nothing.
alter table engarde.api_keys add column read_only boolean not null default false;
grant select (read_only) on engarde.api_keys to engarde_api;

create function engarde.find_api_key_v3(key text)
returns table (tenant_id text, brand_id text, brand_ids text[], user_id text, role text, read_only boolean,
               secret_sha256 bytea)
language sql stable security definer set search_path = pg_catalog as $$
    select k.tenant_id, k.brand_id, k.brand_ids, k.user_id, k.role, k.read_only, k.secret_sha256
    from engarde.api_keys k
    where k.id = key and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
$$;
alter function engarde.find_api_key_v3 owner to engarde_owner;
revoke all on function engarde.find_api_key_v3 from public;
grant execute on function engarde.find_api_key_v3 to engarde_api;

create index if not exists tenants_by_name on public.tenants (name, id);

-- Tenants with their usage. Planned for each call: a null filter and an order that is not wanted fold
-- away, and what remains walks an index or keeps no more than the page while it sorts.
create function engarde.list_tenants_v1(
    limits jsonb, wanted_level text, wanted_plan text, sought text, sort text, size integer, skip integer)
returns table (tenant_id text, name text, plan text, items bigint, media_files bigint, used_bytes bigint,
               pending_bytes bigint, level text, limit_bytes bigint)
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
    return query
    select t.id::text, t.name::text, t.plan_tier::text, coalesce(u.total_content_items, 0)::bigint,
        coalesce(u.total_media_files, 0)::bigint,
        coalesce(u.total_storage_bytes + u.total_media_storage_bytes, 0)::bigint as used,
        coalesce(u.pending_bytes, 0)::bigint, coalesce(u.warning_level, 'normal')::text,
        engarde.limit_of_v1(limits, t.plan_tier)
    from public.tenants t left join public.content_storage_usage u on u.tenant_id = t.id
    where (wanted_level is null or u.warning_level = wanted_level
           or wanted_level = 'normal' and u.tenant_id is null)
      and (wanted_plan is null or t.plan_tier = wanted_plan)
      and (sought is null or t.id = sought or strpos(lower(t.name), lower(sought)) > 0)
    order by
        case sort when '-used_bytes' then -coalesce(u.total_storage_bytes + u.total_media_storage_bytes, 0) end,
        case sort when '-usage' then
            -coalesce(u.total_storage_bytes + u.total_media_storage_bytes + u.pending_bytes, 0)::float8
            / nullif(engarde.limit_of_v1(limits, t.plan_tier), 0) end nulls last,
        case sort when 'name' then t.name end,
        t.id
    limit size offset skip;
end $$;

create function engarde.count_tenants_v1(wanted_level text, wanted_plan text, sought text) returns bigint
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_custom_plan as $$
begin
    return (
        select count(*)
        from public.tenants t left join public.content_storage_usage u on u.tenant_id = t.id
        where (wanted_level is null or u.warning_level = wanted_level
               or wanted_level = 'normal' and u.tenant_id is null)
          and (wanted_plan is null or t.plan_tier = wanted_plan)
          and (sought is null or t.id = sought or strpos(lower(t.name), lower(sought)) > 0)
    );
end $$;
alter function engarde.list_tenants_v1 owner to engarde_owner;
alter function engarde.count_tenants_v1 owner to engarde_owner;
revoke all on function engarde.list_tenants_v1, engarde.count_tenants_v1 from public;
grant execute on function engarde.list_tenants_v1, engarde.count_tenants_v1 to engarde_actor;

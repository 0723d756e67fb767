-- Access: keys with an end and a scope, who did what, brands' voices and campaign spaces.

-- A key without `brand_ids` is for every brand of its tenant.
alter table engarde.api_keys
    add column brand_ids varchar(36)[] check (cardinality(brand_ids) > 0),
    add column expires_at timestamptz,
    add column last_used_at timestamptz,
    add column created_by varchar(36);

-- Who did what. Rows are only added, and go as a whole when they are too old.
create table engarde.audit_log (
    tenant_id varchar(36) not null,
    id varchar(36) not null,
    at timestamptz not null,
    principal_id varchar(36) not null,
    user_id varchar(36) not null,
    role varchar(10) not null,
    operation varchar(60) not null,
    subject_id varchar(100),
    status smallint not null,
    request_id varchar(64) not null,
    address varchar(45) not null,
    primary key (tenant_id, id)
) with (autovacuum_vacuum_scale_factor = 0.02);
create index audit_log_page on engarde.audit_log (tenant_id, at desc, id desc);
create index audit_log_subject on engarde.audit_log (tenant_id, subject_id, at desc, id desc);
-- Rows lie in the order in which they came, so a few pages tell which are old.
create index audit_log_age on engarde.audit_log using brin (at);

-- How each brand speaks; the version is its entity tag.
create table engarde.brand_voices (
    tenant_id varchar(36) not null,
    brand_id varchar(36) not null references public.brands (id) on delete cascade,
    version integer not null check (version > 0),
    profile json not null,
    updated_by varchar(36) not null,
    updated_at timestamptz not null,
    primary key (tenant_id, brand_id)
);

create index if not exists brand_members_of_user on public.brand_members (user_id, tenant_id);
create index if not exists campaign_spaces_page
    on public.campaign_spaces (tenant_id, created_at desc, id desc) where deleted_at is null;

-- The same guard as in 0003.
do $$
declare
    guarded text;
    platform_role text;
begin
    foreach guarded in array array[
        'engarde.audit_log', 'engarde.brand_voices', 'public.campaign_spaces', 'public.campaign_assets'
    ] loop
        if guarded like 'engarde.%' then
            execute format('alter table %s owner to engarde_owner', guarded);
        end if;
        if (select not relrowsecurity from pg_class where oid = guarded::regclass) then
            for platform_role in
                select distinct case grantee when 0 then 'public' else quote_ident(grantee::regrole::text) end
                from pg_class, aclexplode(relacl)
                where oid = guarded::regclass
                  and grantee not in (select oid from pg_roles where rolname like 'engarde\_%')
                  and grantee <> relowner
            loop
                execute format('create policy %I on %s to %s using (true) with check (true)',
                    'platform_' || md5(platform_role), guarded, platform_role);
            end loop;
            execute format('alter table %s enable row level security', guarded);
        end if;
        if (select relowner = 'engarde_owner'::regrole from pg_class where oid = guarded::regclass) then
            execute format('alter table %s force row level security', guarded);
        end if;
        execute format(
            'create policy tenant_guard on %s as restrictive to engarde_api '
            'using (tenant_id = current_setting(''app.tenant_id'', true)) '
            'with check (tenant_id = current_setting(''app.tenant_id'', true))', guarded);
        execute format(
            'create policy daemon_access on %s to engarde_owner, engarde_api, engarde_actor '
            'using (true) with check (true)', guarded);
        execute format('grant select, insert, update, delete on %s to engarde_actor, engarde_owner', guarded);
    end loop;
end $$;
revoke update on engarde.audit_log from engarde_actor;

-- Readers see everything of a key but what proves it.
grant select (id, tenant_id, brand_id, brand_ids, user_id, role, name, created_at, created_by, expires_at,
    last_used_at, revoked_at) on engarde.api_keys to engarde_api;
grant select on engarde.audit_log, engarde.brand_voices, public.campaign_spaces to engarde_api;
grant select on public.brand_members to engarde_actor, engarde_owner;

-- Who a key belongs to: asked before the tenant is known.
create function engarde.find_api_key_v2(key text)
returns table (tenant_id text, brand_id text, brand_ids text[], user_id text, role text, secret_sha256 bytea)
language sql stable security definer set search_path = pg_catalog as $$
    select k.tenant_id, k.brand_id, k.brand_ids, k.user_id, k.role, k.secret_sha256
    from engarde.api_keys k
    where k.id = key and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
$$;

-- The brands a user is an active member of, and how many its tenant has in all.
create function engarde.memberships_v1(tenant text, member text)
returns table (brand_id text, role text, brands_of_tenant bigint)
language sql stable security definer set search_path = pg_catalog as $$
    select m.brand_id, m.role::text, (select count(*) from public.brands a where a.tenant_id = tenant)
    from public.brand_members m
    join public.brands b on b.id = m.brand_id and b.tenant_id = tenant
    where m.tenant_id = tenant and m.user_id = member and m.is_active
    order by m.brand_id
$$;

create function engarde.brands_v1(tenant text) returns table (id text, name text)
language sql stable security definer set search_path = pg_catalog as $$
    select b.id, b.name from public.brands b where b.tenant_id = tenant order by b.name, b.id
$$;

-- The brands of items, trashed ones too. Many callers' items at once: the pairs may belong to
-- several tenants, and each is answered as if it had come alone.
create function engarde.brands_of_items_v1(tenants text[], ids text[])
returns table (slot integer, brand_id text)
language plpgsql as $$
begin
    for n in 1 .. cardinality(ids) loop
        perform set_config('app.tenant_id', tenants[n], true);
        return query
        select n, coalesce(i.brand_id, '')::text from public.content_items i
        where i.tenant_id = tenants[n] and i.id = ids[n];
    end loop;
end $$;

-- Keys of the tenant, the newest first: one of them, or those for these brands alone and of these
-- roles. Null brands are all of them, and then keys for the whole tenant count too.
create function engarde.list_api_keys_v1(
    tenant text, wanted text, brands text[], roles text[], before_at timestamptz, before_id text, size integer)
returns table (key_id text, brand_id text, brand_ids text[], user_id text, role text, name text,
               created_at timestamptz, created_by text, expires_at timestamptz, last_used_at timestamptz,
               revoked_at timestamptz)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select k.id::text, k.brand_id::text, k.brand_ids::text[], k.user_id::text, k.role::text, k.name::text,
        k.created_at, k.created_by::text, k.expires_at, k.last_used_at, k.revoked_at
    from engarde.api_keys k
    where k.tenant_id = tenant
      and (wanted is null or k.id = wanted)
      and (brands is null or k.brand_ids::text[] <@ brands)
      and k.role = any (roles)
      and (before_at is null or (k.created_at, k.id) < (before_at, before_id::varchar))
    order by k.created_at desc, k.id desc limit size;
end $$;

create function engarde.list_audit_v1(
    tenant text, who text, principal text, op text, subject text, request text, status_from integer,
    since timestamptz, until timestamptz, before_at timestamptz, before_id text, size integer)
returns setof engarde.audit_log
language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select * from engarde.audit_log a
    where a.tenant_id = tenant
      and (who is null or a.user_id = who)
      and (principal is null or a.principal_id = principal)
      and (op is null or a.operation = op)
      and (subject is null or a.subject_id = subject)
      and (request is null or a.request_id = request)
      and (status_from is null or a.status >= status_from)
      and (since is null or a.at >= since)
      and (until is null or a.at <= until)
      and (before_at is null or (a.at, a.id) < (before_at, before_id::varchar))
    order by a.at desc, a.id desc limit size;
end $$;

create type engarde.campaign_space as (
    id text,
    brand_id text,
    user_id text,
    campaign_name text,
    platform text,
    external_campaign_id text,
    created_at timestamptz,
    updated_at timestamptz
);

-- Times get their zone by a cast: sessions keep UTC, and a platform that kept zones is right too.
create function engarde.campaign_space_of(s public.campaign_spaces) returns engarde.campaign_space
language sql stable as $$
    select row(s.id, s.brand_id, s.user_id, s.campaign_name, s.platform::text, s.external_campaign_id,
        s.created_at::timestamptz, s.updated_at::timestamptz)::engarde.campaign_space
$$;

-- Many callers' spaces at once, each answered as if it had come alone.
create function engarde.read_campaign_spaces_v1(tenants text[], ids text[])
returns table (slot integer, space engarde.campaign_space)
language plpgsql as $$
begin
    for n in 1 .. cardinality(ids) loop
        perform set_config('app.tenant_id', tenants[n], true);
        return query
        select n, engarde.campaign_space_of(s) from public.campaign_spaces s
        where s.tenant_id = tenants[n] and s.id = ids[n] and s.deleted_at is null;
    end loop;
end $$;

-- A page, newest first; a space without a brand is every brand's, and null brands are all of them.
create function engarde.list_campaign_spaces_v1(
    tenant text, brands text[], wanted text, before_at timestamptz, before_id text, size integer)
returns setof engarde.campaign_space
language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select shown.* from public.campaign_spaces s, engarde.campaign_space_of(s) shown
    where s.tenant_id = tenant and s.deleted_at is null
      and (brands is null or s.brand_id is null or s.brand_id = any (brands))
      and (wanted is null or s.platform::text = wanted)
      and (before_at is null or (s.created_at::timestamptz, s.id) < (before_at, before_id::varchar))
    order by s.created_at desc, s.id desc limit size;
end $$;

create function engarde.read_voice_v1(tenant text, brand text)
returns setof engarde.brand_voices
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query select * from engarde.brand_voices v where v.tenant_id = tenant and v.brand_id = brand;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('find_api_key_v2', 'memberships_v1', 'brands_v1', 'brands_of_items_v1',
                            'list_api_keys_v1', 'list_audit_v1', 'campaign_space_of',
                            'read_campaign_spaces_v1', 'list_campaign_spaces_v1', 'read_voice_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_api, engarde_actor', f);
    end loop;
end $$;
alter type engarde.campaign_space owner to engarde_owner;

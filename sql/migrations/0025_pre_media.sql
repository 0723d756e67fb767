-- Media files. Their bytes lie in an object store; what is true of them is decided here.
--
-- An upload writes its intent down first and stores its bytes then; one transaction turns the intent
-- into a file and the room reserved for it into room used. Bytes are removed only after their intent
-- was `abandoned`, from where it never comes back: so nothing that was acknowledged is swept, however
-- late a sweeper or a writer is.

create table engarde.media_files (
    id varchar(36) not null,
    tenant_id varchar(36) not null,
    brand_id varchar(36) not null,
    user_id varchar(36) not null,
    content_id varchar(36),
    file_name varchar(255) not null,
    file_type varchar(10) not null check (file_type in ('image', 'video', 'audio', 'document')),
    mime_type varchar(100) not null,
    file_size_bytes bigint not null check (file_size_bytes > 0),
    sha256 varchar(64) not null check (length(sha256) = 64),
    storage_provider varchar(20) not null check (storage_provider in ('gcs', 's3', 'zerodb_binary', 'file')),
    storage_path varchar(300) not null,
    public_url text,
    cdn_url text,
    media_metadata json not null default '{}',
    processing_status varchar(10) not null default 'pending'
        check (processing_status in ('pending', 'processing', 'ready', 'failed')),
    failure varchar(300) check ((failure is not null) = (processing_status = 'failed')),
    bigquery_synced boolean not null default false,
    attempts integer not null default 0,
    lease_token integer not null default 0,
    leased_until timestamptz not null default '-infinity',
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, id)
);
create index media_files_page on engarde.media_files (tenant_id, created_at desc, id desc);
create index media_files_content on engarde.media_files (tenant_id, content_id) where content_id is not null;
create index media_files_waiting on engarde.media_files (leased_until)
    where processing_status in ('pending', 'processing');

create table engarde.media_uploads (
    id varchar(36) primary key,
    tenant_id varchar(36) not null,
    media_id varchar(36) not null,
    storage_path varchar(300) not null,
    state varchar(10) not null default 'pending' check (state in ('pending', 'committed', 'abandoned')),
    reservations varchar(36)[] not null default '{}',
    leased_until timestamptz not null,
    sweeps integer not null default 0,
    sweep_due_at timestamptz not null default '-infinity',
    created_at timestamptz not null default clock_timestamp()
);
create unique index media_uploads_media on engarde.media_uploads (tenant_id, media_id) where state <> 'abandoned';
create index media_uploads_overdue on engarde.media_uploads (leased_until) where state = 'pending';
create index media_uploads_sweep on engarde.media_uploads (sweep_due_at) where state = 'abandoned';

do $$
declare
    guarded text;
begin
    foreach guarded in array array['engarde.media_files', 'engarde.media_uploads'] loop
        execute format('alter table %s owner to engarde_owner', guarded);
        execute format('alter table %s enable row level security', guarded);
        execute format('alter table %s force row level security', guarded);
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
grant select on engarde.media_files to engarde_api;

-- What the platform counted as media before the daemon kept any: it goes on counting.
alter table public.content_storage_usage
    add column if not exists platform_media_files integer not null default 0,
    add column if not exists platform_media_bytes bigint not null default 0;
update public.content_storage_usage
set platform_media_files = coalesce(total_media_files, 0),
    platform_media_bytes = coalesce(total_media_storage_bytes, 0);
comment on column public.content_storage_usage.platform_media_files is 'Media files that were counted before the daemon kept any';

-- Locks come in the order of every ledger function: the tenant's usage row, then the rest.
create function engarde.lock_usage_v1(tenant text) returns void
language plpgsql set search_path = pg_catalog as $$
begin
    perform from public.content_storage_usage u where u.tenant_id = tenant for update;
    if not found then
        insert into public.content_storage_usage (tenant_id)
        select t.id from public.tenants t where t.id = tenant on conflict do nothing;
        perform from public.content_storage_usage u where u.tenant_id = tenant for update;
    end if;
end $$;

create function engarde.count_media_v1(tenant text, files integer, bytes bigint) returns void
language sql set search_path = pg_catalog as $$
    update public.content_storage_usage u
    set total_media_files = coalesce(u.total_media_files, 0) + files,
        total_media_storage_bytes = coalesce(u.total_media_storage_bytes, 0) + bytes,
        updated_at = clock_timestamp() at time zone 'utc'
    where u.tenant_id = tenant
$$;

-- End an intent that is still open, and give back what was reserved for it.
create function engarde.abandon_upload_v1(tenant text, upload text, only_overdue boolean, limits jsonb)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    held varchar(36)[];
begin
    perform engarde.lock_usage_v1(tenant);
    update engarde.media_uploads m set state = 'abandoned', sweep_due_at = clock_timestamp()
    where m.id = upload and m.tenant_id = tenant and m.state = 'pending'
      and (not only_overdue or m.leased_until <= clock_timestamp())
    returning m.reservations into held;
    if not found then
        return false;
    end if;
    if cardinality(held) > 0 then
        perform engarde.ledger_apply_v1(
            (select jsonb_agg(jsonb_build_object('verb', 'release', 'id', h, 'tenant_id', tenant,
                                                 'resource', 'storage', 'amount', 0))
             from unnest(held) h), limits, '{}');
    end if;
    return true;
end $$;

-- Begin an upload: begun, kept (the file is there already) or busy (another is at it).
create function engarde.begin_upload_v1(
    tenant text, upload text, media text, path text, lease_s double precision, limits jsonb)
returns text language plpgsql set search_path = pg_catalog as $$
declare
    other engarde.media_uploads;
begin
    perform engarde.lock_usage_v1(tenant);
    select * into other from engarde.media_uploads m
    where m.tenant_id = tenant and m.media_id = media and m.state <> 'abandoned';
    if other.state = 'committed' then
        return 'kept';
    elsif other.state = 'pending' and not engarde.abandon_upload_v1(tenant, other.id, true, limits) then
        return 'busy';
    end if;
    insert into engarde.media_uploads (id, tenant_id, media_id, storage_path, leased_until)
    values (upload, tenant, media, path, clock_timestamp() + make_interval(secs => lease_s));
    return 'begun';
end $$;

-- Turn an intent into a file. What each promise settles at adds up to the file's size.
create function engarde.keep_upload_v1(upload text, file jsonb, promises jsonb, limits jsonb)
returns text language plpgsql set search_path = pg_catalog as $$
declare
    f engarde.media_files;
    held bigint;
begin
    f := jsonb_populate_record(null::engarde.media_files, file);
    perform engarde.lock_usage_v1(f.tenant_id);
    if not exists (select from public.brands b where b.id = f.brand_id and b.tenant_id = f.tenant_id)
       or (f.content_id is not null and not exists (
            select from public.content_items i
            where i.id = f.content_id and i.tenant_id = f.tenant_id and i.deleted_at is null)) then
        return 'gone';
    end if;
    select coalesce(sum(r.amount), 0) into held from engarde.reservations r
    where r.tenant_id = f.tenant_id and r.state = 'pending' and r.expires_at > clock_timestamp()
      and r.id in (select p ->> 'id' from jsonb_array_elements(promises) p);
    if held < f.file_size_bytes then
        return 'lost';
    end if;
    update engarde.media_uploads m set state = 'committed'
    where m.id = upload and m.tenant_id = f.tenant_id and m.media_id = f.id and m.state = 'pending';
    if not found then
        return 'lost';
    end if;
    insert into engarde.media_files (
        id, tenant_id, brand_id, user_id, content_id, file_name, file_type, mime_type, file_size_bytes,
        sha256, storage_provider, storage_path)
    values (f.id, f.tenant_id, f.brand_id, f.user_id, f.content_id, f.file_name, f.file_type, f.mime_type,
        f.file_size_bytes, f.sha256, f.storage_provider, f.storage_path);
    perform engarde.count_media_v1(f.tenant_id, 1, f.file_size_bytes);
    -- Last, because this is where levels are looked at: with the bytes used and no longer reserved.
    perform engarde.ledger_apply_v1(promises, limits, '{}');
    return 'kept';
end $$;

-- Forget a file. Its bytes go when its upload is swept.
create function engarde.delete_media_v1(tenant text, media text) returns boolean
language plpgsql set search_path = pg_catalog as $$
declare
    gone engarde.media_files;
begin
    perform engarde.lock_usage_v1(tenant);
    delete from engarde.media_files f where f.tenant_id = tenant and f.id = media returning f.* into gone;
    if gone.id is null then
        return false;
    end if;
    if gone.processing_status <> 'failed' then
        perform engarde.count_media_v1(tenant, -1, -gone.file_size_bytes);
    end if;
    update engarde.media_uploads m set state = 'abandoned', sweep_due_at = clock_timestamp()
    where m.tenant_id = tenant and m.media_id = media and m.state = 'committed';
    return true;
end $$;

-- What an examination found, from the daemon that holds the case. A file that cannot be kept gives
-- its room back, and its bytes go.
create function engarde.settle_media_v1(tenant text, media text, token integer, properties json, reason text)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    settled engarde.media_files;
begin
    perform engarde.lock_usage_v1(tenant);
    update engarde.media_files f set
        processing_status = case when reason is null then 'ready' else 'failed' end,
        failure = left(reason, 300), media_metadata = properties, updated_at = clock_timestamp()
    where f.tenant_id = tenant and f.id = media and f.lease_token = token
      and f.processing_status = 'processing'
    returning f.* into settled;
    if settled.id is null then
        return false;
    end if;
    if reason is not null then
        perform engarde.count_media_v1(tenant, -1, -settled.file_size_bytes);
        -- The file stays the one that its idempotency key made; only its bytes go.
        insert into engarde.media_uploads (id, tenant_id, media_id, storage_path, state, leased_until, sweep_due_at)
        values (gen_random_uuid()::text, tenant, media, settled.storage_path, 'abandoned',
                clock_timestamp(), clock_timestamp());
    end if;
    return true;
end $$;

-- Claim files to examine. A case that took its daemon down again and again is claimed once more, to
-- be settled as failed by whoever reads `attempts`.
create function engarde.claim_media_v1(most integer, lease_s double precision)
returns setof engarde.media_files language sql set search_path = pg_catalog as $$
    with due as materialized (
        select f.tenant_id, f.id from engarde.media_files f
        where f.processing_status in ('pending', 'processing') and f.leased_until <= clock_timestamp()
        order by f.leased_until, f.created_at limit most for update skip locked
    )
    update engarde.media_files f
    set processing_status = 'processing', attempts = f.attempts + 1, lease_token = f.lease_token + 1,
        leased_until = clock_timestamp() + make_interval(secs => lease_s), updated_at = clock_timestamp()
    from due where f.tenant_id = due.tenant_id and f.id = due.id
    returning f.*
$$;

-- Some files of a tenant.
create function engarde.read_media_v1(tenant text, wanted text[]) returns setof engarde.media_files
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query select * from engarde.media_files f where f.tenant_id = tenant and f.id = any (wanted);
end $$;

-- A page of a tenant's files, newest first; null brands are all of them.
create function engarde.list_media_v1(tenant text, brands text[], before_at timestamptz, before_id text, size integer)
returns setof engarde.media_files language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select * from engarde.media_files f
    where f.tenant_id = tenant and (brands is null or f.brand_id = any (brands))
      and (before_at is null or (f.created_at, f.id) < (before_at, before_id::varchar))
    order by f.created_at desc, f.id desc limit size;
end $$;

-- As before, and the media files too.
create function engarde.quota_drift_v2(tenants text[])
returns table (tenant_id text, measure text, ledger bigint, actual bigint)
language sql stable set search_path = pg_catalog as $$
    with kept as (
        select f.tenant_id, count(*) as files, sum(f.file_size_bytes)::bigint as bytes
        from engarde.media_files f
        where f.processing_status <> 'failed' and f.tenant_id = any (tenants)
        group by f.tenant_id
    )
    select d.* from engarde.quota_drift_v1(tenants) d
    union all
    select u.tenant_id::text, m.measure, m.ledger, m.actual
    from public.content_storage_usage u
    left join kept on kept.tenant_id = u.tenant_id
    cross join lateral (values
        ('media files', coalesce(u.total_media_files, 0)::bigint,
            u.platform_media_files + coalesce(kept.files, 0)),
        ('media bytes', coalesce(u.total_media_storage_bytes, 0),
            u.platform_media_bytes + coalesce(kept.bytes, 0))
    ) m (measure, ledger, actual)
    where u.tenant_id = any (tenants) and m.ledger <> m.actual
$$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('lock_usage_v1', 'count_media_v1', 'abandon_upload_v1', 'begin_upload_v1',
                            'keep_upload_v1', 'delete_media_v1', 'settle_media_v1', 'claim_media_v1',
                            'read_media_v1', 'list_media_v1', 'quota_drift_v2')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
grant execute on function engarde.read_media_v1, engarde.list_media_v1 to engarde_api;

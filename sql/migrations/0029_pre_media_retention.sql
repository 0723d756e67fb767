-- Media files: told of in the archive, and forgotten when nothing needs them any more.
--
-- The archive gets a row when a file was kept, when its examination is over, and when it
-- was deleted. Each row is made in the transaction that it tells of.

create function engarde.owe_media_v1(f engarde.media_files, deleted timestamptz) returns void
language sql set search_path = pg_catalog as $$
    insert into engarde.archive_dues (table_name, tenant_id, content_id, row_id, at, archive_row)
    select 'content_media_snapshots', f.tenant_id, f.content_id, s.id, s.at,
        jsonb_build_object(
            'media_id', f.id, 'snapshot_id', s.id, 'tenant_id', f.tenant_id, 'brand_id', f.brand_id,
            'content_id', f.content_id, 'file_name', f.file_name, 'file_type', f.file_type,
            'mime_type', f.mime_type, 'file_size_bytes', f.file_size_bytes,
            'storage_provider', f.storage_provider, 'storage_path', f.storage_path,
            'public_url', f.public_url, 'media_metadata', f.media_metadata::jsonb,
            'snapshot_timestamp', s.at, 'media_created_at', f.created_at, 'sha256', f.sha256,
            'processing_status', f.processing_status, 'deleted_at', deleted)
    from (select gen_random_uuid()::text as id, clock_timestamp() as at) s
$$;

create function engarde.snapshot_media_v1() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'DELETE' then
        perform engarde.owe_media_v1(old, clock_timestamp());
    else
        perform engarde.owe_media_v1(new, null);
    end if;
    return null;
end $$;
create trigger snapshot_media after insert or delete on engarde.media_files
    for each row execute function engarde.snapshot_media_v1();
create trigger snapshot_examined_media after update on engarde.media_files
    for each row when (new.processing_status in ('ready', 'failed')
                       and new.processing_status is distinct from old.processing_status)
    execute function engarde.snapshot_media_v1();

-- Have every file told again, into an archive that is new or was lost.
create function engarde.backfill_media_v1() returns bigint
language sql set search_path = pg_catalog as $$
    select count(engarde.owe_media_v1(f, null)) from engarde.media_files f
$$;

-- Which media files a version shows. What is no list of texts shows none.
create function engarde.media_of_v1(details json) returns text[]
language plpgsql immutable set search_path = pg_catalog as $$
begin
    return array(select json_array_elements_text(details -> 'media'));
exception when data_exception or invalid_parameter_value then
    return '{}';
end $$;
create index content_versions_media on engarde.content_versions using gin (engarde.media_of_v1(details))
    where coalesce((details -> 'media')::text, '[]') <> '[]';

-- When it was last looked whether a file is still of use.
alter table engarde.media_files add column checked_at timestamptz not null default clock_timestamp();
create index media_files_check on engarde.media_files (checked_at);

-- Whether a file may go: it is examined, no content has it and no version shows it, live or trashed;
-- and it was of a content that was erased, or lies about for longer than its tenant's plan keeps things.
create function engarde.media_is_spent_v1(f engarde.media_files, retention_days jsonb) returns boolean
language sql stable set search_path = pg_catalog as $$
    select f.processing_status in ('ready', 'failed')
        and not exists (select from public.content_items i where i.tenant_id = f.tenant_id and i.id = f.content_id)
        and not exists (
            select from engarde.content_versions v
            where v.tenant_id = f.tenant_id and coalesce((v.details -> 'media')::text, '[]') <> '[]'
              and engarde.media_of_v1(v.details) @> array[f.id::text])
        and (f.content_id is not null or f.created_at < clock_timestamp() - make_interval(days => (
            select engarde.limit_of_v1(retention_days, t.plan_tier)::integer
            from public.tenants t where t.id = f.tenant_id)))
$$;

-- Forget a file if it still may go: nothing can begin to show it while its tenant's usage is locked.
create function engarde.expire_media_v1(tenant text, media text, retention_days jsonb) returns boolean
language plpgsql set search_path = pg_catalog as $$
begin
    perform engarde.lock_usage_v1(tenant);
    perform from engarde.media_files f
    where f.tenant_id = tenant and f.id = media and engarde.media_is_spent_v1(f, retention_days);
    return found and engarde.delete_media_v1(tenant, media);
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('owe_media_v1', 'snapshot_media_v1', 'backfill_media_v1',
                            'media_of_v1', 'media_is_spent_v1', 'expire_media_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
select engarde.backfill_media_v1();

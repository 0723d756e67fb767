-- `bigquery_synced` of a media file: whether the archive was told what is true of it now.

create index archive_dues_media on engarde.archive_dues (tenant_id, (archive_row ->> 'media_id'))
    where table_name = 'content_media_snapshots';

-- What an examination found is news to the archive.
create function engarde.unsync_media_v1() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    new.bigquery_synced := false;
    return new;
end $$;
create trigger unsync_examined_media before update on engarde.media_files
    for each row when (new.processing_status in ('ready', 'failed')
                       and new.processing_status is distinct from old.processing_status)
    execute function engarde.unsync_media_v1();

-- As before; and media files of which nothing more is to be told are synced.
create function engarde.finish_dues_v2(archive_table text, held integer, lease_s float8,
    stored bigint[], refused bigint[], reasons text[], advance bigint, stream_ends boolean)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    told jsonb;
begin
    select jsonb_agg(jsonb_build_object('tenant', d.tenant_id, 'media', d.archive_row ->> 'media_id')) into told
    from engarde.archive_dues d
    where d.id = any (stored) and d.table_name = 'content_media_snapshots';
    if not engarde.finish_dues_v1(archive_table, held, lease_s, stored, refused, reasons, advance, stream_ends) then
        return false;
    end if;
    if told is null then
        return true;
    end if;
    -- In one order, because whoever deletes a file may wait for it.
    perform from engarde.media_files f
    join jsonb_to_recordset(told) t (tenant text, media text) on f.tenant_id = t.tenant and f.id = t.media
    order by f.tenant_id, f.id for no key update of f;
    update engarde.media_files f set bigquery_synced = true
    from jsonb_to_recordset(told) t (tenant text, media text)
    where f.tenant_id = t.tenant and f.id = t.media and not f.bigquery_synced
      and not exists (select from engarde.archive_dues d
                      where d.table_name = 'content_media_snapshots' and d.tenant_id = f.tenant_id
                        and d.archive_row ->> 'media_id' = f.id);
    return true;
end $$;

-- As before; an archive that is new or was lost has been told of no file.
create function engarde.backfill_media_v2() returns bigint
language plpgsql set search_path = pg_catalog as $$
begin
    update engarde.media_files f set bigquery_synced = false where f.bigquery_synced;
    return engarde.backfill_media_v1();
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('unsync_media_v1', 'finish_dues_v2', 'backfill_media_v2')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;

-- Of files that the archive was told of before, nothing is owed any more.
update engarde.media_files f set bigquery_synced = true
where not exists (select from engarde.archive_dues d
                  where d.table_name = 'content_media_snapshots' and d.tenant_id = f.tenant_id
                    and d.archive_row ->> 'media_id' = f.id);

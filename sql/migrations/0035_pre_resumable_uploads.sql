-- Uploads that can be resumed. What came of one lies in parts, each written down once its bytes are
-- stored; when all are there they become one file in the way of every other upload.
--
-- The intent of such an upload waits for its next byte as long as `[media] resume_s` says. It is given
-- up and swept like any other, its parts too: when it was forgotten or ended, and when its file is kept.
-- The file has the id of the upload; its intent is of no file, for joining the parts has one of its own.

alter table engarde.media_uploads add column in_parts boolean not null default false;
create index media_uploads_in_parts on engarde.media_uploads (tenant_id) where in_parts and state = 'pending';

create table engarde.resumable_uploads (
    id varchar(36) primary key references engarde.media_uploads (id) on delete cascade,
    tenant_id varchar(36) not null,
    brand_id varchar(36) not null,
    user_id varchar(36) not null,
    content_id varchar(36),
    file_name varchar(255),
    claimed_type varchar(100),
    storage_path varchar(300) not null,
    length_bytes bigint not null check (length_bytes > 0),
    offset_bytes bigint not null default 0 check (offset_bytes between 0 and length_bytes),
    parts integer not null default 0,
    -- Counts those who came to append: only the last of them may.
    token integer not null default 0,
    outcome varchar(10) check (outcome in ('kept', 'refused')),
    failure varchar(300) check ((failure is not null) = (outcome is not distinct from 'refused')),
    join_due_at timestamptz not null default 'infinity',
    created_at timestamptz not null default clock_timestamp()
);
create index resumable_uploads_whole on engarde.resumable_uploads (join_due_at)
    where outcome is null and offset_bytes = length_bytes;

create table engarde.upload_parts (
    upload_id varchar(36) not null references engarde.resumable_uploads (id) on delete cascade,
    number integer not null,
    tenant_id varchar(36) not null,
    token integer not null,
    size_bytes bigint not null check (size_bytes > 0),
    primary key (upload_id, number)
);

do $$
declare
    guarded text;
begin
    foreach guarded in array array['engarde.resumable_uploads', 'engarde.upload_parts'] loop
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
grant select on engarde.media_uploads, engarde.resumable_uploads to engarde_api;

-- Begin an upload of known length; false where the tenant has so many under way already.
create function engarde.open_resumable_v1(upload jsonb, lasts_s double precision, most integer)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    u engarde.resumable_uploads;
begin
    u := jsonb_populate_record(null::engarde.resumable_uploads, upload);
    perform engarde.lock_usage_v1(u.tenant_id);
    if (select count(*) from engarde.media_uploads m
        where m.tenant_id = u.tenant_id and m.in_parts and m.state = 'pending') >= most then
        return false;
    end if;
    insert into engarde.media_uploads (id, tenant_id, media_id, storage_path, leased_until, in_parts)
    values (u.id, u.tenant_id, gen_random_uuid()::text, u.storage_path,
            clock_timestamp() + make_interval(secs => lasts_s), true);
    insert into engarde.resumable_uploads (
        id, tenant_id, brand_id, user_id, content_id, file_name, claimed_type, storage_path, length_bytes)
    values (u.id, u.tenant_id, u.brand_id, u.user_id, u.content_id, u.file_name, u.claimed_type,
        u.storage_path, u.length_bytes);
    return true;
end $$;

-- An upload that is under way or came to its end; one that was given up is not there.
create function engarde.read_resumable_v1(tenant text, upload text)
returns table (
    id varchar, tenant_id varchar, brand_id varchar, user_id varchar, content_id varchar,
    file_name varchar, claimed_type varchar, storage_path varchar, length_bytes bigint,
    offset_bytes bigint, parts integer, outcome varchar, failure varchar, expires_at timestamptz)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select r.id, r.tenant_id, r.brand_id, r.user_id, r.content_id, r.file_name, r.claimed_type,
        r.storage_path, r.length_bytes, r.offset_bytes, r.parts, r.outcome, r.failure, m.leased_until
    from engarde.resumable_uploads r join engarde.media_uploads m on m.id = r.id
    where r.tenant_id = tenant and m.tenant_id = tenant and r.id = upload
      and (r.outcome is not null or (m.state = 'pending' and m.leased_until > clock_timestamp()));
end $$;

-- Room that was promised to an upload and not used yet by any file.
create function engarde.promises_of_v1(tenant text, upload text) returns jsonb
language sql stable set search_path = pg_catalog as $$
    select coalesce(jsonb_agg(jsonb_build_object('reservation_id', v.id, 'amount_bytes', v.amount)), '[]')
    from engarde.media_uploads m join engarde.reservations v on v.id = any (m.reservations)
    where m.tenant_id = tenant and m.id = upload and v.tenant_id = tenant and v.state = 'pending'
$$;

-- Let someone append from this byte on, and nobody who came before. Answers with their token, or null.
create function engarde.hold_resumable_v1(tenant text, upload text, from_byte bigint, lasts_s double precision)
returns integer language plpgsql set search_path = pg_catalog as $$
declare
    held integer;
begin
    perform engarde.lock_usage_v1(tenant);
    update engarde.media_uploads m set leased_until = clock_timestamp() + make_interval(secs => lasts_s)
    where m.tenant_id = tenant and m.id = upload and m.state = 'pending' and m.leased_until > clock_timestamp()
      and exists (select from engarde.resumable_uploads r
                  where r.id = m.id and r.outcome is null and r.offset_bytes = from_byte);
    if not found then
        return null;
    end if;
    update engarde.resumable_uploads r set token = r.token + 1 where r.id = upload returning r.token into held;
    return held;
end $$;

-- Note parts that are stored. False if someone else came to append, or the upload was given up.
-- What was promised to it lasts as long from now on; an upload that is whole is soon to be joined.
create function engarde.advance_resumable_v1(
    tenant text, upload text, held integer, sizes bigint[], lasts_s double precision, ttl_s double precision,
    join_s double precision)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    noted integer;
begin
    perform engarde.lock_usage_v1(tenant);
    update engarde.media_uploads m set leased_until = clock_timestamp() + make_interval(secs => lasts_s)
    where m.tenant_id = tenant and m.id = upload and m.state = 'pending';
    if not found then
        return false;
    end if;
    update engarde.resumable_uploads r
    set offset_bytes = r.offset_bytes + (select sum(s) from unnest(sizes) s),
        parts = r.parts + cardinality(sizes),
        join_due_at = clock_timestamp() + make_interval(secs => join_s)
    where r.id = upload and r.token = held and r.outcome is null
    returning r.parts into noted;
    if not found then
        return false;
    end if;
    insert into engarde.upload_parts (upload_id, number, tenant_id, token, size_bytes)
    select upload, noted - cardinality(sizes) + s.place, tenant, held, s.size
    from unnest(sizes) with ordinality s (size, place);
    update engarde.reservations v set expires_at = clock_timestamp() + make_interval(secs => ttl_s)
    from engarde.media_uploads m
    where m.id = upload and v.id = any (m.reservations) and v.tenant_id = tenant and v.state = 'pending';
    return true;
end $$;

-- End an upload: its parts are to go, and the room that no file took is free again. Without an
-- outcome it is as if it had never been.
create function engarde.end_resumable_v1(tenant text, upload text, became text, reason text, limits jsonb)
returns boolean language plpgsql set search_path = pg_catalog as $$
begin
    perform engarde.lock_usage_v1(tenant);
    update engarde.resumable_uploads r set outcome = became, failure = left(reason, 300)
    where r.tenant_id = tenant and r.id = upload and r.outcome is null;
    return found and engarde.abandon_upload_v1(tenant, upload, false, limits);
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('open_resumable_v1', 'read_resumable_v1', 'promises_of_v1', 'hold_resumable_v1',
                            'advance_resumable_v1', 'end_resumable_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
grant execute on function engarde.read_resumable_v1 to engarde_api;

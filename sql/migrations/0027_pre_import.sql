-- Imports of campaigns: jobs, the assets of each, and the files that came with them.
--
-- One daemon works on an import at a time, by lease; every word it writes down names its epoch, so that
-- a late one changes nothing. Locks come in the order of the ledger: a tenant's usage row, then the
-- import's, then its items, then the platform's own tables.

create table engarde.import_jobs (
    id varchar(36) primary key,
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    brand_id varchar(36) not null,
    user_id varchar(36) not null,
    campaign_space_id varchar(36) not null,
    platform varchar(20) not null check (platform in ('google_ads', 'meta', 'file')),
    external_campaign_id varchar(255) not null,
    spec json not null,
    fingerprint varchar(64) not null,
    status varchar(10) not null default 'pending'
        check (status in ('receiving', 'pending', 'running', 'completed', 'failed', 'cancelled')),
    stage varchar(12) not null default 'listing' check (stage in ('listing', 'assets', 'performance')),
    -- Where the stage goes on.
    cursor varchar(4096),
    estimated_assets integer not null default 0,
    total_assets integer not null default 0,
    imported integer not null default 0,
    updated integer not null default 0,
    unchanged integer not null default 0,
    skipped integer not null default 0,
    failed integer not null default 0,
    performance_rows bigint not null default 0,
    error_message varchar(500),
    waiting_reason varchar(500),
    -- The claim: who holds it, and until when. A late holder has an epoch that has moved on.
    epoch integer not null default 0,
    leased_until timestamptz not null default '-infinity',
    due_at timestamptz not null default '-infinity',
    attempts integer not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    completed_at timestamptz,
    check ((status in ('completed', 'failed')) <= (completed_at is not null))
) with (fillfactor = 60);
create index import_jobs_live on engarde.import_jobs (leased_until) where completed_at is null;
create index import_jobs_page on engarde.import_jobs (tenant_id, created_at desc, id desc);

create table engarde.import_items (
    tenant_id varchar(36) not null,
    job_id varchar(36) not null references engarde.import_jobs (id) on delete cascade,
    number integer not null check (number > 0),
    external_id varchar(255) not null,
    asset jsonb not null,
    figures jsonb,
    state varchar(10) not null default 'pending'
        check (state in ('pending', 'imported', 'updated', 'unchanged', 'skipped', 'failed', 'cancelled')),
    attempts integer not null default 0,
    due_at timestamptz not null default '-infinity',
    content_id varchar(36),
    reason varchar(500),
    ended_at timestamptz,
    primary key (tenant_id, job_id, number),
    unique (tenant_id, job_id, external_id),
    check (state not in ('imported', 'updated', 'unchanged') or content_id is not null),
    check (state <> 'failed' or reason is not null)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
create index import_items_pending on engarde.import_items (tenant_id, job_id, number) where state = 'pending';

-- Which file of ours a platform's picture or video is. Several may be one, where their bytes are the same.
create table engarde.import_media (
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    brand_id varchar(36) not null,
    platform varchar(20) not null,
    identity varchar(64) not null,
    media_id varchar(36) not null,
    sha256 varchar(64) not null,
    primary key (tenant_id, brand_id, platform, identity)
);
create index import_media_bytes on engarde.import_media (tenant_id, brand_id, sha256);

create index if not exists campaign_assets_external
    on public.campaign_assets (tenant_id, campaign_space_id, external_asset_id);

do $$
declare
    guarded text;
begin
    foreach guarded in array array['engarde.import_jobs', 'engarde.import_items', 'engarde.import_media'] loop
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
grant select on engarde.import_jobs, engarde.import_items, public.campaign_assets to engarde_api;

-- Make an import. Answers: created, exists (the same request made it before), reused, busy.
create function engarde.begin_import_v1(draft jsonb, most integer) returns text
language plpgsql set search_path = pg_catalog as $$
declare
    d engarde.import_jobs;
    j engarde.import_jobs;
begin
    d := jsonb_populate_record(null::engarde.import_jobs, draft);
    perform engarde.lock_usage_v1(d.tenant_id);
    select * into j from engarde.import_jobs x where x.id = d.id;
    if found then
        return case when j.tenant_id = d.tenant_id and j.fingerprint = d.fingerprint then 'exists' else 'reused' end;
    elsif (select count(*) from engarde.import_jobs x
           where x.tenant_id = d.tenant_id and x.completed_at is null) >= most then
        return 'busy';
    end if;
    insert into engarde.import_jobs (id, tenant_id, brand_id, user_id, campaign_space_id, platform,
        external_campaign_id, spec, fingerprint, status, stage, estimated_assets, leased_until)
    values (d.id, d.tenant_id, d.brand_id, d.user_id, d.campaign_space_id, d.platform, d.external_campaign_id,
        d.spec, d.fingerprint, d.status, 'listing', d.estimated_assets,
        case when d.status = 'receiving' then clock_timestamp() + interval '5 minutes' else '-infinity' end);
    return 'created';
end $$;

-- Add assets and figures to an import whose row the caller holds. One that is listed twice is one: the
-- first word on it stands, and its figures add up.
create function engarde.add_import_items_v1(j engarde.import_jobs, assets jsonb, figures jsonb) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    added integer;
begin
    insert into engarde.import_items (tenant_id, job_id, number, external_id, asset)
    select j.tenant_id, j.id, j.total_assets + row_number() over (order by n.place), n.external_id, n.asset
    from (select distinct on (a ->> 'external_id') a ->> 'external_id' as external_id, a as asset, place
          from jsonb_array_elements(assets) with ordinality x (a, place)
          order by a ->> 'external_id', place) n
    where not exists (select from engarde.import_items i
                      where i.tenant_id = j.tenant_id and i.job_id = j.id and i.external_id = n.external_id);
    get diagnostics added = row_count;
    update engarde.import_items i set figures = coalesce(i.figures, '[]') || n.figures
    from (select f ->> 'external_id' as external_id, jsonb_agg(f) as figures
          from jsonb_array_elements(figures) f group by 1) n
    where i.tenant_id = j.tenant_id and i.job_id = j.id and i.external_id = n.external_id;
    return added;
end $$;

-- A part of an export. With the last one the import begins.
create function engarde.receive_import_v1(tenant text, job text, assets jsonb, figures jsonb, is_last boolean)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    j engarde.import_jobs;
begin
    select * into j from engarde.import_jobs x
    where x.tenant_id = tenant and x.id = job and x.status = 'receiving' for update;
    if not found then
        return false;
    end if;
    j.total_assets := j.total_assets + engarde.add_import_items_v1(j, assets, figures);
    update engarde.import_jobs x
    set total_assets = j.total_assets, estimated_assets = j.total_assets,
        status = case when is_last then 'pending' else 'receiving' end,
        stage = case when is_last then 'assets' else x.stage end,
        leased_until = case when is_last then '-infinity'::timestamptz
                       else clock_timestamp() + interval '5 minutes' end
    where x.id = job;
    return true;
end $$;

-- Lease imports, fairly: whoever holds fewest comes first, then the older import. A cancelled one is
-- leased once more, to be ended; one that was being received and is heard of no more, too.
create function engarde.claim_imports_v1(most integer, lease_s double precision)
returns setof engarde.import_jobs language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    with waiting as materialized (
        select x.id, x.created_at,
            row_number() over (partition by x.tenant_id order by x.created_at)
                + (select count(*) from engarde.import_jobs h
                   where h.tenant_id = x.tenant_id and h.completed_at is null
                     and h.leased_until > clock_timestamp()) as turn
        from engarde.import_jobs x
        where x.completed_at is null and x.leased_until <= clock_timestamp()
          and (x.status in ('cancelled', 'receiving') or x.due_at <= clock_timestamp()
               and not exists (select from engarde.credentials c
                   where c.tenant_id = x.tenant_id and c.provider = x.platform and c.paused_reason is not null))
    ), chosen as materialized (
        select w.id from waiting w order by w.turn, w.created_at limit most
    ), locked as materialized (
        select x.id from engarde.import_jobs x join chosen c on c.id = x.id
        where x.completed_at is null and x.leased_until <= clock_timestamp()
        for update of x skip locked
    )
    update engarde.import_jobs j
    set epoch = j.epoch + 1, leased_until = clock_timestamp() + make_interval(secs => lease_s),
        status = case j.status when 'pending' then 'running' when 'receiving' then 'cancelled' else j.status end,
        error_message = case j.status when 'receiving' then 'The upload of the export broke off.'
                        else j.error_message end,
        started_at = coalesce(j.started_at, clock_timestamp()), waiting_reason = null
    from locked l where j.id = l.id
    returning j.*;
end $$;

-- The import, held for this transaction, if this epoch is still the one that holds it.
create function engarde.held_import_v1(job text, held integer) returns engarde.import_jobs
language sql set search_path = pg_catalog as $$
    select x.* from engarde.import_jobs x where x.id = job and x.epoch = held and x.completed_at is null
    for update
$$;

create function engarde.list_import_v1(job text, held integer, assets jsonb, next_cursor text, is_last boolean)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    j engarde.import_jobs := engarde.held_import_v1(job, held);
    added integer;
begin
    if j.id is null then
        return false;
    end if;
    added := engarde.add_import_items_v1(j, assets, '[]');
    update engarde.import_jobs x
    set total_assets = x.total_assets + added, attempts = 0, cursor = next_cursor,
        stage = case when is_last then 'assets' else x.stage end
    where x.id = job;
    return true;
end $$;

-- Write down what became of an asset, and where it is content, in the platform's own table too.
create function engarde.note_import_v1(job text, held integer, step jsonb, kept jsonb) returns boolean
language plpgsql set search_path = pg_catalog as $$
declare
    j engarde.import_jobs := engarde.held_import_v1(job, held);
    outcome text := step ->> 'state';
begin
    if j.id is null then
        return false;
    end if;
    update engarde.import_items i
    set state = outcome, attempts = i.attempts + 1, content_id = step ->> 'content_id', reason = step ->> 'reason',
        due_at = clock_timestamp() + make_interval(secs => (step ->> 'wait_s')::double precision),
        ended_at = case when outcome <> 'pending' then clock_timestamp() end
    where i.tenant_id = j.tenant_id and i.job_id = job and i.number = (step ->> 'number')::integer
      and i.state = 'pending';
    if not found then
        return false;
    end if;
    update engarde.import_jobs x
    set imported = x.imported + (outcome = 'imported')::integer,
        updated = x.updated + (outcome = 'updated')::integer,
        unchanged = x.unchanged + (outcome = 'unchanged')::integer,
        skipped = x.skipped + (outcome = 'skipped')::integer,
        failed = x.failed + (outcome = 'failed')::integer
    where x.id = job;
    if kept is not null then
        perform engarde.keep_campaign_asset_v1(j, kept);
    end if;
    return true;
end $$;

-- The platform's own row of an asset has the id of its content, as the migration of old assets has it.
create function engarde.keep_campaign_asset_v1(j engarde.import_jobs, kept jsonb) returns void
language plpgsql set search_path = pg_catalog as $$
declare
    k public.campaign_assets;
    file engarde.media_files;
begin
    k := jsonb_populate_record(null::public.campaign_assets, kept - 'tags');
    select * into file from engarde.media_files f where f.tenant_id = j.tenant_id and f.id = kept ->> 'media_id';
    insert into public.campaign_assets as a (id, campaign_space_id, tenant_id, brand_id, user_id, asset_name,
        asset_type, external_asset_id, file_url, public_url, file_hash, file_size, mime_type, title, description,
        ad_copy_text, headline_text, cta_text, tags, platform_metadata, import_metadata)
    values (kept ->> 'content_id', j.campaign_space_id, j.tenant_id, j.brand_id, j.user_id, k.asset_name,
        k.asset_type, k.external_asset_id,
        '/api/media/' || file.id || '/file', kept ->> 'link', file.sha256,
        least(file.file_size_bytes, 2147483647)::integer, file.mime_type, k.asset_name, k.description,
        k.ad_copy_text, k.headline_text, k.cta_text,
        array(select jsonb_array_elements_text(kept -> 'tags')),
        jsonb_build_object('platform', j.platform, 'external_campaign_id', j.external_campaign_id),
        jsonb_build_object('import_job_id', j.id, 'digest', kept ->> 'digest', 'is_active', kept -> 'is_active'))
    on conflict (id) do update
    set asset_name = excluded.asset_name, asset_type = excluded.asset_type, file_url = excluded.file_url,
        public_url = excluded.public_url, file_hash = excluded.file_hash, file_size = excluded.file_size,
        mime_type = excluded.mime_type, title = excluded.title, description = excluded.description,
        ad_copy_text = excluded.ad_copy_text, headline_text = excluded.headline_text,
        cta_text = excluded.cta_text, tags = excluded.tags, platform_metadata = excluded.platform_metadata,
        import_metadata = excluded.import_metadata, deleted_at = null,
        updated_at = clock_timestamp() at time zone 'utc'
    where a.tenant_id = excluded.tenant_id;
end $$;

-- Assets that are due, with what an earlier import made of each.
create function engarde.import_tasks_v1(tenant text, job text, most integer)
returns table (number integer, attempts integer, asset jsonb, content_id text, digest text, is_active boolean,
    version integer, is_trashed boolean, is_erased boolean)
language sql stable set search_path = pg_catalog as $$
    select i.number, i.attempts, i.asset, a.id::text, a.import_metadata ->> 'digest',
        coalesce((a.import_metadata ->> 'is_active')::boolean, true),
        c.version, c.deleted_at is not null,
        a.id is not null and exists (select from engarde.erasures e where e.tenant_id = tenant and e.content_id = a.id)
    from engarde.import_items i
    join engarde.import_jobs j on j.id = i.job_id
    left join lateral (
        select x.* from public.campaign_assets x
        where x.tenant_id = tenant and x.campaign_space_id = j.campaign_space_id
          and x.external_asset_id = i.external_id and x.deleted_at is null
          and coalesce(x.platform_metadata ->> 'platform', j.platform) = j.platform
        order by x.created_at limit 1) a on true
    left join public.content_items c on c.tenant_id = tenant and c.id = a.id
    where i.tenant_id = tenant and i.job_id = job and i.state = 'pending' and i.due_at <= clock_timestamp()
    order by i.number limit most
$$;

-- Link a file to what its platform calls it. Where the brand has the same bytes from elsewhere, that file
-- is the one, and the new one goes.
create function engarde.adopt_import_media_v1(tenant text, brand text, source text, name text, media text)
returns text language plpgsql set search_path = pg_catalog as $$
declare
    file engarde.media_files;
    elder text;
begin
    perform engarde.lock_usage_v1(tenant);
    select * into file from engarde.media_files f where f.tenant_id = tenant and f.id = media;
    if file.id is null then
        return media;
    end if;
    select m.media_id into elder from engarde.import_media m
    join engarde.media_files f on f.tenant_id = m.tenant_id and f.id = m.media_id
    where m.tenant_id = tenant and m.brand_id = brand and m.sha256 = file.sha256 and m.media_id <> media
      and f.processing_status <> 'failed'
    order by f.created_at, f.id limit 1;
    if elder is not null then
        perform engarde.delete_media_v1(tenant, media);
    end if;
    insert into engarde.import_media (tenant_id, brand_id, platform, identity, media_id, sha256)
    values (tenant, brand, source, name, coalesce(elder, media), file.sha256)
    on conflict (tenant_id, brand_id, platform, identity) do update
    set media_id = excluded.media_id, sha256 = excluded.sha256;
    return coalesce(elder, media);
end $$;

-- End an import: what is pending by then was cancelled with it.
create function engarde.settle_import_v1(job text, held integer, failure text) returns text
language plpgsql set search_path = pg_catalog as $$
declare
    j engarde.import_jobs;
    outcome text;
begin
    select * into j from engarde.import_jobs x where x.id = job;
    perform engarde.lock_usage_v1(j.tenant_id);
    j := engarde.held_import_v1(job, held);
    if j.id is null then
        return null;
    end if;
    outcome := case when j.status = 'cancelled' then 'cancelled'
                    when failure is not null or j.failed > 0 and j.imported + j.updated + j.unchanged + j.skipped = 0
                        then 'failed'
                    else 'completed' end;
    update engarde.import_items i set state = 'cancelled', ended_at = clock_timestamp()
    where i.tenant_id = j.tenant_id and i.job_id = job and i.state = 'pending';
    update engarde.import_jobs x
    set status = outcome, completed_at = clock_timestamp(), leased_until = '-infinity', cursor = null,
        waiting_reason = null,
        error_message = coalesce(left(failure, 500), x.error_message, case when x.failed > 0
            then format('%s of %s assets failed; its items say why.', x.failed, x.total_assets) end)
    where x.id = job returning * into j;
    update public.campaign_spaces s
    set asset_count = n.assets, total_asset_size_bytes = least(n.bytes, 2147483647),
        updated_at = clock_timestamp() at time zone 'utc'
    from (select count(*) as assets, coalesce(sum(a.file_size), 0) as bytes from public.campaign_assets a
          where a.tenant_id = j.tenant_id and a.campaign_space_id = j.campaign_space_id and a.deleted_at is null) n
    where s.tenant_id = j.tenant_id and s.id = j.campaign_space_id and j.imported + j.updated > 0;
    if outcome <> 'cancelled' then
        perform engarde.append_events_v1(array[row(j.tenant_id, 'import.' || outcome, j.brand_id, j.id,
            null, j.user_id, json_build_object('import_job_id', j.id, 'campaign_space_id', j.campaign_space_id,
                'platform', j.platform, 'external_campaign_id', j.external_campaign_id, 'status', outcome,
                'total_assets', j.total_assets, 'imported', j.imported, 'updated', j.updated,
                'unchanged', j.unchanged, 'skipped', j.skipped, 'failed', j.failed,
                'error_message', j.error_message), null)::engarde.event_draft]);
    end if;
    return j.tenant_id;
end $$;

-- Cancel an import: whoever works on it finishes what is under way and ends it. Null where there is no
-- such import, false where it has ended already.
create function engarde.cancel_import_v1(tenant text, job text, why text) returns boolean
language plpgsql set search_path = pg_catalog as $$
declare
    j engarde.import_jobs;
begin
    select * into j from engarde.import_jobs x where x.tenant_id = tenant and x.id = job for update;
    if not found then
        return null;
    elsif j.completed_at is not null then
        return j.status = 'cancelled';
    end if;
    update engarde.import_jobs x
    set status = 'cancelled', error_message = why,
        leased_until = case when x.status = 'receiving' then '-infinity'::timestamptz else x.leased_until end
    where x.id = job;
    return true;
end $$;

create function engarde.read_imports_v1(tenant text, wanted text, brands text[], states text[],
    before timestamptz, before_id text, most integer)
returns table (id text, brand_id text, user_id text, campaign_space_id text, platform text,
    external_campaign_id text, spec json, status text, stage text, estimated_assets integer,
    total_assets integer, imported integer, updated integer, unchanged integer, skipped integer, failed integer,
    performance_rows bigint, error_message text, waiting_reason text, created_at timestamptz,
    started_at timestamptz, completed_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select j.id::text, j.brand_id::text, j.user_id::text, j.campaign_space_id::text, j.platform::text,
        j.external_campaign_id::text, j.spec, j.status::text, j.stage::text, j.estimated_assets,
        j.total_assets, j.imported, j.updated, j.unchanged, j.skipped, j.failed,
        j.performance_rows, j.error_message::text,
        case when j.completed_at is null then coalesce(c.paused_reason, j.waiting_reason)::text end,
        j.created_at, j.started_at, j.completed_at
    from engarde.import_jobs j
    left join (select x.tenant_id, x.provider, x.paused_reason from engarde.credentials x) c
      on c.tenant_id = j.tenant_id and c.provider = j.platform
    where j.tenant_id = tenant and (wanted is null or j.id = wanted)
      and (brands is null or j.brand_id = any (brands)) and (states is null or j.status = any (states))
      and (before is null or (j.created_at, j.id) < (before, before_id::varchar))
    order by j.created_at desc, j.id desc limit most;
end $$;

create function engarde.read_import_items_v1(tenant text, job text, states text[], after_number integer, most integer)
returns table (number integer, external_id text, name text, kind text, state text, content_id text,
    attempts integer, reason text, ended_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select i.number, i.external_id::text, i.asset ->> 'name', i.asset ->> 'kind', i.state::text,
        i.content_id::text, i.attempts, i.reason::text, i.ended_at
    from engarde.import_items i
    where i.tenant_id = tenant and i.job_id = job and i.number > after_number
      and (states is null or i.state = any (states))
    order by i.number limit most;
end $$;

create function engarde.count_campaign_assets_v1(tenant text, space text) returns bigint
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return (select count(*) from public.campaign_assets a
            where a.tenant_id = tenant and a.campaign_space_id = space and a.deleted_at is null);
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('begin_import_v1', 'add_import_items_v1', 'receive_import_v1', 'claim_imports_v1',
                            'held_import_v1', 'list_import_v1', 'note_import_v1', 'keep_campaign_asset_v1',
                            'import_tasks_v1', 'adopt_import_media_v1', 'settle_import_v1', 'cancel_import_v1',
                            'read_imports_v1', 'read_import_items_v1', 'count_campaign_assets_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
grant execute on function engarde.read_imports_v1, engarde.read_import_items_v1, engarde.count_campaign_assets_v1
    to engarde_api;

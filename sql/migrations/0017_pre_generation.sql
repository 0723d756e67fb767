-- Batch generation: jobs in the platform's own table, their items, and tenants' credentials.
--
-- One lock order everywhere: a tenant's usage row, generation rows, reservations (the ledger's), then
-- jobs by tenant and id, then items. Claims take items with SKIP LOCKED and wait for nobody, so they
-- may take a job's row afterwards.

-- A job with a `spec` is the daemon's; rows that another program of the platform wrote have none.
alter table public.content_generation_jobs
    add column if not exists spec json,
    add column if not exists provider varchar(100),
    add column if not exists model varchar(100),
    add column if not exists round integer not null default 1,
    add column if not exists period date,
    add column if not exists expires_at timestamptz,
    add column if not exists item_bytes bigint,
    add column if not exists item_cost_usd numeric(18, 9),
    add column if not exists max_cost_usd numeric(18, 9),
    add column if not exists spent_usd numeric(18, 9) not null default 0,
    add column if not exists unpriced_calls integer not null default 0,
    add column if not exists preview_items integer,
    add column if not exists paused_reason varchar(300),
    add column if not exists stored_before integer not null default 0,
    add column if not exists fingerprint varchar(64);
comment on column public.content_generation_jobs.generated_content_ids is 'Filled when the job ends; while it runs, its items know';

create index if not exists content_generation_jobs_live
    on public.content_generation_jobs (tenant_id, created_at, id)
    where status in ('pending', 'running') and spec is not null;
create index if not exists content_generation_jobs_page
    on public.content_generation_jobs (tenant_id, created_at desc, id desc) where spec is not null;

create table engarde.generation_items (
    tenant_id varchar(36) not null,
    job_id varchar(36) not null references public.content_generation_jobs (id) on delete cascade,
    number integer not null check (number > 0),
    state varchar(10) not null default 'pending'
        check (state in ('pending', 'calling', 'received', 'stored', 'failed', 'cancelled')),
    -- The claim: who holds it, and until when. A late finisher has an epoch that has moved on.
    epoch integer not null default 0,
    leased_until timestamptz not null default '-infinity',
    due_at timestamptz not null default '-infinity',
    attempts integer not null default 0,
    -- Answers that were paid for, and calls of which nobody knows whether they were.
    calls integer not null default 0,
    unsure_calls integer not null default 0,
    rewrites integer not null default 0,
    answer json,
    findings json,
    failure varchar(20),
    reason varchar(500),
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cost_usd numeric(18, 9),
    content_id varchar(36),
    size_bytes bigint,
    -- The order in which the items of a job ended, for those who follow it.
    place integer,
    ended_at timestamptz,
    primary key (tenant_id, job_id, number),
    check ((state = 'stored') = (content_id is not null)),
    check ((state = 'failed') = (failure is not null)),
    check (state <> 'received' or answer is not null)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
create index generation_items_pending on engarde.generation_items (tenant_id, job_id, number)
    where state = 'pending';
create index generation_items_held on engarde.generation_items (leased_until)
    where state in ('calling', 'received');
create index generation_items_place on engarde.generation_items (tenant_id, job_id, place)
    where place is not null;

create table engarde.credentials (
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    provider varchar(100) not null,
    sealed bytea not null,
    base_url varchar(2048),
    paused_reason varchar(300),
    updated_by varchar(36) not null,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, provider)
);

do $$
declare
    guarded text;
    platform_role text;
begin
    foreach guarded in array array[
        'engarde.generation_items', 'engarde.credentials', 'public.content_generation_jobs'
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
grant select on public.content_generation_jobs, engarde.generation_items to engarde_api;
-- Readers never see a secret, not even a sealed one.
grant select (tenant_id, provider, base_url, paused_reason, updated_by, updated_at) on engarde.credentials
    to engarde_api;

-- One job about to be made.
create type engarde.generation_draft as (
    id varchar(36),
    tenant_id varchar(36),
    brand_id varchar(36),
    user_id varchar(36),
    job_type varchar(50),
    target_count integer,
    content_type varchar(50),
    generation_params jsonb,
    spec json,
    provider varchar(100),
    model varchar(100),
    period date,
    item_bytes bigint,
    item_cost_usd numeric,
    max_cost_usd numeric,
    preview_items integer,
    fingerprint varchar(64),
    hold_s double precision
);

-- What a job holds of its plan, by name: a round has reservations of its own.
create function engarde.generation_hold_v1(job text, round integer, resource text) returns text
language sql immutable set search_path = pg_catalog as $$
    select md5(job || '/' || round || '/' || resource)::uuid::text
$$;

-- Ask the ledger for one thing: reserve, settle or release what a job holds.
create function engarde.generation_ledger_v1(j public.content_generation_jobs, verb text, which text,
    amount bigint, hold_s double precision, storage_limits jsonb, monthly_limits jsonb) returns text
language sql set search_path = pg_catalog as $$
    select engarde.ledger_apply_v1(jsonb_build_array(jsonb_build_object(
        'verb', verb, 'id', engarde.generation_hold_v1(j.id, j.round, which), 'tenant_id', j.tenant_id,
        'resource', which, 'period', case which when 'generation' then j.period end,
        'amount', amount, 'ttl_s', hold_s)), storage_limits, monthly_limits)
$$;

-- Hold room for this many pieces, or raise what there is too little of.
create function engarde.generation_reserve_v1(j public.content_generation_jobs, pieces integer,
    hold_s double precision, storage_limits jsonb, monthly_limits jsonb) returns void
language plpgsql set search_path = pg_catalog as $$
begin
    if engarde.generation_ledger_v1(j, 'reserve', 'generation', pieces, hold_s, storage_limits, monthly_limits) <> 'ok' then
        raise exception 'pieces_full' using errcode = 'EG001';
    end if;
    if engarde.generation_ledger_v1(j, 'reserve', 'storage', pieces * j.item_bytes, hold_s, storage_limits, monthly_limits) <> 'ok' then
        raise exception 'storage_full' using errcode = 'EG001';
    end if;
end $$;

create function engarde.lock_usage_v1(tenants text[]) returns void
language plpgsql set search_path = pg_catalog as $$
begin
    insert into public.content_storage_usage (tenant_id)
    select t.id from public.tenants t
    where t.id = any (tenants)
      and not exists (select from public.content_storage_usage u where u.tenant_id = t.id)
    order by 1 on conflict do nothing;
    perform from public.content_storage_usage u
    where u.tenant_id = any (tenants) order by u.tenant_id for update;
end $$;

create function engarde.live_jobs_v1(tenant text) returns bigint
language sql stable set search_path = pg_catalog as $$
    select count(*) from public.content_generation_jobs j
    where j.tenant_id = tenant and j.status in ('pending', 'running') and j.spec is not null
$$;

-- Make a job with its items and hold its room, all or nothing. Answers: created, exists (the same
-- request made it before), reused, busy, pieces_full, storage_full.
create function engarde.create_job_v1(draft jsonb, most integer, storage_limits jsonb, monthly_limits jsonb)
returns text language plpgsql set search_path = pg_catalog as $$
declare
    d engarde.generation_draft;
    j public.content_generation_jobs;
begin
    d := jsonb_populate_record(null::engarde.generation_draft, draft);
    perform engarde.lock_usage_v1(array[d.tenant_id]);
    select * into j from public.content_generation_jobs x where x.id = d.id;
    if found then
        return case when j.tenant_id = d.tenant_id and j.fingerprint = d.fingerprint then 'exists' else 'reused' end;
    elsif engarde.live_jobs_v1(d.tenant_id) >= most then
        return 'busy';
    end if;
    insert into public.content_generation_jobs (id, tenant_id, brand_id, user_id, job_type, target_count,
        content_type, generation_params, spec, provider, model, period, item_bytes, item_cost_usd, max_cost_usd,
        preview_items, fingerprint, expires_at, created_at)
    values (d.id, d.tenant_id, d.brand_id, d.user_id, d.job_type, d.target_count, d.content_type,
        d.generation_params, d.spec, d.provider, d.model, d.period, d.item_bytes, d.item_cost_usd,
        d.max_cost_usd, d.preview_items, d.fingerprint, clock_timestamp() + make_interval(secs => d.hold_s),
        clock_timestamp() at time zone 'utc')
    returning * into j;
    perform engarde.generation_reserve_v1(j, d.target_count, d.hold_s, storage_limits, monthly_limits);
    insert into engarde.generation_items (tenant_id, job_id, number)
    select d.tenant_id, d.id, n from generate_series(1, d.target_count) n;
    return 'created';
exception when sqlstate 'EG001' then
    return sqlerrm;
end $$;

-- Lease pending items, fairly: whoever has least under way comes first, then the older job. Keeps to
-- each credential's concurrency over all daemons, and to each job's cost limit, with what is under
-- way counted at its highest. `closed` names credentials ("tenant provider") that must rest now.
create function engarde.claim_items_v1(most integer, lease_s double precision, caps jsonb, closed text[], at timestamptz)
returns setof engarde.generation_items language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    with live as materialized (
        select j.* from public.content_generation_jobs j
        where j.status in ('pending', 'running') and j.spec is not null and j.paused_reason is null
          and j.expires_at > at and caps ? j.provider and j.tenant_id || ' ' || j.provider <> all (closed)
    ), busy as materialized (
        select i.tenant_id, i.job_id, j.provider, count(*) as held
        from engarde.generation_items i join public.content_generation_jobs j on j.id = i.job_id
        where i.state = 'calling' and i.leased_until > at group by 1, 2, 3
    ), ranked as (
        select p.*, l.created_at, l.provider, l.spent_usd, l.item_cost_usd, l.max_cost_usd,
            row_number() over (partition by p.tenant_id order by l.created_at, p.job_id, p.number)
                + coalesce((select sum(b.held) from busy b where b.tenant_id = p.tenant_id), 0) as turn,
            row_number() over (partition by p.tenant_id, l.provider order by l.created_at, p.job_id, p.number)
                + coalesce((select sum(b.held) from busy b
                            where b.tenant_id = p.tenant_id and b.provider = l.provider), 0) as of_credential,
            row_number() over (partition by p.job_id order by p.number)
                + coalesce((select sum(b.held) from busy b where b.job_id = p.job_id), 0) as of_job
        from live l cross join lateral (
            select i.tenant_id, i.job_id, i.number from engarde.generation_items i
            where i.tenant_id = l.tenant_id and i.job_id = l.id and i.state = 'pending' and i.due_at <= at
              and (l.preview_items is null or i.number <= l.preview_items)
            order by i.number limit most
        ) p
    ), chosen as materialized (
        select r.tenant_id, r.job_id, r.number from ranked r
        where r.of_credential <= (caps ->> r.provider)::integer
          and (r.max_cost_usd is null or r.spent_usd + r.of_job * r.item_cost_usd <= r.max_cost_usd)
        order by r.turn, r.created_at limit most
    ), locked as materialized (
        select i.tenant_id, i.job_id, i.number from engarde.generation_items i
        join chosen c using (tenant_id, job_id, number)
        where i.state = 'pending'
        for update of i skip locked
    )
    update engarde.generation_items i
    set state = 'calling', epoch = i.epoch + 1, attempts = i.attempts + 1,
        leased_until = at + make_interval(secs => lease_s)
    from locked l where i.tenant_id = l.tenant_id and i.job_id = l.job_id and i.number = l.number
    returning i.*;
end $$;

-- Note that jobs have begun. A row that is held just now is noted with the next claim.
create function engarde.begin_jobs_v1(jobs text[]) returns void
language plpgsql set search_path = pg_catalog as $$
begin
    update public.content_generation_jobs j
    set status = 'running', started_at = coalesce(j.started_at, clock_timestamp() at time zone 'utc')
    where j.id in (
        select x.id from public.content_generation_jobs x
        where x.id = any (jobs) and x.status = 'pending' for update skip locked);
end $$;

-- Items whose holder is gone. What was being called is called again, unless its job was cancelled or
-- it was tried too often; an answer that is here is leased again, to be stored.
create function engarde.recover_items_v1(most integer, attempts_max integer, lease_s double precision, at timestamptz)
returns setof engarde.generation_items language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    with lost as materialized (
        select i.tenant_id, i.job_id, i.number from engarde.generation_items i
        where i.state = 'calling' and i.leased_until <= at
        order by i.leased_until limit most for update skip locked
    ), judged as (
        select l.*, j.status from lost l join public.content_generation_jobs j on j.id = l.job_id
    )
    update engarde.generation_items i
    set unsure_calls = i.unsure_calls + 1, epoch = i.epoch + 1,
        state = case when i.answer is not null then 'received'
                     when g.status = 'cancelled' then 'cancelled'
                     when i.attempts >= attempts_max then 'failed' else 'pending' end,
        failure = case when i.answer is null and g.status <> 'cancelled' and i.attempts >= attempts_max
                       then 'unreachable' end,
        reason = case when i.answer is null and g.status <> 'cancelled' and i.attempts >= attempts_max
                      then 'The daemon that called the model stopped each time before it answered.' end
    from judged g where i.tenant_id = g.tenant_id and i.job_id = g.job_id and i.number = g.number;

    return query
    update engarde.generation_items i
    set epoch = i.epoch + 1, leased_until = at + make_interval(secs => lease_s)
    from (select x.tenant_id, x.job_id, x.number from engarde.generation_items x
          where x.state = 'received' and x.leased_until <= at and x.due_at <= at
          order by x.leased_until limit most for update skip locked) r
    where i.tenant_id = r.tenant_id and i.job_id = r.job_id and i.number = r.number
    returning i.*;
end $$;

-- One step of an item, told by whoever holds its claim.
create type engarde.item_step as (
    tenant_id varchar(36),
    job_id varchar(36),
    number integer,
    epoch integer,
    state varchar(10),
    answer json,
    findings json,
    failure varchar(20),
    reason varchar(500),
    input_tokens bigint,
    output_tokens bigint,
    cost_usd numeric,
    paid boolean,
    wait_s double precision,
    rewrite boolean,
    burn boolean,
    unsure boolean,
    content_id varchar(36),
    size_bytes bigint
);

-- Keep the claims that are still one's own; answers with their places in the list.
create function engarde.extend_items_v1(claims jsonb, lease_s double precision)
returns setof integer language sql set search_path = pg_catalog as $$
    with wanted as (
        select (c ->> 'tenant_id') as tenant_id, (c ->> 'job_id') as job_id, (c ->> 'number')::integer as number,
               (c ->> 'epoch')::integer as epoch, o::integer as place
        from jsonb_array_elements(claims) with ordinality x (c, o)
    )
    update engarde.generation_items i set leased_until = clock_timestamp() + make_interval(secs => lease_s)
    from wanted w
    where i.tenant_id = w.tenant_id and i.job_id = w.job_id and i.number = w.number and i.epoch = w.epoch
      and i.state in ('calling', 'received')
    returning w.place
$$;

-- Write steps down, each under its claim: an answer with what it cost, a piece that is stored, a
-- failure, or the item given back. Answers with the places of those whose claim still held.
create function engarde.note_steps_v1(steps jsonb) returns setof integer
language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    batch engarde.item_step[];
begin
    select array_agg(row(s.*)::engarde.item_step) into batch
    from jsonb_populate_recordset(null::engarde.item_step, steps) s;
    perform from public.content_generation_jobs j
    where j.id in (select b.job_id from unnest(batch) b) order by j.tenant_id, j.id for update;
    return query
    with wanted as materialized (
        select b.*, i.state as old_state, b.ordinality::integer as slot,
            row_number() over (partition by b.job_id, b.state in ('stored', 'failed') order by b.ordinality) as turn
        from unnest(batch) with ordinality b
        join engarde.generation_items i
          on i.tenant_id = b.tenant_id and i.job_id = b.job_id and i.number = b.number and i.epoch = b.epoch
         and i.state in ('calling', 'received')
    ), moved as (
        update engarde.generation_items i
        set state = case when w.state = 'pending' and j.status = 'cancelled' then
                        case when i.answer is null then 'cancelled' else 'received' end
                    else w.state end,
            answer = coalesce(w.answer, i.answer), findings = coalesce(w.findings, i.findings),
            failure = w.failure, reason = w.reason,
            input_tokens = i.input_tokens + coalesce(w.input_tokens, 0),
            output_tokens = i.output_tokens + coalesce(w.output_tokens, 0),
            cost_usd = case when w.cost_usd is null then i.cost_usd else coalesce(i.cost_usd, 0) + w.cost_usd end,
            calls = i.calls + coalesce(w.paid, false)::integer,
            unsure_calls = i.unsure_calls + coalesce(w.unsure, false)::integer,
            rewrites = i.rewrites + coalesce(w.rewrite, false)::integer,
            attempts = case when w.state = 'pending' and not coalesce(w.burn, false)
                then greatest(0, i.attempts - 1) else i.attempts end,
            due_at = case when w.wait_s is null then i.due_at
                else clock_timestamp() + make_interval(secs => w.wait_s) end,
            leased_until = case when w.state = 'received' and w.wait_s is null then i.leased_until
                else '-infinity' end,
            content_id = w.content_id, size_bytes = w.size_bytes,
            place = case when w.state in ('stored', 'failed') then w.turn + coalesce((
                select max(p.place) from engarde.generation_items p
                where p.tenant_id = w.tenant_id and p.job_id = w.job_id and p.place is not null), 0) end,
            ended_at = case when w.state in ('stored', 'failed') then clock_timestamp() end
        from wanted w join public.content_generation_jobs j on j.id = w.job_id
        where i.tenant_id = w.tenant_id and i.job_id = w.job_id and i.number = w.number
        returning w.slot, w.job_id, i.state, w.size_bytes, w.cost_usd, w.paid
    ), counted as (
        update public.content_generation_jobs j
        set progress = j.progress + n.stored, total_storage_bytes = j.total_storage_bytes + n.bytes,
            spent_usd = j.spent_usd + n.cost, total_cost_usd = round(j.spent_usd + n.cost, 4),
            unpriced_calls = j.unpriced_calls + n.unpriced
        from (select m.job_id, count(*) filter (where m.state = 'stored') as stored,
                     coalesce(sum(m.size_bytes) filter (where m.state = 'stored'), 0) as bytes,
                     coalesce(sum(m.cost_usd), 0) as cost,
                     count(*) filter (where m.paid and m.cost_usd is null) as unpriced
              from moved m group by m.job_id) n
        where j.id = n.job_id and (n.stored > 0 or n.cost > 0 or n.unpriced > 0)
        returning 1
    )
    select m.slot from moved m;
end $$;

-- Take bytes out of what a job holds, because they are about to be posted as content. Taken twice
-- after a crash, the job holds less, never more than its plan allows.
create function engarde.draw_storage_v1(jobs text[], bytes bigint[]) returns void
language plpgsql set search_path = pg_catalog as $$
declare
    d record;
    held engarde.reservations;
    taken bigint;
begin
    perform engarde.lock_usage_v1(array(
        select distinct j.tenant_id from public.content_generation_jobs j where j.id = any (jobs)));
    for d in
        select j.tenant_id, engarde.generation_hold_v1(j.id, j.round, 'storage') as hold, sum(w.b)::bigint as wanted
        from unnest(jobs, bytes) w (id, b) join public.content_generation_jobs j on j.id = w.id
        group by 1, 2 order by 1, 2
    loop
        select * into held from engarde.reservations r
        where r.id = d.hold and r.tenant_id = d.tenant_id and r.state = 'pending' for update;
        continue when held.id is null;
        -- A reservation of nothing cannot be: its last byte stays until the job ends.
        taken := least(d.wanted, held.amount - 1);
        update engarde.reservations r set amount = r.amount - taken where r.id = d.hold;
        perform engarde.ledger_move_v1(d.tenant_id, 'storage', null, -taken, 0);
    end loop;
end $$;

-- Post the pieces of a round and give back what else it holds. Past its time the ledger has given
-- the room back already; the pieces are posted all the same, because they were made.
create function engarde.settle_round_v1(j public.content_generation_jobs, storage_limits jsonb, monthly_limits jsonb)
returns void language plpgsql set search_path = pg_catalog as $$
declare
    made bigint := j.progress - j.stored_before;
begin
    perform engarde.generation_ledger_v1(j, 'release', 'storage', 0, 0, storage_limits, monthly_limits);
    if engarde.generation_ledger_v1(j, 'settle', 'generation', made, 0, storage_limits, monthly_limits)
        in ('expired', 'unknown', 'released') and made > 0
    then
        insert into engarde.reservations (id, tenant_id, resource, period, amount, actual, state, expires_at)
        values (engarde.generation_hold_v1(j.id, j.round, 'late'), j.tenant_id, 'generation', j.period, made,
                made, 'settled', clock_timestamp());
        perform engarde.ledger_move_v1(j.tenant_id, 'generation', j.period, 0, made);
    end if;
end $$;

-- End a job of which nothing is open any more; the caller holds the usage row and the job's.
create function engarde.end_job_v1(j public.content_generation_jobs, storage_limits jsonb, monthly_limits jsonb)
returns void language plpgsql set search_path = pg_catalog as $$
declare
    n record;
    outcome text;
    told text;
begin
    select count(*) filter (where i.state = 'failed') as failed,
           count(*) filter (where i.state = 'cancelled') as cancelled,
           array_agg(i.content_id::text order by i.number) filter (where i.state = 'stored') as contents,
           (array_agg(i.reason order by i.place desc) filter (where i.state = 'failed'))[1] as last_reason
    into n from engarde.generation_items i where i.tenant_id = j.tenant_id and i.job_id = j.id;
    outcome := case when j.status = 'cancelled' then 'cancelled'
                    when j.progress > 0 then 'completed' else 'failed' end;
    told := case when n.failed > 0
        then format('%s of %s items failed; the last because: %s', n.failed, j.target_count, n.last_reason)
        else j.error_message end;
    perform engarde.settle_round_v1(j, storage_limits, monthly_limits);
    update public.content_generation_jobs x
    set status = outcome, completed_at = clock_timestamp() at time zone 'utc', error_message = told,
        generated_content_ids = coalesce(n.contents, '{}'), paused_reason = null, preview_items = null,
        stored_before = x.progress
    where x.id = j.id;
    if outcome <> 'cancelled' then
        perform engarde.append_events_v1(array[row(j.tenant_id, 'generation.' || outcome, j.brand_id, j.id,
            null, j.user_id, json_build_object('job_id', j.id, 'job_type', j.job_type, 'status', outcome,
                'target_count', j.target_count, 'progress', j.progress, 'failed', n.failed,
                'total_cost_usd', j.spent_usd, 'total_storage_bytes', j.total_storage_bytes,
                'error_message', told), null)::engarde.event_draft]);
    end if;
end $$;

-- Close what can go on no more, and end jobs of which nothing is open. A cancelled job ends with its
-- last answer under way. Answers with the tenants that have something to hear.
create function engarde.end_jobs_v1(most integer, storage_limits jsonb, monthly_limits jsonb, at timestamptz)
returns setof text language plpgsql set search_path = pg_catalog as $$
declare
    due record;
    j public.content_generation_jobs;
begin
    for due in
        select x.tenant_id, x.id from public.content_generation_jobs x
        where x.spec is not null and (x.status in ('pending', 'running')
              or x.status = 'cancelled' and x.completed_at is null)
          and (x.expires_at <= at
               or not exists (select from engarde.generation_items i
                              where i.tenant_id = x.tenant_id and i.job_id = x.id
                                and i.state in ('calling', 'received'))
                  and (x.spent_usd + x.item_cost_usd > x.max_cost_usd
                       or not exists (select from engarde.generation_items i
                                      where i.tenant_id = x.tenant_id and i.job_id = x.id
                                        and i.state = 'pending')))
        order by x.tenant_id, x.id limit most
    loop
        perform engarde.lock_usage_v1(array[due.tenant_id]);
        select * into j from public.content_generation_jobs x
        where x.id = due.id and x.status in ('pending', 'running', 'cancelled') and x.completed_at is null
        for update;
        continue when not found;
        if j.expires_at <= at then
            update engarde.generation_items i
            set state = 'failed', failure = 'unreachable', ended_at = at,
                reason = 'The job took longer than it may; what was not made by then was given up.',
                epoch = i.epoch + 1
            where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state in ('pending', 'calling', 'received');
        elsif j.spent_usd + j.item_cost_usd > j.max_cost_usd then
            update engarde.generation_items i
            set state = 'failed', failure = 'cost_limit', ended_at = at,
                reason = 'The job reached max_cost_usd. Retry it with a higher one to go on.'
            where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state = 'pending';
        end if;
        continue when exists (select from engarde.generation_items i
            where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state in ('pending', 'calling', 'received'));
        perform engarde.end_job_v1(j, storage_limits, monthly_limits);
        return next j.tenant_id;
    end loop;
end $$;

-- Cancel a job: what waits is given up, what is under way is kept when it comes. Answers null where
-- there is no such job, else whether it could still be cancelled.
create function engarde.cancel_job_v1(tenant text, job text, storage_limits jsonb, monthly_limits jsonb)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    j public.content_generation_jobs;
begin
    perform engarde.lock_usage_v1(array[tenant]);
    select * into j from public.content_generation_jobs x
    where x.tenant_id = tenant and x.id = job and x.spec is not null for update;
    if not found then
        return null;
    elsif j.status = 'cancelled' then
        return true;
    elsif j.status not in ('pending', 'running') then
        return false;
    end if;
    update engarde.generation_items i
    set state = case when i.answer is null then 'cancelled' else 'received' end
    where i.tenant_id = tenant and i.job_id = job and i.state = 'pending';
    update public.content_generation_jobs x set status = 'cancelled', paused_reason = null
    where x.id = job returning * into j;
    if not exists (select from engarde.generation_items i
        where i.tenant_id = tenant and i.job_id = job and i.state in ('calling', 'received'))
    then
        perform engarde.end_job_v1(j, storage_limits, monthly_limits);
    else
        perform engarde.shrink_hold_v1(j);
    end if;
    return true;
end $$;

-- After a cancel, hold room only for what is under way.
create function engarde.shrink_hold_v1(j public.content_generation_jobs) returns void
language plpgsql set search_path = pg_catalog as $$
declare
    open_items bigint := (select count(*) from engarde.generation_items i
        where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state in ('calling', 'received'));
    r record;
begin
    for r in
        select h.*, case h.resource when 'storage' then least(h.amount, open_items * j.item_bytes)
                    else least(h.amount, open_items + j.progress - j.stored_before) end as needed
        from engarde.reservations h
        where h.id in (engarde.generation_hold_v1(j.id, j.round, 'storage'),
                       engarde.generation_hold_v1(j.id, j.round, 'generation'))
          and h.tenant_id = j.tenant_id and h.state = 'pending'
        order by h.resource for update
    loop
        update engarde.reservations h set amount = r.needed where h.id = r.id;
        perform engarde.ledger_move_v1(j.tenant_id, r.resource, r.period, r.needed - r.amount, 0);
    end loop;
end $$;

-- Go on with a job after its preview was looked at. Null where there is no such job, false where it
-- does not wait for that.
create function engarde.approve_job_v1(tenant text, job text) returns boolean
language plpgsql set search_path = pg_catalog as $$
begin
    update public.content_generation_jobs j set preview_items = null
    where j.tenant_id = tenant and j.id = job and j.status in ('pending', 'running')
      and j.preview_items is not null;
    if found then
        return true;
    end if;
    perform from public.content_generation_jobs j
    where j.tenant_id = tenant and j.id = job and j.spec is not null;
    return case when found then false end;
end $$;

-- Try the failed items of an ended job again, in a round that holds room of its own. An answer that
-- could not be stored is stored, not paid again. Answers: retried, missing, live, nothing, busy,
-- pieces_full, storage_full.
create function engarde.retry_job_v1(tenant text, job text, month date, hold_s double precision,
    raised numeric, most integer, storage_limits jsonb, monthly_limits jsonb)
returns text language plpgsql set search_path = pg_catalog as $$
declare
    j public.content_generation_jobs;
    failed integer;
begin
    perform engarde.lock_usage_v1(array[tenant]);
    select * into j from public.content_generation_jobs x
    where x.tenant_id = tenant and x.id = job and x.spec is not null for update;
    if not found then
        return 'missing';
    elsif j.status in ('pending', 'running') or j.completed_at is null then
        return 'live';
    elsif engarde.live_jobs_v1(tenant) >= most then
        return 'busy';
    end if;
    update engarde.generation_items i
    set state = case when i.answer is not null and i.failure in ('storage_full', 'not_stored', 'unreachable')
                     then 'received' else 'pending' end,
        answer = case when i.failure in ('storage_full', 'not_stored', 'unreachable') then i.answer end,
        failure = null, reason = null, attempts = 0, rewrites = 0, due_at = '-infinity',
        leased_until = '-infinity', place = null, ended_at = null
    where i.tenant_id = tenant and i.job_id = job and i.state = 'failed';
    get diagnostics failed = row_count;
    if failed = 0 then
        return 'nothing';
    end if;
    update public.content_generation_jobs x
    set status = 'running', round = x.round + 1, period = month, completed_at = null, error_message = null,
        max_cost_usd = coalesce(raised, x.max_cost_usd),
        expires_at = clock_timestamp() + make_interval(secs => hold_s)
    where x.id = job returning * into j;
    perform engarde.generation_reserve_v1(j, failed, hold_s, storage_limits, monthly_limits);
    return 'retried';
exception when sqlstate 'EG001' then
    return sqlerrm;
end $$;

-- Stop calling with a credential that is not good, until it is set anew.
create function engarde.pause_credential_v1(tenant text, name text, why text) returns void
language plpgsql set search_path = pg_catalog as $$
begin
    update engarde.credentials c set paused_reason = why where c.tenant_id = tenant and c.provider = name;
    update public.content_generation_jobs j set paused_reason = why
    where j.id in (
        select x.id from public.content_generation_jobs x
        where x.tenant_id = tenant and x.provider = name and x.status in ('pending', 'running')
          and x.spec is not null
        order by x.id for update);
end $$;

create function engarde.put_credential_v1(tenant text, name text, secret bytea, address text, by_user text)
returns void language plpgsql set search_path = pg_catalog as $$
begin
    insert into engarde.credentials as c (tenant_id, provider, sealed, base_url, updated_by)
    values (tenant, name, secret, address, by_user)
    on conflict (tenant_id, provider) do update
    set sealed = excluded.sealed, base_url = excluded.base_url, updated_by = excluded.updated_by,
        paused_reason = null, updated_at = clock_timestamp();
    update public.content_generation_jobs j set paused_reason = null
    where j.id in (
        select x.id from public.content_generation_jobs x
        where x.tenant_id = tenant and x.provider = name and x.status in ('pending', 'running')
          and x.paused_reason is not null
        order by x.id for update);
end $$;

-- A job as readers get it, with how many of its items stand where.
create function engarde.read_jobs_v1(tenant text, wanted text, brands text[], states text[],
    before timestamptz, before_id text, most integer)
returns table (id text, brand_id text, user_id text, job_type text, content_type text, status text,
    target_count integer, progress integer, error_message text, provider text, model text,
    total_storage_bytes bigint, spent_usd numeric, unpriced_calls integer, max_cost_usd numeric,
    item_bytes bigint, item_cost_usd numeric, preview_items integer, paused_reason text,
    created_at timestamptz, started_at timestamptz, completed_at timestamptz, expires_at timestamptz,
    platforms json, items json, last_place integer)
language plpgsql as $$
#variable_conflict use_column
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    with page as materialized (
        select j.* from public.content_generation_jobs j
        where j.tenant_id = tenant and j.spec is not null and (wanted is null or j.id = wanted)
          and (brands is null or j.brand_id = any (brands)) and (states is null or j.status = any (states))
          and (before is null or (j.created_at, j.id) < (before at time zone 'utc', before_id))
        order by j.created_at desc, j.id desc limit most
    )
    select j.id::text, j.brand_id::text, j.user_id::text, j.job_type::text, j.content_type::text, j.status::text,
        j.target_count, j.progress, j.error_message, j.provider::text, j.model::text,
        j.total_storage_bytes, j.spent_usd, j.unpriced_calls, j.max_cost_usd,
        j.item_bytes, j.item_cost_usd, j.preview_items, j.paused_reason::text,
        j.created_at at time zone 'utc', j.started_at at time zone 'utc', j.completed_at at time zone 'utc',
        j.expires_at, j.spec -> 'platforms',
        (select coalesce(json_object_agg(s.state, s.n), '{}') from (
            select i.state, count(*) as n from engarde.generation_items i
            where i.tenant_id = tenant and i.job_id = j.id group by i.state) s),
        coalesce((select max(i.place) from engarde.generation_items i
                  where i.tenant_id = tenant and i.job_id = j.id and i.place is not null), 0)
    from page j order by j.created_at desc, j.id desc;
end $$;

create function engarde.read_job_contents_v1(tenant text, job text) returns table (content_id text)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query select i.content_id::text from engarde.generation_items i
    where i.tenant_id = tenant and i.job_id = job and i.state = 'stored' order by i.number;
end $$;

-- Items of a job by number, or, for those who follow it, by the order in which they ended.
create function engarde.read_generation_items_v1(tenant text, job text, states text[], after_number integer,
    after_place integer, most integer)
returns setof engarde.generation_items language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    if after_place is not null then
        return query select * from engarde.generation_items i
        where i.tenant_id = tenant and i.job_id = job and i.place > after_place order by i.place limit most;
    else
        return query select * from engarde.generation_items i
        where i.tenant_id = tenant and i.job_id = job and i.number > after_number
          and (states is null or i.state = any (states))
        order by i.number limit most;
    end if;
end $$;

create function engarde.read_credentials_v1(tenant text)
returns table (provider text, base_url text, paused_reason text, updated_by text, updated_at timestamptz)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query select c.provider::text, c.base_url::text, c.paused_reason::text, c.updated_by::text, c.updated_at
    from engarde.credentials c where c.tenant_id = tenant order by c.provider;
end $$;

-- What a plan has left this month, and what is used of it.
create function engarde.read_pieces_v1(tenant text, month date, out used bigint, out pending bigint)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    select g.used_items, g.pending_items into used, pending from engarde.generation_usage g
    where g.tenant_id = tenant and g.period = month;
    used := coalesce(used, 0);
    pending := coalesce(pending, 0);
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('generation_hold_v1', 'generation_ledger_v1', 'generation_reserve_v1', 'lock_usage_v1',
                            'live_jobs_v1', 'create_job_v1', 'claim_items_v1', 'begin_jobs_v1', 'recover_items_v1',
                            'extend_items_v1', 'note_steps_v1', 'draw_storage_v1', 'settle_round_v1', 'end_job_v1',
                            'end_jobs_v1', 'cancel_job_v1', 'shrink_hold_v1', 'approve_job_v1', 'retry_job_v1',
                            'pause_credential_v1', 'put_credential_v1', 'read_jobs_v1', 'read_job_contents_v1',
                            'read_generation_items_v1', 'read_credentials_v1', 'read_pieces_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
grant execute on function engarde.read_jobs_v1, engarde.read_job_contents_v1, engarde.read_generation_items_v1,
    engarde.read_credentials_v1, engarde.read_pieces_v1 to engarde_api;
alter type engarde.generation_draft owner to engarde_owner;
alter type engarde.item_step owner to engarde_owner;

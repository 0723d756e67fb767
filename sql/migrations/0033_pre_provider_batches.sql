-- Items that a provider works on in bulk, at half the price, and within a day.
--
-- An item in a batch is `calling` without an end to its lease: the batch has the lease, and whoever
-- holds that asks the provider. A batch is written down before the provider hears of it, so that
-- after a crash the provider is asked what it has, and nothing is ordered twice.
--
--     opening -> open -> closed      (open -> opening, where what was found turns out a stranger's)

alter table engarde.generation_items add column batch_id varchar(36);
create index generation_items_batch on engarde.generation_items (tenant_id, batch_id, number)
    where batch_id is not null and state = 'calling';

create table engarde.provider_batches (
    tenant_id varchar(36) not null,
    id varchar(36) not null,
    job_id varchar(36) not null references public.content_generation_jobs (id) on delete cascade,
    provider varchar(100) not null,
    state varchar(10) not null default 'opening' check (state in ('opening', 'open', 'closed')),
    -- What the provider calls it, and what it calls others that looked like it.
    name varchar(200),
    strangers text[] not null default '{}',
    items integer not null check (items > 0),
    -- How often its creation was begun; each may have succeeded unheard.
    attempts integer not null default 0,
    epoch integer not null default 0,
    leased_until timestamptz not null default '-infinity',
    due_at timestamptz not null default '-infinity',
    created_at timestamptz not null default clock_timestamp(),
    cancelled_at timestamptz,
    closed_at timestamptz,
    primary key (tenant_id, id),
    check (state <> 'open' or name is not null),
    check ((state = 'closed') = (closed_at is not null))
) with (fillfactor = 80);
create index provider_batches_job on engarde.provider_batches (job_id);
create index provider_batches_due on engarde.provider_batches (leased_until) where state <> 'closed';

alter table engarde.provider_batches owner to engarde_owner;
alter table engarde.provider_batches enable row level security;
alter table engarde.provider_batches force row level security;
create policy tenant_guard on engarde.provider_batches as restrictive to engarde_api
    using (tenant_id = current_setting('app.tenant_id', true))
    with check (tenant_id = current_setting('app.tenant_id', true));
create policy daemon_access on engarde.provider_batches to engarde_owner, engarde_api, engarde_actor
    using (true) with check (true);
grant select, insert, update, delete on engarde.provider_batches to engarde_actor;

-- Lease pending items, fairly, as v1 does; jobs whose items go in batches are not for single calls,
-- and what a provider has in bulk takes nobody's turn.
create function engarde.claim_items_v2(most integer, lease_s double precision, caps jsonb, closed text[], at timestamptz)
returns setof engarde.generation_items language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    with live as materialized (
        select j.* from public.content_generation_jobs j
        where j.status in ('pending', 'running') and j.spec is not null and j.paused_reason is null
          and j.expires_at > at and caps ? j.provider and j.tenant_id || ' ' || j.provider <> all (closed)
          and j.spec ->> 'mode' is distinct from 'batch'
    ), busy as materialized (
        select i.tenant_id, i.job_id, j.provider, count(*) as held
        from engarde.generation_items i join public.content_generation_jobs j on j.id = i.job_id
        where i.state = 'calling' and i.leased_until > at and i.leased_until < 'infinity' group by 1, 2, 3
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

-- Items whose holder is gone, as in v1; here the bound on how many answers are leased holds, too,
-- now that a thousand may come at once.
create function engarde.recover_items_v2(most integer, attempts_max integer, lease_s double precision, at timestamptz)
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
    with r as materialized (
        select x.tenant_id, x.job_id, x.number from engarde.generation_items x
        where x.state = 'received' and x.leased_until <= at and x.due_at <= at
        order by x.leased_until limit most for update skip locked
    )
    update engarde.generation_items i
    set epoch = i.epoch + 1, leased_until = at + make_interval(secs => lease_s)
    from r where i.tenant_id = r.tenant_id and i.job_id = r.job_id and i.number = r.number
    returning i.*;
end $$;

-- How many more items a job may have asked for under its cost limit, with all that is under way at
-- its dearest.
create function engarde.affordable_items_v1(j public.content_generation_jobs, most integer) returns integer
language sql stable set search_path = pg_catalog as $$
    select case when j.max_cost_usd is null or j.item_cost_usd = 0 then most
        else least(most, greatest(0, floor((j.max_cost_usd - j.spent_usd) / j.item_cost_usd)
            - (select count(*) from engarde.generation_items i
               where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state = 'calling'))::integer) end
$$;

-- Put what waits in one job together as a batch, under this name. What was asked for before, and is
-- to be written anew, waits until the job is quiet, so that it goes together. Answers whether there
-- was anything.
create function engarde.gather_batch_v1(batch text, most integer, providers text[], at timestamptz)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    j public.content_generation_jobs;
    room integer;
    is_quiet boolean;
    taken integer;
begin
    for j in
        select x.* from public.content_generation_jobs x
        where x.status in ('pending', 'running') and x.spec ->> 'mode' = 'batch' and x.paused_reason is null
          and x.expires_at > at and x.provider = any (providers)
          and exists (select from engarde.generation_items i
                      where i.tenant_id = x.tenant_id and i.job_id = x.id and i.state = 'pending' and i.due_at <= at
                        and (x.preview_items is null or i.number <= x.preview_items))
        order by x.created_at, x.id for update of x skip locked
    loop
        room := engarde.affordable_items_v1(j, most);
        continue when room = 0;
        is_quiet := not exists (select from engarde.generation_items i
            where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state in ('calling', 'received'));
        -- Materialized: joined otherwise, the bound would be reckoned anew for each row.
        with n as materialized (
            select p.number from engarde.generation_items p
            where p.tenant_id = j.tenant_id and p.job_id = j.id and p.state = 'pending' and p.due_at <= at
              and (p.attempts = 0 or is_quiet)
              and (j.preview_items is null or p.number <= j.preview_items)
            order by p.number limit room for update skip locked
        )
        update engarde.generation_items i
        set state = 'calling', batch_id = batch, epoch = i.epoch + 1, attempts = i.attempts + 1,
            leased_until = 'infinity'
        from n
        where i.tenant_id = j.tenant_id and i.job_id = j.id and i.number = n.number;
        get diagnostics taken = row_count;
        continue when taken = 0;
        insert into engarde.provider_batches (tenant_id, id, job_id, provider, items, created_at)
        values (j.tenant_id, batch, j.id, j.provider, taken, at);
        update public.content_generation_jobs x
        set status = 'running', started_at = coalesce(x.started_at, clock_timestamp() at time zone 'utc')
        where x.id = j.id and x.status = 'pending';
        return true;
    end loop;
    return false;
end $$;

-- Lease batches that are to be looked at: when it is time, or at once when their job wants them no
-- more. A job that waits for a better key has none to look with.
create function engarde.lease_batches_v1(most integer, lease_s double precision, at timestamptz)
returns setof engarde.provider_batches language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    with d as materialized (
        select x.tenant_id, x.id from engarde.provider_batches x
        join public.content_generation_jobs j on j.id = x.job_id
        where x.state <> 'closed' and x.leased_until <= at and j.paused_reason is null
          and (x.due_at <= at or j.status not in ('pending', 'running') and x.cancelled_at is null)
        order by x.due_at limit most for update of x skip locked
    )
    update engarde.provider_batches b
    set epoch = b.epoch + 1, leased_until = at + make_interval(secs => lease_s)
    from d where b.tenant_id = d.tenant_id and b.id = d.id
    returning b.*;
end $$;

-- Hold leases longer; answers with the names of those that are one's own still.
create function engarde.hold_batches_v1(tenants text[], names text[], epochs integer[], lease_s double precision)
returns setof text language sql set search_path = pg_catalog as $$
    update engarde.provider_batches b set leased_until = clock_timestamp() + make_interval(secs => lease_s)
    from unnest(tenants, names, epochs) h (tenant_id, id, epoch)
    where b.tenant_id = h.tenant_id and b.id = h.id and b.epoch = h.epoch and b.state <> 'closed'
    returning b.id::text
$$;

-- One step of a batch, told by whoever holds its lease; `wait_s` gives the lease back until then.
create type engarde.batch_move as (
    tenant_id varchar(36),
    id varchar(36),
    epoch integer,
    state varchar(10),
    name varchar(200),
    stranger text,
    begun integer,
    cancelled boolean,
    wait_s double precision
);

-- Answers whether the lease still held; if not, nothing was written.
create function engarde.move_batch_v1(told jsonb) returns boolean
language plpgsql set search_path = pg_catalog as $$
declare
    m engarde.batch_move := jsonb_populate_record(null::engarde.batch_move, told);
begin
    update engarde.provider_batches b
    set state = m.state, name = case when m.state = 'opening' then null else coalesce(m.name, b.name) end,
        strangers = case when m.stranger is null then b.strangers else b.strangers || m.stranger end,
        attempts = greatest(0, b.attempts + coalesce(m.begun, 0)),
        cancelled_at = case when m.cancelled then coalesce(b.cancelled_at, clock_timestamp()) else b.cancelled_at end,
        due_at = case when m.wait_s is null then b.due_at
            else clock_timestamp() + make_interval(secs => m.wait_s) end,
        leased_until = case when m.wait_s is null then b.leased_until else '-infinity' end,
        closed_at = case when m.state = 'closed' then clock_timestamp() end
    where b.tenant_id = m.tenant_id and b.id = m.id and b.epoch = m.epoch and b.state <> 'closed';
    return found;
end $$;

-- Write down what became of items in bulk. Two may read the same answers, one of them late: only what
-- nobody has told of yet is written, under the lock of its job, so that an answer is counted once.
create function engarde.note_outcomes_v1(steps jsonb) returns void
language plpgsql set search_path = pg_catalog as $$
declare
    fresh jsonb;
begin
    perform from public.content_generation_jobs j
    where j.id in (select s ->> 'job_id' from jsonb_array_elements(steps) s)
    order by j.tenant_id, j.id for update;
    select jsonb_agg(s) into fresh
    from jsonb_array_elements(steps) s
    join engarde.generation_items i
      on i.tenant_id = s ->> 'tenant_id' and i.job_id = s ->> 'job_id' and i.number = (s ->> 'number')::integer
     and i.epoch = (s ->> 'epoch')::integer and i.state = 'calling';
    if fresh is not null then
        perform engarde.note_steps_v1(fresh);
    end if;
end $$;

-- What v1 tells of jobs, and how they have their items asked for.
create function engarde.read_jobs_v2(tenant text, wanted text, brands text[], states text[],
    before timestamptz, before_id text, most integer)
returns table (id text, brand_id text, user_id text, job_type text, content_type text, status text,
    target_count integer, progress integer, error_message text, provider text, model text,
    total_storage_bytes bigint, spent_usd numeric, unpriced_calls integer, max_cost_usd numeric,
    item_bytes bigint, item_cost_usd numeric, preview_items integer, paused_reason text,
    created_at timestamptz, started_at timestamptz, completed_at timestamptz, expires_at timestamptz,
    platforms json, items json, last_place integer, mode text)
language plpgsql as $$
#variable_conflict use_column
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select r.*, coalesce(j.spec ->> 'mode', 'direct')
    from engarde.read_jobs_v1(tenant, wanted, brands, states, before, before_id, most) r
    join public.content_generation_jobs j on j.id = r.id and j.tenant_id = tenant
    order by r.created_at desc, r.id desc;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('claim_items_v2', 'recover_items_v2', 'affordable_items_v1', 'gather_batch_v1', 'lease_batches_v1',
                            'hold_batches_v1', 'move_batch_v1', 'note_outcomes_v1',
                            'read_jobs_v2')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
grant execute on function engarde.read_jobs_v2 to engarde_api;
alter type engarde.batch_move owner to engarde_owner;

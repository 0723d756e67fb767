-- What becomes of answers: pieces of one job that say nearly the same are found, whoever wrote them and
-- whatever crashed meanwhile, and a draft that there is no money left to write anew is judged as it is.
--
-- A signature is committed with the answer that it was made of, and numbered in the order of those
-- commits, which the lock of the job makes the same for all daemons. A piece is compared with what
-- came before it, so of two that come at once the later one yields, never both and never neither.
-- A piece that broke the rules for good loses its signature under a new number, so that whoever reads
-- on hears of it. Signatures go with their items: a retry is compared with what its job stored long ago.

alter table engarde.generation_items
    add column answer_place integer,
    add column signature bytea,
    -- Its answer is the last there will be: the cost limit has no room for a rewrite.
    add column is_final boolean not null default false;
create index generation_items_answered on engarde.generation_items (tenant_id, job_id, answer_place)
    where answer_place is not null;

-- One step of an item, as in v1, and the signature of its answer in base64.
create type engarde.item_step_v2 as (
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
    size_bytes bigint,
    signature text
);
alter type engarde.item_step_v2 owner to engarde_owner;

-- Write steps down as v1 does, and the signatures of answers in their order; answers also with the
-- numbers that these got.
create function engarde.note_steps_v2(steps jsonb) returns table (slot integer, answer_place integer)
language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    batch engarde.item_step_v2[];
begin
    select array_agg(row(s.*)::engarde.item_step_v2) into batch
    from jsonb_populate_recordset(null::engarde.item_step_v2, steps) s;
    perform from public.content_generation_jobs j
    where j.id in (select b.job_id from unnest(batch) b) order by j.tenant_id, j.id for update;
    return query
    with wanted as materialized (
        select b.*, b.ordinality::integer as slot, g.is_given_up, b.signature is not null or g.is_given_up as is_told,
            row_number() over (partition by b.job_id, b.state in ('stored', 'failed') order by b.ordinality) as turn,
            row_number() over (partition by b.job_id, b.signature is not null or g.is_given_up
                               order by b.ordinality) as answer_turn
        from unnest(batch) with ordinality b
        join engarde.generation_items i
          on i.tenant_id = b.tenant_id and i.job_id = b.job_id and i.number = b.number and i.epoch = b.epoch
         and i.state in ('calling', 'received')
        -- What had no room only may be stored yet, so that it keeps its signature.
        cross join lateral (
            select b.state = 'failed' and b.failure not in ('storage_full', 'not_stored')
                and i.signature is not null as is_given_up) g
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
            ended_at = case when w.state in ('stored', 'failed') then clock_timestamp() end,
            is_final = i.is_final and w.answer is null,
            signature = case when not w.is_given_up then coalesce(decode(w.signature, 'base64'), i.signature) end,
            answer_place = case when not w.is_told then i.answer_place else w.answer_turn + coalesce((
                select max(p.answer_place) from engarde.generation_items p
                where p.tenant_id = w.tenant_id and p.job_id = w.job_id and p.answer_place is not null), 0) end
        from wanted w join public.content_generation_jobs j on j.id = w.job_id
        where i.tenant_id = w.tenant_id and i.job_id = w.job_id and i.number = w.number
        returning w.slot, w.job_id, i.state, w.size_bytes, w.cost_usd, w.paid,
            case when w.is_told then i.answer_place end as told_place
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
    select m.slot, m.told_place from moved m;
end $$;

-- Write down what became of items in bulk as v1 does, signatures included.
create function engarde.note_outcomes_v2(steps jsonb) returns void
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
        perform engarde.note_steps_v2(fresh);
    end if;
end $$;

-- The signatures of jobs from a place on, each job's in its order, no more than so many of each; none
-- where a piece was given up.
create function engarde.read_signatures_v1(tenants text[], jobs text[], places integer[], most integer)
returns table (job_id text, number integer, place integer, signature bytea)
language sql stable set search_path = pg_catalog as $$
    select w.job_id, a.number, a.answer_place, a.signature
    from unnest(tenants, jobs, places) w (tenant_id, job_id, place)
    cross join lateral (
        select i.number, i.answer_place, i.signature from engarde.generation_items i
        where i.tenant_id = w.tenant_id and i.job_id = w.job_id and i.answer_place > w.place
        order by i.answer_place limit most
    ) a
    order by w.job_id, a.answer_place
$$;

-- Give items up for a reason; those who follow the job hear of them in their order.
create function engarde.give_up_items_v1(j public.content_generation_jobs, states text[], why text, told text, at timestamptz)
returns void language plpgsql set search_path = pg_catalog as $$
declare
    last_place integer := coalesce((select max(p.place) from engarde.generation_items p
        where p.tenant_id = j.tenant_id and p.job_id = j.id and p.place is not null), 0);
begin
    with o as materialized (
        select x.number, row_number() over (order by x.number)::integer as turn from engarde.generation_items x
        where x.tenant_id = j.tenant_id and x.job_id = j.id and x.state = any (states)
    )
    update engarde.generation_items i
    set state = 'failed', failure = why, reason = told, ended_at = at, epoch = i.epoch + 1, place = last_place + o.turn
    from o where i.tenant_id = j.tenant_id and i.job_id = j.id and i.number = o.number;
end $$;

-- Close what can go on no more, and end jobs of which nothing is open, as v1 does; drafts first become
-- content, or fail for the rules that they break.
create function engarde.end_jobs_v2(most integer, storage_limits jsonb, monthly_limits jsonb, at timestamptz)
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
            perform engarde.give_up_items_v1(j, '{pending,calling,received}', 'unreachable',
                'The job took longer than it may; what was not made by then was given up.', at);
        elsif j.spent_usd + j.item_cost_usd > j.max_cost_usd then
            update engarde.generation_items i set state = 'received', is_final = true, due_at = at
            where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state = 'pending' and i.answer is not null;
            perform engarde.give_up_items_v1(j, '{pending}', 'cost_limit',
                'The job reached max_cost_usd. Retry it with a higher one to go on.', at);
        end if;
        continue when exists (select from engarde.generation_items i
            where i.tenant_id = j.tenant_id and i.job_id = j.id and i.state in ('pending', 'calling', 'received'));
        perform engarde.end_job_v1(j, storage_limits, monthly_limits);
        return next j.tenant_id;
    end loop;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('note_steps_v2', 'note_outcomes_v2', 'read_signatures_v1', 'give_up_items_v1', 'end_jobs_v2')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;

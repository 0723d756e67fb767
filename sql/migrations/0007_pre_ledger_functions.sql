-- Reserve, settle, release: room that is promised before its size or outcome is known. One lock
-- order everywhere: usage rows by tenant, then generation rows, then reservations. Time is the
-- database's, taken after the locks: a transaction's start would be stale after the wait.
--
-- Settling storage frees the promise and notes what came of it; the bytes themselves are posted by
-- the transaction that stores them. Settling generation posts the pieces made.
--
-- Answers per operation: ok, replayed, full, expired, unknown, settled, released, above_reserved,
-- id_reused.
create type engarde.ledger_op as (
    verb varchar(10),
    id varchar(36),
    tenant_id varchar(36),
    resource varchar(20),
    period date,
    amount bigint,
    ttl_s double precision
);

create function engarde.ledger_step_v1(op engarde.ledger_op, held engarde.reservations, free bigint, at timestamptz)
returns text language sql immutable set search_path = pg_catalog as $$
    select case
        when held.id is null and op.verb = 'reserve' then
            case when op.amount > 0 and op.amount <= free then 'ok' else 'full' end
        when held.id is null then 'unknown'
        when (held.tenant_id, held.resource, held.period)
            is distinct from (op.tenant_id, op.resource, op.period) then 'id_reused'
        when op.verb = 'reserve' then case
            when held.amount <> op.amount then 'id_reused'
            when held.state = 'expired' or (held.state = 'pending' and held.expires_at <= at) then 'expired'
            else 'replayed' end
        when op.verb = 'settle' then case
            when held.state = 'settled' then case when held.actual = op.amount then 'replayed' else 'settled' end
            when held.state = 'released' then 'released'
            when held.state = 'expired' or held.expires_at <= at then 'expired'
            when op.amount not between 0 and held.amount then 'above_reserved'
            else 'ok' end
        else case held.state
            when 'pending' then 'ok'
            when 'settled' then 'settled'
            else 'replayed' end
    end
$$;

-- What may still be promised; of an account that does not exist, nothing.
create function engarde.ledger_room_v1(op engarde.ledger_op, storage_limits jsonb, monthly_limits jsonb)
returns bigint language sql stable set search_path = pg_catalog as $$
    select coalesce(case op.resource
        when 'storage' then (
            select coalesce(engarde.limit_of_v1(storage_limits, t.plan_tier), 9223372036854775807)
                 - u.total_storage_bytes - u.total_media_storage_bytes - u.pending_bytes
            from public.content_storage_usage u join public.tenants t on t.id = u.tenant_id
            where u.tenant_id = op.tenant_id)
        else (
            select coalesce(engarde.limit_of_v1(monthly_limits, t.plan_tier), 9223372036854775807)
                 - g.used_items - g.pending_items
            from engarde.generation_usage g join public.tenants t on t.id = g.tenant_id
            where g.tenant_id = op.tenant_id and g.period = op.period)
    end, 0)
$$;

create function engarde.ledger_move_v1(tenant text, which text, month date, pending bigint, used bigint)
returns void language plpgsql set search_path = pg_catalog as $$
begin
    if which = 'storage' then
        update public.content_storage_usage u set pending_bytes = u.pending_bytes + pending
        where u.tenant_id = tenant;
    else
        update engarde.generation_usage g
        set pending_items = g.pending_items + pending, used_items = g.used_items + used
        where g.tenant_id = tenant and g.period = month;
    end if;
end $$;

create function engarde.ledger_lock_v1(ops engarde.ledger_op[]) returns void
language plpgsql set search_path = pg_catalog as $$
begin
    insert into public.content_storage_usage (tenant_id)
    select distinct o.tenant_id from unnest(ops) o
    join public.tenants t on t.id = o.tenant_id
    where o.resource = 'storage' and o.verb = 'reserve'
      and not exists (select from public.content_storage_usage u where u.tenant_id = o.tenant_id)
    order by 1 on conflict do nothing;
    insert into engarde.generation_usage (tenant_id, period)
    select distinct o.tenant_id, o.period from unnest(ops) o
    join public.tenants t on t.id = o.tenant_id
    where o.resource = 'generation' and o.verb = 'reserve'
    order by 1, 2 on conflict do nothing;
    perform from public.content_storage_usage u
    where u.tenant_id in (select o.tenant_id from unnest(ops) o where o.resource = 'storage')
    order by u.tenant_id for update;
    perform from engarde.generation_usage g
    where (g.tenant_id, g.period) in (select o.tenant_id, o.period from unnest(ops) o)
    order by g.tenant_id, g.period for update;
end $$;

create function engarde.ledger_apply_v1(requests jsonb, storage_limits jsonb, monthly_limits jsonb)
returns setof text language plpgsql set search_path = pg_catalog as $$
declare
    ops engarde.ledger_op[];
    op engarde.ledger_op;
    held engarde.reservations;
    at timestamptz;
    answer text;
begin
    select array_agg(row(r.*)::engarde.ledger_op) into ops
    from jsonb_populate_recordset(null::engarde.ledger_op, requests) r;
    perform engarde.ledger_lock_v1(ops);
    at := clock_timestamp();
    foreach op in array ops loop
        select * into held from engarde.reservations r where r.id = op.id for update;
        answer := engarde.ledger_step_v1(op, held, engarde.ledger_room_v1(op, storage_limits, monthly_limits), at);
        if answer = 'ok' and op.verb = 'reserve' then
            insert into engarde.reservations (id, tenant_id, resource, period, amount, expires_at)
            values (op.id, op.tenant_id, op.resource, op.period, op.amount,
                    at + make_interval(secs => op.ttl_s));
            perform engarde.ledger_move_v1(op.tenant_id, op.resource, op.period, op.amount, 0);
        elsif answer = 'ok' and op.verb = 'settle' then
            update engarde.reservations r set state = 'settled', actual = op.amount
            where r.id = op.id and r.state = 'pending';
            perform engarde.ledger_move_v1(op.tenant_id, op.resource, op.period, -held.amount, op.amount);
        elsif answer = 'ok' then
            update engarde.reservations r set state = 'released' where r.id = op.id and r.state = 'pending';
            perform engarde.ledger_move_v1(op.tenant_id, op.resource, op.period, -held.amount, 0);
        end if;
        return next answer;
    end loop;
    perform engarde.note_levels_v1(
        array(select distinct o.tenant_id from unnest(ops) o where o.resource = 'storage'), storage_limits);
end $$;

-- Reservations nobody settled in time give their room back. Answers with how many.
create function engarde.expire_reservations_v1(most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    due engarde.ledger_op[];
    expired integer := 0;
    r record;
begin
    select array_agg(row('release', d.id, d.tenant_id, d.resource, d.period, d.amount, 0)::engarde.ledger_op)
    into due
    from (select * from engarde.reservations x
          where x.state = 'pending' and x.expires_at <= clock_timestamp()
          order by x.expires_at limit most) d;
    if due is null then
        return 0;
    end if;
    perform engarde.ledger_lock_v1(due);
    for r in
        update engarde.reservations x set state = 'expired'
        from unnest(due) d
        where x.id = d.id and x.state = 'pending' and x.expires_at <= clock_timestamp()
        returning x.tenant_id, x.resource, x.period, x.amount
    loop
        perform engarde.ledger_move_v1(r.tenant_id, r.resource, r.period, -r.amount, 0);
        expired := expired + 1;
    end loop;
    return expired;
end $$;

-- Where the ledger and what it counts disagree. One statement, one snapshot: a row here is real.
create function engarde.quota_drift_v1(tenants text[])
returns table (tenant_id text, measure text, ledger bigint, actual bigint)
language sql stable set search_path = pg_catalog as $$
    with content as (
        select i.tenant_id, count(*) as items, coalesce(sum(i.storage_size_bytes), 0) as bytes
        from public.content_items i
        where i.deleted_at is null and i.brand_id is not null and i.tenant_id = any (tenants)
        group by i.tenant_id
    ), counted as (
        select c.tenant_id, sum(c.items) as items, sum(c.bytes) as bytes
        from engarde.content_counts c where c.tenant_id = any (tenants) group by c.tenant_id
    ), promised as (
        select r.tenant_id, sum(r.amount) as bytes from engarde.reservations r
        where r.state = 'pending' and r.resource = 'storage' and r.tenant_id = any (tenants)
        group by r.tenant_id
    ), measures as (
        select u.tenant_id, m.measure, m.ledger, m.actual
        from public.content_storage_usage u
        left join content on content.tenant_id = u.tenant_id
        left join counted on counted.tenant_id = u.tenant_id
        left join promised on promised.tenant_id = u.tenant_id
        cross join lateral (values
            ('items', u.total_content_items::bigint, coalesce(content.items, 0)),
            ('bytes', u.total_storage_bytes, coalesce(content.bytes, 0)::bigint),
            ('counted items', coalesce(counted.items, 0)::bigint, coalesce(content.items, 0)),
            ('counted bytes', coalesce(counted.bytes, 0)::bigint, coalesce(content.bytes, 0)::bigint),
            ('pending bytes', u.pending_bytes, coalesce(promised.bytes, 0)::bigint)
        ) m (measure, ledger, actual)
        where u.tenant_id = any (tenants)
        union all
        select g.tenant_id, 'pending pieces', g.pending_items, coalesce((
            select sum(r.amount) from engarde.reservations r
            where r.tenant_id = g.tenant_id and r.period = g.period and r.state = 'pending'), 0)
        from engarde.generation_usage g where g.tenant_id = any (tenants)
        union all
        select g.tenant_id, 'used pieces', g.used_items, coalesce((
            select sum(r.actual) from engarde.reservations r
            where r.tenant_id = g.tenant_id and r.period = g.period and r.state = 'settled'), 0)
        from engarde.generation_usage g where g.tenant_id = any (tenants)
    )
    select tenant_id::text, measure, ledger, actual from measures where ledger <> actual
$$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and (p.proname like 'ledger\_%' or p.proname in ('expire_reservations_v1', 'quota_drift_v1'))
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
alter type engarde.ledger_op owner to engarde_owner;

-- Webhooks: where tenants want to be told of events, and what became of each telling.
--
-- A webhook's row is also its lease: whoever holds it is the only one who sends to that address, and
-- its token fences whoever held it before. The row is locked before a tenant's usage row, and never
-- after one.

create table engarde.webhooks (
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    id varchar(36) not null,
    url varchar(2048) not null,
    types text[] not null check (cardinality(types) between 1 and 50),
    description varchar(255) not null,
    enabled boolean not null default true,
    disabled_reason varchar(300) check (disabled_reason is null or not enabled),
    secret bytea not null,
    old_secret bytea,
    old_secret_until timestamptz,
    -- Of the request that made it under an Idempotency-Key, from which its id is computed.
    fingerprint varchar(64),
    -- Events up to this position were looked at; deliveries up to this number were made.
    position bigint not null,
    last_delivery bigint not null default 0,
    failing_since timestamptz,
    -- When something is to be sent again; null when nothing waits.
    due_at timestamptz,
    leased_until timestamptz not null default '-infinity',
    lease_token integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id),
    check ((old_secret is null) = (old_secret_until is null))
) with (fillfactor = 70);
create index webhooks_due on engarde.webhooks (due_at) where enabled and due_at is not null;

-- One event on its way to one webhook, or what was said of it. Numbers are the webhook's own.
create table engarde.webhook_deliveries (
    tenant_id varchar(36) not null,
    webhook_id varchar(36) not null,
    number bigint not null check (number > 0),
    event_id uuid not null,
    position bigint,
    type varchar(40) not null,
    -- What a test says; anything else is read from its event.
    data json check ((data is null) = (position is not null)),
    state varchar(10) not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
    attempts integer not null default 0,
    due_at timestamptz default clock_timestamp() check ((due_at is null) = (state <> 'pending')),
    response_status integer,
    response_excerpt varchar(1000),
    error varchar(300),
    took_ms integer,
    attempted_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, webhook_id, number),
    unique (tenant_id, webhook_id, position),
    foreign key (tenant_id, webhook_id) references engarde.webhooks (tenant_id, id) on delete cascade
) with (fillfactor = 70);
create index webhook_deliveries_due on engarde.webhook_deliveries (tenant_id, webhook_id, due_at)
    where state = 'pending';
create index webhook_deliveries_waiting on engarde.webhook_deliveries (created_at) where state = 'pending';
create index webhook_deliveries_age on engarde.webhook_deliveries using brin (created_at) with (autosummarize = on);

do $$
declare
    guarded text;
begin
    foreach guarded in array array['engarde.webhooks', 'engarde.webhook_deliveries'] loop
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
-- Readers never see a secret, not even a sealed one.
grant select (tenant_id, id, url, types, description, enabled, disabled_reason, failing_since,
              created_at, updated_at) on engarde.webhooks to engarde_api;
grant select on engarde.webhook_deliveries to engarde_api;

-- Add a webhook, unless the tenant has `most` of them. It is told of what happens from now on. One
-- that is there already was made by the same request, or its Idempotency-Key is reused.
create function engarde.add_webhook_v1(tenant text, webhook text, address text, wanted text[], told text,
                                       sealed bytea, print text, most integer)
returns text language plpgsql set search_path = pg_catalog as $$
declare
    place bigint;
    made_before engarde.webhooks;
begin
    insert into public.content_storage_usage (tenant_id) values (tenant) on conflict do nothing;
    select u.last_event into place from public.content_storage_usage u where u.tenant_id = tenant for update;
    select * into made_before from engarde.webhooks w where w.tenant_id = tenant and w.id = webhook;
    if found then
        return case when made_before.fingerprint = print then 'exists' else 'reused' end;
    elsif (select count(*) from engarde.webhooks w where w.tenant_id = tenant) >= most then
        return 'full';
    end if;
    insert into engarde.webhooks (tenant_id, id, url, types, description, secret, fingerprint, position)
    values (tenant, webhook, address, wanted, told, sealed, print, place);
    return 'added';
end $$;

-- Change what is not null. A webhook that is switched on again starts with what happens from now on;
-- one that is switched off gives up what waits.
create function engarde.change_webhook_v1(tenant text, webhook text, address text, wanted text[],
                                          told text, active boolean)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    was boolean;
begin
    select w.enabled into was from engarde.webhooks w
    where w.tenant_id = tenant and w.id = webhook for update;
    if was is null then
        return false;
    end if;
    update engarde.webhooks w set
        url = coalesce(address, w.url), types = coalesce(wanted, w.types),
        description = coalesce(told, w.description), enabled = coalesce(active, was),
        updated_at = clock_timestamp()
    where w.tenant_id = tenant and w.id = webhook;
    if active and not was then
        update engarde.webhooks w set
            disabled_reason = null, failing_since = null, position = u.last_event
        from public.content_storage_usage u
        where w.tenant_id = tenant and w.id = webhook and u.tenant_id = tenant;
    elsif not active and was then
        perform engarde.give_up_webhook_v1(tenant, webhook, 'switched off');
    end if;
    return true;
end $$;

-- Settle everything that waits for a webhook as failed.
create function engarde.give_up_webhook_v1(tenant text, webhook text, why text) returns void
language plpgsql set search_path = pg_catalog as $$
begin
    update engarde.webhook_deliveries d set state = 'failed', due_at = null, error = why
    where d.tenant_id = tenant and d.webhook_id = webhook and d.state = 'pending';
    update engarde.webhooks w set due_at = null
    where w.tenant_id = tenant and w.id = webhook;
end $$;

-- Make a delivery for each event that a webhook wants and was not told of, of these tenants or, with
-- null, of all: at most `most` events for each webhook. Answers with how many webhooks were behind,
-- how many of them still are, and how many deliveries were made.
create function engarde.match_webhooks_v1(tenants text[], most integer)
returns table (behind integer, left_behind integer, made integer)
language plpgsql set search_path = pg_catalog as $$
declare
    w record;
    n record;
begin
    behind := 0; left_behind := 0; made := 0;
    for w in
        select h.tenant_id, h.id, h.types, h.position, h.last_delivery, u.last_event
        from engarde.webhooks h join public.content_storage_usage u on u.tenant_id = h.tenant_id
        where h.enabled and h.position < u.last_event and (tenants is null or h.tenant_id = any (tenants))
        order by h.tenant_id, h.id
        for update of h
    loop
        with fresh as materialized (
            select e.* from engarde.events e
            where e.tenant_id = w.tenant_id and e.position > w.position order by e.position limit most
        ), matched as (
            insert into engarde.webhook_deliveries (tenant_id, webhook_id, number, event_id, position, type)
            select f.tenant_id, w.id, w.last_delivery + row_number() over (order by f.position),
                engarde.event_id_v1(f), f.position, f.type
            from fresh f
            where w.types && array['*', split_part(f.type, '.', 1) || '.*', f.type]
            returning 1
        )
        select (select count(*) from matched) as made,
               coalesce((select max(f.position) from fresh f), w.last_event) as reached
        into n;
        update engarde.webhooks h set
            position = n.reached, last_delivery = w.last_delivery + n.made,
            due_at = case when n.made = 0 then h.due_at
                when h.failing_since is null then least(h.due_at, clock_timestamp())
                else coalesce(h.due_at, clock_timestamp()) end
        where h.tenant_id = w.tenant_id and h.id = w.id;
        behind := behind + 1; made := made + n.made;
        left_behind := left_behind + (n.reached < w.last_event)::integer;
    end loop;
    return next;
end $$;

-- Send a webhook something on its own account, or an old delivery once more.
create function engarde.test_webhook_v1(tenant text, webhook text, event uuid, what text, said json)
returns bigint language plpgsql set search_path = pg_catalog as $$
declare
    made bigint;
begin
    update engarde.webhooks w set
        last_delivery = w.last_delivery + 1, due_at = least(w.due_at, clock_timestamp())
    where w.tenant_id = tenant and w.id = webhook and w.enabled
    returning w.last_delivery into made;
    insert into engarde.webhook_deliveries (tenant_id, webhook_id, number, event_id, type, data)
    select tenant, webhook, made, event, what, said where made is not null;
    return made;
end $$;

create function engarde.retry_webhook_v1(tenant text, webhook text, wanted bigint) returns boolean
language plpgsql set search_path = pg_catalog as $$
begin
    perform from engarde.webhooks w
    where w.tenant_id = tenant and w.id = webhook and w.enabled for update;
    if not found then
        return false;
    end if;
    update engarde.webhook_deliveries d set state = 'pending', attempts = 0, due_at = clock_timestamp()
    where d.tenant_id = tenant and d.webhook_id = webhook and d.number = wanted;
    if not found then
        return false;
    end if;
    update engarde.webhooks w set due_at = least(w.due_at, clock_timestamp())
    where w.tenant_id = tenant and w.id = webhook;
    return true;
end $$;

-- The id of the key that a secret was sealed with, as engarde_daemon/adapters/secrets.py writes it.
create function engarde.sealing_key_v1(sealed bytea) returns bytea
language sql immutable as $$
    select substring(sealed from 2 for 8)
$$;

-- Lease the webhook that has waited longest and take what is due for it: first those that answered
-- last time, then, unless only these are wanted, one that did not, with a single delivery to try it
-- with. Only webhooks are taken whose secret was sealed with one of these keys, for a daemon without
-- the key can send nothing. Attempts are counted here, so that a delivery that ends its daemon is not
-- tried for ever.
create function engarde.claim_webhook_v1(lease_s double precision, most integer, sound_only boolean,
                                         keys bytea[], now_at timestamptz)
returns table (tenant_id text, webhook_id text, token integer, failing boolean, url text,
               secret bytea, old_secret bytea,
               number bigint, attempts integer, event_id uuid, type text, brand_id text, actor_id text,
               occurred_at timestamptz, data json)
language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    at timestamptz := coalesce(now_at, clock_timestamp());
    w engarde.webhooks;
begin
    select * into w from engarde.webhooks h
    where h.enabled and h.due_at <= at and h.leased_until <= at
      and (h.failing_since is null or not sound_only)
      and engarde.sealing_key_v1(h.secret) = any (keys)
    order by h.failing_since is not null, h.due_at
    limit 1 for update skip locked;
    if not found then
        return;
    end if;
    update engarde.webhooks h
    set leased_until = at + make_interval(secs => lease_s), lease_token = h.lease_token + 1
    where h.tenant_id = w.tenant_id and h.id = w.id;
    return query
    with due as materialized (
        select d.number from engarde.webhook_deliveries d
        where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.state = 'pending' and d.due_at <= at
        order by d.number limit case when w.failing_since is null then most else 1 end
    ), taken as (
        update engarde.webhook_deliveries d set attempts = d.attempts + 1, attempted_at = at
        from due
        where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.number = due.number
        returning d.*
    )
    select w.tenant_id::text, w.id::text, w.lease_token + 1, w.failing_since is not null,
        w.url::text, w.secret,
        case when w.old_secret_until > at then w.old_secret end,
        t.number, t.attempts, t.event_id, t.type::text, e.brand_id::text, e.actor_id::text,
        coalesce(e.occurred_at, t.created_at),
        coalesce(t.data, case when e.position is not null then engarde.event_data_v1(e, v) end)
    from taken t
    left join engarde.events e on e.tenant_id = t.tenant_id and e.position = t.position
    left join engarde.content_versions v
      on v.tenant_id = e.tenant_id and v.content_id = e.subject_id and v.version = e.version
    order by t.number;
    if not found then
        -- It was due for nothing, as after a retry that someone else settled.
        perform engarde.release_webhook_v1(w.tenant_id, w.id, at);
    end if;
end $$;

-- Give the lease back and note when the webhook is due again: behind those that wait already, and the
-- later, up to a minute, the longer it has not answered.
create function engarde.release_webhook_v1(tenant text, webhook text, at timestamptz) returns void
language plpgsql set search_path = pg_catalog as $$
begin
    update engarde.webhooks w set
        leased_until = '-infinity',
        due_at = (select greatest(d.due_at, at + least(
                      interval '1 minute', coalesce((at - w.failing_since) / 4, interval '0')))
                  from engarde.webhook_deliveries d
                  where d.tenant_id = tenant and d.webhook_id = webhook and d.state = 'pending'
                  order by d.due_at limit 1)
    where w.tenant_id = tenant and w.id = webhook;
end $$;

create type engarde.webhook_outcome as (
    number bigint,
    state varchar(10),
    retry_s double precision,
    response_status integer,
    response_excerpt varchar(1000),
    error varchar(300),
    took_ms integer
);

-- Write down what came of the deliveries of a lease; false when the lease has gone to someone else.
-- A webhook that has not answered well for `patience_s`, or says that it is gone, is switched off,
-- and an event says so.
create function engarde.settle_webhook_v1(tenant text, webhook text, token integer, outcomes jsonb, gone boolean,
                                          patience_s double precision, now_at timestamptz)
returns boolean language plpgsql set search_path = pg_catalog as $$
declare
    at timestamptz := coalesce(now_at, clock_timestamp());
    since timestamptz;
    why text;
begin
    select w.failing_since into since from engarde.webhooks w
    where w.tenant_id = tenant and w.id = webhook and w.lease_token = token for update;
    if not found then
        return false;
    end if;
    update engarde.webhook_deliveries d set
        state = o.state, due_at = case o.state when 'pending' then at + make_interval(secs => o.retry_s) end,
        response_status = o.response_status, response_excerpt = o.response_excerpt, error = o.error,
        took_ms = o.took_ms
    from jsonb_populate_recordset(null::engarde.webhook_outcome, outcomes) o
    where d.tenant_id = tenant and d.webhook_id = webhook and d.number = o.number and d.state = 'pending';
    since := case when outcomes @> '[{"state": "delivered"}]' then null else coalesce(since, at) end;
    update engarde.webhooks w set failing_since = since where w.tenant_id = tenant and w.id = webhook;
    perform engarde.release_webhook_v1(tenant, webhook, at);
    why := case when gone then 'The address answered 410 Gone.'
        when since <= at - make_interval(secs => patience_s)
        then 'No delivery succeeded since ' || to_char(since at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '.'
        end;
    if why is not null then
        update engarde.webhooks w set enabled = false, disabled_reason = why
        where w.tenant_id = tenant and w.id = webhook and w.enabled;
        if found then
            perform engarde.give_up_webhook_v1(tenant, webhook, why);
            perform engarde.append_events_v1(array[row(tenant, 'webhook.disabled', null, webhook, null, null,
                json_build_object('id', webhook, 'reason', why), at)::engarde.event_draft]);
        end if;
    end if;
    return true;
end $$;

create function engarde.read_webhooks_v1(tenant text, webhook text)
returns table (id text, url text, types text[], description text, enabled boolean, disabled_reason text,
               failing_since timestamptz, created_at timestamptz, updated_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select w.id::text, w.url::text, w.types, w.description::text, w.enabled, w.disabled_reason::text,
        w.failing_since, w.created_at, w.updated_at
    from engarde.webhooks w
    where w.tenant_id = tenant and (webhook is null or w.id = webhook)
    order by w.created_at, w.id;
end $$;

create function engarde.read_deliveries_v1(tenant text, webhook text, wanted text, before bigint, size integer)
returns setof engarde.webhook_deliveries
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select * from engarde.webhook_deliveries d
    where d.tenant_id = tenant and d.webhook_id = webhook
      and (wanted is null or d.state = wanted) and (before is null or d.number < before)
    order by d.number desc limit size;
end $$;

-- Events and settled deliveries past their time, a bounded piece of each.
create function engarde.forget_events_v1(older_than_days double precision, most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    oldest timestamptz := clock_timestamp() - make_interval(secs => older_than_days * 86400);
    events integer;
    deliveries integer;
begin
    delete from engarde.webhook_deliveries d
    where d.ctid = any (array(select o.ctid from engarde.webhook_deliveries o
                              where o.created_at < oldest and o.state <> 'pending' limit most));
    get diagnostics deliveries = row_count;
    delete from engarde.events e
    where e.ctid = any (array(select o.ctid from engarde.events o where o.occurred_at < oldest limit most));
    get diagnostics events = row_count;
    return events + deliveries;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and (p.proname like '%\_webhook\_v1' or p.proname in (
              'sealing_key_v1', 'match_webhooks_v1', 'read_webhooks_v1', 'read_deliveries_v1', 'forget_events_v1'))
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;
grant execute on function engarde.read_webhooks_v1, engarde.read_deliveries_v1 to engarde_api;
alter type engarde.webhook_outcome owner to engarde_owner;

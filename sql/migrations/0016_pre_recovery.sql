-- Failover and recovery: what operators ordered, and how far it has come. Nothing here is a
-- tenant's; only actors reach it.

-- Stores that an operator keeps every daemon from asking.
create table engarde.store_latches (
    store varchar(20) primary key check (store in ('zerodb', 'archive')),
    ordered_by varchar(36) not null,
    ordered_at timestamptz not null default clock_timestamp()
);

-- Jobs that outlive the daemon that runs them. `place` is where the next one goes on; claims carry
-- a lease and a token that fences late finishers. `attempts` counts claims without progress.
create table engarde.recovery_jobs (
    id varchar(36) primary key,
    kind varchar(10) not null check (kind in ('restore', 'verify', 'migrate')),
    wish json not null,
    ordered_by varchar(36) not null,
    state varchar(10) not null default 'pending'
        check (state in ('pending', 'running', 'completed', 'failed', 'cancelled')),
    phase varchar(20) not null default '',
    place json,
    done bigint not null default 0 check (done >= 0),
    total bigint not null default 0 check (total >= 0),
    report json,
    error varchar(500),
    cancel_requested boolean not null default false,
    attempts integer not null default 0,
    lease_token integer not null default 0,
    leased_until timestamptz not null default '-infinity',
    created_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    check ((finished_at is not null) = (state in ('completed', 'failed', 'cancelled')))
);
create index recovery_jobs_newest on engarde.recovery_jobs (created_at desc, id desc);
-- Two of a kind would undo or repeat each other's work.
create unique index recovery_jobs_one_of_a_kind on engarde.recovery_jobs (kind)
    where state in ('pending', 'running');

-- Which of several configured ZeroDBs is in use, once a migration has cut over; by its address, so
-- that a configuration that changed since cannot be mistaken for it.
create table engarde.zerodb_in_use (
    only_row boolean primary key default true check (only_row),
    address text not null,
    since timestamptz not null default clock_timestamp()
);

do $$
declare
    ours text;
begin
    foreach ours in array array['store_latches', 'recovery_jobs', 'zerodb_in_use'] loop
        execute format('alter table engarde.%I owner to engarde_owner', ours);
        execute format('alter table engarde.%I enable row level security', ours);
        execute format('alter table engarde.%I force row level security', ours);
        execute format('create policy daemon_access on engarde.%I to engarde_owner, engarde_actor '
                       'using (true) with check (true)', ours);
        execute format('grant select, insert, update, delete on engarde.%I to engarde_actor, engarde_owner', ours);
    end loop;
end $$;

-- Some delivered versions, drawn by chance from pages all over the table.
create function engarde.sample_versions_v1(most integer) returns setof engarde.content_versions
language plpgsql volatile set search_path = pg_catalog as $$
declare
    share real;
begin
    select least(100, 100.0 * 20 * most / greatest(c.reltuples, 1)) into share
    from pg_class c where c.oid = 'engarde.content_versions'::regclass;
    return query
    select v.* from engarde.content_versions v tablesample system (share)
    where not exists (select from engarde.outbox o
                      where o.tenant_id = v.tenant_id and o.content_id = v.content_id
                        and o.version = v.version and o.destination = 'zerodb')
    order by random() limit most;
end $$;

-- Let what was put off for a destination be tried now. The token moves on, so that whoever holds a
-- claim meanwhile settles nothing; delivering twice is the same as once.
create function engarde.expedite_outbox_v1(wanted text, most integer) returns integer
language plpgsql set search_path = pg_catalog as $$
declare
    expedited integer;
begin
    with put_off as materialized (
        select o.id from engarde.outbox o
        where o.destination = wanted and o.last_error is not null and o.leased_until > clock_timestamp()
        order by o.id limit most for update skip locked
    )
    update engarde.outbox o set leased_until = '-infinity', lease_token = o.lease_token + 1
    from put_off p where o.id = p.id;
    get diagnostics expedited = row_count;
    return expedited;
end $$;

do $$
declare
    f regprocedure;
begin
    for f in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'engarde'::regnamespace
          and p.proname in ('sample_versions_v1', 'expedite_outbox_v1')
    loop
        execute format('alter function %s owner to engarde_owner', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to engarde_actor', f);
    end loop;
end $$;

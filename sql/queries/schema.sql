-- name: lock
-- One migration at a time, whoever starts it; the lock goes with the transaction.
select pg_advisory_xact_lock(hashtextextended('engarde schema', 0))

-- name: history_exists
select to_regclass('engarde.schema_migrations') is not null

-- name: create_history
create table engarde.schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
alter table engarde.schema_migrations owner to engarde_owner;
grant select on engarde.schema_migrations to engarde_actor;

-- name: history
select name, checksum from engarde.schema_migrations order by name

-- name: record
insert into engarde.schema_migrations (name, checksum) values ($1, $2)

-- name: table_exists
select to_regclass('public.' || quote_ident($1)) is not null

-- name: allow_references
-- Tables that we create may refer to those which the platform has already.
do $$
declare
    referred regclass;
begin
    for referred in
        select c.oid::regclass from pg_class c
        where c.relnamespace = 'public'::regnamespace
          and c.relname in ('tenants', 'users', 'brands', 'campaign_spaces')
          and c.relowner <> 'engarde_owner'::regrole
    loop
        execute format('grant references on %s to engarde_owner', referred);
    end loop;
end $$

-- name: become_owner
set local role engarde_owner

-- name: become_self
reset role

-- name: server_version
select current_setting('server_version_num')::integer

-- name: role_faults
-- Roles that could see past row level security. Nothing here is as it should be.
select r.rolname as subject,
    case when r.rolsuper then 'is a superuser' when r.rolbypassrls then 'may bypass row level security'
         else 'may act as ' || m.rolname end as fault
from pg_roles r
left join pg_roles m on r.rolname = 'engarde_api' and m.oid <> r.oid
    and not (r.rolsuper or r.rolbypassrls)
    and (m.rolname in ('engarde_owner', 'engarde_actor') or m.rolsuper or m.rolbypassrls)
    and pg_has_role(r.oid, m.oid, 'member')
where r.rolname in ('engarde_api', 'engarde_actor', 'engarde_owner')
  and (r.rolsuper or r.rolbypassrls or m.oid is not null)
union all
select missing, 'does not exist'
from unnest(array['engarde_api', 'engarde_actor', 'engarde_owner']) missing
where to_regrole(missing) is null

-- name: table_faults
-- Tenants' tables on which the guard is missing, weakened or not in force for our owner.
select t.name as subject, f.fault
from unnest($1::text[]) t (name)
left join pg_class c on c.oid = to_regclass(t.name)
left join pg_policy p on p.polrelid = c.oid and p.polname = 'tenant_guard'
cross join lateral (values
    (case when c.oid is null then 'does not exist' end),
    (case when not c.relrowsecurity then 'has row level security switched off' end),
    (case when c.relowner = to_regrole('engarde_owner') and not c.relforcerowsecurity
        then 'does not force row level security on its owner' end),
    (case when c.relowner <> to_regrole('engarde_owner')
        and pg_has_role(to_regrole('engarde_api'), c.relowner, 'member')
        then 'is owned by someone engarde_api may act as' end),
    (case when c.oid is not null and p.oid is null then 'has lost its policy tenant_guard' end),
    (case when p.polpermissive then 'has a tenant_guard that others can widen' end),
    (case when not (to_regrole('engarde_api') = any (p.polroles)) then 'does not guard engarde_api' end),
    (case when p.oid is not null and (p.polcmd <> '*' or $2 <> any (array[
            regexp_replace(pg_get_expr(p.polqual, p.polrelid), '::[a-z ]+|[()]|\s', '', 'g'),
            regexp_replace(coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''), '::[a-z ]+|[()]|\s', '', 'g')]))
        then 'has a changed tenant_guard' end)
) f (fault)
where f.fault is not null

-- name: function_faults
-- Functions that run with their owner's rights must not be owned by someone row level security
-- does not bind.
select p.oid::regprocedure::text as subject, 'runs with the rights of ' || r.rolname as fault
from pg_proc p join pg_roles r on r.oid = p.proowner
where p.pronamespace = to_regnamespace('engarde') and p.prosecdef and (r.rolsuper or r.rolbypassrls)

-- name: session_role
select current_user::text as role, current_setting('transaction_read_only') = 'on' as read_only

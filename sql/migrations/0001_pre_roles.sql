-- Three roles, none of which may log in by more than it must nor bypass row level security.
--   engarde_owner  owns what we create; nobody logs in as it
--   engarde_api    reads for one tenant at a time, under row level security, never writes
--   engarde_actor  batch writes and background work, with an explicit tenant in every statement
do $$
declare
    wanted text;
begin
    foreach wanted in array array['engarde_owner nologin', 'engarde_api login', 'engarde_actor login'] loop
        begin
            execute format(
                'create role %I %s nosuperuser nobypassrls nocreatedb nocreaterole noinherit',
                split_part(wanted, ' ', 1), split_part(wanted, ' ', 2)
            );
        exception when duplicate_object or unique_violation then
            null;
        end;
    end loop;
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant engarde_owner, engarde_api, engarde_actor to %I', current_user);
    end if;
end $$;

create schema if not exists engarde authorization engarde_owner;
grant usage on schema engarde to engarde_api, engarde_actor;
grant usage on schema public to engarde_api, engarde_actor;
grant usage, create on schema public to engarde_owner;

-- The readers' sessions can only read, whatever a statement says, and plan with the values they
-- are given: a filter that is not there must not cost a plan.
alter role engarde_api set default_transaction_read_only = on;

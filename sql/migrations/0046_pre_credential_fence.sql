-- A refusal pauses the key that was refused, and not one that was set while the call was under way.
-- `pause_credential_v1` stays for daemons of before, which may run beside newer ones.

-- Stop calling with a credential that is not good until it is set anew; `used` is what was called with,
-- null where the tenant had none. Answers whether that is still the one.
create function engarde.pause_credential_v2(tenant text, name text, used bytea, why text) returns boolean
language plpgsql set search_path = pg_catalog as $$
begin
    if used is null then
        -- Whoever sets the first key refers to the tenant, and so waits here, or is waited for.
        perform from public.tenants t where t.id = tenant for update;
        if exists (select from engarde.credentials c where c.tenant_id = tenant and c.provider = name) then
            return false;
        end if;
    else
        update engarde.credentials c set paused_reason = why
        where c.tenant_id = tenant and c.provider = name and c.sealed = used;
        if not found then
            return false;
        end if;
    end if;
    update public.content_generation_jobs j set paused_reason = why
    where j.id in (
        select x.id from public.content_generation_jobs x
        where x.tenant_id = tenant and x.provider = name and x.status in ('pending', 'running')
          and x.spec is not null
        order by x.id for update);
    return true;
end $$;

alter function engarde.pause_credential_v2 owner to engarde_owner;
revoke all on function engarde.pause_credential_v2 from public;
grant execute on function engarde.pause_credential_v2 to engarde_actor;

-- Row level security: the second guard behind the tenant that every statement names itself.
--   tenant_guard   restrictive, so no other policy can widen it: engarde_api sees one tenant
--   daemon_access  what our three roles may reach at all
--   platform_access  on a platform table that had no policies: everybody else, as before
do $$
declare
    guarded text;
begin
    foreach guarded in array array[
        'engarde.content_counts', 'engarde.content_versions', 'engarde.staged_bodies',
        'engarde.outbox', 'engarde.content_search', 'engarde.idempotency_keys',
        'engarde.reservations', 'engarde.generation_usage', 'engarde.api_keys',
        'public.content_storage_usage', 'public.content_items'
    ] loop
        if guarded like 'engarde.%' then
            execute format('alter table %s owner to engarde_owner', guarded);
        end if;
        -- A platform table that was there before us must go on serving whoever it is granted to,
        -- now and later, by table or by column; its owner stays exempt.
        if (select relowner <> 'engarde_owner'::regrole and not relrowsecurity
            from pg_class where oid = guarded::regclass) then
            execute format('create policy platform_access on %s using (true) with check (true)', guarded);
        end if;
        execute format('alter table %s enable row level security', guarded);
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

grant select on public.content_items, public.content_storage_usage, engarde.content_counts,
    engarde.content_versions, engarde.staged_bodies, engarde.reservations,
    engarde.generation_usage to engarde_api;
grant select on public.tenants, public.brands, public.users to engarde_actor, engarde_owner;
grant update (plan_tier) on public.tenants to engarde_actor;

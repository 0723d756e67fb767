-- What readers ask about the versions of a content. As in 0006: with the reader's own rights, the
-- tenant set for the statement and named again in every condition.

-- Whether a reader may look at an item's history: always while it lives, and in the trash if asked.
create function engarde.has_history_v1(tenant text, content text, with_trash boolean) returns boolean
language sql stable as $$
    select exists (select from public.content_items i
                   where i.tenant_id = tenant and i.id = content and (with_trash or i.deleted_at is null))
$$;

-- Versions before a given one, or from the current one on, the newest first. No row says that there
-- is no such item; a row of nulls, that it has no such versions.
create function engarde.read_history_v1(tenant text, content text, with_trash boolean, before_version integer, size integer)
returns setof engarde.content_versions
language plpgsql as $$
declare
    nothing engarde.content_versions;
begin
    perform set_config('app.tenant_id', tenant, true);
    if not engarde.has_history_v1(tenant, content, with_trash) then
        return;
    end if;
    return query
    select * from engarde.content_versions v
    where v.tenant_id = tenant and v.content_id = content
      and (before_version is null or v.version < before_version)
    order by v.version desc limit size;
    if not found then
        return next nothing;
    end if;
end $$;

-- Some versions by number.
create function engarde.read_versions_v1(tenant text, content text, with_trash boolean, wanted integer[])
returns setof engarde.content_versions
language plpgsql as $$
begin
    perform set_config('app.tenant_id', tenant, true);
    return query
    select * from engarde.content_versions v
    where v.tenant_id = tenant and v.content_id = content and v.version = any (wanted)
      and engarde.has_history_v1(tenant, content, with_trash);
end $$;

do $$
declare
    reader text;
begin
    foreach reader in array array['has_history_v1', 'read_history_v1', 'read_versions_v1'] loop
        execute format('alter function engarde.%I owner to engarde_owner', reader);
        execute format('revoke all on function engarde.%I from public', reader);
        execute format('grant execute on function engarde.%I to engarde_api, engarde_actor', reader);
    end loop;
end $$;

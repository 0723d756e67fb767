-- Count a tenant's content anew, where what the platform wrote past the daemon made the ledger wrong.
-- Every write holds the usage row until it commits, so nothing can come in between. Answers whether
-- there was anything to mend.
create function engarde.recount_content_v1(tenant text) returns boolean
language plpgsql set search_path = pg_catalog as $$
begin
    perform engarde.lock_usage_v1(tenant);
    if not exists (select from engarde.quota_drift_v1(array[tenant]) d
                   where d.measure in ('items', 'bytes', 'counted items', 'counted bytes')) then
        return false;
    end if;
    delete from engarde.content_counts c where c.tenant_id = tenant;
    insert into engarde.content_counts (tenant_id, brand_id, content_type, status, items, bytes)
    select i.tenant_id, i.brand_id, i.content_type, i.status, count(*), sum(coalesce(i.storage_size_bytes, 0))
    from public.content_items i
    where i.tenant_id = tenant and i.deleted_at is null and i.brand_id is not null
    group by i.tenant_id, i.brand_id, i.content_type, i.status;
    update public.content_storage_usage u
    set total_content_items = c.items, total_storage_bytes = c.bytes,
        updated_at = clock_timestamp() at time zone 'utc'
    from (select coalesce(sum(k.items), 0) as items, coalesce(sum(k.bytes), 0) as bytes
          from engarde.content_counts k where k.tenant_id = tenant) c
    where u.tenant_id = tenant;
    return true;
end $$;
alter function engarde.recount_content_v1 owner to engarde_owner;
revoke all on function engarde.recount_content_v1 from public;
grant execute on function engarde.recount_content_v1 to engarde_actor;

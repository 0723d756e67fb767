-- Make the figures of a tenant's usage what they count, and tell which of them were wrong. Whoever
-- writes content of the tenant waits meanwhile: the usage row is locked first, as by every write.
create function engarde.reconcile_usage_v1(tenant text)
returns table (measure text, ledger bigint, actual bigint)
language plpgsql set search_path = pg_catalog as $$
begin
    perform from public.content_storage_usage u where u.tenant_id = tenant for update;
    return query select d.measure, d.ledger, d.actual from engarde.quota_drift_v1(array[tenant]) d;
    if not found then
        return;
    end if;
    delete from engarde.content_counts c where c.tenant_id = tenant;
    insert into engarde.content_counts (tenant_id, brand_id, content_type, status, items, bytes)
    select i.tenant_id, i.brand_id, i.content_type, i.status, count(*), sum(i.storage_size_bytes)
    from public.content_items i
    where i.tenant_id = tenant and i.deleted_at is null and i.brand_id is not null
    group by i.tenant_id, i.brand_id, i.content_type, i.status;
    update public.content_storage_usage u
    set total_content_items = c.items, total_storage_bytes = c.bytes, pending_bytes = p.bytes,
        updated_at = clock_timestamp() at time zone 'utc'
    from (select coalesce(sum(n.items), 0) as items, coalesce(sum(n.bytes), 0) as bytes
          from engarde.content_counts n where n.tenant_id = tenant) c,
         (select coalesce(sum(r.amount), 0) as bytes from engarde.reservations r
          where r.tenant_id = tenant and r.state = 'pending' and r.resource = 'storage') p
    where u.tenant_id = tenant;
    update engarde.generation_usage g
    set pending_items = coalesce((
            select sum(r.amount) from engarde.reservations r
            where r.tenant_id = tenant and r.period = g.period and r.state = 'pending'), 0),
        used_items = coalesce((
            select sum(r.actual) from engarde.reservations r
            where r.tenant_id = tenant and r.period = g.period and r.state = 'settled'), 0)
    where g.tenant_id = tenant;
end $$;

alter function engarde.reconcile_usage_v1 owner to engarde_owner;
revoke all on function engarde.reconcile_usage_v1 from public;
grant execute on function engarde.reconcile_usage_v1 to engarde_actor;

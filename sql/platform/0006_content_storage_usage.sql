-- Named by the platform's architecture, created only where it is missing.
create table public.content_storage_usage (
    id varchar(36) primary key default gen_random_uuid()::text,
    tenant_id varchar(36) not null unique references public.tenants (id) on delete cascade,
    brand_id varchar(36) references public.brands (id) on delete set null,
    total_content_items integer default 0,
    total_storage_bytes bigint default 0,
    total_media_files integer default 0,
    total_media_storage_bytes bigint default 0,
    usage_by_type jsonb default '{}'::jsonb,
    last_calculated_at timestamp not null default (now() at time zone 'utc'),
    updated_at timestamp not null default (now() at time zone 'utc')
) with (fillfactor = 50);

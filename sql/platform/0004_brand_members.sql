-- The En Garde platform's own table, created only where it is missing.
create table public.brand_members (
    id varchar(36) primary key default gen_random_uuid()::text,
    brand_id varchar(36) not null references public.brands (id) on delete cascade,
    user_id varchar(36) not null references public.users (id) on delete cascade,
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    role varchar(20) not null default 'member' check (role in ('owner', 'admin', 'member', 'viewer')),
    is_active boolean not null default true,
    unique (brand_id, user_id)
);

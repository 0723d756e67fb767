-- The En Garde platform's own table, created only where it is missing.
create table public.brands (
    id varchar(36) primary key,
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    name varchar(255) not null,
    plan_tier varchar(50) not null default 'free',
    created_at timestamp not null default (now() at time zone 'utc')
);
create index brands_by_tenant on public.brands (tenant_id, id);

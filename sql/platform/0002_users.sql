-- The En Garde platform's own table, created only where it is missing.
create table public.users (
    id varchar(36) primary key,
    tenant_id varchar(36) references public.tenants (id) on delete cascade,
    email varchar(255),
    created_at timestamp not null default (now() at time zone 'utc')
);

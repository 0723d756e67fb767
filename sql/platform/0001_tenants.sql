-- The En Garde platform's own table, created only where it is missing.
create table public.tenants (
    id varchar(36) primary key,
    name varchar(255) not null default '',
    plan_tier varchar(50) not null default 'free',
    created_at timestamp not null default (now() at time zone 'utc')
);

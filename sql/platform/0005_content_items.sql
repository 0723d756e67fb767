-- The En Garde platform's own table, created only where it is missing. `content_body` stays empty
-- for what this daemon writes: bodies live in ZeroDB.
create table public.content_items (
    id varchar(36) primary key,
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    brand_id varchar(36),
    user_id varchar(36),
    title varchar(255) not null,
    content_body text,
    content_type varchar(50) not null,
    status varchar(50) not null default 'draft',
    content_metadata json,
    created_at timestamp not null default (now() at time zone 'utc'),
    updated_at timestamp not null default (now() at time zone 'utc')
);

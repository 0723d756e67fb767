-- What the daemon adds to the platform's database. Existing tables only gain columns.

alter table public.content_items
    add column if not exists zerodb_id varchar(36),
    add column if not exists bigquery_backed_up boolean default false,
    add column if not exists bigquery_last_sync_at timestamp,
    add column if not exists storage_size_bytes bigint default 0,
    add column if not exists version integer default 1,
    add column if not exists version_of varchar(36) references public.content_items (id) on delete set null,
    add column if not exists deleted_at timestamp,
    add column if not exists campaign_space_id varchar(36),
    add column if not exists preview text,
    add column if not exists body_version integer,
    add column if not exists body_sha256 varchar(64),
    add column if not exists scheduled_at timestamp,
    add column if not exists published_at timestamp;

comment on column public.content_items.zerodb_id is 'The ZeroDB row of the current version; null while the body still lives in content_body';
comment on column public.content_items.bigquery_backed_up is 'Whether the current version is in BigQuery';
comment on column public.content_items.storage_size_bytes is 'UTF-8 bytes of the current body, as counted against the plan';
comment on column public.content_items.version is 'The current version';
comment on column public.content_items.body_version is 'The version whose row first carried the current body';

create index if not exists content_items_page
    on public.content_items (tenant_id, brand_id, created_at desc, id desc)
    where deleted_at is null;
create index if not exists content_items_zerodb_id on public.content_items (zerodb_id);

alter table public.content_storage_usage
    add column if not exists pending_bytes bigint not null default 0;
alter table public.content_storage_usage
    add constraint usage_is_never_negative check (
        total_content_items >= 0 and total_storage_bytes >= 0
        and total_media_files >= 0 and total_media_storage_bytes >= 0 and pending_bytes >= 0
    );
comment on table public.content_storage_usage is 'One row a tenant: what it uses and has reserved. Moved only in the transaction of the write itself';

-- How many live items of which kind, and their bytes: the totals of lists and the usage by type.
create table engarde.content_counts (
    tenant_id varchar(36) not null,
    brand_id varchar(36) not null,
    content_type varchar(50) not null,
    status varchar(50) not null,
    items bigint not null check (items >= 0),
    bytes bigint not null check (bytes >= 0),
    primary key (tenant_id, brand_id, content_type, status)
) with (fillfactor = 50);

-- One immutable row a version: everything of it but the body.
create table engarde.content_versions (
    tenant_id varchar(36) not null,
    content_id varchar(36) not null,
    version integer not null check (version > 0),
    body_version integer not null check (body_version between 1 and version),
    zerodb_id varchar(36) not null,
    brand_id varchar(36) not null,
    user_id varchar(36) not null,
    campaign_space_id varchar(36),
    title text not null,
    content_type varchar(50) not null,
    status varchar(50) not null,
    details json not null,
    preview text not null,
    size_bytes bigint not null check (size_bytes >= 0),
    body_sha256 varchar(64) not null check (length(body_sha256) = 64),
    scheduled_at timestamp,
    published_at timestamp,
    change_type varchar(10) not null
        check (change_type in ('create', 'update', 'publish', 'archive', 'delete', 'restore')),
    changed_by varchar(36) not null,
    changes_summary text not null,
    content_created_at timestamp not null,
    created_at timestamp not null,
    deleted_at timestamp,
    primary key (tenant_id, content_id, version)
);

-- Bodies on their way to ZeroDB. A row goes when no outbox row needs it any more. Most bodies fit
-- into their row uncompressed, which spares the detour through a second table.
create table engarde.staged_bodies (
    tenant_id varchar(36) not null,
    content_id varchar(36) not null,
    version integer not null,
    body text not null,
    size_bytes bigint not null,
    primary key (tenant_id, content_id, version)
) with (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.02);
alter table engarde.staged_bodies alter column body set storage external;

-- What is true but has not reached everyone. A row is one version for one destination; it is
-- deleted when the destination has it. Claims carry a lease and a token that fences late finishers.
create table engarde.outbox (
    id bigint generated always as identity primary key,
    destination varchar(10) not null check (destination in ('zerodb', 'search')),
    tenant_id varchar(36) not null,
    content_id varchar(36) not null,
    version integer not null,
    attempts integer not null default 0,
    lease_token integer not null default 0,
    leased_until timestamptz not null default '-infinity',
    last_error varchar(300),
    created_at timestamptz not null default now()
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
create index outbox_claim on engarde.outbox (destination, id);
create index outbox_content on engarde.outbox (tenant_id, content_id, version);

-- Full text of title, tags and body. Readers reach it through search functions alone: an operator
-- that is not leakproof cannot use an index under row level security. Tenant, brand and tags stand
-- in the document as lexemes of their own, so that one index answers the whole question.
create table engarde.content_search (
    tenant_id varchar(36) not null,
    content_id varchar(36) not null,
    version integer not null,
    document tsvector not null,
    primary key (tenant_id, content_id)
);
create index content_search_document on engarde.content_search using gin (document);

-- Answers that may be asked for again: the version a request made, not the answer's text.
create table engarde.idempotency_keys (
    tenant_id varchar(36) not null,
    principal_id varchar(36) not null,
    key varchar(255) not null,
    fingerprint varchar(64) not null,
    content_id varchar(36) not null,
    version integer not null,
    replays integer not null default 0,
    created_at timestamptz not null default now(),
    primary key (tenant_id, principal_id, key)
);
create index idempotency_keys_age on engarde.idempotency_keys (created_at);

-- Room that is promised but not used yet.
create table engarde.reservations (
    id varchar(36) primary key,
    tenant_id varchar(36) not null,
    resource varchar(20) not null check (resource in ('storage', 'generation')),
    period date,
    amount bigint not null check (amount > 0),
    actual bigint check (actual between 0 and amount),
    state varchar(10) not null default 'pending'
        check (state in ('pending', 'settled', 'released', 'expired')),
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    check ((resource = 'generation') = (period is not null)),
    check ((state = 'settled') = (actual is not null))
);
create index reservations_due on engarde.reservations (expires_at) where state = 'pending';
create index reservations_tenant on engarde.reservations (tenant_id, resource) where state = 'pending';

-- Pieces generated in a calendar month (UTC).
create table engarde.generation_usage (
    tenant_id varchar(36) not null,
    period date not null,
    used_items bigint not null default 0 check (used_items >= 0),
    pending_items bigint not null default 0 check (pending_items >= 0),
    primary key (tenant_id, period)
) with (fillfactor = 50);

create table engarde.api_keys (
    id varchar(36) primary key,
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    brand_id varchar(36) not null,
    user_id varchar(36) not null,
    role varchar(10) not null check (role in ('viewer', 'editor', 'admin', 'operator')),
    name varchar(100) not null default '',
    secret_sha256 bytea not null check (length(secret_sha256) = 32),
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);
create index api_keys_tenant on engarde.api_keys (tenant_id, created_at);

-- What a database that is older than the daemon already holds is counted from the first day on.
insert into engarde.content_counts (tenant_id, brand_id, content_type, status, items, bytes)
select tenant_id, brand_id, content_type, status, count(*), sum(coalesce(storage_size_bytes, 0))
from public.content_items
where deleted_at is null and brand_id is not null
group by tenant_id, brand_id, content_type, status;

insert into public.content_storage_usage (tenant_id, total_content_items, total_storage_bytes)
select t.id, coalesce(sum(c.items), 0), coalesce(sum(c.bytes), 0)
from public.tenants t left join engarde.content_counts c on c.tenant_id = t.id
group by t.id
on conflict (tenant_id) do update
set total_content_items = excluded.total_content_items,
    total_storage_bytes = excluded.total_storage_bytes;

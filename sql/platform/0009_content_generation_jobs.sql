-- Named by the platform's architecture, created only where it is missing.
create table public.content_generation_jobs (
    id varchar(36) primary key default gen_random_uuid()::text,
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    brand_id varchar(36) references public.brands (id) on delete set null,
    user_id varchar(36) not null references public.users (id) on delete cascade,
    job_type varchar(50) not null,
    target_count integer not null,
    content_type varchar(50) not null,
    generation_params jsonb,
    status varchar(50) not null default 'pending',
    progress integer default 0,
    error_message text,
    generated_content_ids text[],
    total_storage_bytes bigint default 0,
    total_cost_usd numeric(10, 4) default 0,
    created_at timestamp not null default (now() at time zone 'utc'),
    started_at timestamp,
    completed_at timestamp,
    constraint chk_progress_valid check (progress >= 0 and progress <= target_count)
);
create index idx_content_generation_jobs_tenant on public.content_generation_jobs (tenant_id);
create index idx_content_generation_jobs_brand on public.content_generation_jobs (brand_id);
create index idx_content_generation_jobs_user on public.content_generation_jobs (user_id);
create index idx_content_generation_jobs_status on public.content_generation_jobs (status, created_at);
comment on table public.content_generation_jobs is 'Tracks AI content generation batch jobs';

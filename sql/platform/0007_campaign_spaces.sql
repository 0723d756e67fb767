-- The En Garde platform's own table, created only where it is missing.
do $$ begin
    create type public.adplatform as enum (
        'google_ads', 'meta', 'linkedin', 'twitter', 'tiktok', 'snapchat', 'pinterest', 'reddit',
        'amazon_ads', 'microsoft_ads', 'youtube', 'other');
exception when duplicate_object then null; end $$;
do $$ begin
    create type public.campaignimportsource as enum (
        'manual_upload', 'platform_api', 'csv_import', 'bulk_import');
exception when duplicate_object then null; end $$;
create table public.campaign_spaces (
    id varchar(36) primary key,
    tenant_id varchar(36) not null references public.tenants (id) on delete cascade,
    brand_id varchar(36) references public.brands (id) on delete cascade,
    user_id varchar(36) not null references public.users (id) on delete cascade,
    campaign_name varchar(255) not null,
    campaign_slug varchar(255),
    platform public.adplatform not null,
    external_campaign_id varchar(255),
    description text,
    campaign_objective varchar(100),
    target_audience text,
    budget double precision,
    currency varchar(3) default 'USD',
    campaign_start_date timestamp,
    campaign_end_date timestamp,
    is_active boolean default false,
    import_source public.campaignimportsource not null,
    import_metadata jsonb not null default '{}',
    imported_at timestamp not null default (now() at time zone 'utc'),
    imported_by varchar(36),
    tags varchar[] not null default '{}',
    category varchar(100),
    is_template boolean default false,
    template_metadata jsonb,
    langflow_flow_id varchar(255),
    langflow_execution_history jsonb default '[]',
    total_impressions integer default 0,
    total_clicks integer default 0,
    total_conversions integer default 0,
    total_spend double precision default 0,
    total_revenue double precision default 0,
    avg_ctr double precision default 0,
    avg_roas double precision default 0,
    performance_last_updated timestamp,
    asset_count integer default 0,
    total_asset_size_bytes integer default 0,
    is_archived boolean default false,
    archived_at timestamp,
    created_at timestamp not null default (now() at time zone 'utc'),
    updated_at timestamp not null default (now() at time zone 'utc'),
    deleted_at timestamp
);

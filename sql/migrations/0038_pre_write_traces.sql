-- Which traced request made a version, so that its way to the stores can be linked to the request.
-- Written only while `[telemetry]` is on. No unique key: two daemons that race for a version would wait
-- for each other here, and a trace too many does no harm.
create table engarde.write_traces (
    tenant_id varchar(36) not null,
    content_id varchar(36) not null,
    version integer not null,
    traceparent varchar(55) not null,
    created_at timestamptz not null default clock_timestamp()
);
create index write_traces_version on engarde.write_traces (tenant_id, content_id, version);
create index write_traces_age on engarde.write_traces (created_at);

alter table engarde.write_traces owner to engarde_owner;
alter table engarde.write_traces enable row level security;
alter table engarde.write_traces force row level security;
create policy tenant_guard on engarde.write_traces as restrictive to engarde_api
    using (tenant_id = current_setting('app.tenant_id', true))
    with check (tenant_id = current_setting('app.tenant_id', true));
create policy daemon_access on engarde.write_traces to engarde_owner, engarde_api, engarde_actor
    using (true) with check (true);
grant select, insert, update, delete on engarde.write_traces to engarde_actor, engarde_owner;

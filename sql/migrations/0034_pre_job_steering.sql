-- Imports among the jobs that operators see: the newest of all tenants, without sorting them all.
create index import_jobs_newest on engarde.import_jobs (created_at desc, id desc);

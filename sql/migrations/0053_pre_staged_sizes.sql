-- How much is staged is asked for every second, most of all while ZeroDB is away and it grows. It was
-- added up from the bodies' own pages, which took the longer the more there was, until the look at
-- PostgreSQL was given up as unanswered. The key has the sizes now, so that its index alone is read;
-- it may be, of pages that a vacuum has seen.
-- https://www.postgresql.org/docs/current/indexes-index-only-scans.html
alter table engarde.staged_bodies drop constraint staged_bodies_pkey,
    add primary key (tenant_id, content_id, version) include (size_bytes);
alter table engarde.staged_bodies set (
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_insert_threshold = 1000);

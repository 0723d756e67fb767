-- The audit log answers for a user, a key, an operation or a request by an index each: what is rare was
-- looked for in all that the tenant ever did. Refusals are few, so that theirs costs little.
create index audit_log_user on engarde.audit_log (tenant_id, user_id, at desc, id desc);
create index audit_log_principal on engarde.audit_log (tenant_id, principal_id, at desc, id desc);
create index audit_log_operation on engarde.audit_log (tenant_id, operation, at desc, id desc);
create index audit_log_request on engarde.audit_log (tenant_id, request_id);
create index audit_log_refused on engarde.audit_log (tenant_id, at desc, id desc) where status >= 400;

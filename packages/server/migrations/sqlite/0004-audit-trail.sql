-- Breaking: no (adds columns that a row may lack; earlier rows lack them).

-- Why, where the event alone does not say it: one of the reasons in the table of events.
alter table audit add column reason text;
-- What the act was about, where it is neither an account nor a session: the id of a signing key or of an admin key.
alter table audit add column subject text;
-- Who did it: self, key:ID, cli, system.
alter table audit add column actor text;
-- Peer of the connection that asked.
alter table audit add column address text;
alter table audit add column request_id text;

-- Each also holds the position, so that the newest rows of one of them are found without sorting.
create index audit_by_tenant on audit (tenant_id) where tenant_id is not null;
create index audit_by_account on audit (account_id) where account_id is not null;
create index audit_by_session on audit (session_id) where session_id is not null;

-- Rows are added, and go when their time is over; nothing changes one.
create trigger audit_is_append_only before update on audit
begin
  select raise(abort, 'rows of the audit trail are never changed');
end;

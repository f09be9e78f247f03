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

create index audit_by_tenant on audit (tenant_id, pos) where tenant_id is not null;
create index audit_by_account on audit (account_id, pos) where account_id is not null;
create index audit_by_session on audit (session_id, pos) where session_id is not null;

-- Rows are added, and go when their time is over; nothing changes one.
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'rows of the audit trail are never changed';
end
$$;
create trigger audit_is_append_only before update on audit
  for each statement execute function audit_is_append_only();

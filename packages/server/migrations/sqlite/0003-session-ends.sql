-- Breaking: no (more ways in which a session may end; the version before reads none of them).
-- SQLite cannot change a check: the column is made anew. A table made anew would take the refresh tokens with it, which cascade.

alter table session add column ended_by text check (
  ended_by in (
    'logout', 'logout_all', 'refresh_reused', 'revoked', 'password_changed', 'limit', 'account_disabled', 'signed_out'
  )
);
update session set ended_by = end_reason where end_reason is not null;
alter table session drop column end_reason;
alter table session rename column ended_by to end_reason;

-- The column is in it so that sessions can be counted without a look at the table; it is null in every row, so these stand in the order of
-- their ids, which begin with the time.
create index session_by_owner on session (tenant_id, account_id, ended_at) where ended_at is null;
drop index session_by_account;

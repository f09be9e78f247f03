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

-- Breaking: no (a column with a default, and a table; the version before lets everybody register).

-- Who may register. Tenants that are there stay open; the service says what a new one is.
alter table tenant add column registration text not null default 'open' check (registration in ('open', 'invited', 'closed'));

-- Codes for one registration each; a used one is deleted.
create table invitation (
  -- SHA-256 of the code.
  hash blob primary key,
  tenant_id text not null references tenant (id),
  expires_at integer not null,
  created_at integer not null
) strict, without rowid;

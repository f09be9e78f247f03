-- Breaking: no (a column with a default, and a table; the version before lets everybody register).

-- Who may register. Tenants that are there stay open; the service says what a new one is.
alter table tenant add column registration text not null default 'open' check (registration in ('open', 'invited', 'closed'));

-- Codes for one registration each; a used one is deleted.
create table invitation (
  -- SHA-256 of the code.
  hash bytea primary key,
  tenant_id uuid not null references tenant (id),
  expires_at bigint not null,
  created_at bigint not null
);

alter table invitation enable row level security, force row level security;
create policy of_tenant on invitation
  using (current_setting('catalytic.tenant', true) in ('*', tenant_id::text));

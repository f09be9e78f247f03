-- Breaking: no (first migration).
-- Times are milliseconds since 1970-01-01 UTC. Every row of a tenant carries its tenant_id, and every query asks for it.
-- Foreign keys lead to the nearest parent only: a reference to the tenant from each session would lock the tenant's row for every
-- sign-in, and one row locked by all is a queue.

create table deployment (
  only_row integer primary key check (only_row = 1),
  -- Raised when a backup is restored, so that processes notice they talk to another history.
  generation integer not null,
  -- Longest access token lifetime ever used, seconds; only raised. Decides how long journal rows are kept.
  token_seconds_max integer not null
);
insert into deployment values (1, 1, 0);

create table tenant (
  id uuid primary key,
  name text not null unique,
  status text not null check (status in ('active', 'suspended')),
  epoch integer not null default 0,
  created_at bigint not null
);

create table account (
  id uuid primary key,
  tenant_id uuid not null references tenant (id),
  email text not null,
  -- The email folded for comparison: unique in the tenant without regard to case.
  email_key text not null,
  password_hash text not null,
  status text not null check (status in ('active', 'disabled')),
  epoch integer not null default 0,
  roles text[] not null default '{}',
  created_at bigint not null,
  unique (tenant_id, email_key)
);

create table session (
  id uuid primary key,
  tenant_id uuid not null,
  account_id uuid not null references account (id),
  -- Epochs as the opening statement saw them: a session opened before a sign-out-everywhere can never be refreshed after it.
  account_epoch integer not null,
  tenant_epoch integer not null,
  amr text[] not null,
  authenticated_at bigint not null,
  created_at bigint not null,
  -- When its newest refresh token expires.
  expires_at bigint not null,
  ended_at bigint,
  end_reason text check (end_reason in ('logout', 'logout_all', 'refresh_reused'))
);
create index session_by_account on session (account_id) where ended_at is null;
create index session_by_expiry on session (expires_at);

create table refresh_token (
  -- SHA-256 of the token.
  hash bytea primary key,
  tenant_id uuid not null,
  session_id uuid not null references session (id) on delete cascade,
  expires_at bigint not null,
  used_at bigint,
  successor_hash bytea,
  -- The successor, sealed under a key that only the presented token yields; forgotten when the grace window ends.
  successor_box bytea
);
create index refresh_token_by_session on refresh_token (session_id);
create index refresh_token_by_open_box on refresh_token (used_at) where successor_box is not null;

create table journal (
  id uuid primary key,
  -- The transaction that wrote the row. Readers ask by it, because it is what snapshots are made of: a sequence would be taken before
  -- the commit, and a late commit would be skipped.
  xid xid8 not null default pg_current_xact_id(),
  kind text not null check (kind in ('token', 'session', 'account', 'tenant', 'key')),
  key text not null,
  epoch integer,
  -- Null: for ever.
  keep_until bigint
);
create index journal_by_xid on journal (xid);
create index journal_by_keep_until on journal (keep_until);

-- One row for each registration of a process that accepts tokens.
create table member (
  id uuid primary key,
  state text not null check (state in ('live', 'leaving')),
  -- The snapshot up to which it has applied the journal.
  applied text
);

create table signing_key (
  kid text primary key,
  algorithm text not null,
  public_jwk text not null,
  private_box bytea not null,
  created_at bigint not null,
  activates_at bigint not null,
  retires_at bigint
);

create table admin_key (
  hash bytea primary key,
  tenant_id uuid references tenant (id),
  scopes text[] not null,
  description text not null,
  created_at bigint not null
);

-- Security-relevant acts; event names of the OWASP logging vocabulary.
create table audit (
  pos bigint generated always as identity primary key,
  at bigint not null,
  event text not null,
  tenant_id uuid,
  account_id uuid,
  session_id uuid
);

-- A second lock behind the "where tenant_id =" of every query: a query that forgets it finds nothing of other tenants. '*' is for the
-- few operations that cannot know the tenant yet or concern all. Forced: the owner of the tables obeys too; only a superuser does not.
alter table tenant enable row level security, force row level security;
create policy of_tenant on tenant
  using (current_setting('catalytic.tenant', true) in ('*', id::text));
alter table account enable row level security, force row level security;
create policy of_tenant on account
  using (current_setting('catalytic.tenant', true) in ('*', tenant_id::text));
alter table session enable row level security, force row level security;
create policy of_tenant on session
  using (current_setting('catalytic.tenant', true) in ('*', tenant_id::text));
alter table refresh_token enable row level security, force row level security;
create policy of_tenant on refresh_token
  using (current_setting('catalytic.tenant', true) in ('*', tenant_id::text));
alter table admin_key enable row level security, force row level security;
create policy of_tenant on admin_key
  using (current_setting('catalytic.tenant', true) in ('*', tenant_id::text));
alter table audit enable row level security, force row level security;
create policy of_tenant on audit
  using (current_setting('catalytic.tenant', true) in ('*', tenant_id::text));

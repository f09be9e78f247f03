-- Breaking: no (first migration).
-- Times are milliseconds since 1970-01-01 UTC. Every row of a tenant carries its tenant_id, and every query asks for it.

create table deployment (
  only_row integer primary key check (only_row = 1),
  -- Raised when a backup is restored, so that processes notice they talk to another history.
  generation integer not null,
  -- Longest access token lifetime ever used, seconds; only raised. Decides how long journal rows are kept.
  token_seconds_max integer not null
) strict;
insert into deployment values (1, 1, 0);

create table tenant (
  id text primary key,
  name text not null unique,
  status text not null check (status in ('active', 'suspended')),
  epoch integer not null default 0,
  created_at integer not null
) strict, without rowid;

create table account (
  id text primary key,
  tenant_id text not null references tenant (id),
  email text not null,
  -- The email folded for comparison: unique in the tenant without regard to case.
  email_key text not null,
  password_hash text not null,
  status text not null check (status in ('active', 'disabled')),
  epoch integer not null default 0,
  roles text not null default '[]',
  created_at integer not null,
  unique (tenant_id, email_key)
) strict, without rowid;

create table session (
  id text primary key,
  tenant_id text not null references tenant (id),
  account_id text not null references account (id),
  -- Epochs as the opening statement saw them: a session opened before a sign-out-everywhere can never be refreshed after it.
  account_epoch integer not null,
  tenant_epoch integer not null,
  amr text not null,
  authenticated_at integer not null,
  created_at integer not null,
  -- When its newest refresh token expires.
  expires_at integer not null,
  ended_at integer,
  end_reason text check (end_reason in ('logout', 'logout_all', 'refresh_reused'))
) strict, without rowid;
create index session_by_account on session (tenant_id, account_id) where ended_at is null;
create index session_by_expiry on session (expires_at);

create table refresh_token (
  -- SHA-256 of the token.
  hash blob primary key,
  tenant_id text not null references tenant (id),
  session_id text not null references session (id) on delete cascade,
  expires_at integer not null,
  used_at integer,
  successor_hash blob,
  -- The successor, sealed under a key that only the presented token yields; forgotten when the grace window ends.
  successor_box blob
) strict, without rowid;
create index refresh_token_by_session on refresh_token (session_id);
create index refresh_token_by_open_box on refresh_token (used_at) where successor_box is not null;

-- Autoincrement: a position is never used twice, not even after the newest row has been deleted.
create table journal (
  pos integer primary key autoincrement,
  id text not null unique,
  kind text not null check (kind in ('token', 'session', 'account', 'tenant', 'key')),
  key text not null,
  epoch integer,
  -- Null: for ever.
  keep_until integer
) strict;
create index journal_by_keep_until on journal (keep_until);

create table signing_key (
  kid text primary key,
  algorithm text not null,
  public_jwk text not null,
  private_box blob not null,
  created_at integer not null,
  activates_at integer not null,
  retires_at integer
) strict, without rowid;

create table admin_key (
  hash blob primary key,
  tenant_id text references tenant (id),
  scopes text not null,
  description text not null,
  created_at integer not null
) strict, without rowid;

-- Security-relevant acts; event names of the OWASP logging vocabulary.
create table audit (
  pos integer primary key autoincrement,
  at integer not null,
  event text not null,
  tenant_id text,
  account_id text,
  session_id text
) strict;

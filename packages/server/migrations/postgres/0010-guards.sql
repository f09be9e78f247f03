-- Breaking: no (columns that a row may lack or that have a default, and a table; the version before
-- registers members without a kind and writes entries without a tenant).

-- Null: the version before has registered the member, which is a worker.
alter table member add column kind text check (kind in ('worker', 'guard'));
-- Of guards: the id of the guard key that registered it; null: no key answers for it.
alter table member add column key text;
-- Of guards: tells them apart in logs and metrics.
alter table member add column name text;
-- Of guards: the kinds of entries that it knows, with commas between them.
alter table member add column kinds text;
-- Raised again and again while the process lives. A member whose number stands still is marked.
alter table member add column seen integer not null default 0;

-- The tenant whose tokens the entry concerns. Null: any tenant, because the entry is of a signing
-- key, was written by the version before, or was written back.
alter table journal add column tenant_id uuid;

-- Raised whenever a guard key is made or revoked: each process then forgets the guard keys that it
-- remembers.
alter table deployment add column guard_keys_revision integer not null default 0;

create table guard_key (
  -- SHA-256 of the key.
  hash bytea primary key,
  -- The only tenant whose revocations it is given; null: all.
  tenant_id uuid references tenant (id),
  description text not null,
  -- Most guards that may be registered with it at once.
  guards_max integer not null,
  -- From when on the key is refused; null: never.
  expires_at bigint,
  created_at bigint not null,
  -- When it was last accepted, to the minute.
  last_used_at bigint,
  -- How often in close succession its guards were marked as silent, and when they last were.
  marks integer not null default 0,
  marked_at bigint
);

alter table guard_key enable row level security, force row level security;
create policy of_tenant on guard_key
  using (current_setting('catalytic.tenant', true) in ('*', tenant_id::text));

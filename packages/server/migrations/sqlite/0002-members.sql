-- Breaking: no (adds a table).
-- The processes that accept tokens. A revocation that has answered "complete" is known to each of them.

create table member (
  id text primary key,
  state text not null check (state in ('live', 'leaving')),
  -- Position in the journal up to which it has acknowledged.
  applied integer
) strict, without rowid;

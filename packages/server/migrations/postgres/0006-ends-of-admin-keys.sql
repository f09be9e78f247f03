-- Breaking: no (columns that a row may lack; the version before takes an expired key until it is replaced).

-- From when on the key is refused; null: never.
alter table admin_key add column expires_at bigint;
-- When it was last accepted, to the minute.
alter table admin_key add column last_used_at bigint;

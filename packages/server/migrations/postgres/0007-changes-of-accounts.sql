-- Breaking: no (columns that a row may lack; the version before takes an account that was deleted for a disabled one, and tells clients
-- of outdated tokens that they are revoked).

-- Whether the sessions of the account go on under the new epoch, because only its rights have changed; null: they end.
alter table journal add column keeps_sessions boolean;
-- When the account was deleted. The row stays without email, password and roles, because sessions and tokens refer to it.
alter table account add column deleted_at bigint;

-- Breaking: no (a column with a default; tokens of the version before count from 0 again, and are kept a little longer).

-- The tokens of a session in the order of their issue, from 0, so that old used ones can be found and deleted.
alter table refresh_token add column number integer not null default 0;
create index refresh_token_by_number on refresh_token (session_id, number);
drop index refresh_token_by_session;

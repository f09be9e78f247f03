-- Breaking: no (columns that a row may lack; the version before leaves them out).

-- The name of this history of the database, and the server (cluster and timeline) on which it was given. What was read in one history says
-- nothing about another: after a failover, or on a server that a backup was restored to, the name is replaced.
alter table deployment add column history uuid not null default gen_random_uuid();
alter table deployment add column history_server text;
-- A bound of the newest iat that any token was given, milliseconds: raised a minute ahead, so that few sign-ins write it.
alter table deployment add column newest_iat bigint not null default 0;

-- How long the process accepts tokens after its last read; null: the version before, which did not say.
alter table member add column lease_ms integer;
-- The history in which it has applied what "applied" says; null: the version before.
alter table member add column applied_history uuid;

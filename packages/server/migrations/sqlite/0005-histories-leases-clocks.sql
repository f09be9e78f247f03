-- Breaking: no (columns that a row may lack; the version before leaves them out).

-- The name of this history of the database. What was read in one history says nothing about another: it is replaced when the database is
-- found to be older than it was.
alter table deployment add column history text not null default '';
update deployment set history = lower(hex(randomblob(16)));
-- A bound of the newest iat that any token was given, milliseconds: raised a minute ahead, so that few sign-ins write it.
alter table deployment add column newest_iat integer not null default 0;

-- How long the process accepts tokens after its last read.
alter table member add column lease_ms integer;

-- Breaking: no (adds a column that a row may lack; earlier rows lack it).

-- Number of equal acts that the row stands for; absent: one.
alter table audit add column count integer;

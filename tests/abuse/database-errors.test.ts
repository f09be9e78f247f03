import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodPassword, post } from '../harness/client.ts';
import { needsPostgres, postgresIn } from '../harness/postgres.ts';
import { assertProblem } from '../harness/problems.ts';
import { serviceIn } from '../harness/service.ts';

test('an error of the database is logged by its codes, without a value of a row', needsPostgres(), async (t) => {
  const postgres = await postgresIn(t);
  const service = await serviceIn(t, { DATABASE_URL: postgres.url });
  // Its report names the whole row: `Failing row contains (…)`.
  await postgres.sql("alter table account add constraint none_of_these check (email_key not like 'canary%')");
  const email = 'canary-row@example.com';
  assertProblem(await post(`${service.url}/auth/register`, { email, password: goodPassword }), 'internal_error');
  // Its message and its context quote the value.
  await postgres.sql(`
    alter table account drop constraint none_of_these;
    create function quote_it() returns trigger language plpgsql as $$
      begin perform new.password_hash::integer; return new; end $$;
    create trigger quote_it before insert on account for each row execute function quote_it()`);
  assertProblem(await post(`${service.url}/auth/register`, { email, password: goodPassword }), 'internal_error');
  const log = service.output();
  assert.match(log, /"code":"23514","severity":"ERROR","routine":"ExecConstraints"/);
  assert.match(log, /"code":"22P02","severity":"ERROR","routine":/);
  for (const value of ['canary', 'argon2id', 'm=19456', goodPassword])
    assert.ok(!log.includes(value), `the log holds ${value}`);
});

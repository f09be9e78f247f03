import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { countUnended } from '../session-sql.ts';
import { migrate } from './database.ts';

test('sessions are counted in an index alone: a sign-in reads none of the others', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  const plan = database.prepare(`explain query plan ${countUnended('?', '?', '?')}`).all('tenant', 'account', 10);
  const details = plan.map(({ detail }) => String(detail)).join('\n');
  assert.match(details, /SEARCH session USING COVERING INDEX session_by_owner/);
  assert.doesNotMatch(details, /SCAN session/);
  database.close();
});
